"""A day played through the rules on a clock of its own: what would happen if a queue asked for less, or two agents more came.

The same floor decides as in the distributor. An arrival waits, is offered, is answered after the agent's reaction, is worked on
and wrapped up; who has no patience leaves; a call puts mail on hold. Chats take as long as they take, however many an agent has.
Pure: no database, no real clock; the same day gives the same outcome. Times are seconds since the day began.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf
from typing import Any

from everyline.queues.floor import Floor
from everyline.queues.rules import INTERRUPTS, Candidate, Entry, QueueRule, weight_for


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who comes, and how they are."""

    entry: Entry  # ``since`` is when they come
    work_seconds: float
    wrap_up_seconds: float = 0
    patience_seconds: float = inf


@dataclass(frozen=True, slots=True)
class Change:
    """An agent comes or goes."""

    at: float
    agent_id: int
    available: bool


@dataclass(frozen=True, slots=True)
class Day:
    """All that is given."""

    queues: Sequence[QueueRule]
    agents: Sequence[Candidate]
    arrivals: Iterable[Arrival]  # in order of time
    changes: Sequence[Change] = ()
    reaction_seconds: float = 3  # from offer to answer; 0: accepted at once
    ends_at: float = inf  # what waits then is counted as left over
    answer_seconds: Mapping[int, float] = field(default_factory=dict)  # the service level's time, by queue
    short_seconds: float = 5  # who leaves before did not abandon


@dataclass(slots=True)
class Outcome:
    """What came of a queue's entries."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short: int = 0  # abandoned within short_seconds; not among ``abandoned``
    left_over: int = 0
    in_time: int = 0
    waited: float = 0  # seconds, of all who were answered
    longest: float = 0
    waits: list[float] = field(default_factory=list)  # of those answered, in order

    @property
    def service_level(self) -> float | None:
        """Per cent answered in time of all who came and did not leave at once (SL-off-s)."""
        came = self.offered - self.short
        return 100 * self.in_time / came if came else None

    @property
    def average_wait(self) -> float | None:
        """Seconds until an answer (ASA)."""
        return self.waited / self.answered if self.answered else None

    def wait_of(self, share: float) -> float | None:
        """The wait that this share of those answered did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


@dataclass(slots=True)
class Result:
    """What came of a day."""

    queues: dict[int, Outcome]
    worked: dict[int, float]  # agent to seconds with something in hand
    ready: dict[int, float]  # agent to seconds available

    @property
    def occupancy(self) -> float | None:
        """Per cent of the available time with something in hand."""
        ready = sum(self.ready.values())
        return 100 * sum(self.worked.values()) / ready if ready else None


@dataclass(slots=True)
class _Work:
    arrival: Arrival
    agent_id: int
    weight: int
    ends_at: float
    wrapping: bool = False
    held_since: float | None = None


