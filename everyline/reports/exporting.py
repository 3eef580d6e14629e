"""Reports as files: every row with its moment in UTC and in the reader's zone, every figure as a plain number."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from everyline.ground.errors import Conflict
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.measure.figures import Asked, Line
from everyline.reports.frame import Names

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


def table(
    lines: Sequence[Line], columns: Sequence[str], asked: Asked, named: Names
) -> tuple[list[str], list[list[Any]]]:
    """Names of the columns, and the rows: seconds as seconds, shares from 0 to 1."""
    head: list[str] = []
    for dimension in asked.rows:
        head += ["from_utc", "from_local", "zone"] if dimension == "interval" else [f"{dimension}_id", dimension]
    rows = []
    for line in lines:
        row: list[Any] = []
        for dimension, key in zip(asked.rows, line.key, strict=True):
            if isinstance(key, datetime):
                row += [key, key.astimezone(zone(asked.zone)).isoformat(timespec="minutes"), asked.zone]
            else:
                row += [str(key), named.of(dimension, key)]
        rows.append([*row, *(line.value(name) for name in columns), line.formula])
    return [*head, *columns, "formula"], rows


def as_csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Comma-separated values (RFC 4180). A name that a spreadsheet would take for a formula is written as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value


def can_parquet() -> bool:
    """Is the library for Parquet there? It is large, and an extra of the package: ``everyline[parquet]``."""
    return importlib.util.find_spec("pyarrow") is not None


def as_parquet(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Apache Parquet. Conflict when the library for it is not there."""
    if not can_parquet():
        raise Conflict(
            _(
                "This installation cannot write Parquet files yet: an admin adds it with “pip install everyline[parquet]”. The table (CSV) holds the same."
            )
        )
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")

    columns = {name: [row[n] for row in rows] for n, name in enumerate(head)}
    out = io.BytesIO()
    parquet.write_table(arrow.table(columns), out)
    return out.getvalue()
