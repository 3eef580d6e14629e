"""The formulas against the worked cases that their makers publish, and against each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.measure import rules
from everyline.measure.rules import Counts
from tests.measure import oracles

pytestmark = pytest.mark.req("Q4")

# one set of facts, eleven service levels
VECTOR = Counts(
    offered=120,
    answered=100,
    in_time=70,
    abandoned=15,
    abandoned_in_time=6,
    short=4,
    flowed_out=5,
    goal_events=100,
    goal_abandoned=10,
)


def per_cent(ratio: rules.Ratio) -> float:
    assert ratio.share is not None
    return round(100 * ratio.share, 2)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SL-ans", 70.00),
        ("SL-2", 66.09),
        ("SL-removed", 63.33),
        ("SL-gen", 63.06),
        ("SL-off", 58.33),
        ("SL-off-s", 60.34),
        ("SL-rc", 70.00),
        ("SL-talk", 60.34),
        ("SL-ign", 77.78),
        ("SL-neg", 70.00),
        ("SL-pos", 80.00),
    ],
)
def test_every_formula_on_one_set_of_facts(formula: str, expected: float) -> None:
    assert per_cent(rules.service_level(formula, VECTOR)) == expected


def test_there_are_eleven_each_with_its_sum_in_words() -> None:
    assert len(rules.FORMULAS) == 11
    assert rules.DEFAULT_FORMULA in rules.FORMULAS
    assert all(formula.words and formula.used_by for formula in rules.FORMULAS.values())


def test_slow_answers_count_against_it() -> None:
    assert per_cent(rules.service_level("SL-ign", Counts(in_time=50, goal_events=130))) == 38.46


def test_who_left_at_once_is_not_taken_off_twice() -> None:
    off = rules.by_switches(VECTOR, abandoned=False, short=False)
    assert (off.part, off.whole) == (70, 100), "115 − 4 − 15 would take the four off twice: 72.92"
    assert per_cent(rules.by_switches(VECTOR, flowed_out=True, short=True)) == 58.33


def test_nothing_offered_has_no_service_level() -> None:
    assert all(formula.count(Counts()).share is None for formula in rules.FORMULAS.values())


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 9),
)
def test_every_level_lies_between_none_and_all(
    in_time: int, late: int, short: int, soon: int, later: int, flowed: int
) -> None:
    counts = Counts(
        offered=in_time + late + short + soon + later + flowed,
        answered=in_time + late,
        in_time=in_time,
        abandoned=short + soon + later,
        abandoned_in_time=short + soon,
        short=short,
        flowed_out=flowed,
        goal_events=in_time + soon + late + later,
        goal_abandoned=soon,
    )
    for formula in rules.FORMULAS.values():
        share = formula.count(counts).share
        assert share is None or 0 <= share <= 1, formula.id


START = datetime(2026, 3, 16, 8, 50, tzinfo=UTC)
DUE = START + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("minutes", "outcome", "expected"),
    [
        (10, "answered", (10, "answered")),
        (15, "answered", (15, "answered")),
        (20, "answered", (15, "expired")),
        (10, "abandoned", (10, "abandoned")),
        (1, "abandoned", None),
        (10, "flowed out", None),
        (20, "flowed out", (15, "expired")),
        (None, "", (15, "expired")),
    ],
)
def test_a_goal_event_is_the_first_of_three(
    minutes: int | None, outcome: str, expected: tuple[int, str] | None
) -> None:
    ended = None if minutes is None else START + timedelta(minutes=minutes)
    found = oracles.goal_event(START, DUE, ended, outcome, timedelta(minutes=1), START + timedelta(hours=1))
    assert found == (expected and oracles.GoalEvent(START + timedelta(minutes=expected[0]), expected[1]))


def test_who_waits_within_the_time_is_no_goal_event_yet() -> None:
    assert oracles.goal_event(START, DUE, None, "", timedelta(), START + timedelta(minutes=14)) is None


def test_chats_at_once_share_the_clock() -> None:
    works = [oracles.Work(0, 10), oracles.Work(5, 15), oracles.Work(5, 8)]
    charged = oracles.split_clock(works)
    assert charged == [7, 7, 1]
    assert sum(charged) == 15, "the wall clock"


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50), st.integers(1, 100)), min_size=1, max_size=12))
def test_what_is_charged_is_the_time_with_work_in_hand(pieces: list[tuple[int, int, int]]) -> None:
    works = [oracles.Work(begin, begin + length, weight) for begin, length, weight in pieces]
    wall = len({moment for work in works for moment in range(int(work.begins), int(work.ends))})
    charged = oracles.split_clock(works)
    assert sum(charged) == wall
    assert all(Fraction(0) < one <= work.ends - work.begins for one, work in zip(charged, works, strict=True))


def test_rates() -> None:
    assert rules.average(300, 4) == 75
    assert rules.average(0, 0) is None
    assert rules.occupancy(45, 15) == 0.75
    assert rules.occupancy(0, 0) is None
    assert rules.backlog(10, opened=5, reopened=2, came=1, resolved=6, went=3) == 9


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, True),
        ({"works": 2}, False),
        ({"transfers": 1}, False),
        ({"reopened_at": START + timedelta(days=7)}, False),
        ({"reopened_at": START + timedelta(days=8)}, True),
        ({"next_at": START + timedelta(days=2)}, False),
        ({"until": START + timedelta(days=6)}, None),
        ({"until": START + timedelta(days=6), "works": 2}, False),
    ],
)
def test_settled_in_one_go(facts: dict[str, object], expected: bool | None) -> None:
    given: dict[str, object] = {
        "works": 1,
        "transfers": 0,
        "reopened_at": None,
        "next_at": None,
        "window": timedelta(days=7),
        "until": START + timedelta(days=30),
        **facts,
    }
    assert oracles.first_time(START, **given) is expected  # type: ignore[arg-type]  # -- as in the table above


@pytest.mark.parametrize(
    ("day", "n"), [(date(2026, 3, 28), 96), (date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 7, 1), 96)]
)
def test_days_on_which_the_clock_changes(day: date, n: int) -> None:
    found = list(oracles.intervals_of(day, ZoneInfo("Europe/Berlin")))
    assert len(found) == n
    assert all(moment == oracles.interval_of(moment) for moment in found)


def test_an_interval_ends_where_the_next_begins() -> None:
    assert oracles.interval_of(datetime(2026, 3, 16, 8, 59, 59, 999_999, tzinfo=UTC)).minute == 45
    assert oracles.interval_of(datetime(2026, 3, 16, 9, 0, tzinfo=UTC)).hour == 9
