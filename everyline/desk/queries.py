"""Reads that only the desk makes."""

from __future__ import annotations

from everyline.ground import sql

statements = sql.beside(__file__, "desk.sql")
