"""Who takes what next: laws that hold for every mix of entries and agents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.queues.rules import Candidate, Entry, Strategy, could_take, match, rank

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)


def entry(number: int, **facts: Any) -> Entry:
    return replace(Entry(number, 1, NOW - timedelta(minutes=number), 3, 0, "mail", 20, 60), **facts)


def agent(number: int, **facts: Any) -> Candidate:
    return replace(Candidate(number, NOW - timedelta(minutes=number), frozenset({1})), **facts)


entries = st.lists(
    st.builds(
        Entry,
        id=st.integers(1, 10_000),
        queue_id=st.integers(1, 3),
        waiting_since=st.integers(0, 10_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
        priority=st.integers(1, 5),
        queue_priority=st.integers(0, 2),
        media_class=st.sampled_from(["mail", "chat", "call"]),
        weight=st.sampled_from([20, 25, 100]),
        offer_seconds=st.just(30),
        strategy=st.sampled_from(list(Strategy)),
        needs=st.dictionaries(st.integers(1, 3), st.integers(1, 5), max_size=2),
        preferred_agent_id=st.none() | st.integers(1, 8),
        preferred_until=st.none() | st.sampled_from([NOW - timedelta(seconds=1), NOW + timedelta(hours=1)]),
        refused_by=st.frozensets(st.integers(1, 8), max_size=3),
    ),
    max_size=12,
    unique_by=lambda entry: entry.id,
)
agents = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 8),
        idle_since=st.integers(0, 10_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
        queue_ids=st.frozensets(st.integers(1, 3)),
        skills=st.dictionaries(st.integers(1, 3), st.integers(1, 5)),
        load=st.integers(0, 120),
        in_hand=st.dictionaries(st.sampled_from(["mail", "chat", "call"]), st.integers(0, 5)),
        caps=st.just({}),
        being_offered=st.booleans(),
        settling=st.sampled_from([frozenset(), frozenset({"mail"})]),
    ),
    max_size=8,
    unique_by=lambda agent: agent.id,
)


@pytest.mark.req("Q1")
@given(entries, agents)
def test_every_offer_is_one_the_agent_can_take_and_none_is_doubled(
    waiting: list[Entry], ready: list[Candidate]
) -> None:
    proposals = match(waiting, ready, NOW)
    by_entry, by_agent = {one.id: one for one in waiting}, {one.id: one for one in ready}
    assert len({proposal.entry_id for proposal in proposals}) == len(proposals)
    assert len({proposal.agent_id for proposal in proposals}) == len(proposals)
    for proposal in proposals:
        assert could_take(by_entry[proposal.entry_id], by_agent[proposal.agent_id])


@pytest.mark.req("Q1")
@given(entries, agents)
def test_no_agent_stays_idle_while_something_they_may_take_waits(waiting: list[Entry], ready: list[Candidate]) -> None:
    proposals = match(waiting, ready, NOW)
    left = [one for one in waiting if one.id not in {proposal.entry_id for proposal in proposals}]
    idle = [one for one in ready if one.id not in {proposal.agent_id for proposal in proposals}]
    for one in left:
        kept_back = one.preferred_agent_id if one.preferred_until and one.preferred_until > NOW else None
        assert not [other for other in idle if could_take(one, other) and kept_back in (None, other.id)]


@pytest.mark.req("Q1")
@given(entries, agents)
def test_nobody_is_served_before_an_entry_of_higher_rank_that_the_same_agent_could_take(
    waiting: list[Entry], ready: list[Candidate]
) -> None:
    proposals = match(waiting, ready, NOW)
    taken = {proposal.entry_id: proposal.agent_id for proposal in proposals}
    by_agent = {one.id: one for one in ready}
    plain = [one for one in waiting if one.preferred_until is None or one.preferred_until <= NOW]
    for one in plain:
        if one.id in taken:
            continue
        for other in waiting:
            if other.id in taken and rank(other, NOW) > rank(one, NOW):
                assert not could_take(one, by_agent[taken[other.id]])


@pytest.mark.req("Q1")
def test_waiting_lifts_an_entry_above_a_more_urgent_one() -> None:
    old, urgent = (
        entry(1, waiting_since=NOW - timedelta(minutes=25), priority=3),
        entry(2, waiting_since=NOW, priority=1),
    )
    assert [proposal.entry_id for proposal in match([urgent, old], [agent(1)], NOW)] == [1]


@pytest.mark.req("Q1")
def test_the_longest_idle_is_asked_first() -> None:
    assert [proposal.agent_id for proposal in match([entry(1)], [agent(1), agent(5), agent(3)], NOW)] == [5]


@pytest.mark.req("Q1")
def test_the_least_occupied_is_asked_first_where_the_queue_says_so() -> None:
    ready = [agent(9, load=40), agent(1, load=20)]
    assert match([entry(1, strategy=Strategy.LEAST_OCCUPIED)], ready, NOW)[0].agent_id == 1


@pytest.mark.req("Q1")
def test_the_most_skilled_is_asked_first_where_the_queue_says_so() -> None:
    ready = [agent(9, skills={7: 2}), agent(1, skills={7: 5}), agent(8)]
    assert match([entry(1, strategy=Strategy.MOST_SKILLED, needs={7: 2})], ready, NOW)[0].agent_id == 1


@pytest.mark.req("Q1", "E5")
def test_an_answer_waits_for_the_agent_who_asked_but_not_for_ever() -> None:
    mine = entry(1, preferred_agent_id=2, preferred_until=NOW + timedelta(minutes=1))
    assert match([mine], [agent(1)], NOW) == []
    assert match([mine], [agent(1), agent(2)], NOW)[0].agent_id == 2
    assert match([mine], [agent(1)], NOW + timedelta(minutes=2))[0].agent_id == 1


@pytest.mark.req("Q1")
def test_who_let_it_pass_is_asked_again_only_when_there_is_nobody_else() -> None:
    passed = entry(1, refused_by=frozenset({5}))
    assert match([passed], [agent(1), agent(5)], NOW)[0].agent_id == 1
    assert match([passed], [agent(5)], NOW)[0].agent_id == 5


@pytest.mark.req("Q1")
def test_capacity_is_never_exceeded() -> None:
    assert match([entry(1, weight=100, media_class="call")], [agent(1, load=20)], NOW) == []
    assert match([entry(1)], [agent(1, in_hand={"mail": 5})], NOW) == []
    assert match([entry(1)], [agent(1, in_hand={"mail": 5}, caps={"mail": 6})], NOW) != []


@pytest.mark.req("Q1")
def test_who_reads_the_mail_they_just_took_is_shown_a_call_but_not_the_next_mail() -> None:
    reader = agent(1, settling=frozenset({"mail"}), in_hand={"mail": 1}, load=20)
    assert match([entry(1)], [reader], NOW) == []
    assert match([entry(1, media_class="chat", weight=25)], [reader], NOW) != []
