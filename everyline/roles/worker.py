"""The worker role: takes in, processes, distributes, sends, and runs the jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal

import uvloop

from everyline.dispatch.sender import Sender
from everyline.ground import logs
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import settings
from everyline.intake.door import IntakeDoor
from everyline.intake.keeper import Keeper
from everyline.intake.processor import Processor
from everyline.measure.surveying import TalkSurveys
from everyline.queues import distributor
from everyline.roles import collecting
from everyline.roles.jobs import run_jobs
from everyline.roles.receivers import Receivers
from everyline.selfservice.running.runner import Runner

log = logging.getLogger(__name__)


async def work(ground: Ground, ending: asyncio.Event) -> None:
    """Until ``ending`` is set; then what is under way is finished."""
    door = IntakeDoor(ground)
    await door.start()
    tasks = [
        asyncio.create_task(Receivers(ground, door).run(), name="receivers"),
        asyncio.create_task(Processor(ground).run(), name="processor"),
        asyncio.create_task(Keeper(ground, TalkSurveys()).run(), name="keeper"),
        asyncio.create_task(distributor.run(ground), name="distributor"),
        asyncio.create_task(Runner(ground).run(), name="runner"),
        asyncio.create_task(Sender(ground).run(), name="sender"),
        asyncio.create_task(run_jobs(ground), name="jobs"),
    ]
    end = asyncio.create_task(ending.wait(), name="ending")
    try:
        done, _ = await asyncio.wait({*tasks, end}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {end}:
            log.error("%s ended, and so does this process", task.get_name(), exc_info=task.exception())
    finally:
        for task in (*tasks, end):
            task.cancel()
        await asyncio.gather(*tasks, end, return_exceptions=True)
        await door.stop()


async def main() -> None:
    """Run the role until SIGTERM."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        ending.set()
        # the supervisor may be gone and nobody there to end what does not end by itself: all that matters is committed
        loop.call_later(settings().drain_seconds + 3, os._exit, 1)

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, end)
    async with standing(settings()) as ground:
        collecting.resume()
        await work(ground, ending)


def run() -> None:
    """Run the role in this process."""
    logs.begin("worker", form=settings().log_format, level=settings().log_level)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())
