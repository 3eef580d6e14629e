"""Lets an engine live by the real clock, and keeps account of how well it keeps time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import time
from dataclasses import dataclass, field

from everyline.media.engine import TICK, Engine

BEATS = 4  # looks at the sockets in a tick: the resolution with which arrivals are known is 5 ms
GIVE_UP = 0.1  # seconds behind time after which ticks are skipped


@dataclass
class Punctuality:
    """How ticks kept time. A tick is late when it has not ended 20 ms after it was due."""

    ticks: int = 0
    late: int = 0
    skipped: int = 0
    worst: float = 0.0  # seconds from due to done
    took: list[float] = field(default_factory=list)  # seconds from due to done of the last minute's ticks
    worked: list[float] = field(
        default_factory=list
    )  # seconds of processor that they took: what is more was waited for
    urgent: bool = False  # whether the machine lets it go first


class Pulse:
    """``async with Pulse(engine): …`` runs it; at the end the task is ended and the engine stays as it is.

    While there are no legs it rests. With ``urgent`` its thread asks the machine to be let first (SCHED_RR), which a machine need not grant. Objects that are
    there at the beginning are never looked at again by Python's collector: start it when the process is ready.
    """

    def __init__(self, engine: Engine, *, urgent: bool = False) -> None:
        self.engine, self.punctuality, self._urgent = engine, Punctuality(), urgent
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Pulse:
        if self._urgent:
            self.punctuality.urgent = _hurry()
        gc.collect()
        gc.freeze()  # what is there stays: looking through all of it again takes longer than a tick
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        if self.punctuality.urgent:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def _run(self) -> None:
        due = time.monotonic() + TICK
        while True:
            if not self.engine.needed.is_set():
                await self.engine.needed.wait()
                due = time.monotonic() + TICK
                self.engine.at = due - TICK  # no time passed for anybody
            for beat in range(BEATS - 1, -1, -1):
                await asyncio.sleep(due - beat * TICK / BEATS - time.monotonic())
                self.engine.gather(time.monotonic())
            before = time.thread_time()
            self.engine.tick(due)
            self._note(time.monotonic() - due, time.thread_time() - before)
            due += TICK
            behind = time.monotonic() - due
            if behind > GIVE_UP:
                missed = int(behind / TICK)
                self.punctuality.skipped += missed
                due += missed * TICK

    def _note(self, took: float, worked: float) -> None:
        kept = self.punctuality
        kept.ticks += 1
        kept.late += took > TICK
        kept.worst = max(kept.worst, took)
        for latest, seconds in ((kept.took, took), (kept.worked, worked)):
            latest.append(seconds)
            if len(latest) > 3000:
                del latest[:1500]


def _hurry() -> bool:
    """Ask for this thread alone; threads that it starts are ordinary again."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return True
    return False
