"""Figures of the past, what each of them is, and the cases behind it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import text

from everyline.api.shapes import Shape
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.measure import queries
from everyline.measure.figures import FIGURES, USUAL, Asked
from everyline.measure.rules import FORMULAS
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues

router = APIRouter(prefix="/figures", tags=["figures"])
Reader = Annotated[Me, permit("figure.read")]
Dimension = Literal["interval", "queue", "agent", "channel", "language", "team"]
LONGEST = timedelta(days=400)


class FigureRow(Shape):
    """One row: what it stands for, its figures (seconds as seconds, shares from 0 to 1), the formula of its service level."""

    key: dict[str, Any]
    figures: dict[str, float | None]
    formula: str


class FigureTable(Shape):
    """Rows, the time they are about, and up to when events are counted."""

    begin: datetime
    end: datetime
    zone: str
    known_until: datetime | None
    rows: list[FigureRow]


class FigureDefinition(Shape):
    id: str
    name: str
    words: str
    ledger: str
    unit: str
    opens: bool


class FormulaDefinition(Shape):
    id: str
    used_by: str
    words: str


class Definitions(Shape):
    """Every figure and every formula of a service level."""

    figures: list[FigureDefinition]
    formulas: list[FormulaDefinition]


class FigureCase(Shape):
    """One case behind a figure, with the moment at which it counts."""

    case_id: int
    number: int | str | None = None
    at: datetime
    queue_id: int
    channel: str
    language: str
    agent_id: int | None = None
    outcome: str
    seconds: float | None = None


async def _asked(
    tx: Tx,
    me: Me,
    begin: datetime | None,
    end: datetime | None,
    rows: tuple[str, ...],
    step: str,
    queue: int,
    channel: str,
    language: str,
    team: int,
    agent: int,
) -> Asked:
    end = end or now()
    begin = begin or end - timedelta(days=1)
    if begin.tzinfo is None or end.tzinfo is None or not begin < end <= begin + LONGEST:
        raise Invalid(
            _("Ask for a time of at most 400 days, with its zone."), {"begin": _("before the end, with its zone")}
        )
    if me.all_queues:
        seen = await tx.column(text("select id from queue order by id"))
    else:
        seen = [row.id for row in await queues.seen_by(tx, me)]
    wanted = tuple(one for one in seen if not queue or one == queue)
    return Asked(begin, end, me.zone, rows, step, wanted, channel, language, team, agent)


@router.get("")
async def figures(
    request: Request,
    me: Reader,
    begin: datetime | None = None,
    end: datetime | None = None,
    by: Annotated[tuple[Dimension, ...], Query()] = ("interval",),
    step: Literal["15", "30", "60", "day", "week"] = "15",
    figure: Annotated[tuple[str, ...], Query()] = USUAL,
    formula: str = "",
    queue: int = 0,
    channel: str = "",
    language: str = "",
    team: int = 0,
    agent: int = 0,
) -> FigureTable:
    """Figures by interval, queue, agent, channel, language or team, or two of them; the last day when no time is named."""
    unknown = [name for name in figure if name not in FIGURES]
    if unknown or (formula and formula not in FORMULAS):
        raise Invalid(_("There is no such figure or formula."), {"figure": ", ".join(unknown) or formula})
    async with ground_of(request).database.transaction() as tx:
        rows = tuple(dict.fromkeys(by))[:2]
        asked = await _asked(tx, me, begin, end, rows, step, queue, channel, language, team, agent)
        lines = await queries.lines(tx, asked, formula)
        known = await queries.known_until(tx)
    return FigureTable(
        begin=asked.begin,
        end=asked.end,
        zone=asked.zone,
        known_until=known,
        rows=[
            FigureRow(
                key=dict(zip(rows, line.key, strict=True)),
                figures={name: line.value(name) for name in figure},
                formula=line.formula,
            )
            for line in lines
        ],
    )


@router.get("/definitions")
async def definitions(_me: Reader) -> Definitions:
    """What each figure is, in words: its sum, its ledger and its unit; and the eleven formulas of a service level."""
    return Definitions(
        figures=[
            FigureDefinition(
                id=one.id,
                name=_(one.name),
                words=_(one.words),
                ledger=_(one.ledger),
                unit=one.unit,
                opens=bool(one.cases),
            )
            for one in FIGURES.values()
        ],
        formulas=[
            FormulaDefinition(id=one.id, used_by=_(one.used_by), words=_(one.words)) for one in FORMULAS.values()
        ],
    )


@router.get("/{figure}/cases")
async def cases(
    request: Request,
    me: Reader,
    figure: str,
    begin: datetime | None = None,
    end: datetime | None = None,
    queue: int = 0,
    channel: str = "",
    language: str = "",
    team: int = 0,
    agent: int = 0,
    before: datetime | None = None,
    before_id: int = 0,
) -> list[FigureCase]:
    """The cases behind a figure, newest first, 500 at once; hand the last one's ``at`` and ``case_id`` to the next call."""
    if not queries.can_open(figure):
        raise NotFound(_("There are no cases behind this figure."))
    async with ground_of(request).database.transaction() as tx:
        asked = await _asked(tx, me, begin, end, (), "15", queue, channel, language, team, agent)
        found = await queries.behind(tx, asked, figure, before=(before, before_id) if before else None, most=500)
    return [FigureCase.model_validate(row) for row in found]
