"""A call comes in: to its line, answered, greeted in the language that the caller chooses, and handed in at the door."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from everyline.call_contract import CallState, Direction, LegState
from everyline.channels.phone import dialling, following, living, piece, trunks
from everyline.channels.phone.call import OneCall, Words, new_key
from everyline.channels.phone.parties import agreement
from everyline.ground import clock
from everyline.ground.words import _
from everyline.media import sdp
from everyline.media.errors import BadDescription, MediaError, NoPorts
from everyline.media.sockets import Latch

if TYPE_CHECKING:
    from everyline.channel_contract import Line
    from everyline.channels.phone.house import House
    from everyline.sip.incoming import IncomingCall

log = logging.getLogger(__name__)
BUSY_SECONDS = 10
MENU_SECONDS = 4.0


async def arrive(house: House, wire: IncomingCall) -> None:
    """The whole life of a call that comes in."""
    if wire.facts.telephone:
        await dialling.dial(house, wire)
        return
    line = trunks.line_of(wire.facts, house.lines)
    if line is None:
        wire.reject(404)
        return
    call = _take(house, line, wire)
    if call is not None:
        await living.live(call, _receive(call))


def _take(house: House, line: Line, wire: IncomingCall) -> OneCall | None:
    """The call, answered, with its leg; None: it was refused."""
    facts, key = wire.facts, new_key()
    name = piece.one_line(facts.name)[:200]
    try:
        sender = piece.sender_of(facts.number or "", name, key)
    except ValueError:
        sender = piece.sender_of("", name, key)
    try:
        latch = Latch.FIRST if line.settings.translated_addresses else Latch.ADDRESS
        leg = house.engine.open(f"call {key}", latch=latch)
    except NoPorts as error:
        log.warning("no room for a call: %s", error)
        wire.reject(503, fields=(("retry-after", str(BUSY_SECONDS)),))
        return None
    call = OneCall(house, line, sender, Direction.IN, dialled=facts.dialled_number or facts.dialled)
    call.diverted_from = next((one.number for one in facts.diversions if one.number), "")
    call.customer.leg, call.customer.wire = leg, wire
    try:
        if wire.offer:
            wire.answer(sdp.write(agreement(leg, wire.offer).ours))
        else:  # they want to be offered something
            wire.answer(call.customer.offer())
    except MediaError as error:
        wire.reject(400 if isinstance(error, BadDescription) else 488)
        leg.close()
        call.mix.end()
        return None
    call.state, call.answered_at = CallState.UP, clock.now()
    call.customer.becomes(LegState.IN)
    return call


async def _receive(call: OneCall) -> None:
    """Greet, hand in, and go along with the talk."""
    asked = call.line.settings
    with call.for_caller():
        words = (
            (asked.greeting, call.line.language) if asked.greeting else _("Thank you for calling %s.") % call.line.name
        )
        if asked.offered_languages:
            call.language = await _choose(call, words)
            living.hand_in(call)
        else:
            living.hand_in(call)
            call.ahead += await call.ask([words], seconds=0)  # who presses a key knows the greeting
    with call.for_caller():
        if asked.records != "never" and asked.announces_recording:
            await call.say(_("This call may be recorded."))
    await following.conduct(call)


async def _choose(call: OneCall, greeting: Words) -> str:
    """Greeting, and each further language in its own words: who presses its key is spoken to in it."""
    offered = call.line.settings.offered_languages
    key = await call.ask([greeting, *((words, language) for language, _key, words in offered)], seconds=MENU_SECONDS)
    chosen = {pressed: language for language, pressed, _words in offered}
    if key not in chosen:
        call.ahead += key
    found: str = chosen.get(key, call.line.language)
    return found
