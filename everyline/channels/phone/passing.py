"""A caller is passed on before anybody has answered: the agent leaves at once; when nobody answers, the caller waits where they waited before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from everyline.call_contract import LegKind
from everyline.channels.phone import following, joining, living
from everyline.channels.phone.parties import first
from everyline.ground.errors import ProductError
from everyline.media import progress

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.parties import Party

    Leave = Callable[[OneCall, Party], None]

log = logging.getLogger(__name__)
AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each try to have them wait again


def pass_on(call: OneCall, leaving: Party, called: Party, *, leave: Leave | None = None) -> None:
    """Whoever is called stays with the caller, who hears it ring; who passes them on leaves now, by being hung up or as ``leave`` does it."""
    assert leaving.agent_id is not None
    call.handed_over, call.passing = leaving.agent_id, called
    (leave or living.hang_up)(call, leaving)
    joining.resume(call)
    call.start(_watch(call, called), f"passing on to {called.name}")
    part(call, leaving)


def part(call: OneCall, leaving: Party) -> None:
    """Whoever passed the caller on is done with the talk, whatever becomes of it."""
    agent_id, door = leaving.agent_id, call.house.door
    if agent_id is not None:
        # also where the call ends at this moment: it was theirs
        told = _tell(lambda: door.part(call.line, call.sender, agent_id), "a talk could not be left")
        call.house.start(told, f"leaving {call.key}")


def hand_over(call: OneCall, leaving: Party, staying: Sequence[Party], *, leave: Leave | None = None) -> None:
    """Whoever is in it already stays with the caller, and has the talk where they are ours."""
    call.handed_over = leaving.agent_id
    (leave or living.hang_up)(call, leaving)
    joining.resume(call)
    joining.listen_anew(call)
    if not give(call, staying):
        part(call, leaving)


def give(call: OneCall, staying: Sequence[Party]) -> bool:
    """The first of us who stays with the caller has the talk from now on, with its case. Guests stay without: false."""
    for one in staying:
        if one.kind is LegKind.AGENT and (agent_id := one.agent_id) is not None:
            told = _tell(
                lambda: call.house.door.give(call.line, call.sender, agent_id), "a talk could not be handed over"
            )
            call.start(told, f"handing over to {one.name}")
            return True
    return False


async def _tell(say: Callable[[], Awaitable[None]], otherwise: str) -> None:
    """Say it until it is heard."""
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await say()
        except ProductError as error:
            log.info("%s: %s", otherwise, error)
            return
        except OSError as error:
            log.warning("%s for now: %s", otherwise, error)
        else:
            return


async def _watch(call: OneCall, called: Party) -> None:
    if not call.leg.closed:
        call.leg.music = call.house.music(progress.ringing())
    await first(called.here, called.gone)
    if called.here.is_set():
        call.passing = None
        call.changed()
        joining.settle(call)
        give(call, [called])
        return
    await call.music()
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await call.house.door.wait_again(call.line, call.sender)
        except ProductError:
            break  # the talk has ended meanwhile
        except OSError as error:
            log.warning("who was passed on in vain cannot wait again for now: %s", error)
            continue
        call.handed_over = call.passing = None
        call.moved.set()
        return
    call.handed_over = call.passing = None
    await following.apologise(call, called.remark)
