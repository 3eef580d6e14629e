"""Who waits: music, the place and the expected wait when they have changed, comfort, and two other ways: a call back, a message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from everyline.channels.phone import calling_back, voicemail
from everyline.ground.words import _

if TYPE_CHECKING:
    from everyline.channel_contract import Talk
    from everyline.channels.phone.call import OneCall

FIRST_SECONDS = 8.0  # before the first announcement: most calls are answered sooner
CALLBACK_KEY, MESSAGE_KEY = "1", "2"


async def wait(call: OneCall) -> None:
    """Until somebody takes the call, or the caller chooses another way."""
    call.tape.pause("waiting")
    try:
        call.forget_keys()
        await call.music()
        heard, told = call.queue, ""
        offered = False
        pause = FIRST_SECONDS
        while True:
            key = await _key(call, pause)
            asked = call.line.settings
            if call.queue != heard:
                heard = call.queue
                await call.music()  # it waits in another queue now
            if key == CALLBACK_KEY and asked.calls_back:
                if await calling_back.offer(call):
                    return
            elif key == MESSAGE_KEY and asked.voicemail:
                await voicemail.instead(call)
                return
            elif asked.announce_seconds:
                words = _standing(call.talk, place=asked.tells_place, wait=asked.tells_wait)
                comfort = _("Thank you for waiting. Somebody will be with you as soon as possible.")
                said = words if words and words != told else comfort
                told = words
                offers = "" if offered and said == comfort else _others(call)
                offered = True
                early = await call.ask([said, offers], seconds=0)
                if early:
                    call.pressed(early)
            pause = float(asked.announce_seconds) or 3600.0
    finally:
        call.tape.go_on("waiting")


async def _key(call: OneCall, seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds):
            return await call.keys.get()
    except TimeoutError:
        return ""


def _standing(talk: Talk | None, *, place: bool, wait: bool) -> str:
    """The place in the line and how long it may take, as a range."""
    found = []
    if talk is not None and place and talk.place:
        found.append(_("You are next.") if talk.place == 1 else _("You are number %s in line.") % talk.place)
    if talk is not None and wait and talk.wait is not None:
        found.append(_("The expected wait is %s.") % talk.wait.words)
    return " ".join(found)


def _others(call: OneCall) -> str:
    """What can be done instead of waiting."""
    asked = call.line.settings
    found = []
    if asked.calls_back:
        found.append(_("To keep your place and be called back, press 1."))
    if asked.voicemail:
        found.append(_("To leave a message, press 2."))
    return " ".join(found)
