"""The ledgers against the events they are made of: nothing is lost, nothing counted twice, however the events are read."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.measure import ledgers, rules
from everyline.measure.models import ARRIVALS, HAPPENINGS, KEY
from tests.measure import oracles
from tests.measure.world import LEDGERS, START, Day, kept, queue, write

pytestmark = pytest.mark.req("Q4")


async def sums(ground: Ground, ledger: str, columns: tuple[str, ...], where: str = "true") -> dict[str, int]:
    listed = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in columns)
    async with ground.database.transaction() as tx:
        row = await tx.one(text(f"select {listed} from {ledger} where {where}"))
    return row._asdict()  # type: ignore[no-any-return]  # -- a named tuple


async def test_kept_up_in_any_steps_and_rebuilt_are_the_same(ground: Ground) -> None:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits", seconds=60))
    day = Day(seed=5, queues=queues, agents=5).generate(400)
    dice = random.Random(7)
    left = list(day.events)
    while left:
        n = dice.randint(1, 90)
        await write(ground.database, left[:n])
        left = left[n:]
        for _ in range(dice.randint(0, 3)):
            async with ground.database.transaction() as tx:
                await ledgers.follow(tx, dice.randint(1, 60))
    await ledgers.catch_up(ground.database, 37)
    first = await kept(ground.database)
    assert all(first[name] for name in LEDGERS)
    assert await ledgers.rebuild(ground.database) == len(day.events)
    second = await kept(ground.database)
    for name, rows in first.items():
        assert rows == second[name], name


async def test_nothing_is_counted_twice_where_the_numbers_of_transactions_get_a_digit_more(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    async with ground.database.transaction() as tx:
        await tx.execute(text("delete from event"))
        for xid in (8, 9, 10, 11, 12):
            await tx.execute(
                text(
                    "insert into event (xid, at, kind, queue_id, data) values (cast(cast(:xid as text) as xid8), now(), 'offer.declined', :queue_id, '{}')"
                ),
                {"xid": str(xid), "queue_id": queue_id},
            )
    assert await ledgers.catch_up(ground.database, 3) == 5
    assert (await sums(ground, "event_ledger", ("offers_declined",), "true"))["offers_declined"] == 5


async def test_each_entry_is_counted_once_in_every_ledger(ground: Ground) -> None:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits"))
    day = Day(seed=11, queues=queues).generate(300)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    said = [event for event in day.events if event.kind == "queue_entry.entered"]
    left = [event.data["outcome"] for event in day.events if event.kind == "queue_entry.left"]
    accepted = sum(event.kind == "interaction.accepted" for event in day.events)
    cohort, happened = (
        await sums(ground, "cohort_ledger", ARRIVALS),
        await sums(ground, "event_ledger", HAPPENINGS),
    )
    assert cohort["entered"] == happened["entered"] == len(said)
    assert cohort["answered"] == happened["answered"] == accepted
    assert cohort["abandoned"] == happened["abandoned"] == left.count("abandoned")
    assert cohort["flowed_out"] == left.count("transferred") + left.count("overflowed")
    assert cohort["called_back"] == left.count("called back")
    assert cohort["withdrawn"] == left.count("merged")
    async with ground.database.transaction() as tx:
        waiting = await tx.value(text("select count(*) from stay where ended_at is null"))
        rows = await tx.rows(text("select * from stay"))
    ends = ("answered", "abandoned", "flowed_out", "called_back", "withdrawn")
    assert cohort["entered"] == sum(cohort[name] for name in ends) + waiting
    for name in ARRIVALS:
        if name != "goal_events":
            assert cohort[name] == happened[name], name
    events = [
        oracles.goal_event(
            row.waiting_since,
            row.due_at,
            row.ended_at,
            row.ended_as,
            timedelta(seconds=row.short_seconds),
            START + timedelta(days=30),
        )
        for row in rows
        if row.ended_at is not None
    ]
    assert happened["goal_events"] == sum(event is not None for event in events)
    assert happened["handled"] == sum(event.kind == "interaction.wrapped_up" for event in day.events)


async def test_intervals_sum_to_the_day_where_the_clock_changes(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    zone = ZoneInfo("Europe/Berlin")
    for day, n in ((date(2026, 3, 29), 92), (date(2026, 10, 25), 100)):
        begin, end = rules.day_bounds(day, zone)
        happened = Day(seed=n, queues=(queue_id,), agents=3, start=begin, hours=(end - begin) / timedelta(hours=1))
        happened._ids = iter(range(n * 1000, n * 2000))
        await write(ground.database, happened.generate(200).events)
        await ledgers.catch_up(ground.database)
        offered = 0
        for moment in oracles.intervals_of(day, zone):
            offered += (await sums(ground, "cohort_ledger", ("entered",), f"begins_at = '{moment.isoformat()}'"))[
                "entered"
            ]
        whole = await sums(
            ground,
            "cohort_ledger",
            ("entered",),
            f"begins_at >= '{begin.isoformat()}' and begins_at < '{end.isoformat()}'",
        )
        assert offered == whole["entered"] == 200


async def test_an_expiry_counts_in_the_interval_in_which_it_happens(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax", seconds=600)
    day = Day()
    at = datetime(2026, 3, 16, 8, 55, tzinfo=UTC)
    day.stay(at, queue_id=queue_id, wait=1800)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        rows = await tx.rows(text("select begins_at, entered, answered, goal_events from event_ledger order by 1"))  # fmt: skip
    assert [(row.begins_at.strftime("%H:%M"), row.entered, row.answered, row.goal_events) for row in rows] == [
        ("08:45", 1, 0, 0),
        ("09:00", 0, 0, 1),
        ("09:15", 0, 1, 0),
    ]


async def test_the_split_clock_of_one_agent(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Chat")
    day = Day()
    for begins, length in ((0, 10), (5, 10), (5, 3)):
        day.stay(
            START + timedelta(minutes=begins),
            queue_id=queue_id,
            wait=0,
            media_class="chat",
            channel="webchat",
            talk=length * 60,
            wrap_up=0,
        )
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database, 2)
    async with ground.database.transaction() as tx:
        charged = await tx.column(text("select charged_ms from work order by assignment_id"))
        talked = await tx.column(text("select talk_ms from work order by assignment_id"))
    assert charged == [7 * 60_000, 7 * 60_000, 60_000]
    assert talked == [600_000, 600_000, 180_000]
    assert (await sums(ground, "time_ledger", ("charged_ms",)))["charged_ms"] == 15 * 60_000
    assert (await sums(ground, "event_ledger", ("handle_ms",)))["handle_ms"] == 15 * 60_000, (
        "a chat's clock is the split one"
    )


async def test_whatever_overlaps_is_charged_as_the_oracle_says(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Chat")
    day, chance = Day(), random.Random(8)
    spans = [(chance.randrange(400), chance.randrange(1, 60), chance.choice((20, 25, 50))) for _ in range(40)]
    for begins, length, weight in spans:
        at = START + timedelta(minutes=begins)
        facts = {"queue_id": queue_id, "media_class": "chat", "channel": "webchat", "weight": weight}
        day.stay(at, wait=0, talk=length * 60, wrap_up=0, **facts)  # type: ignore[arg-type]  # -- as they are named
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database, 7)
    async with ground.database.transaction() as tx:
        charged = await tx.column(text("select charged_ms from work order by assignment_id"))
    works = [oracles.Work(begins, begins + length, weight) for begins, length, weight in spans]
    for found, expected in zip(charged, oracles.split_clock(works), strict=True):
        assert abs(found - float(expected) * 60_000) < 50, "rounded to milliseconds at each change"


async def test_work_over_several_intervals_is_pro_rated(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    day = Day()
    at = datetime(2026, 3, 16, 5, 23, tzinfo=UTC)
    day.stay(at, queue_id=queue_id, wait=0, media_class="call", talk=52 * 60, wrap_up=0)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        rows = await tx.rows(text("select begins_at, talk_ms from time_ledger order by 1"))
        booked = await tx.rows(text("select begins_at, handle_ms from event_ledger where handled = 1"))
    assert [row.talk_ms // 60_000 for row in rows] == [7, 15, 15, 15]
    assert [(row.begins_at.strftime("%H:%M"), row.handle_ms // 60_000) for row in booked] == [("06:15", 52)]


async def test_a_mail_stands_still_on_hold_and_while_its_agent_is_offline(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Post")
    day = Day()
    day.state(1, START, "available")
    day.stay(START, queue_id=queue_id, wait=0, talk=3600, wrap_up=0, holds=((600, 300),))
    day.state(1, START + timedelta(seconds=1800), "offline")
    day.state(1, START + timedelta(seconds=2400), "available")
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database, 3)
    async with ground.database.transaction() as tx:
        row = await tx.one(text("select talk_ms, hold_ms, charged_ms from work"))
    assert (row.talk_ms, row.hold_ms, row.charged_ms) == (2_700_000, 900_000, 2_700_000)


async def test_states_and_what_of_them_there_was_work_in_hand(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    day = Day()
    day.state(1, START, "available")
    day.stay(START + timedelta(minutes=10), queue_id=queue_id, wait=0, media_class="call", talk=1200, wrap_up=300)
    day.state(1, START + timedelta(minutes=60), "away", "break")
    day.state(1, START + timedelta(minutes=75), "offline")
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database, 2)
    async with ground.database.transaction() as tx:
        rows = await tx.rows(
            text("select state, reason, sum(state_ms) / 60000 as minutes, sum(engaged_ms) / 60000 as engaged from agent_ledger group by 1, 2 order by 1")
        )  # fmt: skip
    assert [(row.state, row.reason, int(row.minutes), int(row.engaged)) for row in rows] == [
        ("available", "", 60, 25),
        ("away", "break", 15, 0),
    ]


async def test_the_backlog_is_what_was_and_came_less_what_went(ground: Ground) -> None:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits"))
    day = Day(seed=3, queues=queues).generate(300)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database, 500)
    for hours in (2, 5, 9, 40):
        at = START + timedelta(hours=hours)
        for queue_id in queues:
            counted = await sums(
                ground,
                "event_ledger",
                ("opened", "reopened", "came", "resolved", "went"),
                f"queue_id = {queue_id} and begins_at < '{at.isoformat()}'",
            )
            async with ground.database.transaction() as tx:
                open_then = await tx.value(
                    text(
                        "select count(*) from case_span where queue_id = :queue and began_at < :at and (ended_at is null or ended_at >= :at)"
                    ),
                    {"queue": queue_id, "at": at},
                )
            assert rules.backlog(0, **counted) == open_then


async def test_a_promise_holds_from_when_it_was_made(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax", seconds=20)
    day = Day()
    day.stay(START, queue_id=queue_id, wait=50)
    await write(ground.database, day.events)
    await ledgers.catch_up(ground.database)
    await queue(ground.database, "Tax", seconds=60)
    later = Day(_ids=iter(range(100, 200)))
    later.add("queue.changed", START + timedelta(hours=1), queue_id=queue_id)
    later.stay(START + timedelta(hours=2), queue_id=queue_id, wait=50)
    await write(ground.database, later.events)
    await ledgers.catch_up(ground.database)
    first: dict[str, Any] = await sums(ground, "cohort_ledger", ("entered", "in_time"))
    assert first == {"entered": 2, "in_time": 1}
    await ledgers.rebuild(ground.database)
    assert await sums(ground, "cohort_ledger", ("entered", "in_time")) == first


async def test_a_goal_in_open_hours_runs_while_it_is_open(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        hours_id = await tx.value(
            text(
                "insert into hours (name, zone, week) values ('Office', 'UTC', "
                'cast(\'[[["09:00","17:00"]],[["09:00","17:00"]],[],[],[],[],[]]\' as jsonb)) returning id'
            )
        )
        queue_id = await tx.value(
            text("insert into queue (name, hours_id, goal_seconds) values ('Post', :hours, 14400) returning id"),
            {"hours": hours_id},
        )
    day = Day()
    at = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)  # a Monday: one open hour is left
    day.stay(at, queue_id=queue_id, wait=19 * 3600)
    day.stay(at, queue_id=queue_id, wait=21 * 3600)
    await write(ground.database, sorted(day.events, key=lambda event: event.at))
    await ledgers.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        due = await tx.column(text("select distinct due_at from stay"))
    assert due == [datetime(2026, 3, 17, 12, 0, tzinfo=UTC)]
    assert await sums(ground, "cohort_ledger", ("answered", "in_time")) == {"answered": 2, "in_time": 1}


def test_ledgers_share_a_key() -> None:
    assert KEY == ("begins_at", "queue_id", "channel", "language", "team_id")


async def test_totals_are_those_of_the_ledgers(ground: Ground) -> None:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits"))
    await write(ground.database, Day(seed=8, queues=queues).generate(200).events)
    await ledgers.catch_up(ground.database, 77)
    for ledger, whole, columns in (
        ("cohort_ledger", "cohort_total", ARRIVALS),
        ("event_ledger", "event_total", HAPPENINGS),
    ):
        sums_of = ", ".join(f"sum({name})::bigint" for name in columns)
        named = ", ".join(f"{part} as c{n}" for n, part in enumerate(sums_of.split(", ")))
        kept_of = ", ".join(f"{name}::bigint as c{n}" for n, name in enumerate(columns))
        async with ground.database.transaction() as tx:
            first = await tx.rows(
                text(f"select begins_at, queue_id, {named} from {ledger} group by 1, 2 order by 1, 2")
            )
            second = await tx.rows(text(f"select begins_at, queue_id, {kept_of} from {whole} order by 1, 2"))
        assert [tuple(row) for row in first] == [tuple(row) for row in second]


async def test_after_a_restore_all_is_made_anew(ground: Ground) -> None:
    queue_id = await queue(ground.database, "Tax")
    await write(ground.database, Day(seed=9, queues=(queue_id,)).generate(80).events)
    await ledgers.catch_up(ground.database)
    first = await kept(ground.database)
    async with ground.database.transaction() as tx:  # what bringing back an archive does
        await tx.execute(text("update event set xid = '2'"))
        await tx.execute(text("update follower set xid = '0', id = 0, at = null"))
    await ledgers.catch_up(ground.database, 50)
    assert await kept(ground.database) == first
