"""Ordinary and periodic jobs (procrastinate). What is a queue of rows already, such as inbound and delivery, is not one.

A job is a thin function in a noun's ``tasks.py``: ``@periodic("*/5 * * * *")`` over ``async def name(ground)``. What somebody
waits for does not wait for the clock: ``await ask_for(tx, "everyline.noun.tasks.name")``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from everyline.ground.database import Tx
    from everyline.ground.installation import Ground

Job = Callable[["Ground"], Awaitable[None]]

PERIODIC: dict[str, tuple[str, Job]] = {}

# the queueing lock is the one under which the clock asks for it, so that it waits once
_ASK = text(
    "insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args) "
    "values ('default', cast(:name as text), cast(:name as text), jsonb_build_object('timestamp', extract(epoch from now())::bigint)) "
    "on conflict (queueing_lock) where status = 'todo' do nothing"
)


def periodic(cron: str) -> Callable[[Job], Job]:
    """Have a job run by the clock, once in the whole installation each time."""

    def register(job: Job) -> Job:
        PERIODIC[f"{job.__module__}.{job.__qualname__}"] = (cron, job)
        return job

    return register


async def ask_for(tx: Tx, name: str) -> None:
    """Have a periodic job done as soon as this transaction is committed and a worker is free; what waits to be done already is
    not asked for twice. ``name``: its module and function, as in ``PERIODIC``."""
    await tx.execute(_ASK, {"name": name})
