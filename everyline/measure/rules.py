"""What the figures are, as sums: service levels, rates, clocks, days. Pure.

Every formula has its id and stands beside others that use the same words for something else; which one counts for a
queue is the queue's to say. The letters, as in the formulas' own words:

    O offered, A answered, A_T answered in time, B abandoned, B_T abandoned in time, B_s abandoned within the short time,
    F flowed out to another queue, C_T called back in time, E goal events
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from everyline.ground.words import mark

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


# --- rates and averages ----------------------------------------------------------------------------------------------


def average(total: float, n: int) -> float | None:
    """A sum by its count; None when nothing was counted."""
    return total / n if n else None


def occupancy(engaged: float, idle: float) -> float | None:
    """Wall clock with work in hand, of that and the time ready without; away time is in neither."""
    return engaged / (engaged + idle) if engaged + idle > 0 else None


def backlog(before: int, opened: int, reopened: int, came: int, resolved: int, went: int) -> int:
    """What is open at the end of a time: what was, and what came, less what was settled or went elsewhere."""
    return before + opened + reopened + came - resolved - went


# --- days ----------------------------------------------------------------------------------------------


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a day in a zone and the first after it, in UTC."""
    return (
        datetime.combine(day, time(), zone).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC),
    )
