"""Figures and thresholds: pure rules, with their laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from everyline.board import rules
from everyline.board.facts import AgentFacts, Ended, Group, Limit, Picture, QueueFacts, Tally, Waits, Work
from everyline.board.figures import CUTS, agent_counts, compute
from everyline.board.parts import _whole
from everyline.queues.hours import OpeningHours

pytestmark = pytest.mark.req("Q3")
NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)  # a Tuesday
OFFICE = OpeningHours("UTC", [[("09:00", "17:00")]] * 5 + [[], []])


def queue(
    number: int = 1, *, seconds: int = 20, hours: OpeningHours | None = None, formula: str = "SL-off-s"
) -> QueueFacts:
    return QueueFacts(number, f"Queue {number}", 0, seconds, 80, formula, 5, hours)


def ended(
    outcome: str, waited: float, *, at: datetime = NOON, of: QueueFacts | None = None, number: int = 1
) -> Ended | None:
    mine = of or queue()
    return rules.ended(mine, number, Group(mine.id, "phone", "en", 0), outcome, at - timedelta(seconds=waited), at)


@pytest.mark.parametrize(
    ("outcome", "waited", "how", "in_time", "short"),
    [
        ("accepted", 20, "answered", True, False),
        ("accepted", 20.1, "answered", False, False),
        ("answered", 3, "answered", True, False),
        ("abandoned", 4.9, "abandoned", True, True),
        ("abandoned", 5, "abandoned", True, False),
        ("abandoned", 60, "abandoned", False, False),
        ("overflowed", 60, "moved", False, False),
    ],
)
def test_what_became_of_an_entry(outcome: str, waited: float, how: str, in_time: bool, short: bool) -> None:
    found = ended(outcome, waited)
    assert found is not None
    assert (found.how, found.in_time, found.short) == (how, in_time, short)


@pytest.mark.parametrize("outcome", ["merged", "snoozed", "put aside", ""])
def test_what_does_not_count(outcome: str) -> None:
    assert ended(outcome, 10) is None


def test_a_night_does_not_count_against_a_queue_that_was_closed() -> None:
    office = queue(seconds=3600, hours=OFFICE)
    morning = datetime(2026, 3, 17, 9, 50, tzinfo=UTC)
    for since, in_time in ((timedelta(hours=17), True), (timedelta(hours=25), False)):
        found = rules.ended(office, 1, Group(1, "email", "en", 0), "accepted", morning - since, morning)
        assert found is not None
        assert found.in_time is in_time


def test_the_oracles_of_the_formulas() -> None:
    tally = Tally(answered=100, in_time=70, abandoned=15, left_in_time=6, short=4, moved=5)
    for formula, share in (("SL-ans", 70), ("SL-2", 66.09), ("SL-off", 58.33), ("SL-off-s", 60.34), ("SL-gen", 63.06)):
        found = rules.level([(queue(formula=formula), tally)])
        assert found.share is not None
        assert round(found.share * 100, 2) == share, formula


@pytest.mark.parametrize(
    ("figure", "value", "tone"),
    [
        ("waiting", 5, ""),
        ("waiting", 6, "warn"),
        ("waiting", 11, "bad"),
        ("waiting", None, ""),
        ("free", 5, "warn"),
        ("free", 12, ""),
    ],
)
def test_thresholds(figure: str, value: float | None, tone: str) -> None:
    assert (
        rules.tone(figure, Limit(5, 10, rings=False) if figure == "waiting" else Limit(10, 3, rings=False), value)
        == tone
    )


def test_a_queues_own_threshold_goes_before_that_of_every_queue() -> None:
    limits = {(0, "waiting"): Limit(1, 2, rings=False), (7, "waiting"): Limit(10, 20, rings=True)}
    assert rules.limit_of(limits, 7, "waiting").bad == 20
    assert rules.limit_of(limits, 8, "waiting").bad == 2
    assert rules.limit_of({}, 8, "level").bad == 10


def test_only_all_is_a_hundred_per_cent() -> None:
    assert [_whole(share) for share in (1.0, 0.999, 0.5, 0.0)] == [100, 99, 50, 0]


groups = some.builds(
    Group,
    some.integers(1, 4),
    some.sampled_from(["phone", "email", ""]),
    some.sampled_from(["en", "es", ""]),
    some.integers(0, 2),
)


@given(
    some.dictionaries(groups, some.integers(1, 50), max_size=12),
    some.lists(
        some.tuples(groups, some.sampled_from(["accepted", "abandoned", "overflowed"]), some.floats(0, 100)),
        max_size=30,
    ),
    some.one_of(some.none(), some.frozensets(some.integers(1, 4))),
)
def test_every_entry_stands_in_one_row_of_each_cut(
    waiting: dict[Group, int], gone: list[tuple[Group, str, float]], scope: frozenset[int] | None
) -> None:
    picture = Picture(
        queues={number: queue(number) for number in range(1, 5)}, teams={1: ("One", False), 2: ("Two", True)}
    )
    picture.waiting = {group: Waits(n, NOON - timedelta(seconds=n)) for group, n in waiting.items()}
    for number, (group, outcome, waited) in enumerate(gone):
        found = rules.ended(
            picture.queues[group.queue_id], number, group, outcome, NOON - timedelta(seconds=waited), NOON
        )
        assert found is not None
        picture.lately.append(found)
        picture.today.setdefault(group, Tally()).count(found)
    seen = [group for group in waiting if scope is None or group.queue_id in scope]
    for by in CUTS:
        board = compute(picture, by, scope, NOON, agent_counts(picture, by, scope))
        named = [line for line in board.lines if by != "channel" or line.name]
        assert board.total.waiting == sum(waiting[group] for group in seen)
        if by != "channel":
            assert sum(line.waiting for line in named) == board.total.waiting
            assert sum(line.now.whole for line in named) == board.total.now.whole
            assert sum(line.today.part for line in named) == board.total.today.part
        oldest = max((waiting[group] for group in seen), default=None)
        assert board.total.oldest == (NOON - timedelta(seconds=oldest) if oldest else None)


def agent(number: int, *works: Work, chosen: str = "available", queues: frozenset[int] = frozenset({1})) -> AgentFacts:
    return AgentFacts(number, f"Agent {number}", 0, chosen, "", NOON, "", queues, frozenset({"en"}), works)


def work(weight: int, **facts: bool) -> Work:
    return Work(1, "1001", 1, "email", weight, NOON, **facts)


@pytest.mark.parametrize(
    ("works", "chosen", "state"),
    [
        ((), "available", "available"),
        ((work(20),), "available", "available"),
        ((work(100),), "available", "busy"),
        ((work(100), work(20, held=True)), "available", "busy"),
        ((work(60), work(60, held=True)), "available", "available"),
        ((work(20, wraps_up=True),), "available", "wrapping_up"),
        ((work(100),), "away", "away"),
    ],
)
def test_the_state_that_is_shown(works: tuple[Work, ...], chosen: str, state: str) -> None:
    assert agent(1, *works, chosen=chosen).state == state


def test_an_agent_stands_once_in_the_totals_and_in_each_of_their_queues() -> None:
    picture = Picture(queues={1: queue(1), 2: queue(2)})
    picture.agents = {
        1: agent(1, queues=frozenset({1, 2})),
        2: agent(2, chosen="away"),
        3: agent(3, queues=frozenset({9})),
    }
    found = agent_counts(picture, "queue", frozenset({1, 2}))
    assert found["all"] == (1, 0, 0, 1, 0)
    assert found["queue-1"] == (1, 0, 0, 1, 0)
    assert found["queue-2"] == (1, 0, 0, 0, 0)
