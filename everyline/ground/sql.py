"""Named SQL beside the module that runs it.

A ``.sql`` file holds statements, each under ``-- name: <name>`` and a line that says what it is for.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Statements:
    """The statements of one file, as attributes."""

    def __init__(self, statements: dict[str, TextClause]) -> None:
        self._statements = statements

    def __getattr__(self, name: str) -> TextClause:
        try:
            return self._statements[name]
        except KeyError:
            raise AttributeError(f"no statement named {name}") from None


def beside(module_file: str, name: str) -> Statements:
    """Load the ``.sql`` file that stands beside a module: ``beside(__file__, "intake.sql")``."""
    source = (Path(module_file).parent / name).read_text("utf-8")
    parts = _NAME.split(source)
    return Statements({key: text(body.strip().rstrip(";")) for key, body in zip(parts[1::2], parts[2::2], strict=True)})
