"""Tables as files: separated values in whatever encoding and with whatever separator, read cell by cell. Pure.

What can be read is kept, what cannot is said with its line; nothing is guessed at.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.selfservice.slots import Value
from everyline.selfservice.sources import mapping
from everyline.selfservice.sources.declared import Field, Input, Source, Table

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 250_000
MOST_FAULTS = 50  # that are shown
SEPARATORS = (",", ";", "\t", "|")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Line:
    """A row that was read: the values of its inputs and of its fields."""

    inputs: dict[str, Value]
    fields: dict[str, Value]


@dataclass(slots=True)
class Report:
    """What became of a file."""

    encoding: str
    separator: str
    kept: int = 0
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)  # the first of them: line from 1, and why
    ignored: list[str] = field(default_factory=list)  # headings that nobody asked for

    def refuse(self, line: int, why: str) -> None:
        """This row is not kept."""
        self.refused += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((line, why))


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: by its mark, else UTF-16 by its zeros, else UTF-8, else Windows-1252."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace"), encoding.removesuffix("-sig")
    head = content[:2000]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(head) >= 4 and zeros.count(0) > len(zeros) * 0.4:
            return content.decode(encoding, "replace"), encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"


def heading(column: Input | Field) -> str:
    """What a column is headed with, as headings are compared."""
    return " ".join((column.at or column.slot.name).casefold().split())


def _separator(text: str, wanted: Sequence[str]) -> str:
    """The separator under which the first row has most of the headings, or else most cells."""

    def fits(one: str) -> tuple[int, int]:
        try:
            row = next(csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=one), [])
        except csv.Error:
            return 0, 0
        cells = [" ".join(cell.casefold().split()) for cell in row]
        return sum(name in cells for name in wanted), len(cells)

    return max(SEPARATORS, key=fits)


def _rows(text: str, separator: str, report: Report) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            report.refuse(begins, _("This line cannot be read."))
            continue
        if any(map(str.strip, row)):
            yield begins, row


def read(source: Source, content: bytes) -> tuple[list[Line], Report]:
    """The rows of a file, and what became of it. Invalid when it is no table with the columns that are needed."""
    assert isinstance(source.settings, Table)
    if len(content) > MOST_BYTES:
        raise Invalid(_("The file is too large."), {"file": _("At most %s MB.") % (MOST_BYTES // 1024 // 1024)})
    text, encoding = decoded(content)
    columns: list[Input | Field] = [*source.inputs, *source.fields]
    separator = _separator(text, [heading(one) for one in columns])
    report = Report(encoding, separator)
    rows = _rows(text, separator, report)
    _line, heads = next(rows, (0, []))
    heads = [" ".join(head.casefold().split()) for head in heads]
    needed = [one for one in columns if isinstance(one, Input) or one.needed]
    if absent := [one.at or one.slot.name for one in needed if heading(one) not in heads]:
        raise Invalid(
            _("These columns are not in the file: %s.") % ", ".join(absent),
            {"file": _("Its first row has: %s.") % (", ".join(heads)[:300] or _("nothing"))},
        )
    places = {one.slot.name: heads.index(heading(one)) for one in columns if heading(one) in heads}
    report.ignored = [head for n, head in enumerate(heads) if head and n not in places.values()][:MOST_FAULTS]
    style = mapping.Style(source.settings.dates, source.settings.decimal)
    found: dict[tuple[str, ...], Line] = {}
    for begins, row in rows:
        if len(found) + report.refused >= MOST_ROWS:
            raise Invalid(_("The file is too large."), {"file": _("At most %s rows.") % f"{MOST_ROWS:,}"})
        try:
            line = _line_of(source, row, len(heads), places, style)
        except mapping.Nonsense as error:
            report.refuse(begins, str(error))
            continue
        key = tuple(line.inputs[one.slot.name].value for one in source.inputs)
        if key in found:
            report.refuse(begins, _("There is a row with the same key above."))
            continue
        found[key] = line
    report.kept = len(found)
    return list(found.values()), report


def _line_of(source: Source, row: list[str], width: int, places: dict[str, int], style: mapping.Style) -> Line:
    if len(row) > width and any(map(str.strip, row[width:])):
        raise mapping.Nonsense(_("It has more cells than there are headings."))

    def cell(column: Input | Field) -> Any:
        at = places.get(column.slot.name)
        return row[at] if at is not None and at < len(row) else None

    return line(source, cell, style)


def line(source: Source, cell: Any, style: mapping.Style = mapping.PLAIN) -> Line:
    """A row by what ``cell`` gives for each input and field. Nonsense."""
    keys = [Field(one.slot, at=one.at) for one in source.inputs]
    return Line(mapping.values(keys, cell, style), mapping.values(source.fields, cell, style))
