"""What the board knows of an installation: plain facts, put together from the database and kept true by events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from everyline.queues.hours import OpeningHours

FULL = 100  # units of capacity: who has so much in hand is busy
NOW_SECONDS = 1800.0  # the service level now is that of the last half hour
POINTS = 25  # of a trend: two hours, one each five minutes
STEP_SECONDS = 300


class Group(NamedTuple):
    """The finest part that figures are counted by; every row of the board is a sum of some of them."""

    queue_id: int
    channel: str
    language: str
    team_id: int  # whom it was given to, or who took it; 0: nobody in particular


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits in a group."""

    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What the board needs to know of a queue."""

    id: int
    name: str
    hue: int
    answer_seconds: int  # the service level's time
    answer_share: int  # per cent
    formula: str  # of metrics: "SL-off-s"
    short_seconds: int
    hours: OpeningHours | None
    channels: tuple[str, ...] = ()  # of the lines that lead to it


@dataclass(frozen=True, slots=True)
class Work:
    """One interaction that an agent has in hand."""

    case_id: int
    number: str
    queue_id: int
    channel: str
    weight: int
    since: datetime
    held: bool = False
    wraps_up: bool = False


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """An agent, as the board sees them."""

    id: int
    name: str
    team_id: int
    chosen: str  # available, away, offline
    reason: str
    chosen_since: datetime
    next_state: str
    queue_ids: frozenset[int]
    languages: frozenset[str]
    works: tuple[Work, ...] = ()

    @property
    def state(self) -> str:
        """What is shown: available, busy, wrapping_up, away or offline."""
        if self.chosen != "available":
            return self.chosen
        if any(work.wraps_up for work in self.works):
            return "wrapping_up"
        return "busy" if sum(work.weight for work in self.works if not work.held) >= FULL else "available"

    @property
    def since(self) -> datetime:
        """Since when they are in the state that is shown."""
        state = self.state
        if state == "wrapping_up":
            return min(work.since for work in self.works if work.wraps_up)
        if state == "busy":
            return max(work.since for work in self.works)
        return self.chosen_since


@dataclass(frozen=True, slots=True)
class Ended:
    """An entry that waits no more."""

    entry_id: int
    group: Group
    at: datetime
    how: str  # answered, abandoned, moved
    waited: float  # seconds
    in_time: bool
    short: bool  # left so soon that it does not count as abandoned


@dataclass(slots=True)
class Tally:
    """Counts of entries that ended. ``in_time`` and ``left_in_time`` are parts of ``answered`` and ``abandoned``."""

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    left_in_time: int = 0
    short: int = 0
    moved: int = 0

    @property
    def offered(self) -> int:
        """All of them."""
        return self.answered + self.abandoned + self.moved

    def count(self, one: Ended, by: int = 1) -> None:
        """Count an entry, or take it out again (-1)."""
        if one.how == "answered":
            self.answered += by
            self.in_time += by * one.in_time
        elif one.how == "abandoned":
            self.abandoned += by
            self.left_in_time += by * one.in_time
            self.short += by * one.short
        else:
            self.moved += by

    def add(self, other: Tally) -> None:
        """Add the counts of another."""
        for name in ("answered", "in_time", "abandoned", "left_in_time", "short", "moved"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold."""

    warn: int | None
    bad: int | None
    rings: bool


@dataclass(slots=True)
class Picture:
    """Everything that figures are made of, at one moment. One for each process."""

    queues: dict[int, QueueFacts] = field(default_factory=dict)
    teams: dict[int, tuple[str, bool]] = field(default_factory=dict)  # name, is it a partner
    spoken: frozenset[str] = frozenset()  # languages that are skills
    agents: dict[int, AgentFacts] = field(default_factory=dict)
    waiting: dict[Group, Waits] = field(default_factory=dict)
    entered: dict[Group, int] = field(default_factory=dict)  # today
    lately: list[Ended] = field(default_factory=list)  # of the last half hour, oldest first
    today: dict[Group, Tally] = field(default_factory=dict)
    trends: dict[Group, list[int]] = field(default_factory=dict)  # waiting at each of the points, oldest first
    before: dict[int, list[int]] = field(default_factory=dict)  # by queue: waiting at each of the points a day ago
    trend_at: datetime | None = None  # moment of the newest point
    limits: dict[tuple[int, str], Limit] = field(default_factory=dict)  # by queue (0: every queue) and figure
    unmet: list[tuple[int, int, str]] = field(
        default_factory=list
    )  # queue id, how many, the nearest relaxation in words
    day: str = ""  # the day that "today" is, in the organisation's zone
    zone: str = "UTC"
    organisation: str = ""
