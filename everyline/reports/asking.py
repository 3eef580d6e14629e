"""What a page is asked for in its address, and the addresses that ask for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from everyline.ground.moments import day as day_words
from everyline.ground.moments import zone
from everyline.ground.words import _, mark
from everyline.measure.figures import DIMENSIONS, FIGURES, STEPS, USUAL, Asked
from everyline.measure.rules import FORMULAS, day_bounds
from everyline.people.rules import Me

PERIODS = {
    "today": mark("Today"),
    "yesterday": mark("Yesterday"),
    "week": mark("This week"),
    "last-week": mark("Last week"),
    "month": mark("This month"),
    "last-month": mark("Last month"),
}
LONGEST = timedelta(days=400)
STEP_NAMES = {
    "15": mark("15 min"),
    "30": mark("30 min"),
    "60": mark("1 h"),
    "day": mark("1 day"),
    "week": mark("1 week"),
}
MOST_ROWS_OF_CHART = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A report as its address has it: days and names, nothing that depends on who reads it or when."""

    by: str = "interval"
    period: str = "today"  # one of PERIODS, or "days" with the two below
    first: date | None = None
    last: date | None = None
    step: str = ""
    queue: int = 0
    channel: str = ""
    language: str = ""
    team: int = 0
    agent: int = 0
    formula: str = ""
    figures: tuple[str, ...] = ()
    then: str = ""  # a second dimension

    def parts(self) -> dict[str, Any]:
        """What is not usual, for an address or to be kept."""
        found = {
            "by": self.by if self.by != "interval" else "",
            "period": self.period if self.period != "today" else "",
            "first": self.first.isoformat() if self.first and self.period == "days" else "",
            "last": self.last.isoformat() if self.last and self.period == "days" else "",
            "step": self.step,
            "queue": self.queue or "",
            "channel": self.channel,
            "language": self.language,
            "team": self.team or "",
            "agent": self.agent or "",
            "formula": self.formula,
            "figure": list(self.figures),
            "then": self.then,
        }
        return {name: value for name, value in found.items() if value}

    def href(self, path: str = "/reports", **changes: Any) -> str:
        """The address of this report with something changed; ``None`` takes a part away."""
        own = {name: value for name, value in changes.items() if name in self.__dataclass_fields__}
        parts = {**replace(self, **own).parts(), **{name: value for name, value in changes.items() if name not in own}}
        words = urlencode({name: value for name, value in parts.items() if value not in (None, "")}, doseq=True)
        return f"{path}?{words}" if words else path

    @property
    def columns(self) -> tuple[str, ...]:
        """The figures that are shown."""
        return self.figures or (USUAL if self.by != "agent" else AGENT_FIGURES)


AGENT_FIGURES = (
    "handled", "handle_time", "talk_time", "hold_time", "wrap_up_time", "transferred", "engaged", "concurrency", "available_time",
    "away_time", "occupancy",
)  # fmt: skip


def read(given: Mapping[str, Any], figures: Sequence[str] = ()) -> Question:
    """A question from an address; what cannot be read is left at what is usual."""

    def one_of(name: str, known: Any, usual: str = "") -> str:
        value = str(given.get(name, "") or "")
        return value if value in known else usual

    first, last = _day(given.get("first")), _day(given.get("last"))
    period = one_of("period", (*PERIODS, "days"), "today")
    if period == "days" and (first is None or last is None or last < first or last - first > LONGEST):
        period = "today"
    by = one_of("by", DIMENSIONS, "interval")
    then = one_of("then", DIMENSIONS)
    return Question(
        by=by,
        period=period,
        first=first if period == "days" else None,
        last=last if period == "days" else None,
        step=one_of("step", STEPS),
        queue=_number(given.get("queue")),
        channel=str(given.get("channel", "") or "")[:40],
        language=str(given.get("language", "") or "")[:8],
        team=_number(given.get("team")),
        agent=_number(given.get("agent")),
        formula=one_of("formula", FORMULAS),
        figures=tuple(name for name in dict.fromkeys(figures) if name in FIGURES),
        then=then if then != by else "",
    )


def _number(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value or ""))
    except ValueError:
        return None


def days_of(question: Question, today: date) -> tuple[date, date]:
    """The first and the last day of its period, seen from a day."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    if question.period == "days" and question.first and question.last:
        return question.first, question.last
    return {
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "week": (monday, today),
        "last-week": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "month": (first, today),
        "last-month": ((first - timedelta(days=1)).replace(day=1), first - timedelta(days=1)),
    }.get(question.period, (today, today))


def asked(question: Question, me: Me, queue_ids: Sequence[int], now: datetime) -> Asked:
    """The question as the ledgers are asked, within the reader's queues and on their clock."""
    place = zone(me.zone)
    first, last = days_of(question, now.astimezone(place).date())
    wanted = tuple(one for one in queue_ids if not question.queue or one == question.queue)
    step = question.step or ("30" if first == last else "day")
    rows = (question.by, question.then) if question.then else (question.by,)
    return Asked(
        day_bounds(first, place)[0],
        day_bounds(last, place)[1],
        me.zone,
        rows,
        step,
        wanted,
        question.channel,
        question.language,
        question.team,
        question.agent,
    )


def period_words(question: Question, me: Me, now: datetime) -> str:
    """The period as its button says it."""
    today = now.astimezone(zone(me.zone)).date()
    first, last = days_of(question, today)
    if question.period in ("today", "yesterday"):
        return f"{_(PERIODS[question.period])}, {day_words(first, today)}"
    if first == last:
        return day_words(first, today)
    return f"{day_words(first, today)} – {day_words(last, today)}"
