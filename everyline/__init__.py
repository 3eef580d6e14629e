"""Everyline: every line into an organisation, one queue, one customer record."""

__version__ = "0.1.0"
