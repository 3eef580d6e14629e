"""A split that converges on its targets, and expected waits by a published method."""

from __future__ import annotations

import random
from collections import Counter
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.queues.shares import Share, choose
from everyline.queues.waits import expect, rounded


@pytest.mark.req("Q1")
@given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(1, 400))
def test_the_split_is_never_off_by_more_than_one_entry_a_team(percents: list[int], count: int) -> None:
    shares = [Share(number, percent) for number, percent in enumerate(percents)]
    day: Counter[int] = Counter()
    for number in range(1, count + 1):
        team = choose(shares, day, day)
        assert team is not None
        day[team] += 1
        for share in shares:
            assert abs(day[share.team_id] - number * share.percent / sum(percents)) < len(shares)
    assert sum(day.values()) == count


@pytest.mark.req("Q1")
def test_who_was_closed_makes_good_slowly_and_reaches_the_target() -> None:
    shares, day = [Share(1, 50), Share(2, 30), Share(3, 20)], Counter[int]()
    lately: Counter[int] = Counter()
    most = 0
    for number in range(2000):
        if number % 100 == 0:
            lately = Counter()
        team = choose(shares if number >= 1000 else shares[:2], day, lately)
        assert team is not None
        day[team] += 1
        lately[team] += 1
        most = max(most, lately[3])
    assert day == Counter({1: 1000, 2: 600, 3: 400})
    assert most <= 2 * 20 + 2, "not all at once"


@pytest.mark.req("Q1")
def test_floors_come_first_and_ceilings_hold() -> None:
    shares = [Share(1, 99), Share(2, 1, floor=3), Share(3, 0)]
    given: Counter[int] = Counter()
    for _ in range(10):
        team = choose(shares, given, given)
        assert team is not None
        given[team] += 1
    assert given == Counter({1: 7, 2: 3})
    assert choose([Share(1, 100, ceiling=7)], given, given) is None
    assert choose([], given, given) is None


@pytest.mark.req("Q1")
def test_the_expected_wait_knows_the_place_and_grows_when_service_stalls() -> None:
    served = [1000.0 - 30 * number for number in range(20)]
    assert expect(1, served, 1000.0).seconds == pytest.approx(30, rel=0.01)  # type: ignore[union-attr]  # -- enough are known
    fifth = expect(5, served, 1000.0)
    assert fifth is not None
    assert fifth.seconds == pytest.approx(150, rel=0.01)
    assert fifth.low < fifth.seconds <= fifth.high
    later = expect(5, served, 1300.0)
    assert later is not None
    assert later.seconds > fifth.seconds
    assert expect(1, served[:2], 1000.0) is None, "nothing is better than a guess"
    assert expect(1, served, 1000.0 + 3600) is None
    assert (rounded(31), rounded(301), rounded(1000)) == (60, 360, 1200)


@pytest.mark.req("Q1")
def test_in_a_steady_queue_the_estimates_come_true_and_most_waits_are_within_the_range() -> None:
    chance, at = random.Random(4), 0.0
    served: list[float] = []
    for _ in range(4000):
        at += chance.expovariate(1 / 40)
        served.append(at)
    pairs = []
    for index in range(100, 3900, 7):
        place = 1 + index % 8
        found = expect(place, served[max(index - 30, 0) : index + 1], served[index])
        assert found is not None
        pairs.append((found.seconds, found.high, served[index + place] - served[index]))
    assert abs(mean(waited - said for said, _, waited in pairs)) < 15
    assert 0.7 < mean(waited <= high for _, high, waited in pairs) < 0.9
