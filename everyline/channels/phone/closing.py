"""The process ends: no new calls; those that go on may come to their end; who is still there then hears why we stop, and is let go."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from everyline.call_contract import CallState
from everyline.ground.words import _, mark

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.house import House

AGAIN_SECONDS = 10  # after which who called may call again: another process may be there by then
SORRY_SECONDS = 5.0


async def close(house: House, seconds: float) -> None:
    """Take no new calls, and return when none goes on; those that do after so long are ended."""
    house.closing = True
    house.exchange.rest(AGAIN_SECONDS)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await house.empty.wait()
    await asyncio.gather(*(_let_go(call) for call in list(house.calls.values())))
    await house.empty.wait()


async def _let_go(call: OneCall) -> None:
    """End a call. Who talks to nobody of us is told so before."""
    if not call.present() and call.state is CallState.UP:
        if call.scenes is not None:
            call.scenes.cancel()
            await asyncio.gather(call.scenes, return_exceptions=True)
        if not call.goes_on:  # no message is being kept
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SORRY_SECONDS):
                    await _apologise(call)
    call.ends("us", mark("The telephone was stopped while this call went on."))


async def _apologise(call: OneCall) -> None:
    call.silence()
    if not call.leg.closed:
        call.leg.stop_prompts()
    with call.for_caller():
        await call.say(_("I am sorry, we have to end this call now. Please call again in a few minutes."))
