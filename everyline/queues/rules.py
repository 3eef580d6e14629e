"""Who takes what next: the words of it. Pure; ``floor`` puts entries and agents together by these rules.

Order of entries: an entry's *turn* is the moment it began to wait, moved by ten minutes for each step of priority; the
earliest turn is served first. So priorities age: an entry of priority 3 that has waited ten minutes longer than one of
priority 2 goes first. All entries age alike, so their order never changes while they wait, and need not be sorted anew.

An agent has 100 units of capacity. What they have in hand and on offer counts by its weight (a call 100, a chat 25, a mail
20, unless a channel or an agent differs); media classes and channels may have caps besides. Work that may be interrupted
does not count against what interrupts it: a call goes to who writes a mail, the mail is on hold meanwhile. Neither does the offer
of it hold a call back: where nobody else can take the call, the offer is taken back and its entry waits on in its place.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from everyline.queues.expressions import NOTHING, Tree
from everyline.queues.shares import Share

FULL = 100  # units of capacity
AGEING_SECONDS = 600.0  # waiting this long is worth one step of priority
SETTLING_SECONDS = 120  # who has just taken a letter or mail gets to read it before the next of its kind is shown
DEFAULT_CAPS: Mapping[str, int] = {"call": 1, "chat": 4, "mail": 5}
DEFAULT_WEIGHTS: Mapping[str, int] = {"call": 100, "chat": 25, "mail": 20}
DEFAULT_OFFER_SECONDS = 90  # of what is answered otherwise than its channel does it
INTERRUPTS: Mapping[str, frozenset[str]] = {"call": frozenset({"mail"})}  # what a media class may put on hold


class Strategy(StrEnum):
    """How a queue chooses among agents who could all take an entry; equals are decided by who is idle for longest."""

    LONGEST_IDLE = "longest idle"
    LEAST_OCCUPIED = "least occupied"
    MOST_SKILLED = "most skilled"
    FEWEST_HANDLED = "fewest handled"


class Condition(StrEnum):
    """What, beside the time waited, may bring an entry to a step of relaxation."""

    EXPECTED_WAIT_OVER = "expected wait over"  # seconds
    SERVICE_LEVEL_UNDER = "service level under"  # per cent, of the last 30 minutes
    READY_UNDER = "agents ready under"  # how many


@dataclass(frozen=True, slots=True)
class Step:
    """One step of relaxation: reached after a time, or while a condition holds; then the queue asks for ``wants`` instead
    of its own needs, and for the customer's language only when ``language`` says so. Steps reach who waits already."""

    after: float | None = None  # seconds waited
    condition: Condition | None = None
    value: float = 0
    wants: Tree = field(default_factory=dict)
    language: bool = True

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Step:
        """A step as the queue's row keeps it."""
        condition = kept.get("condition")
        return cls(
            kept.get("after"),
            Condition(condition) if condition else None,
            kept.get("value", 0),
            kept.get("wants", NOTHING),
            kept.get("language", True),
        )

    def kept(self) -> dict[str, Any]:
        """The step as the queue's row keeps it."""
        return {
            "after": self.after,
            "condition": self.condition and str(self.condition),
            "value": self.value,
            "wants": dict(self.wants),
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class QueueRule:
    """What a queue says about its entries."""

    id: int
    priority: int = 0  # steps that its entries go before others
    strategy: Strategy = Strategy.LONGEST_IDLE
    wants: Tree = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    rings: int = 1  # agents who are shown an entry at once
    accepts: bool = False  # an offer is accepted by itself
    delays: Mapping[int, float] = field(default_factory=dict)  # team to seconds before it sees an entry
    shares: tuple[Share, ...] = ()  # of partners
    share_seconds: float = 14400  # for so long an entry is its partner's alone


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that waits."""

    id: int
    queue_id: int
    since: float
    priority: int = 3  # 1 most urgent to 5
    media_class: str = "mail"
    channel: str = ""
    weight: int = 20
    offer_seconds: float = 60
    wants: Tree = field(default_factory=dict)  # of its own, beside the queue's
    language: int | None = None  # the skill that is the customer's language
    preferred: tuple[int, ...] = ()  # agents, the first asked first
    preferred_until: float = 0
    outside: bool = False  # who is preferred need not be a member of the queue
    team_id: int | None = None  # the partner that it was given to
    team_until: float = 0
    not_before: float = 0  # a callback is called no earlier
    refused_by: frozenset[int] = frozenset()  # who declined it or let it pass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent."""

    id: int
    idle_since: float = 0
    queue_ids: frozenset[int] = frozenset()
    skills: Mapping[int, int] = field(default_factory=dict)  # id to level
    team_id: int | None = None
    available: bool = True
    being_offered: bool = False  # one offer at a time
    offered: str = ""  # the media class of what they are being offered
    load: int = 0  # units in hand and on offer
    interruptible: Mapping[str, int] = field(default_factory=dict)  # units of these by media class
    in_hand: Mapping[str, int] = field(default_factory=dict)  # interactions by media class, and by "=channel"
    caps: Mapping[str, int] = field(
        default_factory=dict
    )  # by media class or "=channel", where they differ from the rule
    weights: Mapping[str, int] = field(default_factory=dict)  # units, likewise
    # media class to until when nothing of it is offered: what was taken just now is read; they are wanted in a call
    settling: Mapping[str, float] = field(default_factory=dict)
    handled: int = 0  # today


@dataclass(frozen=True, slots=True)
class Proposal:
    """Offers to be made of one entry, to one agent or to several at once."""

    entry_id: int
    agent_ids: tuple[int, ...]
    expires_at: float
    over: tuple[int, ...] = ()  # those of them before whom another offer stands, which is taken back


def turn(entry: Entry, queue_priority: int) -> float:
    """When it is an entry's turn; the smallest first."""
    return entry.since + (entry.priority - queue_priority) * AGEING_SECONDS


def holds(step: Step, facts: Mapping[Condition, float | None]) -> bool:
    """Whether a step's condition holds. What is not known holds nothing."""
    fact = facts.get(step.condition) if step.condition is not None else None
    if fact is None:
        return False
    return fact > step.value if step.condition is Condition.EXPECTED_WAIT_OVER else fact < step.value


def weight_for(agent: Candidate, media_class: str, channel: str, weight: int) -> int:
    """Units that an interaction of this channel takes of this agent."""
    own = agent.weights.get(f"={channel}")
    return own if own is not None else agent.weights.get(media_class, weight)


def has_room(agent: Candidate, media_class: str, channel: str, weight: int) -> bool:
    """Would an interaction fit beside what the agent has in hand?"""
    if agent.in_hand.get(media_class, 0) >= agent.caps.get(media_class, DEFAULT_CAPS.get(media_class, 1)):
        return False
    cap = agent.caps.get(f"={channel}")
    if cap is not None and agent.in_hand.get(f"={channel}", 0) >= cap:
        return False
    yields = sum(agent.interruptible.get(one, 0) for one in INTERRUPTS.get(media_class, ()))
    return agent.load - yields + weight_for(agent, media_class, channel, weight) <= FULL


class Next(StrEnum):
    """What an offer that was let pass does to the agent's state."""

    NOTHING = "nothing"
    NOT_ANSWERING = "not answering"


def after_time_out(missed_in_row: int) -> Next:
    """An agent who lets an offer pass is away until they say they are back, so that work does not circle."""
    return Next.NOT_ANSWERING if missed_in_row >= 1 else Next.NOTHING
