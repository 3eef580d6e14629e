"""Answering machines, where the line tells them apart: who called to talk is let go, and the line's message is left, if it has one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from everyline.channels.phone import living
from everyline.ground.words import mark
from everyline.media.answering import Answered, AnsweringEar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from everyline.channels.phone.call import OneCall
    from everyline.media.mixing import Floats

LISTENING = "listening"  # what is known of who answered, until something is
LONGEST_GREETING = 60.0  # seconds that a machine is listened to before its message is left


class Listener:
    """Hears who answers a call that we made, from the answer on."""

    def __init__(self, call: OneCall) -> None:
        self._ear, self._call = AnsweringEar(), call
        self._told, self._out = asyncio.Event(), asyncio.Event()

    def __enter__(self) -> Listener:
        self._call.leg.listener = self._hear
        return self

    def __exit__(self, *_error: object) -> None:
        self._call.leg.listener = None

    def _hear(self, frame: Floats, _ours: Floats) -> None:
        if self._ear.hear(frame) is not None:
            self._told.set()
        if self._ear.spoken_out:
            self._out.set()

    async def who(self) -> Answered:
        """Who answered: within five seconds of sound."""
        await self._told.wait()
        assert self._ear.verdict is not None
        return self._ear.verdict

    async def spoken_out(self) -> None:
        """Wait until a machine listens."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_GREETING):
                await self._out.wait()


async def unless_machine(call: OneCall, work: Coroutine[object, object, None]) -> None:
    """Do this for as long as no machine is heard; people talk from the first word on."""
    doing = asyncio.ensure_future(work)
    try:
        with Listener(call) as heard:
            found = await heard.who()
            call.answered_by = found.value
            call.changed()
            if found is Answered.MACHINE:
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)
                await _leave(call, heard)
                return
        await doing
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


async def _leave(call: OneCall, heard: Listener) -> None:
    """Nobody of us listens to a machine. Its tone is waited for where something is to be said after it."""
    for party in call.present():
        living.hang_up(call, party)
    call.silence()
    words = call.line.settings.machine_message
    reason = mark("An answering machine took the call.")
    if words:
        reason = mark("An answering machine took the call. The line's message was left on it.")
        await heard.spoken_out()
        await call.say((words, call.line.language))
    call.ends("us", reason)
