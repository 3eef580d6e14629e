"""Runs the receivers of all channels, and starts them anew when lines change or a receiver falls over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import psycopg

from everyline.call_contract import Drains
from everyline.channel_contract import Line, Receiver
from everyline.channel_registry import all_channels
from everyline.ground import events
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
STAND_BY_SECONDS = 5.0
GATHER_SECONDS = 0.25
WIRE_EVENTS = ("line.failed", "line.recovered")  # say nothing of which receivers have to run


class Receivers:
    """The receivers of one process."""

    def __init__(self, ground: Ground, door: IntakeDoor, *, sounding: bool = False) -> None:
        self._ground = ground
        self._door = door
        self._sounding = sounding
        self._channels = {name: one for name, one in all_channels().items() if one.facts.sounds is sounding}
        self._running: dict[
            str, tuple[Any, list[Receiver], list[asyncio.Task[None]]]
        ] = {}  # by channel: what its lines were, its receivers and their tasks

    async def run(self) -> None:
        """For ever."""
        try:
            while True:
                try:
                    async with self._ground.database.transaction() as tx:
                        position = await events.newest(tx)
                    await self._match_lines()
                    async for batch in events.follow(
                        self._ground.database, self._ground.bus, position, gather=GATHER_SECONDS
                    ):
                        if any(event.kind.startswith("line.") and event.kind not in WIRE_EVENTS for event in batch):
                            await self._match_lines()
                except (DatabaseError, OSError) as error:
                    log.warning("receivers wait for the database: %s", error)
                    await asyncio.sleep(0.5)
        finally:
            for channel_name in list(self._running):
                await self._stop(channel_name)

    async def drain(self, seconds: float) -> None:
        """Let what goes on come to its end, where a receiver knows how. Ends nothing."""
        found = [one for _shape, receivers, _tasks in self._running.values() for one in receivers]
        await asyncio.gather(*(one.drain(seconds) for one in found if isinstance(one, Drains)))

    async def _match_lines(self) -> None:
        """Receivers run for exactly the lines that are open now. Those of sound look for lines by themselves, and run on: to begin
        them anew would cut their calls."""
        for name, channel in self._channels.items():
            if self._sounding and name in self._running:
                continue
            lines = await self._door.lines(name)
            shape = [(line.id, line.address, line.name, line.language, repr(line.settings)) for line in lines]
            if name in self._running and self._running[name][0] == shape:
                continue
            await self._stop(name)
            receivers = channel.receivers(lines)
            tasks = [asyncio.create_task(self._keep(receiver, lines), name=receiver.name) for receiver in receivers]
            self._running[name] = (shape, list(receivers), tasks)

    async def _stop(self, name: str) -> None:
        _shape, _receivers, tasks = self._running.pop(name, (None, [], []))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, receiver: Receiver, lines: Sequence[Line]) -> None:
        """Run a receiver for ever, with a growing pause after each fall."""
        pause = 0.5
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await (self._alone(receiver) if receiver.exclusive else receiver.run(self._door))
            except Exception as error:
                log.exception("%s fell over", receiver.name)
                await self._tell(lines, error)
            if asyncio.get_running_loop().time() - began > LONGEST_PAUSE:
                pause = 0.5
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _alone(self, receiver: Receiver) -> None:
        """Run it as the only one of the installation: who holds its advisory lock."""
        async with await psycopg.AsyncConnection.connect(self._ground.database.url, autocommit=True) as connection:
            while True:
                cursor = await connection.execute(
                    "select pg_try_advisory_lock(hashtextextended(%s, 7333))", (receiver.name,)
                )
                row = await cursor.fetchone()
                if row and row[0]:
                    break
                await asyncio.sleep(STAND_BY_SECONDS)
            running = asyncio.create_task(receiver.run(self._door))
            try:
                while not running.done():
                    await asyncio.wait({running}, timeout=STAND_BY_SECONDS)
                    await connection.execute("select 1")  # the lock is ours only as long as this connection lives
                running.result()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _tell(self, lines: Sequence[Line], error: Exception) -> None:
        try:
            for line in lines:
                await self._door.failed(line, f"{type(error).__name__}: {error}")
        except (DatabaseError, OSError):
            log.warning("the lines' health could not be written down")
