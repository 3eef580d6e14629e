"""A report as its page shows it: tiles, chart, rows, and the ways to the cases behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from everyline.ground.database import Tx
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.measure import queries
from everyline.measure.figures import AGENT_TILES, BY_EVENT, EVENT, FIGURES, STEPS, TILES, Asked, Line, total
from everyline.measure.rules import FORMULAS
from everyline.reports import drawing, saying
from everyline.reports.asking import MOST_ROWS_OF_CHART, Question
from everyline.reports.drawing import Bar, Chart
from everyline.reports.frame import Names

MOST_ROWS = 3000  # of a table on a page; an export has them all


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one row."""

    text: str
    href: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class RowShown:
    """One row of the table."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]
    before: str
    formula: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure with how it moved and what it is."""

    figure: str
    name: str
    amount: str
    unit: str
    moved: saying.Moved | None
    words: str
    ledger: str
    href: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole report."""

    question: Question
    columns: tuple[str, ...]
    rows: tuple[RowShown, ...]
    foot: RowShown
    tiles: tuple[Tile, ...]
    chart: Chart | None
    whole: Line
    before: Line
    left_out: int


async def view(tx: Tx, question: Question, asked: Asked, named: Names, promised: float) -> View:
    """Read a report and the week before it."""
    found = await queries.lines(tx, asked, question.formula)
    earlier = queries.week_before(asked)
    past = await queries.lines(tx, earlier, question.formula)
    whole, before = await queries.whole(tx, asked, question.formula), await queries.whole(tx, earlier, question.formula)
    if question.by == "agent":
        whole, before = total(found, whole.formula), total(past, before.formula)
    past_by_key = {_later(line.key, asked): line for line in past}
    shown = found[:MOST_ROWS]
    rows = tuple(_row(line, past_by_key.get(line.key), question, asked, named, promised) for line in shown)
    return View(
        question,
        question.columns,
        rows,
        _row(whole, before, question, replace(asked, rows=()), named, promised),
        tuple(_tile(name, whole, before, question) for name in (AGENT_TILES if question.by == "agent" else TILES)),
        _chart(question, found, past_by_key, named) if question.by != "agent" and not question.then else None,
        whole,
        before,
        len(found) - len(shown),
    )


def _later(key: tuple[Any, ...], asked: Asked) -> tuple[Any, ...]:
    """The key of the same row a week later, on the reader's clock."""
    place = zone(asked.zone)
    return tuple(
        (part.astimezone(place) + timedelta(days=7)).astimezone(part.tzinfo) if isinstance(part, datetime) else part
        for part in key
    )


def _tile(name: str, whole: Line, before: Line, question: Question) -> Tile:
    figure = FIGURES[name]
    amount, unit = saying.parts(name, whole.value(name))
    words, ledger = _(figure.words), figure.ledger
    if name == "service_level":
        words = _(FORMULAS[whole.formula].words)
        ledger = EVENT if whole.formula in BY_EVENT else ledger
    moved = saying.moved(name, whole.value(name), before.value(name))
    return Tile(name, _(figure.name), amount, unit, moved, words, _(ledger), question.href(open=name))


def _row(line: Line, past: Line | None, question: Question, asked: Asked, named: Names, promised: float) -> RowShown:
    cells = []
    for name in question.columns:
        figure, value = FIGURES[name], line.value(name)
        href = ""
        if figure.cases and (value or (value is not None and figure.unit != "count")):
            href = cases_href(question, figure.cases, asked, line.key)
        tone = saying.level_tone(value, promised) if name == "service_level" else ""
        cells.append(Cell(saying.said(name, value), href, tone))
    moved = _moved_offered(line, past)
    return RowShown(
        tuple(named.of(*pair) for pair in zip(asked.rows, line.key, strict=True)), tuple(cells), moved, line.formula
    )


def _moved_offered(line: Line, past: Line | None) -> str:
    name = "offered" if line.value("offered") or (past and past.value("offered")) else "handled"
    moved = saying.moved(name, line.value(name), past.value(name) if past else None)
    return (moved.text if moved.words else "0 %") if moved else saying.NONE


def cases_href(question: Question, figure: str, asked: Asked, key: Sequence[Any]) -> str:
    """The address of the cases behind a figure of a row."""
    changes: dict[str, Any] = {"then": ""}
    more: dict[str, str] = {"of": figure}
    for dimension, part in zip(asked.rows, key, strict=True):
        if dimension == "interval":
            begin = max(part, asked.begin)
            more |= {"begin": _stamp(begin), "end": _stamp(min(_end(part, asked), asked.end))}
        elif dimension in ("queue", "channel", "language", "team", "agent"):
            changes[dimension] = part
    return question.href("/reports/cases", **changes, **more)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ") if at.utcoffset() == timedelta() else _stamp(at.astimezone(zone("UTC")))


def _end(begin: datetime, asked: Asked) -> datetime:
    if asked.step not in ("day", "week"):
        return begin + timedelta(minutes=STEPS[asked.step])
    local = begin.astimezone(zone(asked.zone)) + timedelta(days=7 if asked.step == "week" else 1)
    return local.astimezone(zone("UTC"))


def _chart(question: Question, found: Sequence[Line], past: dict[tuple[Any, ...], Line], named: Names) -> Chart | None:
    if not found or len(found) > MOST_ROWS_OF_CHART * 2:
        return None
    bars = []
    for line in found:
        name = named.of(question.by, line.key[0])
        parts = tuple(
            (kind, line.value(figure) or 0)
            for kind, figure in (("", "in_time"), ("late", "late"), ("lost", "abandoned"), ("short", "short"))
        )
        before = past.get(line.key)
        words = _("%(name)s: %(n)s offered") % {"name": name, "n": saying.said("offered", line.value("offered"))}
        bars.append(Bar(name, parts, (before.value("offered") or 0) if before else 0, words))
    has_past = any(bar.before for bar in bars) and question.by == "interval"
    return drawing.draw(bars if has_past else [replace(bar, before=None) for bar in bars])
