"""What a figure says: service levels, thresholds, colours in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from everyline.board.facts import Ended, Group, Limit, QueueFacts, Tally
from everyline.ground.words import mark
from everyline.measure.rules import Counts, Ratio, service_level
from everyline.queues.hours import add_open_time

# What became of an entry, as its row or its event says it. What is in none of these was neither offered nor missed.
ANSWERED = frozenset({"accepted", "picked", "answered", "resolved", "given", "called back"})
ABANDONED = frozenset({"abandoned"})
MOVED = frozenset({"transferred", "overflowed", "too old"})


@dataclass(frozen=True, slots=True)
class Watched:
    """A figure that thresholds can be set for."""

    words: str
    unit: str  # count, seconds, per cent
    over: bool  # trouble is above the threshold; else below
    warn: int | None = None  # the usual thresholds, until somebody sets others
    bad: int | None = None
    rings: bool = False


WATCHED: Mapping[str, Watched] = {
    "waiting": Watched(mark("Waiting"), "count", over=True),
    "oldest": Watched(mark("Oldest, in seconds"), "seconds", over=True),
    "expected": Watched(mark("Expected wait, in seconds"), "seconds", over=True),
    "level": Watched(
        mark("Service level of the last 30 minutes, per cent under its goal"), "per cent", over=True, warn=0, bad=10
    ),
    "free": Watched(mark("Agents available"), "count", over=False),
}


def due(queue: QueueFacts, since: datetime) -> datetime | None:
    """Until when an entry is answered in time; in open hours. None: never, for it does not open within a year."""
    amount = timedelta(seconds=queue.answer_seconds)
    return since + amount if queue.hours is None else add_open_time(queue.hours, since, amount)


def ended(
    queue: QueueFacts, entry_id: int, group: Group, outcome: str, waiting_since: datetime, left_at: datetime
) -> Ended | None:
    """An entry that stopped waiting, judged by its queue's goal; None when it does not count."""
    how = (
        "answered"
        if outcome in ANSWERED
        else "abandoned"
        if outcome in ABANDONED
        else "moved"
        if outcome in MOVED
        else ""
    )
    if not how:
        return None
    waited = max((left_at - waiting_since).total_seconds(), 0.0)
    in_time = waited <= queue.answer_seconds
    if not in_time and queue.hours is not None:
        until = due(queue, waiting_since)
        in_time = until is not None and left_at <= until
    short = how == "abandoned" and waited < queue.short_seconds
    return Ended(entry_id, group, left_at, how, waited, in_time, short)


def counts(tally: Tally) -> Counts:
    """A tally of what ended, as the formulas of service levels read it. Goal events are those of what ended."""
    goal_abandoned = tally.left_in_time - tally.short
    late = tally.answered - tally.in_time + tally.abandoned - tally.left_in_time
    return Counts(
        offered=tally.offered,
        answered=tally.answered,
        in_time=tally.in_time,
        abandoned=tally.abandoned,
        abandoned_in_time=tally.left_in_time,
        short=tally.short,
        flowed_out=tally.moved,
        goal_events=tally.in_time + goal_abandoned + late,
        goal_abandoned=goal_abandoned,
    )


def level(parts: Iterable[tuple[QueueFacts, Tally]]) -> Ratio:
    """The service level over several queues, each by its own formula and time: the parts and the wholes are summed."""
    part = whole = 0
    for queue, tally in parts:
        found = service_level(queue.formula, counts(tally))
        part, whole = part + found.part, whole + found.whole
    return Ratio(part, whole)


def limit_of(limits: Mapping[tuple[int, str], Limit], queue_id: int, figure: str) -> Limit:
    """The threshold that holds: the queue's own, that of every queue, or the usual one."""
    usual = WATCHED[figure]
    return limits.get((queue_id, figure)) or limits.get((0, figure)) or Limit(usual.warn, usual.bad, usual.rings)


def tone(figure: str, limit: Limit, value: float | None) -> str:
    """ "bad", "warn" or "": where a value stands against its threshold."""
    if value is None:
        return ""
    over = WATCHED[figure].over
    for name, edge in (("bad", limit.bad), ("warn", limit.warn)):
        if edge is not None and (value > edge if over else value < edge):
            return name
    return ""


def worse(tones: Iterable[str]) -> str:
    """The worst of several tones."""
    found = set(tones)
    return "bad" if "bad" in found else "warn" if "warn" in found else ""
