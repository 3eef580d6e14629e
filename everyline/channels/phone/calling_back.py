"""Rather than wait: the caller is called, at the number they call from or at another that they type and hear read back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from everyline.channels.phone.piece import shown
from everyline.channels.phone.trunks import rules_of
from everyline.ground import addresses
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.words import _
from everyline.sip.numbers import NotAllowed, permitted

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall

MOST_TRIES = 3
TYPED_SECONDS = 4.0


async def offer(call: OneCall) -> bool:
    """Whether they are called back; false: they wait on."""
    number = call.customer.number
    for _try in range(MOST_TRIES):
        if number:
            words = _("We call you at %s.") % in_groups(number)
            key = await call.ask(
                [words, _("If that is right, press 1. For another number, press 2. To wait on, press 3.")]
            )
            if key == "1":
                return await _ask(call, number)
            if key != "2":
                return False
        number = await _typed(call)
        if not number:
            await call.say(_("This is no number that we can call."))
    return False


async def _ask(call: OneCall, number: str) -> bool:
    call.goes_on = True  # before the talk says that it goes on by other means
    if not await _kept(call, number):
        call.goes_on = False
        return False
    call.silence()
    await call.say(_("Thank you. You keep your place, and we call you when it is your turn. Goodbye."))
    call.ends("us")
    return True


async def _kept(call: OneCall, number: str) -> bool:
    try:
        await call.house.door.ask_callback(call.line, call.sender, number)
    except Conflict:
        return False  # somebody has the call already
    except OSError:
        await call.say(_("I am sorry, that did not work. Please wait on."))
        return False
    except Invalid:
        await call.say(_("This is no number that we can call."))
        return False
    return True


async def _typed(call: OneCall) -> str:
    """A number that they type, in normal form; empty when it is none that may be called."""
    typed = await call.ask([_("Type the number with its area code, and then the pound key.")])
    while typed and typed[-1] != "#" and len(typed) < 16:
        try:
            async with asyncio.timeout(TYPED_SECONDS):
                typed += await call.keys.get()
        except TimeoutError:
            break
    digits = typed.rstrip("#").replace("*", "")
    if not digits:
        return ""
    try:
        return permitted(digits, rules_of(call.line)).e164 or addresses.normal_number(digits)
    except (NotAllowed, ValueError):
        return ""


def in_groups(number: str) -> str:
    """A number in groups of single digits, so that it can be compared while it is heard."""
    bare = shown(number).lstrip("+")
    if bare.startswith("1 "):
        bare = bare[2:]  # nobody says their own country
    return ", ".join(" ".join(group) for group in bare.split())
