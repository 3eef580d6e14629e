"""An agent's telephone passes a caller on by itself (REFER): at once, or to whom it has called meanwhile. It comes to what the desk does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from everyline.call_contract import LegKind, LegState
from everyline.channels.phone import joining, living, passing
from everyline.channels.phone.parties import first
from everyline.ground.errors import ProductError
from everyline.ground.words import _
from everyline.sip.addresses import Uri
from everyline.sip.numbers import e164

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.parties import Party
    from everyline.sip.transfers import TransferAsked

log = logging.getLogger(__name__)
TOLD_SECONDS = 5.0  # for a telephone to take what it is told


def asked_by(call: OneCall, party: Party, asked: TransferAsked, *, over: object = None) -> None:
    """An agent's telephone asks for it, over its first wire, or ``over`` the one by which it called somebody meanwhile."""
    call.start(_answer(call, party, asked, over or party.wire), f"passing on by {party.name}")


async def called(call: OneCall, name: str, party: Party) -> Party:
    """Begin to call whom an agent's telephone names: a colleague by the name of their telephone, or a number. Raises Unreachable."""
    own = Uri.read(party.number)
    try:
        colleague = await call.house.door.whose(f"sip:{name}@{own.host}") if own is not None and name else None
    except (ProductError, OSError) as error:
        log.warning("whose a telephone is cannot be known for now: %s", error)
        colleague = None
    if colleague is None:
        number = e164(name, call.line.settings.country) or name
        return joining.ring(call, number, LegKind.GUEST, shown=number)
    if call.agent(colleague.agent_id) is not None:
        raise joining.Unreachable(_("They are in this call already."))
    return await joining.bring(call, colleague, LegKind.AGENT, asked=True)


async def _answer(call: OneCall, party: Party, asked: TransferAsked, over: object) -> None:
    async with call.lock:
        here = party.agent_id is not None and party.state not in (LegState.GONE, LegState.RINGING)
        if not here or call.over.is_set() or call.passing is not None:
            asked.decline()
        elif asked.replaces is not None:
            _to_whom_they_called(call, party, asked, over)
        elif over is not party.wire:
            asked.decline()  # whom they ask is no caller
        else:
            await _at_once(call, party, asked)


def _to_whom_they_called(call: OneCall, party: Party, asked: TransferAsked, over: object) -> None:
    """Attended: the two calls of this telephone become one without it. Calls of others are none of its business."""
    aside = party.aside
    if aside is None or asked.replaces is None or not aside.names(asked.replaces, over):
        log.info("an agent's telephone wants another's call replaced")
        asked.decline()
        return
    third = aside.third
    asked.accept()
    if third.state is LegState.RINGING:
        third.apart = False
        passing.pass_on(call, party, third, leave=living.leave)
    else:
        passing.hand_over(call, party, [third], leave=living.leave)
    call.house.start(_tell(party, asked, 200), f"outcome of handing over {call.key}")


async def _at_once(call: OneCall, party: Party, asked: TransferAsked) -> None:
    try:
        third = await called(call, asked.target.name, party)
    except joining.Unreachable as error:
        log.info("an agent's telephone may not pass a call on: %s", error)
        asked.decline()
        return
    asked.accept()
    passing.pass_on(call, party, third, leave=living.leave)
    call.house.start(_tell_all(party, third, asked), f"outcome of passing on {call.key}")


async def _tell_all(party: Party, third: Party, asked: TransferAsked) -> None:
    """How it goes with whom the caller is passed on to; the agent's part in the call is over."""
    if not await _told(asked, 100):
        return
    await first(third.rang, third.here, third.gone)
    if third.rang.is_set() and not third.here.is_set():
        await _told(asked, 180)
        await first(third.here, third.gone)
    code = third.outcome.code if third.outcome is not None else 0
    await _tell(party, asked, 200 if third.here.is_set() else max(code, 0) if code >= 300 else 480)


async def _tell(party: Party, asked: TransferAsked, code: int) -> None:
    """What came of it; their telephone is let go then."""
    await _told(asked, code)
    if party.wire is not None:
        await party.wire.hang_up()


async def _told(asked: TransferAsked, code: int) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TOLD_SECONDS):
            await asked.tell(code)
            return True
    return False
