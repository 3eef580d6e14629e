"""Who talks with a caller: agents in the browser or on a telephone, guests, supervisors; how they come and how they leave."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from everyline.call_contract import CallState, Heard, LegKind, LegState
from everyline.channels.phone import living, referring, trunks
from everyline.channels.phone.parties import Party, first, words_for
from everyline.ground.errors import ProductError
from everyline.ground.words import _, later, mark, speaking
from everyline.media.errors import NoPorts
from everyline.media.sockets import Latch
from everyline.sip.numbers import NotAllowed
from everyline.sip.placed import Caller

if TYPE_CHECKING:
    from everyline.call_contract import Reach
    from everyline.channels.phone.call import OneCall

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25  # between two looks whether a browser is there
AGAIN_SECONDS = 3.0  # before an agent's telephone is called again
MOST_TRIES = 3


class Unreachable(Exception):
    """Somebody cannot be called; the text is for agents."""


async def talk(call: OneCall, agent_id: int) -> None:
    """As long as this agent has the call."""
    call.forget_keys()
    call.last_words = call.goes_on = False
    if call.handed_over == agent_id:
        await asyncio.Event().wait()  # they left the caller with somebody else
    call.handed_over = None
    party = call.agent(agent_id)
    try:
        if party is None:
            if not call.held:
                await call.music()
            party = await _bring(call, agent_id)
        if party is None:
            await asyncio.Event().wait()
            return
        party.kind, party.rings, party.apart = LegKind.AGENT, False, False
        await party.here.wait()
        together(call)
        await party.gone.wait()
        if call.left_by(agent_id):
            return
        if party.wire is not None:
            call.ends("agent")  # they hung up their telephone
        elif not call.present():
            await call.music()  # until their talk ends, or somebody else has it
    finally:
        if not call.left_by(agent_id) and not call.over.is_set():
            if party is not None:
                living.hang_up(call, party)
            resume(call)


async def _bring(call: OneCall, agent_id: int) -> Party | None:
    """The agent's part in the call; None when they cannot be reached."""
    reach = await _reach(call, agent_id)
    if reach is None:
        return None
    for _try in range(MOST_TRIES):
        try:
            with speaking(reach.language or call.line.language):
                party = await bring(call, reach, LegKind.AGENT)
        except Unreachable as error:
            log.info("agent %s cannot be reached: %s", agent_id, error)
            call.customer.remark = later(mark("The agent cannot be reached: %s"), str(error))
            call.changed()
            return None
        if party.wire is None:
            return party
        await first(party.here, party.gone)
        if party.here.is_set():
            return party
        await asyncio.sleep(AGAIN_SECONDS)
    return None


