"""Who takes what next: laws that hold for every mix of entries and agents, against a plain reading of the rules."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everyline.queues.expressions import both, meets
from everyline.queues.floor import Floor
from everyline.queues.rules import (
    AGEING_SECONDS,
    Candidate,
    Condition,
    Entry,
    QueueRule,
    Step,
    Strategy,
    has_room,
    holds,
    turn,
)

NOW = 10_000.0

leaves = st.builds(lambda skill, least: {"skill": skill, "least": least}, st.integers(1, 3), st.integers(1, 5))
trees: st.SearchStrategy[Any] = st.one_of(
    st.just({}),
    leaves,
    st.builds(lambda parts: {"all": parts}, st.lists(leaves, min_size=2, max_size=3)),
    st.builds(lambda parts: {"any": parts}, st.lists(leaves, min_size=2, max_size=3)),
    st.builds(lambda one: {"not": one}, leaves),
)
rules = st.fixed_dictionaries(
    {
        number: st.builds(
            QueueRule,
            id=st.just(number),
            priority=st.integers(0, 2),
            strategy=st.sampled_from(list(Strategy)),
            wants=trees,
            steps=st.lists(
                st.builds(Step, after=st.sampled_from([60.0, 300.0]), wants=trees, language=st.booleans()), max_size=2
            ).map(lambda steps: tuple(sorted(steps, key=lambda step: step.after or 0))),
            rings=st.sampled_from([1, 1, 2]),
            delays=st.dictionaries(st.integers(1, 2), st.sampled_from([0.0, 120.0]), max_size=2),
        )
        for number in (1, 2)
    }
)
entries = st.lists(
    st.builds(
        Entry,
        id=st.integers(1, 10_000),
        queue_id=st.integers(1, 2),
        since=st.integers(0, 1000).map(lambda seconds: NOW - seconds),
        priority=st.integers(1, 5),
        media_class=st.sampled_from(["mail", "chat", "call"]),
        weight=st.sampled_from([20, 25, 100]),
        wants=trees,
        language=st.none() | st.integers(1, 3),
        preferred=st.lists(st.integers(1, 8), max_size=2, unique=True).map(tuple),
        preferred_until=st.sampled_from([0.0, NOW - 1, NOW + 3600]),
        outside=st.booleans(),
        team_id=st.none() | st.integers(1, 2),
        team_until=st.sampled_from([0.0, NOW + 60]),
        not_before=st.sampled_from([0.0, 0.0, NOW + 60]),
        refused_by=st.frozensets(st.integers(1, 8), max_size=3),
    ),
    max_size=14,
    unique_by=lambda entry: entry.id,
)
agents = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 8),
        idle_since=st.integers(0, 1000).map(lambda seconds: NOW - seconds),
        queue_ids=st.frozensets(st.integers(1, 2)),
        skills=st.dictionaries(st.integers(1, 3), st.integers(1, 5)),
        team_id=st.none() | st.integers(1, 2),
        available=st.sampled_from([True, True, False]),
        being_offered=st.sampled_from([False, False, True]),
        offered=st.sampled_from(["mail", "chat", "call"]),
        load=st.integers(0, 120),
        interruptible=st.dictionaries(st.just("mail"), st.integers(0, 100), max_size=1),
        in_hand=st.dictionaries(st.sampled_from(["mail", "chat", "call"]), st.integers(0, 5)),
        settling=st.sampled_from(
            [{}, {"mail": NOW + 9}, {"mail": NOW - 9}, {"call": inf}, {"call": NOW + 9, "mail": NOW - 9}]
        ),
        handled=st.integers(0, 9),
    ),
    max_size=8,
    unique_by=lambda agent: agent.id,
)


def could_take(entry: Entry, agent: Candidate, queue: QueueRule, *, over: bool = False) -> bool:
    """The rules read one by one, without bits and groups. ``over``: also what stands before them and is interrupted by it."""
    waited = NOW - entry.since
    if (
        entry.not_before > NOW
        or not agent.available
        or (agent.being_offered and not (over and (entry.media_class, agent.offered) == ("call", "mail")))
        or agent.settling.get(entry.media_class, 0) > NOW
    ):
        return False
    if not has_room(agent, entry.media_class, entry.channel, entry.weight):
        return False
    preferred = entry.preferred if entry.preferred_until > NOW else ()
    if preferred and agent.id not in preferred:
        return False
    if preferred and entry.outside:
        return True
    if entry.queue_id not in agent.queue_ids:
        return False
    if entry.team_until > NOW and entry.team_id is not None and agent.team_id != entry.team_id:
        return False
    if agent.team_id is not None and queue.delays.get(agent.team_id, 0) > waited:
        return False
    reached = [step for step in queue.steps if step.after is not None and waited >= step.after]
    asked = reached[-1].wants if reached else queue.wants
    if not meets(both(asked, entry.wants), agent.skills):
        return False
    speaks = entry.language is not None and (not reached or reached[-1].language)
    return not speaks or agent.skills.get(entry.language or 0, 0) >= 1


def floor_of(queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]) -> Floor:
    floor = Floor(queues.values())
    for one in ready:
        floor.put_agent(one)
    for entry in waiting:
        floor.put_entry(entry, NOW)
    return floor


Made = tuple[dict[int, tuple[int, ...]], dict[int, Entry], dict[int, Candidate]]


def made(queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]) -> Made:
    proposals = floor_of(queues, waiting, ready).match(NOW)
    assert len({proposal.entry_id for proposal in proposals}) == len(proposals)
    return (
        {proposal.entry_id: proposal.agent_ids for proposal in proposals},
        {one.id: one for one in waiting},
        {one.id: one for one in ready},
    )


@pytest.mark.req("Q1")
@given(rules, entries, agents)
def test_every_offer_is_one_the_agent_can_take_and_none_is_doubled(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]
) -> None:
    taken, by_entry, by_agent = made(queues, waiting, ready)
    given_to = [agent for chosen in taken.values() for agent in chosen]
    assert len(set(given_to)) == len(given_to)
    for entry_id, chosen in taken.items():
        entry = by_entry[entry_id]
        assert 1 <= len(chosen) <= queues[entry.queue_id].rings
        for agent_id in chosen:
            assert could_take(entry, by_agent[agent_id], queues[entry.queue_id], over=True)


@pytest.mark.req("Q1")
@given(rules, entries, agents)
def test_no_agent_stays_idle_while_something_they_may_take_waits(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]
) -> None:
    taken, by_entry, by_agent = made(queues, waiting, ready)
    busy = {agent for chosen in taken.values() for agent in chosen}
    for entry_id in by_entry.keys() - taken.keys():
        entry = by_entry[entry_id]
        assert not [
            one
            for one in by_agent.values()
            if one.id not in busy and could_take(entry, one, queues[entry.queue_id], over=True)
        ]


def without_calls(found: Made) -> dict[int, tuple[int, ...]]:
    """What is offered besides calls."""
    return {entry_id: chosen for entry_id, chosen in found[0].items() if found[1][entry_id].media_class != "call"}


@pytest.mark.req("Q1", "V2")
@given(rules, entries, agents)
def test_a_standing_offer_yields_to_a_call_only_when_nobody_is_free_for_it(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]
) -> None:
    by_agent = {one.id: one for one in ready}
    by_entry = {one.id: one for one in waiting}
    found = {one.entry_id: one for one in floor_of(queues, waiting, ready).match(NOW)}
    stuck = [replace(one, offered="") if one.being_offered else one for one in ready]  # as if no offer ever yielded
    before, *_ = made(queues, waiting, stuck)
    for entry_id, proposal in found.items():
        asked = {agent_id for agent_id in proposal.agent_ids if by_agent[agent_id].being_offered}
        assert asked == set(proposal.over)
        assert not asked or entry_id not in before, "somebody who was free would have had it"
        assert not asked or by_entry[entry_id].media_class == "call"
    for entry_id in before:
        assert found[entry_id].over == (), "who had somebody has them still"
    assert before == {entry_id: one.agent_ids for entry_id, one in found.items() if not one.over}


@pytest.mark.req("Q1", "V2")
@given(entries, agents)
def test_no_call_waits_while_a_mail_is_only_offered(waiting: list[Entry], ready: list[Candidate]) -> None:
    """Where everybody may take everything, so that all is about offers."""
    queues = {1: QueueRule(1), 2: QueueRule(2)}
    waiting = [
        replace(one, wants={}, language=None, preferred=(), team_id=None, not_before=0, media_class=kind)
        for one, kind in zip(waiting, itertools.cycle(["call", "mail", "call"]), strict=False)
    ]
    ready = [replace(one, queue_ids=frozenset({1, 2}), load=0, in_hand={}, settling={}) for one in ready]
    taken, by_entry, _ = made(queues, waiting, ready)
    busy = {agent_id for chosen in taken.values() for agent_id in chosen}
    for entry_id in by_entry.keys() - taken.keys():
        entry = by_entry[entry_id]
        able = [one for one in ready if could_take(entry, one, queues[entry.queue_id], over=True)]
        assert not [one for one in able if one.id not in busy]
        assert entry.media_class == "mail" or not [
            one
            for one in able
            if any(one.id in chosen and by_entry[other].media_class == "mail" for other, chosen in taken.items())
        ]


@pytest.mark.req("Q1", "V2")
@given(rules, entries, agents)
def test_where_no_call_waits_no_offer_yields(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]
) -> None:
    waiting = [one for one in waiting if one.media_class != "call"]
    proposals = floor_of(queues, waiting, ready).match(NOW)
    stuck = [replace(one, offered="") for one in ready]
    assert proposals == floor_of(queues, waiting, stuck).match(NOW)
    assert not any(one.over for one in proposals)


@pytest.mark.req("Q1")
@given(rules, entries, agents)
def test_nobody_is_passed_over_for_who_comes_later_and_the_same_agent_could_take(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate]
) -> None:
    taken, by_entry, by_agent = made(queues, waiting, ready)
    for left in by_entry.keys() - taken.keys():
        entry = by_entry[left]
        for other_id, chosen in taken.items():
            other = by_entry[other_id]
            later = (turn(other, queues[other.queue_id].priority), other.id) > (
                turn(entry, queues[entry.queue_id].priority),
                entry.id,
            )
            if later:
                interrupts = (other.media_class, entry.media_class) == ("call", "mail")
                assert interrupts or not any(could_take(entry, by_agent[one], queues[entry.queue_id]) for one in chosen)


@pytest.mark.req("Q1")
@settings(max_examples=60)
@given(rules, entries, agents, st.randoms(use_true_random=False))
def test_what_changed_on_the_way_leaves_no_trace(
    queues: dict[int, QueueRule], waiting: list[Entry], ready: list[Candidate], chance: Any
) -> None:
    """A floor that was kept up by changes decides as one that is put together anew."""
    kept = Floor(queues.values())
    for one in ready:
        kept.put_agent(replace(one, available=not one.available, load=0, skills={1: 5}, queue_ids=frozenset({1, 2})))
    for entry in waiting:
        kept.put_entry(replace(entry, queue_id=3 - entry.queue_id, priority=1), NOW - 500)
    kept.match(NOW - 400)
    for one in chance.sample(ready, len(ready)):
        if chance.random() < 0.3:
            kept.drop_agent(one.id)
        kept.put_agent(one)
    for entry in chance.sample(waiting, len(waiting)):
        if chance.random() < 0.3:
            kept.drop_entry(entry.id)
        kept.put_entry(entry, NOW - 300)
    kept.match(NOW - 200)
    assert sorted(map(repr, kept.match(NOW))) == sorted(map(repr, floor_of(queues, waiting, ready).match(NOW)))


def ask(queue: QueueRule, entry: Entry, *ready: Candidate, now: float = NOW) -> tuple[int, ...]:
    floor = Floor([queue])
    for one in ready:
        floor.put_agent(one)
    floor.put_entry(entry, now)
    found = floor.match(now)
    return found[0].agent_ids if found else ()


def agent(number: int, **facts: Any) -> Candidate:
    return replace(Candidate(number, idle_since=NOW - number, queue_ids=frozenset({1})), **facts)


@pytest.mark.req("Q1")
def test_each_strategy_chooses_by_its_name() -> None:
    entry = Entry(1, 1, NOW)
    busy = agent(1, load=20, handled=1, skills={1: 2}, idle_since=NOW - 500)
    fresh = agent(2, load=0, handled=9, skills={1: 3}, idle_since=NOW - 5)
    idle = agent(3, load=40, handled=4, skills={1: 5}, idle_since=NOW - 50)
    wants = {"skill": 1, "least": 1}

    def chosen(strategy: Strategy) -> tuple[int, ...]:
        return ask(QueueRule(1, strategy=strategy, wants=wants), entry, busy, fresh, idle)

    assert chosen(Strategy.LONGEST_IDLE) == (1,)
    assert chosen(Strategy.LEAST_OCCUPIED) == (2,)
    assert chosen(Strategy.MOST_SKILLED) == (3,)
    assert chosen(Strategy.FEWEST_HANDLED) == (1,)
    assert ask(QueueRule(1, rings=2, wants=wants), entry, busy, fresh, idle) == (1, 3)


@pytest.mark.req("Q1")
def test_ten_minutes_of_waiting_are_worth_a_step_of_priority() -> None:
    floor = Floor([QueueRule(1)])
    floor.put_agent(agent(1))
    floor.put_entry(Entry(1, 1, NOW - 100, priority=2), NOW)
    floor.put_entry(Entry(2, 1, NOW - 100 - AGEING_SECONDS + 1, priority=3), NOW)
    assert floor.match(NOW)[0].entry_id == 1
    floor.put_entry(Entry(2, 1, NOW - 100 - AGEING_SECONDS - 1, priority=3), NOW)
    assert floor.match(NOW)[0].entry_id == 2


@pytest.mark.req("Q1")
def test_relaxation_reaches_who_waits_already_by_time_and_by_condition() -> None:
    wants = {"skill": 1, "least": 4}
    timed = QueueRule(1, wants=wants, steps=(Step(after=60, wants={"skill": 1, "least": 2}), Step(after=120)))
    floor = Floor([timed])
    floor.put_agent(agent(1, skills={1: 2}))
    floor.put_agent(agent(2))
    floor.put_entry(Entry(1, 1, NOW), NOW)
    assert floor.match(NOW + 59) == []
    assert floor.next_change() == NOW + 60
    assert floor.match(NOW + 60)[0].agent_ids == (1,)
    floor.put_agent(agent(1, skills={1: 2}, available=False))
    assert floor.match(NOW + 119) == []
    assert floor.match(NOW + 120)[0].agent_ids == (2,)

    few = QueueRule(1, wants=wants, steps=(Step(condition=Condition.READY_UNDER, value=2),))
    floor = Floor([few])
    floor.put_agent(agent(2))
    floor.put_entry(Entry(1, 1, NOW), NOW)
    assert floor.match(NOW) == []
    assert holds(few.steps[0], {Condition.READY_UNDER: floor.ready_in(1)})
    floor.set_reached(1, frozenset({1}), NOW)
    assert floor.match(NOW)[0].agent_ids == (2,)
    floor.set_reached(1, frozenset(), NOW)
    assert floor.match(NOW) == []


@pytest.mark.req("Q1")
def test_a_team_sees_an_entry_after_its_delay_and_a_partner_has_it_alone_for_a_time() -> None:
    queue = QueueRule(1, delays={7: 30.0})
    late, partner = agent(1, team_id=7), agent(2, team_id=8, available=False)
    assert ask(queue, Entry(1, 1, NOW), late, now=NOW + 29) == ()
    assert ask(queue, Entry(1, 1, NOW), late, now=NOW + 30) == (1,)
    given_away = Entry(1, 1, NOW, team_id=8, team_until=NOW + 60)
    assert ask(QueueRule(1), given_away, late, partner, now=NOW + 59) == ()
    assert ask(QueueRule(1), given_away, late, partner, now=NOW + 60) == (1,)


@pytest.mark.req("Q1")
def test_a_call_interrupts_mail_and_capacity_counts_for_the_rest() -> None:
    writing = agent(1, load=100, interruptible={"mail": 100}, in_hand={"mail": 5})
    call = Entry(1, 1, NOW, media_class="call", weight=100)
    chat = Entry(1, 1, NOW, media_class="chat", weight=25)
    assert ask(QueueRule(1), call, writing) == (1,)
    assert ask(QueueRule(1), chat, writing) == ()
    assert ask(QueueRule(1), chat, agent(1, load=75, in_hand={"chat": 3})) == (1,)
    assert ask(QueueRule(1), chat, agent(1, load=75, in_hand={"chat": 3}, weights={"chat": 50})) == ()
    assert ask(QueueRule(1), chat, agent(1, in_hand={"chat": 2}, caps={"chat": 2})) == ()
    named = replace(chat, channel="webchat")
    assert ask(QueueRule(1), named, agent(1, in_hand={"=webchat": 1}, caps={"=webchat": 1})) == ()


@pytest.mark.req("Q1", "V5")
@given(entries, agents, st.frozensets(st.integers(1, 8)))
def test_who_is_wanted_in_a_call_is_offered_no_other_and_all_else_as_before(
    waiting: list[Entry], ready: list[Candidate], wanted: frozenset[int]
) -> None:
    """Where everybody may take everything, so that all is about who is wanted: as if these took no calls at all."""
    queues = {1: QueueRule(1), 2: QueueRule(2)}
    waiting = [
        replace(one, wants={}, language=None, preferred=(), team_id=None, not_before=0, media_class=kind)
        for one, kind in zip(waiting, itertools.cycle(["call", "mail", "call"]), strict=False)
    ]
    ready = [replace(one, queue_ids=frozenset({1, 2}), load=0, in_hand={}, settling={}) for one in ready]
    asked = [replace(one, settling={"call": inf}) if one.id in wanted else one for one in ready]
    deaf = [replace(one, caps={"call": 0}) if one.id in wanted else one for one in ready]
    taken, by_entry, _ = made(queues, waiting, asked)
    for entry_id, chosen in taken.items():
        assert by_entry[entry_id].media_class != "call" or not wanted & set(chosen)
    assert taken == made(queues, waiting, deaf)[0]


@pytest.mark.req("Q1", "V5")
def test_who_is_wanted_in_a_call_for_good_is_not_waited_for() -> None:
    floor = Floor([QueueRule(1)])
    for _n in range(100):
        floor.put_agent(agent(1, settling={"call": inf}))
    assert floor.next_change() is None
    floor.put_entry(Entry(1, 1, NOW, media_class="call", weight=100), NOW)
    assert floor.match(NOW + 1e6) == []
    floor.put_agent(agent(1))
    assert [one.agent_ids for one in floor.match(NOW + 1e6)] == [(1,)]


@pytest.mark.req("Q1", "V2")
def test_a_mail_that_is_offered_holds_no_call_back() -> None:
    call = Entry(1, 1, NOW, media_class="call", weight=100)
    mail = Entry(2, 1, NOW - 900)
    reading = agent(1, being_offered=True, offered="mail")
    assert ask(QueueRule(1), call, reading) == (1,)
    assert ask(QueueRule(1), call, replace(reading, offered="chat")) == ()
    assert ask(QueueRule(1), call, replace(reading, available=False)) == ()
    assert ask(QueueRule(1), mail, reading) == ()
    assert ask(QueueRule(1), call, reading, agent(2)) == (2,), "who is free comes first"

    # both wait when somebody comes back: the mail is not shown only to be taken away
    floor = Floor([QueueRule(1)])
    floor.put_entry(call, NOW)
    floor.put_entry(mail, NOW)
    floor.put_agent(agent(1))
    assert [(one.entry_id, one.agent_ids, one.over) for one in floor.match(NOW)] == [(1, (1,), ())]
    floor.put_agent(agent(2, caps={"call": 0}))
    assert {one.entry_id: one.agent_ids for one in floor.match(NOW)} == {1: (1,), 2: (2,)}


@pytest.mark.req("Q1")
def test_who_is_asked_for_by_name_comes_first_in_their_order_and_then_everybody() -> None:
    entry = Entry(1, 1, NOW, preferred=(3, 2), preferred_until=NOW + 60)
    assert ask(QueueRule(1), entry, agent(1), agent(2), agent(3)) == (3,)
    assert ask(QueueRule(1), entry, agent(1), agent(2)) == (2,)
    assert ask(QueueRule(1), entry, agent(1)) == ()
    assert ask(QueueRule(1), entry, agent(1), now=NOW + 60) == (1,)
    stranger = agent(3, queue_ids=frozenset())
    assert ask(QueueRule(1), entry, stranger) == ()
    assert ask(QueueRule(1), replace(entry, outside=True), stranger) == (3,)


@pytest.mark.req("Q1")
def test_what_nobody_can_meet_is_known() -> None:
    floor = Floor([QueueRule(1, wants={"all": [{"skill": 1, "least": 5}, {"skill": 2, "least": 1}]})])
    floor.put_agent(agent(1, skills={1: 3, 2: 4}, available=False))
    floor.put_entry(Entry(1, 1, NOW), NOW)
    assert floor.unmet() == [1]
    floor.put_agent(agent(2, skills={1: 5, 2: 1}, available=False))
    assert floor.unmet() == []
    assert floor.could(1) == [2]
