"""A day played through the rules: what must hold in every simulated day, and what queueing theory says of some."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from math import exp, inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everyline.queues.rules import FULL, Candidate, Entry, QueueRule, Step, Strategy, has_room
from everyline.queues.simulation import Arrival, Change, Day, Simulation

pytestmark = pytest.mark.req("Q1")
MEDIA = {"call": 100, "chat": 25, "mail": 20}


class Watched(Simulation):
    """A run that is looked at after each moment."""

    def _match(self) -> None:
        super()._match()
        for agent in self._agents.values():
            works = [self._works[one] for one in self._of_agent[agent.id]]
            assert sum(work.weight for work in works if work.held_since is None) == agent.load <= FULL
            for media_class in MEDIA:
                held = [work for work in works if work.arrival.entry.media_class == media_class]
                assert len(held) == agent.in_hand.get(media_class, 0)
        idle = [one for one in self._agents.values() if one.available and not one.being_offered]
        for arrival in self._waiting.values():
            entry = arrival.entry
            if entry.id in self._offered:
                continue
            able = self.floor.could(entry.id)
            assert not [
                one.id
                for one in idle
                if one.id in able and has_room(one, entry.media_class, entry.channel, entry.weight)
            ], "an agent is idle while an entry waits that they could take"


def arrivals(seed: int, count: int) -> list[Arrival]:
    chance, at, found = random.Random(seed), 0.0, []
    for number in range(1, count + 1):
        at += chance.expovariate(1 / 20)
        media_class = chance.choice(list(MEDIA))
        entry = Entry(
            number,
            chance.randint(1, 2),
            at,
            chance.randint(1, 5),
            media_class,
            weight=MEDIA[media_class],
        )
        patience = chance.choice([inf, chance.expovariate(1 / 90)])
        found.append(Arrival(entry, chance.expovariate(1 / 120), chance.choice([0, 15]), patience))
    return found


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from(list(Strategy)), st.sampled_from([1, 2]))
def test_in_every_day_each_entry_ends_and_nobody_is_idle_or_overloaded(
    seed: int, agents: int, strategy: Strategy, rings: int
) -> None:
    chance = random.Random(seed)
    wants = {"skill": 1, "least": chance.randint(1, 5)}
    queues = [
        QueueRule(number, strategy=strategy, rings=rings, wants=wants, steps=(Step(after=120),)) for number in (1, 2)
    ]
    people = [
        Candidate(number, queue_ids=frozenset({1, 2}), skills={1: chance.randint(1, 5)}, available=number == 1)
        for number in range(1, agents + 1)
    ]
    changes = [Change(chance.uniform(0, 3000), number, available=True) for number in range(2, agents + 1)]
    changes += [Change(one.at + chance.uniform(60, 3000), one.agent_id, available=False) for one in list(changes)]
    simulation = Watched(Day(queues, people, arrivals(seed, 150), changes))
    result = simulation.run()
    assert not simulation._waiting
    assert not simulation._works
    for outcome in result.queues.values():
        assert outcome.offered == outcome.answered + outcome.abandoned + outcome.short
        assert len(outcome.waits) == outcome.answered
    assert sum(outcome.offered for outcome in result.queues.values()) == 150


def test_of_equal_rank_nobody_is_skipped() -> None:
    day = [Arrival(Entry(number, 1, float(number // 3), media_class="call", weight=100), 50) for number in range(1, 61)]
    order: list[int] = []

    class Ordered(Simulation):
        def _accept(self, entry_id: int) -> None:
            order.append(entry_id)
            super()._accept(entry_id)

    Ordered(Day([QueueRule(1)], [Candidate(1, queue_ids=frozenset({1}))], day, reaction_seconds=0)).run()
    assert order == sorted(order)


def test_a_call_puts_a_mail_on_hold_and_the_mail_goes_on_afterwards() -> None:
    mail = Arrival(Entry(1, 1, 0.0, media_class="mail"), work_seconds=100)
    call = Arrival(Entry(2, 1, 40.0, media_class="call", weight=100), work_seconds=30)
    ended: dict[int, float] = {}

    class Ended(Simulation):
        def _end(self, what: Any) -> None:
            super()._end(what)
            if what[0] not in self._works:
                ended.setdefault(what[0], self.now)

    Ended(Day([QueueRule(1)], [Candidate(1, queue_ids=frozenset({1}))], [mail, call], reaction_seconds=0)).run()
    assert ended == {2: 70.0, 1: 130.0}


def test_a_call_takes_the_place_of_a_mail_that_is_offered_and_the_mail_waits_on() -> None:
    mail = Arrival(Entry(1, 1, 0.0, media_class="mail"), work_seconds=100)
    call = Arrival(Entry(2, 2, 10.0, media_class="call", weight=100), work_seconds=30)
    day = Day([QueueRule(1), QueueRule(2)], [Candidate(1, queue_ids=frozenset({1, 2}))], [mail, call])
    result = Simulation(replace(day, reaction_seconds=25)).run()
    assert result.queues[2].waits == [25.0], "it was offered the moment it came"
    assert result.queues[1].waits == [90.0], "and the mail when the call was over, after it was shown again"


class Stubborn(Simulation):
    """No offer yields to anything."""

    def _put(self, agent: Candidate) -> None:
        super()._put(replace(agent, offered=""))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 5), st.sampled_from(["call", "mail"]), st.sampled_from([1, 2]))
def test_without_calls_or_without_mail_nothing_changes(seed: int, agents: int, missing: str, rings: int) -> None:
    day = Day(
        [QueueRule(number, rings=rings) for number in (1, 2)],
        [Candidate(number, queue_ids=frozenset({1, 2})) for number in range(1, agents + 1)],
        [one for one in arrivals(seed, 120) if one.entry.media_class != missing],
    )
    assert Simulation(day).run() == Stubborn(day).run()


def test_over_many_days_calls_wait_less_and_every_mail_is_still_answered() -> None:
    def played(kind: type[Simulation], seed: int) -> tuple[float, int]:
        some = [
            replace(one, entry=replace(one.entry, queue_id=1 if one.entry.media_class == "call" else 2))
            for one in arrivals(seed, 120)
            if one.entry.media_class != "chat"
        ]
        patient = [replace(one, patience_seconds=inf) for one in some]
        people = [Candidate(number, queue_ids=frozenset({1, 2})) for number in range(1, 6)]
        found = kind(Day([QueueRule(1), QueueRule(2)], people, patient, reaction_seconds=15)).run()
        assert found.queues[2].answered == found.queues[2].offered
        return found.queues[1].waited, found.queues[1].answered

    days = [(played(Simulation, seed), played(Stubborn, seed)) for seed in range(12)]
    assert sum(yields[0] for yields, _ in days) < sum(stands[0] for _, stands in days)
    assert all(yields[1] == stands[1] for yields, stands in days)


def poisson(count: int, rate: float, work: float, seed: int) -> Iterator[Arrival]:
    chance, at = random.Random(seed), 0.0
    for number in range(1, count + 1):
        at += chance.expovariate(rate)
        yield Arrival(Entry(number, 1, at, media_class="call", weight=100), chance.expovariate(1 / work))


def erlang_c(load: float, servers: int) -> float:
    """The probability of waiting in M/M/c (Erlang, 1917), by the recursion of Erlang B."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - (load / servers) * (1 - blocked))


@pytest.mark.parametrize(("agents", "rate", "work"), [(5, 1 / 60, 200.0), (12, 1 / 20, 180.0)])
def test_waits_are_those_of_erlang(agents: int, rate: float, work: float) -> None:
    people = [Candidate(number, queue_ids=frozenset({1})) for number in range(1, agents + 1)]
    count = 40_000
    day = Day([QueueRule(1)], people, poisson(count, rate, work, 5), reaction_seconds=0)
    result = Simulation(day).run()
    found = result.queues[1]
    load = rate * work
    waits = erlang_c(load, agents)
    assert sum(wait > 0 for wait in found.waits) / count == pytest.approx(waits, abs=0.02)
    assert found.average_wait == pytest.approx(waits * work / (agents - load), rel=0.1)
    assert found.service_level == pytest.approx(100 * (1 - waits * exp(-(agents - load) * 20 / work)), abs=2)
    assert result.occupancy == pytest.approx(100 * load / agents, abs=1.5)
