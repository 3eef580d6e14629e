"""History: five million interactions over a year in twenty queues; how fast figures follow events, and how fast a month is read.

``make bench NAME=history``. Events are written as the verbs write them: opened, entered, offered, accepted or left, resolved,
wrapped up, and agents' states. ``EVERYLINE_BENCH_INTERACTIONS`` makes it smaller.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import text

from benchmarks.stage import percentile, report
from everyline.ground import schema
from everyline.ground.database import Database
from everyline.ground.postgres import EmbeddedPostgres
from everyline.measure import ledgers, queries
from everyline.measure.figures import FIGURES, USUAL, Asked

INTERACTIONS = int(os.environ.get("EVERYLINE_BENCH_INTERACTIONS", "5000000"))
FOLLOWED = 1_000_000  # events that the speed of catching up is measured on, at the end of the history
QUEUES, AGENTS = 20, 400
START = datetime(2025, 1, 1, tzinfo=UTC)
SPACING = timedelta(days=365) / INTERACTIONS
GOAL_SECONDS, GOAL_EVENTS = 1.0, 20_000.0

_MAKE = """
insert into event (at, kind, agent_id, customer_id, case_id, interaction_id, queue_id, data)
select e.at, e.kind, case when e.kind like 'interaction%%' then i.agent end, 1 + i.n %% 400000, i.n, i.n, i.queue, e.data
from (
    select n, %(start)s::timestamptz + n * %(spacing)s::interval as at, (select min(id) from queue) + n %% {queues} as queue,
        1 + (n * 7919) %% {agents} as agent, 5 + (n * 31) %% 60 as wait, 120 + (n * 17) %% 600 as talk,
        (array['phone', 'webchat', 'email'])[1 + n %% 3] as channel, (array['call', 'chat', 'mail'])[1 + n %% 3] as media_class,
        (array['en', 'es', 'de'])[1 + (n / 3) %% 3] as language, n %% 12 = 5 as lost
    from generate_series(%(first)s::bigint, %(last)s::bigint) n
) i
cross join lateral (
    select jsonb_build_object('entry_id', n, 'assignment_id', n, 'channel', channel, 'media_class', media_class, 'language', language,
        'weight', 25, 'waited_seconds', wait) as facts
) f
cross join lateral (values
    ('case.opened', i.at, '{{}}'::jsonb),
    ('queue_entry.entered', i.at, f.facts || jsonb_build_object('waiting_since', i.at, 'moved', false, 'priority', 3)),
    ('offer.made', i.at + make_interval(secs => i.wait - 3), jsonb_build_object('entry_id', n, 'offer_id', n)),
    (case when lost then 'queue_entry.left' else 'interaction.accepted' end, i.at + make_interval(secs => i.wait),
        case when lost then f.facts || '{{"outcome": "abandoned"}}' else f.facts end),
    (case when not lost then 'case.resolved' end, i.at + make_interval(secs => i.wait + talk), '{{}}'::jsonb),
    (case when not lost then 'interaction.wrapped_up' end, i.at + make_interval(secs => i.wait + talk + 15),
        f.facts || jsonb_build_object('outcome', 'resolved', 'work_seconds', talk, 'held_seconds', 0, 'wrap_up_seconds', 15,
            'accepted_at', i.at + make_interval(secs => i.wait)))
) e (kind, at, data)
where e.kind is not null
order by e.at
"""
_STATES = """
insert into event (at, kind, agent_id, data)
select d + make_interval(hours => h), 'agent.state_changed', a, jsonb_build_object('state', s, 'reason', '')
from generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 day') d, generate_series(1, {agents}) a,
    (values (7, 'available'), (12, 'away'), (13, 'available'), (17, 'offline')) v (h, s)
"""


def write_events(url: str, first_day: int, last_day: int) -> int:
    """What happens from one day of the year to another, each day in a transaction of its own; returns how many interactions."""
    a_day = INTERACTIONS // 365
    with psycopg.connect(url, autocommit=True) as connection:
        for day in range(first_day, last_day):
            at = START + timedelta(days=day)
            values = {"start": START, "spacing": SPACING, "first": day * a_day, "last": (day + 1) * a_day - 1}
            with connection.transaction():
                connection.execute(_STATES.format(agents=AGENTS), {"first": at, "last": at})
                connection.execute(_MAKE.format(queues=QUEUES, agents=AGENTS), values)
    return (last_day - first_day) * a_day


async def measure(url: str) -> dict[str, float]:
    """Follow the events up to the last million, then that million by the clock; then read months."""
    database = Database(url, connections=2)
    days = min(
        max(FOLLOWED * 365 // (INTERACTIONS * 6), 3), 180
    )  # at the end of the year, which the speed is measured on
    read: list[float] = []
    narrow: list[float] = []
    rows = 0
    try:
        await asyncio.to_thread(write_events, url, 0, 365 - days)
        began = time.monotonic()
        first = await ledgers.catch_up(database)
        whole = first / (time.monotonic() - began)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        await asyncio.to_thread(write_events, url, 365 - days, 365)
        began = time.monotonic()
        followed = await ledgers.catch_up(database)
        seconds = time.monotonic() - began
        async with database.transaction() as tx:
            ids = tuple(await tx.column(text("select id from queue order by id")))
        for month in (2, 5, 8, 11, 12):
            asked = Asked(
                datetime(2025, month, 1, tzinfo=UTC),
                datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC),
                rows=("queue", "interval"),
                step="15",
                queue_ids=ids,
            )
            for figures, into in ((FIGURES, read), (USUAL, narrow)):
                async with database.transaction() as tx:
                    began = time.monotonic()
                    found = await queries.lines(tx, asked, figures=figures)
                    into.append(time.monotonic() - began)
                rows = max(rows, len(found))
        return {
            "catch_up_events_per_second": followed / seconds,
            "whole_history_events_per_second": whole,
            "month_by_queue_and_interval_seconds": percentile(narrow, 0.5),
            "month_with_all_thirty_figures_seconds": percentile(read, 0.5),
            "rows_of_a_month": rows,
            "events": first + followed,
            "interactions": INTERACTIONS,
        }
    finally:
        await database.close()


def main() -> None:
    """Run it on a database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        schema.bring_up_to_date(postgres.url)
        with (
            psycopg.connect(postgres.url, autocommit=True) as connection,
            contextlib.closing(connection.cursor()) as cursor,
        ):
            cursor.executemany(
                "insert into queue (name, answer_seconds) values (%s, 20)", [(f"Queue {n}",) for n in range(1, QUEUES)]
            )
            for month in range(13):
                connection.execute("select ensure_event_partitions(%s)", ((START + timedelta(days=31 * month)).date(),))
        figures = asyncio.run(measure(postgres.url))
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report(
        "history",
        figures,
        {"month_by_queue_and_interval_seconds": GOAL_SECONDS, "catch_up_events_per_second": GOAL_EVENTS},
    )


if __name__ == "__main__":
    main()
