"""What the figures are, as sums: service levels, rates, clocks, days. Pure.

Every formula has its id and stands beside others that use the same words for something else; which one counts for a
queue is the queue's to say. The letters, as in the formulas' own words:

    O offered, A answered, A_T answered in time, B abandoned, B_T abandoned in time, B_s abandoned within the short time,
    F flowed out to another queue, C_T called back in time, E goal events
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from everyline.ground.words import mark

INTERVAL = timedelta(minutes=15)
DEFAULT_FORMULA = "SL-off-s"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a service level is made of; each count is of queue entries."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    short: int = 0  # a part of the abandoned
    flowed_out: int = 0
    called_back_in_time: int = 0
    goal_events: int = 0  # answered or abandoned in time, or the time ran out; whichever came first
    goal_abandoned: int = 0  # of those, abandoned in time but not within the short time


@dataclass(frozen=True, slots=True)
class Ratio:
    """A part of a whole; None as a share when there is no whole."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """0 to 1."""
        return self.part / self.whole if self.whole > 0 else None


@dataclass(frozen=True, slots=True)
class Formula:
    """One way to count a service level: its id, who uses it, its sum in words, and the sum."""

    id: str
    used_by: str
    words: str
    count: Callable[[Counts], Ratio]


def by_switches(counts: Counts, *, flowed_out: bool = False, short: bool = False, abandoned: bool = True) -> Ratio:
    """The form with switches: whether those who flowed out, those who left at once and those who abandoned are counted.

    Who left at once abandoned too. The usual wording takes both off when both are switched off, and so the first twice;
    here they are taken off once.
    """
    whole = counts.answered + counts.abandoned + (counts.flowed_out if flowed_out else 0)
    if not abandoned:
        whole -= counts.abandoned
    elif not short:
        whole -= counts.short
    return Ratio(counts.in_time, whole)


FORMULAS: dict[str, Formula] = {
    formula.id: formula
    for formula in (
        Formula(
            "SL-off-s",
            mark("most contracts"),
            mark("answered in time / (offered − abandoned within the short time)"),
            lambda c: Ratio(c.in_time, c.offered - c.short),
        ),
        Formula(
            "SL-off",
            mark("strict contracts"),
            mark("answered in time / offered"),
            lambda c: Ratio(c.in_time, c.offered),
        ),
        Formula(
            "SL-ans",
            mark("Asterisk, SL"),
            mark("answered in time / answered"),
            lambda c: Ratio(c.in_time, c.answered),
        ),
        Formula(
            "SL-2",
            mark("Asterisk, SL2"),
            mark("(answered in time + abandoned in time) / (answered + abandoned)"),
            lambda c: Ratio(c.in_time + c.abandoned_in_time, c.answered + c.abandoned),
        ),
        Formula(
            "SL-removed",
            mark("Amazon Connect"),
            mark("(answered in time + abandoned in time + called back in time) / offered"),
            lambda c: Ratio(c.in_time + c.abandoned_in_time + c.called_back_in_time, c.offered),
        ),
        Formula(
            "SL-ign",
            mark("Cisco, abandoned ignored"),
            mark("answered in time / (goal events − abandoned in time)"),
            lambda c: Ratio(c.in_time, c.goal_events - c.goal_abandoned),
        ),
        Formula(
            "SL-neg",
            mark("Cisco, abandoned count against"),
            mark("answered in time / goal events"),
            lambda c: Ratio(c.in_time, c.goal_events),
        ),
        Formula(
            "SL-pos",
            mark("Cisco, abandoned count for"),
            mark("(answered in time + abandoned in time) / goal events"),
            lambda c: Ratio(c.in_time + c.goal_abandoned, c.goal_events),
        ),
        Formula(
            "SL-gen",
            mark("Genesys Cloud, as delivered"),
            mark("answered in time / (answered + abandoned − abandoned within the short time)"),
            by_switches,
        ),
        Formula(
            "SL-rc",
            mark("RingCentral, abandoned left out"),
            mark("answered in time / answered, with those who abandoned left out"),
            lambda c: by_switches(c, abandoned=False),
        ),
        Formula(
            "SL-talk",
            mark("Talkdesk"),
            mark("answered in time / (answered + abandoned + flowed out − abandoned within the short time)"),
            lambda c: by_switches(c, flowed_out=True),
        ),
    )
}


def service_level(formula: str, counts: Counts) -> Ratio:
    """The service level by a formula's id; KeyError when there is none of this id."""
    return FORMULAS[formula].count(counts)


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


# --- rates and averages ----------------------------------------------------------------------------------------------


def average(total: float, n: int) -> float | None:
    """A sum by its count; None when nothing was counted."""
    return total / n if n else None


def abandon_rate(counts: Counts) -> Ratio:
    """Of those offered, less who left within the short time: who abandoned after it."""
    return Ratio(counts.abandoned - counts.short, counts.offered - counts.short)


def occupancy(engaged: float, idle: float) -> float | None:
    """Wall clock with work in hand, of that and the time ready without; away time is in neither."""
    return engaged / (engaged + idle) if engaged + idle > 0 else None


def backlog(before: int, opened: int, reopened: int, came: int, resolved: int, went: int) -> int:
    """What is open at the end of a time: what was, and what came, less what was settled or went elsewhere."""
    return before + opened + reopened + came - resolved - went


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


# --- clocks ----------------------------------------------------------------------------------------------------------


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


def concurrency(open_seconds: float, engaged: float) -> float | None:
    """How many pieces were open at once, on the average of the time with at least one."""
    return open_seconds / engaged if engaged > 0 else None


def handle_time(media_class: str, talk: float, hold: float, wrap_up: float, charged: float) -> float:
    """The clock of a media class: a call's talk, hold and wrap-up; a chat's part of the agent's time (the split clock);
    a mail's touch time, which stands still while it is on hold."""
    if media_class == "chat":
        return charged
    return talk + wrap_up + (hold if media_class == "call" else 0)


# --- intervals and days ----------------------------------------------------------------------------------------------


def interval_of(at: datetime) -> datetime:
    """The beginning, in UTC, of the quarter of an hour that a moment lies in; its end belongs to the next."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a day in a zone and the first after it, in UTC."""
    return (
        datetime.combine(day, time(), zone).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC),
    )


def intervals_of(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The intervals of a day in a zone: 96, or 92 or 100 on a day that the clock changes on."""
    begin, end = day_bounds(day, zone)
    while begin < end:
        yield begin
        begin += INTERVAL
