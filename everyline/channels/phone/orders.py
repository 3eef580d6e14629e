"""What agents and supervisors want of calls: each order is carried out, or refused in words for who gave it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from everyline.call_contract import Deed, Heard, Keeping, LegKind, LegState, Order
from everyline.channels.phone import joining, living, outgoing, passing, tracing
from everyline.channels.phone.joining import Unreachable
from everyline.ground.errors import ProductError
from everyline.ground.words import _, speaking

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.house import House
    from everyline.channels.phone.parties import Party

log = logging.getLogger(__name__)
PAUSE_SECONDS = 1.0
BY_HAND = "agent"  # why a recording is paused


class No(Exception):
    """It cannot be done; the text is for who wanted it."""


async def carry_out(house: House) -> None:
    """Every order, for as long as the process takes calls."""
    while True:
        try:
            async for order in house.door.orders("phone"):
                house.start(_one(house, order), f"order {order.id}")
        except OSError as error:
            log.warning("orders cannot be read for now: %s", error)
        await asyncio.sleep(PAUSE_SECONDS)


async def _one(house: House, order: Order) -> None:
    refused = answer = ""
    with speaking(await _language(house, order)):
        try:
            if order.deed is Deed.PLACE:
                await outgoing.place(house, order)
            elif order.deed is Deed.TRACE:
                answer = tracing.traced(house, order.key).model_dump_json()
            else:
                await _in_call(house.calls.get(order.key), order)
        except (No, Unreachable, tracing.Forgotten) as error:
            refused = str(error)
        except Exception:
            log.exception("an order fell over: %s", order.deed)
            refused = _("This did not work. Please try again.")
    await house.door.done(order, refused, answer)


async def _language(house: House, order: Order) -> str:
    """Who wants something reads in their own language why not."""
    try:
        return (await house.door.reach(order.agent_id)).language or order.line.language
    except (ProductError, OSError):
        return order.line.language
    except Exception:
        log.exception("where an agent hears calls is not known")
        return order.line.language


async def _in_call(call: OneCall | None, order: Order) -> None:
    if call is None or call.over.is_set():
        raise No(_("This call is over."))
    async with call.lock:
        await _do(call, order)
        call.changed()


async def _do(call: OneCall, order: Order) -> None:
    match order.deed:
        case Deed.ANSWER:
            _own(call, order).rings = False
        case Deed.HOLD:
            _own(call, order)
            await joining.hold(call)
        case Deed.RESUME:
            _own(call, order)
            joining.resume(call)
        case Deed.MUTE | Deed.UNMUTE:
            _mute(call, order)
        case Deed.PRESS:
            _press(call, order)
        case Deed.CONSULT | Deed.ADD:
            await _bring_third(call, order)
        case Deed.JOIN:
            joining.resume(call)
        case Deed.HAND_OVER:
            _hand_over(call, order)
        case Deed.TRANSFER:
            leaving = _own(call, order)
            passing.pass_on(call, leaving, await _called(call, order))
        case Deed.DROP:
            _drop(call, order)
        case Deed.HANG_UP:
            call.ends("agent")
        case Deed.PAUSE:
            if call.tape.keeping is Keeping.OFF:
                raise No(_("This call is not recorded."))
            call.tape.pause(BY_HAND)
        case Deed.GO_ON:
            call.tape.go_on(BY_HAND)
        case Deed.LISTEN | Deed.WHISPER | Deed.BARGE:
            await _supervise(call, order)
        case Deed.LEAVE:
            living.hang_up(call, _own(call, order))
        case _:
            raise No(_("This cannot be done with a call."))


def _own(call: OneCall, order: Order) -> Party:
    party = call.agent(order.agent_id)
    if party is None:
        raise No(_("You are not in this call."))
    return party


def _named(call: OneCall, order: Order) -> Party | None:
    """The leg that an order names; None when it names none."""
    name = str(order.values.get("leg") or "")
    if not name:
        return None
    party = call.customer if name == call.customer.name else call.others.get(name)
    if party is None or party.state is LegState.GONE:
        raise No(_("They are not in this call any more."))
    return party


def _mute(call: OneCall, order: Order) -> None:
    party = _named(call, order) or _own(call, order)
    if party.leg is None or party.leg.closed:
        raise No(_("They are not in this call any more."))
    if order.deed is Deed.MUTE:
        party.leg.mute()
    else:
        party.leg.unmute()


def _press(call: OneCall, order: Order) -> None:
    party = _named(call, order) or call.customer
    if party.leg is None or party.leg.closed or party.leg.agreement is None:
        raise No(_("They cannot hear keys now."))
    try:
        party.leg.press(str(order.values.get("keys") or "").upper())
    except ValueError as error:
        raise No(_("Only digits, * and # can be pressed.")) from error


async def _bring_third(call: OneCall, order: Order) -> None:
    """Somebody else comes in: apart, while the caller hears music, or for all at once."""
    asking = _own(call, order)
    apart = order.deed is Deed.CONSULT
    party = await _called(call, order)
    party.apart = apart
    if apart:
        await joining.hold(call, "apart")
    if party.wire is not None or party.rings:
        call.start(outgoing.ring_back(call, asking, party), f"ringing for {party.name}")
    call.changed()


async def _called(call: OneCall, order: Order) -> Party:
    other, number = order.values.get("with"), str(order.values.get("number") or "")
    if other is not None:
        agent_id = int(other)
        if call.agent(agent_id) is not None:
            raise No(_("They are in this call already."))
        reach = await call.house.door.reach(agent_id)
        if not reach.number and call.house.door.browser(agent_id) is None:
            raise No(_("They have no telephone open in their browser."))
        return await joining.bring(call, reach, LegKind.AGENT, asked=True)
    if not number:
        raise No(_("Say whom to call."))
    shown = str(order.values.get("name") or "") or number
    return joining.ring(call, number, LegKind.GUEST, shown=shown)


def _hand_over(call: OneCall, order: Order) -> None:
    """Who asks leaves; who is in it beside them stays with the caller."""
    leaving = _own(call, order)
    staying = [one for one in call.present() if one is not leaving]
    if not staying:
        raise No(_("Nobody is there to hand the call over to."))
    call.handed_over = order.agent_id
    living.hang_up(call, leaving)
    joining.resume(call)
    joining.listen_anew(call)
    if not passing.give(call, staying):
        passing.part(call, leaving)


def _drop(call: OneCall, order: Order) -> None:
    party = _named(call, order)
    if party is None:
        raise No(_("Say who is to leave."))
    if party is call.customer:
        call.ends("agent")
        return
    living.hang_up(call, party)


async def _supervise(call: OneCall, order: Order) -> None:
    """A supervisor comes in, or is heard by others than before."""
    party = call.agent(order.agent_id)
    if party is not None and party.kind is not LegKind.SUPERVISOR:
        raise No(_("You talk in this call already."))
    if party is None:
        reach = await call.house.door.reach(order.agent_id)
        if not reach.number and call.house.door.browser(order.agent_id) is None:
            raise No(_("Open the telephone in your browser first."))
        party = await joining.bring(call, reach, LegKind.SUPERVISOR)
    party.heard = {Deed.LISTEN: Heard.NOBODY, Deed.WHISPER: Heard.AGENT}.get(order.deed, Heard.ALL)
    joining.listen_in(call, party)
