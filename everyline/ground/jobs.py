"""Ordinary and periodic jobs (procrastinate). What is a queue of rows already, such as inbound and delivery, is not one.

A job is a thin function in a noun's ``tasks.py``: ``@periodic("*/5 * * * *")`` over ``async def name(ground)``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from everyline.ground.installation import Ground

Job = Callable[["Ground"], Awaitable[None]]

PERIODIC: dict[str, tuple[str, Job]] = {}


def periodic(cron: str) -> Callable[[Job], Job]:
    """Have a job run by the clock, once in the whole installation each time."""

    def register(job: Job) -> Job:
        PERIODIC[f"{job.__module__}.{job.__qualname__}"] = (cron, job)
        return job

    return register
