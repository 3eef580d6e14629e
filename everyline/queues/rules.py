"""Who takes what next. Pure: entries, agents and the time in, offers out.

An agent's capacity is 100 units. What they have in hand and what they are offered counts by its weight; a media class
may have a cap besides. An entry is offered to an agent who is available, is a member of the queue, has the skills, and
has room. Entries go in order of rank (priority that ages), agents by the queue's strategy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

FULL = 100  # units of capacity
AGEING_SECONDS = 600  # waiting this long lifts an entry by one step of priority
SETTLING_SECONDS = 120  # who has just taken a letter or mail gets to read it before the next of its kind is shown
DEFAULT_CAPS: Mapping[str, int] = {"call": 1, "chat": 4, "mail": 5}


class Strategy(StrEnum):
    """How a queue chooses among agents who could all take an entry."""

    LONGEST_IDLE = "longest idle"
    LEAST_OCCUPIED = "least occupied"
    MOST_SKILLED = "most skilled"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that waits."""

    id: int
    queue_id: int
    waiting_since: datetime
    priority: int  # 1 most urgent to 5
    queue_priority: int
    media_class: str
    weight: int
    offer_seconds: int
    strategy: Strategy = Strategy.LONGEST_IDLE
    needs: Mapping[int, int] = field(default_factory=dict)  # skill id to least level
    preferred_agent_id: int | None = None
    preferred_until: datetime | None = None
    refused_by: frozenset[int] = frozenset()  # who declined it or let it pass since it entered


@dataclass(frozen=True, slots=True)
class Candidate:
    """An available agent."""

    id: int
    idle_since: datetime
    queue_ids: frozenset[int]
    skills: Mapping[int, int] = field(default_factory=dict)
    load: int = 0  # units in hand and on offer
    in_hand: Mapping[str, int] = field(default_factory=dict)  # interactions by media class
    caps: Mapping[str, int] = field(default_factory=dict)  # where they differ from DEFAULT_CAPS
    being_offered: bool = False  # one offer at a time
    settling: frozenset[str] = frozenset()  # media classes of which something was taken just now and not answered yet


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offer to be made."""

    entry_id: int
    agent_id: int
    expires_at: datetime


def rank(entry: Entry, now: datetime) -> tuple[float, datetime, int]:
    """Order of service, smallest first: priority, lowered by one for every ten minutes of waiting, then age."""
    waited = (now - entry.waiting_since).total_seconds()
    return (entry.priority - entry.queue_priority - waited / AGEING_SECONDS, entry.waiting_since, entry.id)


def has_skills(entry: Entry, agent: Candidate) -> bool:
    """Does the agent have every skill the entry needs, at its least level?"""
    return all(agent.skills.get(skill, 0) >= level for skill, level in entry.needs.items())


def has_room(entry: Entry, agent: Candidate) -> bool:
    """Would the entry fit beside what the agent has in hand?"""
    cap = agent.caps.get(entry.media_class, DEFAULT_CAPS.get(entry.media_class, 1))
    return agent.load + entry.weight <= FULL and agent.in_hand.get(entry.media_class, 0) < cap


def could_take(entry: Entry, agent: Candidate) -> bool:
    """All conditions together."""
    return (
        not agent.being_offered
        and entry.media_class not in agent.settling
        and entry.queue_id in agent.queue_ids
        and has_skills(entry, agent)
        and has_room(entry, agent)
    )


def preference(strategy: Strategy, entry: Entry, agent: Candidate) -> tuple[float, datetime, int]:
    """Order among agents, smallest first."""
    first: float = 0
    if strategy is Strategy.LEAST_OCCUPIED:
        first = agent.load
    elif strategy is Strategy.MOST_SKILLED:
        first = -sum(agent.skills.get(skill, 0) for skill in entry.needs)
    return (first, agent.idle_since, agent.id)


def choose(entry: Entry, agents: Iterable[Candidate], now: datetime) -> Candidate | None:
    """The agent to offer an entry to. Who answered the customer before comes first while the entry waits for them; one
    who let the entry pass is asked again only when there is nobody else."""
    able = [agent for agent in agents if could_take(entry, agent)]
    if entry.preferred_agent_id is not None and entry.preferred_until is not None and now < entry.preferred_until:
        able = [agent for agent in able if agent.id == entry.preferred_agent_id]
    fresh = [agent for agent in able if agent.id not in entry.refused_by]
    return min(fresh or able, key=lambda agent: preference(entry.strategy, entry, agent), default=None)


def match(entries: Iterable[Entry], agents: Iterable[Candidate], now: datetime) -> list[Proposal]:
    """The offers to make now. No agent gets two, no entry is shown to two."""
    free = {agent.id: agent for agent in agents}
    proposals: list[Proposal] = []
    for entry in sorted(entries, key=lambda entry: rank(entry, now)):
        if not free:
            break
        agent = choose(entry, free.values(), now)
        if agent is not None:
            del free[agent.id]
            proposals.append(Proposal(entry.id, agent.id, now + timedelta(seconds=entry.offer_seconds)))
    return proposals


class Next(StrEnum):
    """What an offer that was let pass does to the agent's state."""

    NOTHING = "nothing"
    NOT_ANSWERING = "not answering"


def after_time_out(missed_in_row: int) -> Next:
    """An agent who lets two offers pass is away until they say they are back, so that work does not circle."""
    return Next.NOT_ANSWERING if missed_in_row >= 2 else Next.NOTHING
