"""Calls that an agent makes by their own telephone, which has signed in at the edge: the same rules, records and figures as for calls that the desk makes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from everyline.call_contract import Direction, LegKind, Reach
from everyline.channel_contract import Address
from everyline.channels.phone import aside, following, joining, living, outgoing, trunks
from everyline.channels.phone.call import OneCall, new_key
from everyline.channels.phone.parties import Party, agreement, first
from everyline.ground import addresses
from everyline.ground.errors import Busy, ProductError
from everyline.ground.words import _, language, speaking
from everyline.media import sdp
from everyline.media.errors import MediaError, NoPorts
from everyline.media.sockets import Latch
from everyline.sip.guard import Rate
from everyline.sip.numbers import Kind, NotAllowed, Number, permitted

if TYPE_CHECKING:
    from everyline.channel_contract import Line
    from everyline.channels.phone.house import House
    from everyline.media.legs import Leg
    from everyline.sip.events import Ended
    from everyline.sip.incoming import IncomingCall

log = logging.getLogger(__name__)
SAID_SECONDS = 12.0  # for saying why not
WAIT_SECONDS = 60
ELSEWHERE = 503  # the edge asks another of our processes then
_NOT_PASSED_ON = frozenset({401, 407, 422, ELSEWHERE})  # codes that would have the telephone or the edge do something


async def dial(house: House, wire: IncomingCall) -> None:
    """The whole life of a call that a telephone of ours begins."""
    if wire.takes_place_of is not None:
        wire.reject(481)  # nobody takes a call out of somebody's hands
        return
    try:
        agent = await house.door.whose(wire.facts.telephone)
        if agent is None:
            wire.reject(403)
            return
        line = await house.door.line_of(agent.agent_id)
    except ProductError as error:
        refuse(wire, 480, error.message)
        return
    except OSError as error:
        log.warning("whose a telephone is cannot be known for now: %s", error)
        wire.reject(ELSEWHERE)
        return
    with speaking(agent.language or line.language):
        await _dial(house, wire, agent, line)


async def _dial(house: House, wire: IncomingCall, agent: Reach, line: Line) -> None:
    found = _permitted(wire.facts.dialled, line)
    if isinstance(found, Number) and found.kind is Kind.EMERGENCY:
        await _place(house, wire, agent, line, found)
        return
    if not _within_rate(house, wire.facts.telephone):
        refuse(
            wire, 480, _("That is too many calls. Please try again in a minute."), ("retry-after", str(WAIT_SECONDS))
        )
        return
    for call in list(house.calls.values()):
        party = call.agent(agent.agent_id)
        if party is not None and party.kind is LegKind.AGENT and party.wire is not None and party.here.is_set():
            await aside.ask(call, party, wire)
            return
    if isinstance(found, NotAllowed):
        await _say_and_refuse(house, line, wire, 404 if found.kind is Kind.NONE else 403, found.words)
        return
    await _place(house, wire, agent, line, found)


def _permitted(dialled: str, line: Line) -> Number | NotAllowed:
    try:
        return permitted(dialled, trunks.rules_of(line))
    except NotAllowed as error:
        return error


def _within_rate(house: House, telephone: str) -> bool:
    """May this telephone begin another call now?"""
    rate = house.rates.setdefault(telephone, Rate(house.calls_by_telephone))
    return rate.take(time.monotonic())


async def _place(house: House, wire: IncomingCall, agent: Reach, line: Line, found: Number) -> None:
    """Call a number. One for help is called at once: no case, no wait for anything."""
    helping = found.kind is Kind.EMERGENCY
    if not trunks.route_of(line, house.lines):
        refuse(wire, 480, _("The line has no trunk to call by."))
        return
    beyond = Latch.FIRST if line.settings.translated_addresses else Latch.ADDRESS
    leg, other = open_leg(house, Latch.FIRST, "a telephone of ours"), open_leg(house, beyond, "whom it calls")
    if leg is None or other is None:
        _close(leg, other)
        wire.reject(ELSEWHERE)
        return
    party = Party("agent-1", LegKind.AGENT, leg, lambda: None, wire=wire, shown=agent.name, agent_id=agent.agent_id)
    party.number = agent.number
    try:
        body = sdp.write(agreement(leg, wire.offer).ours) if wire.offer else party.offer()
    except MediaError:
        _close(leg, other)
        wire.reject(488)
        return
    spoken = line.language
    try:
        if helping:
            sender = Address(addresses.VISITOR, f"s-{(key := new_key())}", found.short, key)
        else:
            order = await house.door.dial(line, agent.agent_id, found.e164)
            sender, spoken = Address(addresses.NUMBER, found.e164, "", order.key), str(order.values["language"])
    except (ProductError, OSError) as error:
        _close(leg, other)
        if isinstance(error, ProductError):
            await _say_and_refuse(house, line, wire, 486 if isinstance(error, Busy) else 603, error.message)
        else:
            log.warning("a call of a telephone of ours cannot be kept for now: %s", error)
            wire.reject(ELSEWHERE)
        return
    call = OneCall(house, line, sender, Direction.OUT, dialled=found.dialled)
    call.language, call.goes_on = spoken, helping  # one for help has no talk that ends
    leg.name, other.name = f"agent of call {call.key}", f"call {call.key}"
    call.customer.leg = other
    party.name, party.changed = call.name_for(LegKind.AGENT), call.changed
    party.arrived = lambda: joining.enter(call, party)
    party.keyed = lambda key: press(call.customer, key)
    joining.is_ours(call, party)
    call.others[party.name] = party
    await living.live(call, _make(call, party, wire, body, helping=helping))


async def _make(call: OneCall, agent: Party, wire: IncomingCall, body: bytes, *, helping: bool) -> None:
    """The number rings; the telephone hears what is heard of it, and is answered when that is."""
    customer = call.customer
    living.attend(call, agent)
    if not helping:
        call.start(following.follow(call), "following")
    outgoing.ring(call)
    await first(customer.rang, customer.early, customer.here, customer.gone, agent.gone)
    if not (customer.here.is_set() or customer.gone.is_set() or agent.gone.is_set()):
        wire.ring(body if customer.early.is_set() and wire.offer else b"")
        if customer.early.is_set():
            joining.enter(call, agent)
    await first(customer.here, customer.gone, agent.gone)
    if agent.gone.is_set():
        call.ends("agent")
        return
    if not customer.here.is_set():
        if customer.outcome is not None:
            pass_refusal(wire, customer.outcome)
        await asyncio.Event().wait()  # whoever watches the wire ends the call
    wire.answer(body)
    if not helping:
        await outgoing.answered(call)
        return
    await agent.gone.wait()
    call.ends("agent")


def open_leg(house: House, latch: Latch, name: str) -> Leg | None:
    """A leg for a telephone; None when no more fit. One of ours has proved itself, and may be behind address translation."""
    try:
        return house.engine.open(name, latch=latch)
    except NoPorts as error:
        log.warning("no room for a call: %s", error)
        return None


def _close(*legs: Leg | None) -> None:
    for leg in legs:
        if leg is not None:
            leg.close()


def press(party: Party, key: str) -> None:
    """A key that an agent pressed on their telephone is for whom they talk with."""
    if party.leg is not None and not party.leg.closed and party.leg.agreement is not None:
        party.leg.press(key)


def refuse(wire: IncomingCall, code: int, words: str, *fields: tuple[str, str]) -> None:
    """Turn a telephone of ours away, and have it show why."""
    said = words.replace('"', "'")
    wire.reject(code, said=words, fields=(("warning", f'399 everyline "{said}"'), *fields))


def pass_refusal(wire: IncomingCall, outcome: Ended) -> None:
    """Whom they called did not answer: their telephone is told what we were told."""
    code = outcome.code if 400 <= outcome.code < 700 and outcome.code not in _NOT_PASSED_ON else 480
    wire.reject(code, said=outcome.words if code == outcome.code else "")


async def _say_and_refuse(house: House, line: Line, wire: IncomingCall, code: int, words: str) -> None:
    """The same, by a voice before: not every telephone shows what it was told."""
    leg = open_leg(house, Latch.FIRST, "a telephone of ours, turned away")
    if leg is not None:
        with contextlib.suppress(MediaError, OSError, TimeoutError):
            body = sdp.write(agreement(leg, wire.offer).ours)
            async with asyncio.timeout(SAID_SECONDS):
                sound = await house.door.sound(line, words, language())
                wire.ring(body)
                await leg.play(sound).ended()
        leg.close()
    refuse(wire, code, words)
