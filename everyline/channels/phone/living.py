"""A call's life around its scenes: who listens to its wires, what happens when somebody hangs up, and what is left to do then."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from everyline.call_contract import CallState, Direction, LegState
from everyline.channel_contract import Refused
from everyline.channels.phone import following, tracing
from everyline.channels.phone.parties import words_for
from everyline.ground import clock
from everyline.ground.errors import ProductError
from everyline.sip.events import EndReason

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.parties import Party

log = logging.getLogger(__name__)
TONE_SECONDS = 2.0
QUIET_SECONDS = 15.0  # without any packet, after which a party is asked whether it is there; and again after as many
BEAT_SECONDS = 10.0  # how often it is told how good the sound is
AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each try to hand a call in
ENDS_AGAIN = (0.0, 0.3, 1.0, 2.0, 4.0, 8.0)  # and to end its talk, which may not be there yet
_BY_THEM = {EndReason.HUNG_UP, EndReason.CANCELLED, EndReason.TRANSFERRED, EndReason.REPLACED}


async def live(call: OneCall, work: Coroutine[Any, Any, None]) -> None:
    """Until it is over."""
    call.house.begins(call)
    try:
        call.start(call.telling(), "telling")
        call.start(_beat(call), "beat")
        if call.customer.wire is not None:
            attend(call, call.customer)
        call.start(_left(call), "end")
        main = call.scenes = call.start(work, "scenes")
        main.add_done_callback(lambda task: call.ends("us") if not task.cancelled() else None)
        call.changed()
        await call.over.wait()
    finally:
        await _close(call)


def attend(call: OneCall, party: Party) -> None:
    """Listen to a party's wire and leg."""
    if party.wire is not None:
        call.start(party.attend(), f"wire of {party.name}")
    call.start(party.listen(), f"leg of {party.name}")


def hand_in(call: OneCall) -> None:
    """Begin to hand the call in at the door, and to follow its talk."""
    call.begun = asyncio.create_task(_hand_in(call, call.line.settings.short_seconds), name=f"beginning {call.key}")
    call.start(following.follow(call), "following")


async def _hand_in(call: OneCall, seconds: float) -> bool:
    """Keep the first piece; false when it cannot be, or when the call was too short."""
    await asyncio.sleep(seconds)
    call.long_enough = True
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await call.accept("begin")
        except Refused as error:
            log.warning("a call is not taken in: %s", error)
            return False
        except OSError as error:
            log.warning("a call cannot be taken in for now: %s", error)
            continue
        return True
    return False


async def _beat(call: OneCall) -> None:
    """Tell how good it is; ask those of whom nothing comes any more whether they are there."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        call.changed()
        for party in (call.customer, *call.others.values()):
            if party.quiet_since is not None and time.monotonic() - party.quiet_since > QUIET_SECONDS:
                party.quiet_since = time.monotonic()
                call.start(party.ask_for_life(), f"question to {party.name}")


async def _left(call: OneCall) -> None:
    """The caller's wire is over: so is the call."""
    await call.customer.gone.wait()
    outcome = call.customer.outcome
    if call.direction is Direction.OUT and call.answered_at is None and outcome is not None:
        words = words_for(outcome.reason.value, f"{outcome.code} {outcome.words}")
        call.customer.remark = words
        call.changed()
        await asyncio.sleep(TONE_SECONDS)  # the agent hears that it did not go through
        call.ends("us" if outcome.by_us else "customer", words)
    elif outcome is None or outcome.by_us:
        call.ends("us")
    elif outcome.reason in _BY_THEM:
        call.ends("customer")
    else:
        words = f"{outcome.code} {outcome.words}".strip("0 ") if outcome.words else outcome.reason.value
        call.ends("lost" if outcome.reason is EndReason.SILENT else "trunk", words)


async def _close(call: OneCall) -> None:
    """Nobody is in it any more."""
    call.state, call.ended_at = CallState.ENDED, clock.now()
    await call.stop_all()
    for party in (*call.others.values(), call.customer):
        hang_up(call, party)
    ending = asyncio.ensure_future(call.tape.end())
    call.mix.end()
    await ending
    call.house.remember(call.key, tracing.wires_of(call))
    call.house.ends(call)
    await call.house.door.tell(call.line, call.sender, call.now())
    call.house.start(_settle(call), f"end of call {call.key}")


def hang_up(call: OneCall, party: Party) -> None:
    """A party leaves, now; its wire is told besides."""
    if party.wire is not None:
        call.house.start(party.wire.hang_up(), f"farewell of {party.name} of call {call.key}")
    leave(call, party)


def leave(_call: OneCall, party: Party) -> None:
    """A party is in the call no more; its wire stays, for whoever has something to say there yet."""
    party.take_away()
    if party.state is not LegState.GONE:
        party.becomes(LegState.GONE)


async def _settle(call: OneCall) -> None:
    """End the talk too, which may be a moment behind. Who left a message or waits for a call of ours goes on waiting."""
    if call.direction is Direction.IN:
        if call.begun is None and not call.line.settings.short_seconds and call.answered_at:
            call.begun = asyncio.ensure_future(_hand_in(call, 0))  # they hung up before they chose a language
        if call.begun is None or (call.line.settings.short_seconds and not call.long_enough):
            if call.begun is not None:
                call.begun.cancel()
            return
        if not await call.begun:
            return
    for pause in ENDS_AGAIN:
        if call.goes_on or (call.talk is not None and call.talk.phase == "ended"):
            return
        await asyncio.sleep(pause)
        try:
            await call.house.door.end(call.line, call.sender)
        except ProductError:
            if call.talk is not None:
                return  # it has ended by another way
        except OSError as error:
            log.warning("a talk cannot be ended for now: %s", error)
        else:
            return