async def _reach(call: OneCall, agent_id: int) -> Reach | None:
    """Where they hear calls, as soon as that can be known; None when they hear none."""
    while True:
        try:
            return await call.house.door.reach(agent_id)
        except ProductError as error:
            log.info("where agent %s hears calls: %s", agent_id, error)
            call.customer.remark = mark("The agent hears calls nowhere.")
            call.changed()
            return None
        except OSError as error:
            log.warning("where an agent hears calls is not known for now: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)


async def bring(call: OneCall, reach: Reach, kind: LegKind, *, asked: bool = False) -> Party:
    """Begin to bring one of us into the call; whoever is ``asked`` for rings in their browser too, and answers. Raises Unreachable."""
    if reach.number:
        return ring(call, reach.number, kind, shown=reach.name, agent_id=reach.agent_id)
    party = Party(call.name_for(kind), kind, None, call.changed, shown=reach.name, agent_id=reach.agent_id)
    party.rings = asked
    call.others[party.name] = party
    call.start(_keep_browser(call, party), f"browser of {party.name}")
    if asked:
        call.start(_ring_browser(call, party), f"ringing of {party.name}")
    call.changed()
    return party


def ring(call: OneCall, number: str, kind: LegKind, *, shown: str = "", agent_id: int | None = None) -> Party:
    """Call somebody's telephone for this call. Raises Unreachable, with words for an agent."""
    house, line = call.house, call.line
    route = trunks.route_of(line, house.lines)
    if not route:
        raise Unreachable(_("The line has no trunk to call by."))
    ours = number.startswith("sip:")  # a telephone of ours, which may be behind address translation
    latch = Latch.FIRST if ours or line.settings.translated_addresses else Latch.ADDRESS
    try:
        leg = house.engine.open(f"{kind.value} of call {call.key}", latch=latch)
    except NoPorts as error:
        raise Unreachable(_("No more calls fit on this machine.")) from error
    party = Party(call.name_for(kind), kind, leg, call.changed, shown=shown, agent_id=agent_id, number=number)
    try:
        party.wire = house.exchange.call(
            number,
            route,
            caller=Caller(line.address, line.name),
            rules=trunks.rules_of(line),
            offer=party.offer(),
            ring_seconds=line.settings.ring_seconds,
        )
    except (NotAllowed, ValueError) as error:
        leg.close()
        raise Unreachable(error.words if isinstance(error, NotAllowed) else str(error)) from error
    call.others[party.name] = party
    party.arrived = lambda: listen_in(call, party) if kind is LegKind.SUPERVISOR else enter(call, party)
    if kind is LegKind.AGENT:
        is_ours(call, party)
    living.attend(call, party)
    call.start(_why_gone(call, party), f"outcome of {party.name}")
    call.changed()
    return party


def is_ours(call: OneCall, party: Party) -> None:
    """It is an agent's own telephone: it may pass the caller on, and who is alone with the caller puts them on hold by it."""
    party.referred = lambda asked: referring.asked_by(call, party, asked)
    party.holds = lambda: _telephone_holds(call, party)


def _telephone_holds(call: OneCall, party: Party) -> None:
    if party.aside is not None:
        party.aside.turn()
    elif not party.holding:
        resume(call)
    elif call.present() == [party]:
        call.start(hold(call), f"hold by {party.name}")


async def _why_gone(call: OneCall, party: Party) -> None:
    """Say why somebody who was called does not come."""
    await party.gone.wait()
    outcome = party.outcome
    if not party.here.is_set() and outcome is not None and not outcome.by_us:
        party.remark = words_for(outcome.reason.value, f"{outcome.code} {outcome.words}")
    call.changed()
    settle(call)


async def _ring_browser(call: OneCall, party: Party) -> None:
    """A colleague's browser rings as long as a telephone would."""
    try:
        async with asyncio.timeout(call.line.settings.ring_seconds):
            while party.rings and party.state is not LegState.GONE:  # noqa: ASYNC110 -- their browser is looked for as often
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        party.remark = words_for("no_answer", "")
        living.hang_up(call, party)
    if party.state is LegState.GONE and not party.here.is_set():
        party.remark = party.remark or words_for("declined", "")
    call.changed()
    settle(call)


async def _keep_browser(call: OneCall, party: Party) -> None:
    """Follow an agent's browser: it comes, is loaded anew, goes."""
    assert party.agent_id is not None
    listening: asyncio.Task[None] | None = None
    while party.state is not LegState.GONE:
        found = call.house.door.browser(party.agent_id)
        there = found is not None and found.ready and not found.leg.closed and not party.rings
        leg = found.leg if found is not None and there else None
        if leg is not party.leg:
            party.take_away()
            party.leg = leg
            if listening is not None:
                listening.cancel()
            if leg is None:
                party.becomes(LegState.RINGING, mark("Their browser is not there."))
                party.here.clear()
                if not call.present() and not call.held:
                    await call.music()
            else:
                listening = call.start(party.listen(), f"leg of {party.name}")
                if party.kind is LegKind.SUPERVISOR:
                    party.becomes(LegState.IN, "")
                    listen_in(call, party)
                else:
                    party.becomes(LegState.APART if party.apart else LegState.IN, "")
                    enter(call, party)
        await asyncio.sleep(LOOK_SECONDS)


def enter(call: OneCall, party: Party) -> None:
    """Let a party hear and be heard, also by what it lets be heard before it answers."""
    if party.leg is None or party.leg.closed:
        return
    if party.leg.mix is not None and party.leg.mix is not call.mix:
        party.leg.mix.remove(party.leg)  # an agent has one pair of ears
    party.leg.music = None
    call.mix.add(party.leg)
    together(call)
    listen_anew(call)


def together(call: OneCall) -> None:
    """Let the caller talk with who is there, unless they are on hold. Recording begins with the first who is."""
    leg = call.customer.leg
    if leg is None or leg.closed or not call.present() or call.state is not CallState.UP:
        return
    if leg.mix is None:
        leg.stop_prompts()
        call.mix.add(leg)
    if not call.held:
        call.silence()
    if call.line.settings.keeps(call.talk.queue if call.talk is not None else ""):
        call.tape.begin(call.mix)
        call.tape.go_on("queue")
    else:
        call.tape.pause("queue")
    call.changed()


async def hold(call: OneCall, reason: str = "hold") -> None:
    """The caller hears music and is not heard; meanwhile nothing is recorded."""
    leg = call.customer.leg
    if leg is None or leg.closed or call.held:
        return
    call.held = True
    if leg.mix is not None:
        call.mix.hold(leg)
    call.tape.pause(reason)
    call.customer.becomes(LegState.HELD)
    await call.music()


def resume(call: OneCall) -> None:
    """Back from hold."""
    leg = call.customer.leg
    if not call.held or leg is None or leg.closed:
        return
    call.held = False
    if leg.mix is not None:
        call.mix.resume(leg)
    call.silence()
    for reason in ("hold", "apart"):
        call.tape.go_on(reason)
    for party in call.others.values():
        party.apart = False  # whoever rings still comes to all, too
        if party.state is LegState.APART:
            party.becomes(LegState.IN)
    call.customer.becomes(LegState.IN)


def settle(call: OneCall) -> None:
    """Somebody left. Whoever was handed over to ends the call by hanging up."""
    if call.over.is_set():
        return
    if call.handed_over is not None and call.passing is None and not call.present():
        call.ends("agent")


def listen_anew(call: OneCall) -> None:
    """Who whispers, whispers to whoever talks with the caller now."""
    for party in call.others.values():
        if party.kind is LegKind.SUPERVISOR and party.state is LegState.IN:
            listen_in(call, party)


def listen_in(call: OneCall, party: Party) -> None:
    """Put a supervisor where they are heard by whom they want."""
    if party.leg is None or party.leg.closed:
        return
    if party.leg.mix is not None and party.leg.mix is not call.mix:
        party.leg.mix.remove(party.leg)
    agents = [one for one in call.present() if one.kind is LegKind.AGENT and one.leg is not None]
    if party.heard is Heard.ALL:
        call.mix.barge(party.leg)
    elif party.heard is Heard.AGENT and agents and agents[0].leg is not None:
        call.mix.whisper(party.leg, agents[0].leg)
    else:
        call.mix.monitor(party.leg)
    call.changed()
