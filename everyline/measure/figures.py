"""What each figure is: its name, its sum in words, the ledger it is read from, and the sum itself. Pure.

A figure is computed from the sums of a row, whatever the row stands for: an interval, a queue, an agent, a whole period. So
shares and averages of many rows are those of their sums, never averages of averages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from everyline.ground.words import mark
from everyline.measure.rules import DEFAULT_FORMULA, Counts, average, occupancy, service_level

# ledgers, as a figure declares them
COHORT = mark("By arrival: in the interval in which an entry arrived")
EVENT = mark("By event: in the interval in which it happened")
TIME = mark("Pro-rated: time counts in the interval in which it passed")

BY_EVENT = ("SL-ign", "SL-neg", "SL-pos")  # formulas that count goal events, which happen in an interval of their own


NOTHING: Mapping[str, int] = MappingProxyType({})


class Sums(NamedTuple):
    """The sums of a row, by ledger; what is not there is nothing. (A report can have a hundred thousand rows, and tuples are
    made four times as fast as dataclasses.)"""

    cohort: Mapping[str, int] = NOTHING
    event: Mapping[str, int] = NOTHING
    time: Mapping[str, int] = NOTHING
    agent: Mapping[str, int] = NOTHING

    def counts(self, formula: str = DEFAULT_FORMULA) -> Counts:
        """What a service level by this formula is made of."""
        found = self.event if formula in BY_EVENT else self.cohort
        return Counts(
            offered=found.get("entered", 0) - found.get("withdrawn", 0),
            answered=found.get("answered", 0),
            in_time=found.get("in_time", 0),
            abandoned=found.get("abandoned", 0),
            abandoned_in_time=found.get("abandoned_in_time", 0),
            short=found.get("short", 0),
            flowed_out=found.get("flowed_out", 0),
            called_back_in_time=found.get("called_back_in_time", 0),
            goal_events=found.get("goal_events", 0),
            goal_abandoned=found.get("goal_abandoned", 0),
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``unit``: count, share (0 to 1), seconds, number. ``better``: 1 when more is better, -1 when less is, 0 when
    neither. ``cases``: which facts stand behind it, see ``queries``; empty: it cannot be opened."""

    id: str
    name: str
    words: str
    ledger: str
    unit: str
    compute: Callable[[Sums, str], float | None]
    better: int = 0
    cases: str = ""


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _idle(sums: Sums) -> int:
    return sums.agent.get("available_ms", 0) - sums.agent.get("available_engaged_ms", 0)


