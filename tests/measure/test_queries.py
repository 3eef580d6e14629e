"""Figures as they are read: rows, totals, and the cases behind each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from everyline.ground.installation import Ground
from everyline.measure import ledgers, queries
from everyline.measure.figures import FIGURES, Asked, total
from tests.measure.world import START, Day, queue, write

pytestmark = pytest.mark.req("Q4")


async def generated(ground: Ground, n: int = 250) -> tuple[Day, Asked]:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits", formula="SL-ign"))
    day = Day(seed=21, queues=queues).generate(n)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    begin = START.replace(hour=0)
    return day, Asked(begin - timedelta(days=1), begin + timedelta(days=4), queue_ids=queues)


@pytest.mark.parametrize("dimension", ["interval", "queue", "channel", "language", "team"])
@pytest.mark.parametrize("step", ["15", "60", "day"])
async def test_rows_sum_to_the_whole(ground: Ground, dimension: str, step: str) -> None:
    _day, asked = await generated(ground, 60)
    async with ground.database.transaction() as tx:
        found = await queries.lines(tx, replace(asked, rows=(dimension,), step=step), "SL-off")
        whole = await queries.whole(tx, asked, "SL-off")
    added = total(found, "SL-off")
    for figure in FIGURES:
        if figure in ("occupancy", "available_time", "away_time") and dimension not in ("interval",):
            continue  # an agent who works in two queues was available for both
        assert added.value(figure) == pytest.approx(whole.value(figure)), figure


async def test_each_queue_is_counted_by_its_own_formula(ground: Ground) -> None:
    _day, asked = await generated(ground)
    async with ground.database.transaction() as tx:
        own = await queries.lines(tx, replace(asked, rows=("queue",)))
        both = await queries.whole(tx, asked)
        one = await queries.whole(tx, replace(asked, queue_ids=asked.queue_ids[1:]))
    assert [line.formula for line in own] == ["SL-off-s", "SL-ign"]
    assert (both.formula, one.formula) == ("SL-off-s", "SL-ign")


async def test_every_count_opens_to_as_many_cases(ground: Ground) -> None:
    _day, asked = await generated(ground)
    async with ground.database.transaction() as tx:
        whole = await queries.whole(tx, asked)
        for figure in FIGURES.values():
            if figure.unit == "count" and figure.id != "backlog_change":  # a difference of what it opens to
                rows = await queries.behind(tx, asked, figure.cases, most=10_000)
                assert len(rows) == whole.value(figure.id), figure.id
                assert rows or figure.id == "called_back", figure.id


async def test_figures_of_time_open_to_the_work_that_it_was_spent_on(ground: Ground) -> None:
    day = Day()
    queue_id = await queue(ground.database, "Permits")
    for minutes in (0, 20, 90):
        day.stay(START + timedelta(minutes=minutes), queue_id=queue_id, wait=0, talk=1800, wrap_up=60)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    asked = Asked(START + timedelta(minutes=25), START + timedelta(minutes=60), queue_ids=(queue_id,))
    async with ground.database.transaction() as tx:
        for figure in ("engaged", "concurrency", "occupancy"):
            rows = await queries.behind(tx, asked, FIGURES[figure].cases)
            assert [row.number is None and row.case_id for row in rows] == [2, 1], figure


async def test_cases_come_in_pages(ground: Ground) -> None:
    _day, asked = await generated(ground)
    seen: list[tuple[datetime, int]] = []
    async with ground.database.transaction() as tx:
        while rows := await queries.behind(tx, asked, "offered", before=seen[-1] if seen else None, most=40):
            seen += [(row.at, row.case_id) for row in rows]
        everything = await queries.behind(tx, asked, "offered", most=10_000)
    assert seen == [(row.at, row.case_id) for row in everything]


async def test_who_sees_no_queue_sees_no_figure(ground: Ground) -> None:
    _day, asked = await generated(ground, 30)
    async with ground.database.transaction() as tx:
        assert await queries.lines(tx, replace(asked, queue_ids=())) == []
        assert await queries.behind(tx, replace(asked, queue_ids=()), "offered") == []


async def test_settled_at_the_first_go(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    day = Day()
    day.stay(START, queue_id=queue_id, customer_id=1)
    day.stay(START + timedelta(hours=1), queue_id=queue_id, customer_id=2)
    day.stay(START + timedelta(days=3), queue_id=queue_id, customer_id=2)  # back within the window
    day.stay(START + timedelta(days=20), queue_id=queue_id, customer_id=1)  # back after it
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database)
    asked = Asked(START - timedelta(days=1), START + timedelta(days=30), queue_ids=(queue_id,))
    async with ground.database.transaction() as tx:
        row = await queries.first_time(tx, asked, START + timedelta(days=22))
    assert (row.settled, row.judged, row.open) == (2, 3, 1)


async def test_the_backlog_and_its_ages(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    day = Day()
    for days in (0, 5, 8):
        day.stay(START + timedelta(days=days), queue_id=queue_id, wait=None)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        asked = Asked(START, START, queue_ids=(queue_id,))
        row = await queries.backlog(tx, asked, START + timedelta(days=9))
        late = await queries.overdue(tx, asked, START + timedelta(days=9))
    assert (row.n, row.over_1, row.over_3, row.over_7, row.over_30) == (3, 3, 2, 1, 0)
    assert late == 3


def test_a_week_earlier_is_the_same_clock_over_a_change_of_it() -> None:
    begin = datetime(2026, 3, 29, 22, 0, tzinfo=UTC)  # Monday 30 March in Berlin, after the change
    asked = queries.week_before(Asked(begin, begin + timedelta(days=1), zone="Europe/Berlin"))
    assert asked.begin.astimezone(UTC) == datetime(2026, 3, 22, 23, 0, tzinfo=UTC)


async def test_announced_waits_are_held_against_what_came(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    day = Day()
    day.stay(START, queue_id=queue_id, wait=100, expected=(90, 60, 120))
    day.stay(START, queue_id=queue_id, wait=200, expected=(90, 60, 120), since=START - timedelta(hours=1), moved=True)
    day.stay(START, queue_id=queue_id, wait=5000, expected=(90, 60, 120), outcome="abandoned")
    day.stay(START, queue_id=queue_id, wait=50)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    asked = Asked(START - timedelta(days=1), START + timedelta(days=1), queue_ids=(queue_id,))
    async with ground.database.transaction() as tx:
        found = await queries.expected_waits(tx, asked)
    assert (found.n, float(found.off), float(found.within)) == (2, 60, 0.5)
