"""Calls that we make: the agent is there first and hears it ring, then the other side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from everyline.call_contract import CallState, Direction, LegKind, LegState, Order
from everyline.channel_contract import Address
from everyline.channels.phone import following, joining, living, machines, trunks
from everyline.channels.phone.call import OneCall
from everyline.channels.phone.joining import Unreachable
from everyline.channels.phone.parties import first
from everyline.ground import addresses, clock
from everyline.ground.words import _, language, mark
from everyline.media import progress
from everyline.media.errors import NoPorts
from everyline.media.sockets import Latch
from everyline.sip.numbers import NotAllowed, permitted
from everyline.sip.placed import Caller

if TYPE_CHECKING:
    from everyline.channels.phone.house import House
    from everyline.channels.phone.parties import Party
    from everyline.media.legs import Leg
    from everyline.media.sounds import Sound

BROWSER_SECONDS = 5.0  # a page that is being loaded anew is back by then
BUSY_SECONDS = 2.0


async def place(house: House, order: Order) -> None:
    """Begin a call that an agent wants. Raises Unreachable with why not, in words for them."""
    line, agent_id = order.line, order.agent_id
    if house.closing:
        raise Unreachable(_("The telephone is being stopped. Please try again in a minute."))
    try:
        number = permitted(str(order.values.get("number") or ""), trunks.rules_of(line)).e164
    except NotAllowed as error:
        raise Unreachable(error.words) from error
    if not trunks.route_of(line, house.lines):
        raise Unreachable(_("The line has no trunk to call by."))
    if order.key in house.calls:
        raise Unreachable(_("This call goes on already."))
    reach = await house.door.reach(agent_id)
    if not reach.number and house.door.browser(agent_id) is None:
        raise Unreachable(_("Open the telephone in your browser first."))
    sender = Address(addresses.NUMBER, addresses.normal_number(number), str(order.values.get("name") or ""), order.key)
    call = OneCall(house, line, sender, Direction.OUT, dialled=number)
    if line.settings.tells_machines and order.values.get("callback"):
        call.answered_by = machines.LISTENING
    call.language = str(order.values.get("language") or line.language)
    latch = Latch.FIRST if line.settings.translated_addresses else Latch.ADDRESS
    try:
        call.customer.leg = house.engine.open(f"call {call.key}", latch=latch)
    except NoPorts as error:
        call.mix.end()
        raise Unreachable(_("No more calls fit on this machine.")) from error
    try:
        agent = await joining.bring(call, reach, LegKind.AGENT)
    except Unreachable:
        call.leg.close()
        call.mix.end()
        raise
    house.start(living.live(call, _make(call, agent)), f"call {call.key}")


async def _make(call: OneCall, agent: Party) -> None:
    """The agent first, then the number; then as any call that is answered."""
    call.start(following.follow(call), "following")
    if not await _there(agent):
        call.ends("us", mark("The agent's telephone was not there."))
        return
    customer = call.customer
    ring(call)
    call.start(ring_back(call, agent, customer), "ringing")
    await first(customer.here, customer.gone)
    if not customer.here.is_set():
        await asyncio.Event().wait()  # whoever watches the wire ends the call
    await answered(call)


def ring(call: OneCall) -> None:
    """Call the number. Raises NotAllowed, ValueError."""
    house, line, customer = call.house, call.line, call.customer
    customer.arrived = lambda: _heard(call)
    customer.wire = house.exchange.call(
        call.dialled,
        trunks.route_of(line, house.lines),
        caller=Caller(line.address, line.name),
        rules=trunks.rules_of(line),
        offer=customer.offer(),
        ring_seconds=line.settings.ring_seconds,
    )
    living.attend(call, customer)


async def answered(call: OneCall) -> None:
    """They have answered: from here on it is as any call."""
    house, line = call.house, call.line
    if line.settings.keeps(call.talk.queue if call.talk else "") and line.settings.announces_recording:
        with call.for_caller():
            told = await house.door.sound(line, _("This call may be recorded."), language())
        house.engine.announce(call.mix, told)
    conduct = following.conduct(call)
    await (machines.unless_machine(call, conduct) if call.answered_by else conduct)


def _heard(call: OneCall) -> None:
    """They answered, or let something be heard before."""
    leg = call.leg
    if leg.mix is None:
        call.mix.add(leg)
    if call.customer.here.is_set() and call.state is CallState.RINGING:
        call.state, call.answered_at = CallState.UP, clock.now()
        joining.together(call)
    call.changed()


async def _there(agent: Party) -> bool:
    """Is the agent on the telephone? One that is called may ring a while."""
    try:
        async with asyncio.timeout(None if agent.wire is not None else BROWSER_SECONDS):
            await first(agent.here, agent.gone)
    except TimeoutError:
        return False
    return agent.state is not LegState.GONE


async def ring_back(call: OneCall, asking: Party, called: Party) -> None:
    """Let who asked for somebody hear how it goes: ringing, what the other side lets be heard, the tone of no success."""
    leg = asking.leg
    if leg is None:
        return
    _hears(call, leg, progress.ringing())
    try:
        await first(called.early, called.here, called.gone)
    finally:
        _hears(call, leg, None)
    if called.early.is_set():
        await first(called.here, called.gone)
    if not called.here.is_set():
        _hears(call, leg, progress.busy())
        await asyncio.sleep(BUSY_SECONDS)
        _hears(call, leg, None)


def _hears(call: OneCall, leg: Leg, sound: Sound | None) -> None:
    if not leg.closed:
        leg.music = None if sound is None else call.house.music(sound)
