"""What a process that was killed left undone is done by another, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from conftest import until
from everyline.ground.installation import Ground
from everyline.ground.jobs import PERIODIC, periodic
from everyline.roles.jobs import load_tasks, run_jobs

pytestmark = pytest.mark.req("P2")


@pytest.fixture
def times_done() -> Iterator[list[Ground]]:
    """A nightly job, and each time that it was done."""
    load_tasks()
    found: list[Ground] = []

    @periodic("0 3 1 1 *")
    async def nightly(ground: Ground) -> None:
        found.append(ground)

    (name,) = (name for name, (_cron, job) in PERIODIC.items() if job is nightly)
    yield found
    del PERIODIC[name]


async def left_behind(ground: Ground, *states: str) -> None:
    """The nightly job in these states, as a process left it that said a minute ago that it lives."""
    async with ground.database.transaction() as tx:
        worker_id = await tx.value(
            text("insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 minute') returning id")
        )
        for state in states:
            await tx.execute(
                text(
                    """insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args, status, worker_id)
                    values ('default', cast(:name as text), cast(:name as text), '{"timestamp": 1}', cast(:state as procrastinate_job_status), :worker_id)"""
                ),
                {
                    "name": next(reversed(PERIODIC)),
                    "state": state,
                    "worker_id": worker_id if state == "doing" else None,
                },
            )


async def none_left(ground: Ground) -> bool:
    async with ground.database.transaction() as tx:
        return not await tx.value(text("select count(*) from procrastinate_jobs where task_name like '%nightly%'"))


async def run_until_none_is_left(ground: Ground) -> None:
    task = asyncio.create_task(run_jobs(ground))
    try:
        await until(lambda: none_left(ground), seconds=20)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_is_done_by_another(ground: Ground, times_done: list[Ground]) -> None:
    await left_behind(ground, "doing")
    await run_until_none_is_left(ground)
    assert times_done == [ground]


async def test_what_waits_to_be_done_already_does_not_stand_in_the_way(
    ground: Ground, times_done: list[Ground]
) -> None:
    await left_behind(ground, "todo", "doing")
    await run_until_none_is_left(ground)
    assert times_done
