"""The media role: moves the sound of calls. It is small until a line needs it, and loads the rest then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal

import uvloop

from everyline.channel_registry import all_channels
from everyline.ground import events, logs
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import settings
from everyline.lines import queries as lines
from everyline.roles import collecting

log = logging.getLogger(__name__)
FAREWELL_SECONDS = 13.0  # after those that calls have to finish: who still waits hears that we are sorry, and all are told that it is over


async def _needed(ground: Ground) -> bool:
    """Is there an open line on which there is sound?"""
    async with ground.database.transaction() as tx:
        for name, channel in all_channels().items():
            if channel.facts.sounds and await lines.open_lines(tx, name):
                return True
    return False


async def _until_needed(ground: Ground) -> None:
    while True:
        try:
            async with ground.database.transaction() as tx:
                position = await events.newest(tx)
            if await _needed(ground):
                return
            async for batch in events.follow(ground.database, ground.bus, position):
                if any(event.kind.startswith("line.") for event in batch) and await _needed(ground):
                    return
        except (DatabaseError, OSError) as error:
            log.warning("media waits for the database: %s", error)
            await asyncio.sleep(0.5)


async def main() -> None:
    """Run the role until SIGTERM."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        ending.set()
        # the supervisor may be gone and nobody there to end what does not end by itself
        loop.call_later(settings().drain_seconds + FAREWELL_SECONDS, os._exit, 1)

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, end)
    async with standing(settings()) as ground:
        ended = asyncio.create_task(ending.wait(), name="ending")
        waiting = asyncio.create_task(_until_needed(ground), name="until needed")
        await asyncio.wait({ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        if ending.is_set():
            return
        from everyline.roles.sounding import sound  # noqa: PLC0415 -- numpy and all that moves sound, where a line needs it

        collecting.resume()
        await sound(ground, ending)
        ended.cancel()


def run() -> None:
    """Run the role in this process."""
    logs.begin("media", form=settings().log_format, level=settings().log_level)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())