FIGURES: dict[str, Figure] = {
    figure.id: figure
    for figure in (
        Figure(
            "service_level",
            mark("Service level"),
            mark("by the formula named in the row"),
            COHORT,
            "share",
            lambda s, f: service_level(f, s.counts(f)).share,
            1,
            "offered",
        ),
        Figure(
            "offered",
            mark("Offered"),
            mark("entries that came, less those withdrawn because they were merged or put aside"),
            COHORT,
            "count",
            lambda s, _f: s.counts().offered,
            0,
            "offered",
        ),
        Figure(
            "answered",
            mark("Answered"),
            mark("entries that an agent accepted, picked or answered"),
            COHORT,
            "count",
            lambda s, _f: s.counts().answered,
            0,
            "answered",
        ),
        Figure(
            "in_time",
            mark("In time"),
            mark("answered within the time that the queue promised then"),
            COHORT,
            "count",
            lambda s, _f: s.counts().in_time,
            1,
            "in_time",
        ),
        Figure(
            "late",
            mark("Late"),
            mark("answered, but not in time"),
            COHORT,
            "count",
            lambda s, _f: s.counts().answered - s.counts().in_time,
            -1,
            "late",
        ),
        Figure(
            "abandoned",
            mark("Abandoned"),
            mark("gave up waiting, those within the short time left out"),
            COHORT,
            "count",
            lambda s, _f: s.counts().abandoned - s.counts().short,
            -1,
            "abandoned",
        ),
        Figure(
            "abandon_rate",
            mark("Abandon rate"),
            mark("abandoned / (offered − abandoned within the short time)"),
            COHORT,
            "share",
            lambda s, _f: average(s.counts().abandoned - s.counts().short, s.counts().offered - s.counts().short),
            -1,
            "abandoned",
        ),
        Figure(
            "short",
            mark("Short"),
            mark("gave up within the short time of the queue"),
            COHORT,
            "count",
            lambda s, _f: s.counts().short,
            0,
            "short",
        ),
        Figure(
            "flowed_out",
            mark("Flowed out"),
            mark("went to another queue before they were answered"),
            COHORT,
            "count",
            lambda s, _f: s.counts().flowed_out,
            -1,
            "flowed_out",
        ),
        Figure(
            "called_back",
            mark("Called back"),
            mark("asked to be called back, and were"),
            COHORT,
            "count",
            lambda s, _f: s.cohort.get("called_back", 0),
            0,
            "called_back",
        ),
        Figure(
            "withdrawn",
            mark("Withdrawn"),
            mark("merged into another case, snoozed or put aside"),
            COHORT,
            "count",
            lambda s, _f: s.cohort.get("withdrawn", 0),
            0,
            "withdrawn",
        ),
        Figure(
            "asa",
            mark("Average answer"),
            mark("wait of those answered / answered"),
            COHORT,
            "seconds",
            lambda s, _f: _seconds(average(s.cohort.get("answer_ms", 0), s.counts().answered)),
            -1,
            "answered",
        ),
        Figure(
            "handled",
            mark("Handled"),
            mark("pieces of work that were wrapped up"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("handled", 0),
            0,
            "handled",
        ),
        Figure(
            "handle_time",
            mark("Handle time"),
            mark(
                "by the clock of the media class / handled: a call's talk, hold and wrap-up; a chat's part of the agent's time; a mail's touch time"
            ),
            EVENT,
            "seconds",
            lambda s, _f: _seconds(average(s.event.get("handle_ms", 0), s.event.get("handled", 0))),
            -1,
            "handled",
        ),
        Figure(
            "talk_time",
            mark("Talk"),
            mark("work in hand without hold and wrap-up / handled"),
            EVENT,
            "seconds",
            lambda s, _f: _seconds(average(s.event.get("talk_ms", 0), s.event.get("handled", 0))),
            0,
            "handled",
        ),
        Figure(
            "hold_time",
            mark("Hold"),
            mark("time on hold / handled"),
            EVENT,
            "seconds",
            lambda s, _f: _seconds(average(s.event.get("hold_ms", 0), s.event.get("handled", 0))),
            -1,
            "handled",
        ),
        Figure(
            "wrap_up_time",
            mark("Wrap-up"),
            mark("time of wrapping up / handled"),
            EVENT,
            "seconds",
            lambda s, _f: _seconds(average(s.event.get("wrap_up_ms", 0), s.event.get("handled", 0))),
            -1,
            "handled",
        ),
        Figure(
            "engaged",
            mark("Engaged"),
            mark("wall clock with work in hand; pieces at once share each moment (split clock)"),
            TIME,
            "seconds",
            lambda s, _f: _seconds(s.time.get("charged_ms", 0)),
            0,
            "engaged",
        ),
        Figure(
            "concurrency",
            mark("Concurrency"),
            mark("(talk + wrap-up of every piece) / wall clock with work in hand"),
            TIME,
            "number",
            lambda s, _f: average(s.time.get("talk_ms", 0) + s.time.get("wrap_up_ms", 0), s.time.get("charged_ms", 0)),
            0,
            "engaged",
        ),
        Figure(
            "occupancy",
            mark("Occupancy"),
            mark(
                "with work in hand / (with work in hand + available without), of the agents who worked here; time away is in neither"
            ),
            TIME,
            "share",
            lambda s, _f: occupancy(s.agent.get("engaged_ms", 0), _idle(s)),
            0,
            "engaged",
        ),
        Figure(
            "available_time",
            mark("Available"),
            mark("time in the state available, with work or without"),
            TIME,
            "seconds",
            lambda s, _f: _seconds(s.agent.get("available_ms", 0)),
        ),
        Figure(
            "away_time",
            mark("Away"),
            mark("time in the state away, for any reason"),
            TIME,
            "seconds",
            lambda s, _f: _seconds(s.agent.get("away_ms", 0)),
        ),
        Figure(
            "transferred",
            mark("Transferred"),
            mark("work that ended with a transfer to another queue"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("transferred", 0),
            -1,
            "transferred",
        ),
        Figure(
            "transfer_rate",
            mark("Transfer rate"),
            mark("transferred / handled"),
            EVENT,
            "share",
            lambda s, _f: average(s.event.get("transferred", 0), s.event.get("handled", 0)),
            -1,
            "transferred",
        ),
        Figure(
            "offers_missed",
            mark("Offers missed"),
            mark("offers whose time ran out; an entry can count several times"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("offers_missed", 0),
            -1,
            "offers_missed",
        ),
        Figure(
            "offers_declined",
            mark("Offers declined"),
            mark("offers that an agent declined"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("offers_declined", 0),
            -1,
            "offers_declined",
        ),
        Figure(
            "opened",
            mark("Opened"),
            mark("cases opened in the queue"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("opened", 0),
            0,
            "opened",
        ),
        Figure(
            "resolved",
            mark("Resolved"),
            mark("cases resolved in the queue"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("resolved", 0),
            1,
            "resolved",
        ),
        Figure(
            "reopened",
            mark("Reopened"),
            mark("resolved cases that were opened again"),
            EVENT,
            "count",
            lambda s, _f: s.event.get("reopened", 0),
            -1,
            "reopened",
        ),
        Figure(
            "backlog_change",
            mark("Backlog change"),
            mark("opened + reopened + came from other queues − resolved − went elsewhere"),
            EVENT,
            "count",
            lambda s, _f: (
                s.event.get("opened", 0)
                + s.event.get("reopened", 0)
                + s.event.get("came", 0)
                - s.event.get("resolved", 0)
                - s.event.get("went", 0)
            ),
            -1,
            "backlog_change",
        ),
    )
}

# what stands in a report unless something else is asked for
USUAL = ("offered", "in_time", "late", "abandoned", "short", "service_level", "asa", "handle_time")
AGENT_TILES = ("handled", "handle_time", "concurrency", "occupancy", "transfer_rate")
TILES = ("service_level", "offered", "asa", "abandon_rate", "handle_time")

# what rows can be made of
DIMENSIONS: dict[str, str] = {
    "interval": mark("Interval"),
    "queue": mark("Queue"),
    "channel": mark("Channel"),
    "language": mark("Language"),
    "team": mark("Team or partner"),
    "agent": mark("Agent"),
}
STEPS = {"15": 15, "30": 30, "60": 60, "day": 1440, "week": 10_080}  # length of an interval in minutes


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the ledgers: a time in UTC, half-open, and which of the rows; ``zone`` is the reader's, whose days
    are meant. ``queue_ids`` are those within the reader's scope that are wanted; none of them, no rows."""

    begin: datetime
    end: datetime
    zone: str = "UTC"
    rows: tuple[str, ...] = ("interval",)
    step: str = "30"
    queue_ids: tuple[int, ...] = ()
    channel: str = ""
    language: str = ""
    team_id: int = 0
    agent_id: int = 0


class Line(NamedTuple):
    """One row of a report: what it stands for, by dimension, its sums, and the formula its service level is counted by."""

    key: tuple[Any, ...]
    sums: Sums
    formula: str = DEFAULT_FORMULA

    def value(self, figure: str) -> float | None:
        """A figure of this row."""
        return FIGURES[figure].compute(self.sums, self.formula)


class _Listening(dict[str, int]):
    """Sums that note which of them were asked for."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 -- nothing is there
        self[name] = 0
        return 0


def columns_of(figures: Iterable[str], formulas: Iterable[str]) -> Sums:
    """Which columns of which ledgers some figures are made of: a row that has a nothing for each."""
    heard = Sums(_Listening(), _Listening(), _Listening(), _Listening())
    for name in figures:
        for formula in formulas if name == "service_level" else (DEFAULT_FORMULA,):
            FIGURES[name].compute(heard, formula)
    return heard


def total(lines: list[Line], formula: str = DEFAULT_FORMULA) -> Line:
    """All rows as one."""
    added: tuple[dict[str, int], ...] = ({}, {}, {}, {})
    for line in lines:
        parts = (line.sums.cohort, line.sums.event, line.sums.time, line.sums.agent)
        for into, part in zip(added, parts, strict=True):
            for name, n in part.items():
                into[name] = into.get(name, 0) + n
    return Line((), Sums(*added), formula)
