"""Messages: from who would rather not wait, and when nobody is there. Recorded with a tone; the pound key or hanging up ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everyline.channels.phone import messages
from everyline.channels.phone.messages import Taken
from everyline.ground.words import _, mark

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall, Words


async def instead(call: OneCall) -> None:
    """Who waits would rather leave their words."""
    call.silence()
    await _take(call)


async def later(call: OneCall) -> None:
    """Nobody answers now: say why, and take a message where the line does."""
    call.silence()
    standing = await call.house.door.standing(call.line, call.language)
    asked = call.line.settings
    words: Words = standing.closed_words or standing.words
    if asked.closed_words and not standing.closed_words:
        words = asked.closed_words, call.line.language
    if standing.open:
        words = _("Nobody is free to take your call just now.")
    if not asked.voicemail:
        await call.say(words, _("Thank you for calling. Goodbye."))
        call.ends("us")
        return
    await call.say(words)
    await _take(call)


async def _take(call: OneCall) -> None:
    """Ask for words, and say what became of them: the call is over then."""
    await call.say(_("Please speak after the tone. When you are done, press the pound key or hang up."))
    taken = await messages.take(call, call.line.settings.longest_message)
    await call.say(
        {
            Taken.KEPT: _("Thank you. We have your message and will get back to you. Goodbye."),
            Taken.CUT: _("I am sorry, the end of your message could not be recorded. We have what you said before."),
            Taken.NOTHING: _("We did not hear a message. Goodbye."),
            Taken.LOST: _("I am sorry, your message could not be kept. Please call again in a few minutes."),
        }[taken]
    )
    reasons = {
        Taken.CUT: mark("A message could not be recorded to its end."),
        Taken.LOST: mark("A message could not be kept."),
    }
    call.ends("us", reasons.get(taken, ""))
