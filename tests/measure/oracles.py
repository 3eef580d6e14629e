"""What the statements of the ledgers are held against: goal events and intervals, worked out one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from everyline.measure.rules import day_bounds

INTERVAL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class GoalEvent:
    """The one moment at which an entry counts as a goal event, and as what: answered, abandoned, expired."""

    at: datetime
    kind: str


def goal_event(
    waiting_since: datetime,
    due_at: datetime,
    ended_at: datetime | None,
    outcome: str,
    short: timedelta,
    until: datetime,
) -> GoalEvent | None:
    """The first of: answered, abandoned, the time is over. None for who left within the short time, for who went another
    way before the time was over, and for who still waits within it at ``until``. An expiry counts when it happens, not
    when the entry arrived."""
    if ended_at is not None and ended_at <= due_at:
        if outcome == "answered":
            return GoalEvent(ended_at, "answered")
        if outcome == "abandoned" and ended_at - waiting_since > short:
            return GoalEvent(ended_at, "abandoned")
        return None
    return GoalEvent(due_at, "expired") if due_at < (ended_at or until) else None


def interval_of(at: datetime) -> datetime:
    """The beginning, in UTC, of the quarter of an hour that a moment lies in; its end belongs to the next."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def intervals_of(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The intervals of a day in a zone: 96, or 92 or 100 on a day that the clock changes on."""
    begin, end = day_bounds(day, zone)
    while begin < end:
        yield begin
        begin += INTERVAL


def first_time(
    resolved_at: datetime,
    *,
    works: int,
    transfers: int,
    reopened_at: datetime | None,
    next_at: datetime | None,
    window: timedelta,
    until: datetime,
) -> bool | None:
    """Was a case settled in one go: one piece of work, no transfer, not reopened, and the customer did not come back to
    the same queue within the window? None while the window is still open and nothing has spoken against it."""
    end = resolved_at + window
    if works > 1 or transfers or any(at is not None and at <= end for at in (reopened_at, next_at)):
        return False
    return True if end <= until else None


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work on a clock of seconds, with the share of the agent's attention that it takes beside others."""

    begins: Fraction | int
    ends: Fraction | int
    weight: int = 1


def split_clock(works: Sequence[Work]) -> list[Fraction]:
    """What of one agent's time each piece is charged: while several are open each bears its part of the moment, so that
    what all are charged is exactly the time with at least one open."""
    charged = [Fraction(0)] * len(works)
    marks = sorted({*(work.begins for work in works), *(work.ends for work in works)})
    for begin, end in pairwise(marks):
        on = [n for n, work in enumerate(works) if work.begins <= begin and work.ends >= end]
        weight = sum(works[n].weight for n in on)
        for n in on:
            charged[n] += Fraction(end - begin) * works[n].weight / weight
    return charged
