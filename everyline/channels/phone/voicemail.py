"""Messages: from who would rather not wait, and when nobody is there. Recorded with a tone; the pound key or hanging up ends one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from everyline.channel_contract import Refused
from everyline.ground.errors import ProductError
from everyline.ground.words import _, mark
from everyline.media import progress

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall, Words
    from everyline.media.recording import Recording

log = logging.getLogger(__name__)
SHORTEST_SECONDS = 1.0  # what is shorter is nobody's words
END_KEY = "#"
AGAIN = (0.0, 0.5, 2.0, 5.0)


async def instead(call: OneCall) -> None:
    """Who waits would rather leave their words."""
    if await _take(call):
        await _thank(call)


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
    if await _take(call):
        await _thank(call)


async def _thank(call: OneCall) -> None:
    await call.say(_("Thank you. We have your message and will get back to you. Goodbye."))
    call.ends("us")


async def _take(call: OneCall) -> bool:
    """Ask for words, record them, keep them. False when there were none, or they could not be kept: the call is over then."""
    call.silence()
    call.forget_keys()
    await call.say(_("Please speak after the tone. When you are done, press the pound key or hang up."))
    tone = call.leg.play(progress.beep())
    await tone.ended()
    folder = call.house.folder
    await asyncio.to_thread(lambda: folder.mkdir(mode=0o700, parents=True, exist_ok=True))
    path = folder / f"{call.key}.wav"
    recording = call.house.engine.record(call.leg, path)
    try:
        async with asyncio.timeout(call.line.settings.longest_message):
            while await call.keys.get() != END_KEY:
                pass
    except TimeoutError:
        pass
    finally:  # also when they hang up
        call.goes_on = recording.seconds >= SHORTEST_SECONDS
        kept = call.house.start(_keep(call, recording), f"message of call {call.key}")
    if await asyncio.shield(kept):
        return True
    if not call.goes_on:
        await call.say(_("We did not hear a message. Goodbye."))
        call.ends("us")
    else:
        await call.say(_("I am sorry, your message could not be kept. Please call again in a few minutes."))
        call.ends("us", mark("A message could not be kept."))
    return False


async def _keep(call: OneCall, recording: Recording) -> bool:
    """The caller's words as a piece; who waited is answered later. A message that cannot be kept stays in its file."""
    await call.house.engine.recorded(recording)
    if not call.goes_on or recording.failure:
        await asyncio.to_thread(recording.path.unlink, missing_ok=True)
        return False
    sound = await asyncio.to_thread(recording.path.read_bytes)
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await call.accept("voicemail", seconds=recording.seconds, sound=sound)
        except Refused:
            log.exception("a message is not taken in, it stays in %s", recording.path)
            return False
        except OSError as error:
            log.warning("a message cannot be taken in for now: %s", error)
            continue
        await asyncio.to_thread(recording.path.unlink, missing_ok=True)
        with contextlib.suppress(ProductError):  # they do not wait, or the door will see to it by itself
            await call.house.door.answer_later(call.line, call.sender)
        return True
    log.error("a message could not be kept, it stays in %s", recording.path)
    return False