class Simulation:
    """One run over a day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.floor = Floor(day.queues)
        self.now = 0.0
        self.result = Result({queue.id: Outcome() for queue in day.queues}, defaultdict(float), defaultdict(float))
        self._agents: dict[int, Candidate] = {}
        self._works: dict[int, _Work] = {}
        self._of_agent: defaultdict[int, set[int]] = defaultdict(set)  # entries that an agent has in hand
        self._waiting: dict[int, Arrival] = {}
        self._offered: dict[int, tuple[int, ...]] = {}
        self._answers: dict[int, int] = {}  # entry to the number of the answer that its last offer gets
        self._heap: list[tuple[float, int, str, Any]] = []
        self._count = 0
        self._clocks: dict[int, tuple[float, bool, bool]] = {}  # agent: since, available, busy
        self._arrivals: Iterator[Arrival] = iter(day.arrivals)

    def run(self) -> Result:
        """Play the day to its end."""
        for agent in self.day.agents:
            self._put(agent)
        for change in self.day.changes:
            self._at(change.at, "change", change)
        self._next_arrival()
        while self._heap and self._heap[0][0] <= self.day.ends_at:
            self.now = self._heap[0][0]
            while self._heap and self._heap[0][0] <= self.now:
                _, _, kind, what = heappop(self._heap)
                getattr(self, f"_{kind}")(what)
            self._match()
        self.now = self.now if self.day.ends_at == inf else self.day.ends_at
        for arrival in self._waiting.values():
            self.result.queues[arrival.entry.queue_id].left_over += 1
        for agent_id in self._agents:
            self._clock(agent_id)
        return self.result

    def _at(self, at: float, kind: str, what: Any) -> None:
        self._count += 1
        heappush(self._heap, (at, self._count, kind, what))

    def _next_arrival(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self._at(arrival.entry.since, "arrive", arrival)

    # --- what happens ------------------------------------------------------------------------------------------------

    def _arrive(self, arrival: Arrival) -> None:
        entry = arrival.entry
        self._waiting[entry.id] = arrival
        self.result.queues[entry.queue_id].offered += 1
        self.floor.put_entry(entry, self.now)
        if arrival.patience_seconds < inf:
            self._at(self.now + arrival.patience_seconds, "abandon", entry.id)
        self._next_arrival()

    def _abandon(self, entry_id: int) -> None:
        arrival = self._waiting.pop(entry_id, None)
        if arrival is None:
            return
        self.floor.drop_entry(entry_id)
        for agent_id in self._offered.pop(entry_id, ()):
            self._put(replace(self._agents[agent_id], being_offered=False, offered=""))
        outcome = self.result.queues[arrival.entry.queue_id]
        if self.now - arrival.entry.since < self.day.short_seconds:
            outcome.short += 1
        else:
            outcome.abandoned += 1

    def _match(self) -> None:
        proposals = self.floor.match(self.now)
        while proposals:
            for proposal in proposals:
                if proposal.over:
                    self._take_back(proposal.over)
                self.floor.drop_entry(proposal.entry_id)
                self._offered[proposal.entry_id] = proposal.agent_ids
                entry = self._waiting[proposal.entry_id].entry
                if self.floor.queues[entry.queue_id].accepts or not self.day.reaction_seconds:
                    self._accept(proposal.entry_id)
                else:
                    for agent_id in proposal.agent_ids:
                        self._put(replace(self._agents[agent_id], being_offered=True, offered=entry.media_class))
                    self._at(self.now + self.day.reaction_seconds, "answer", (proposal.entry_id, self._count + 1))
                    self._answers[proposal.entry_id] = self._count
            proposals = self.floor.match(self.now)
        change = self.floor.next_change()
        if change is not None and self._waiting and (not self._heap or change < self._heap[0][0]):
            self._at(change, "tick", None)

    def _take_back(self, agent_ids: tuple[int, ...]) -> None:
        """What stands before these agents waits on in its place, unless somebody else is asked too."""
        for entry_id, asked in list(self._offered.items()):
            staying = tuple(agent_id for agent_id in asked if agent_id not in agent_ids)
            if staying == asked:
                continue
            for agent_id in set(asked) - set(staying):
                self._put(replace(self._agents[agent_id], being_offered=False, offered=""))
            self._offered[entry_id] = staying
            if not staying:
                del self._offered[entry_id], self._answers[entry_id]
                self.floor.put_entry(self._waiting[entry_id].entry, self.now)

    def _answer(self, what: tuple[int, int]) -> None:
        entry_id, number = what
        if self._answers.get(entry_id) == number:
            self._accept(entry_id)

    def _tick(self, _nothing: None) -> None:
        """An entry asks for something else from now on."""

    def _accept(self, entry_id: int) -> None:
        arrival = self._waiting.pop(entry_id, None)
        agent_ids = self._offered.pop(entry_id, ())
        if arrival is None:
            return
        for other in agent_ids[1:]:
            self._put(replace(self._agents[other], being_offered=False, offered=""))
        entry, agent = arrival.entry, self._agents[agent_ids[0]]
        outcome = self.result.queues[entry.queue_id]
        waited = self.now - entry.since
        outcome.answered += 1
        outcome.waited += waited
        outcome.longest = max(outcome.longest, waited)
        outcome.waits.append(waited)
        outcome.in_time += waited <= self.day.answer_seconds.get(entry.queue_id, 20)
        weight = weight_for(agent, entry.media_class, entry.channel, entry.weight)
        for held in INTERRUPTS.get(entry.media_class, ()):
            self._hold(agent.id, held)
        self._works[entry_id] = _Work(arrival, agent.id, weight, self.now + arrival.work_seconds)
        self._of_agent[agent.id].add(entry_id)
        self._at(self.now + arrival.work_seconds, "end", (entry_id, self.now + arrival.work_seconds))
        self._settle(agent.id, being_offered=False, offered="")

    def _end(self, what: tuple[int, float]) -> None:
        entry_id, ends_at = what
        work = self._works.get(entry_id)
        if work is None or work.held_since is not None or work.ends_at != ends_at:
            return  # it was put on hold meanwhile and ends later
        if not work.wrapping and work.arrival.wrap_up_seconds:
            work.wrapping = True
            work.ends_at = self.now + work.arrival.wrap_up_seconds
            self._at(work.ends_at, "end", (entry_id, work.ends_at))
            return
        del self._works[entry_id]
        self._of_agent[work.agent_id].discard(entry_id)
        if work.arrival.entry.media_class in INTERRUPTS:
            self._resume(work.agent_id)
        agent = self._agents[work.agent_id]
        idle_since = agent.idle_since if self._of_agent[agent.id] else self.now
        self._settle(agent.id, handled=agent.handled + 1, idle_since=idle_since)

    def _hold(self, agent_id: int, media_class: str) -> None:
        for entry_id in self._of_agent[agent_id]:
            work = self._works[entry_id]
            if work.arrival.entry.media_class == media_class and work.held_since is None:
                work.held_since = self.now

    def _resume(self, agent_id: int) -> None:
        for entry_id in self._of_agent[agent_id]:
            work = self._works[entry_id]
            if work.held_since is not None:
                work.ends_at += self.now - work.held_since
                work.held_since = None
                self._at(work.ends_at, "end", (entry_id, work.ends_at))

    def _change(self, change: Change) -> None:
        agent = self._agents[change.agent_id]
        idle_since = self.now if change.available and not agent.available else agent.idle_since
        self._put(replace(agent, available=change.available, idle_since=idle_since))

    # --- agents ------------------------------------------------------------------------------------------------------

    def _settle(self, agent_id: int, **facts: Any) -> None:
        """Count anew what an agent has in hand."""
        load = 0
        in_hand: Counter[str] = Counter()
        yields: Counter[str] = Counter()
        for entry_id in self._of_agent[agent_id]:
            work = self._works[entry_id]
            entry = work.arrival.entry
            in_hand[entry.media_class] += 1
            in_hand[f"={entry.channel}"] += 1
            if work.held_since is None:
                load += work.weight
                yields[entry.media_class] += work.weight
        self._put(replace(self._agents[agent_id], load=load, in_hand=in_hand, interruptible=yields, **facts))

    def _put(self, agent: Candidate) -> None:
        self._clock(agent.id)
        self._agents[agent.id] = agent
        self._clocks[agent.id] = (self.now, agent.available, bool(self._of_agent[agent.id]))
        self.floor.put_agent(agent)

    def _clock(self, agent_id: int) -> None:
        since, available, busy = self._clocks.get(agent_id, (self.now, False, False))
        passed = self.now - since
        if busy:
            self.result.worked[agent_id] += passed
        if busy or available:
            self.result.ready[agent_id] += passed
