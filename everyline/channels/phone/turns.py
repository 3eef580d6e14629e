"""Turns of a flow by ear: prompts are played, keys are taken and words heard, answers go out as pieces. What a turn means is in
``dialogue`` and ``conversation``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from everyline.channel_contract import Refused
from everyline.channels.phone import messages
from everyline.channels.phone.conversation import Conversation
from everyline.channels.phone.effects import Answer, Effect, GiveUp, Person, Play, Record, StopPlaying
from everyline.channels.phone.listening import Listening, News, Said
from everyline.channels.phone.messages import Taken
from everyline.ground.errors import ProductError
from everyline.ground.words import _

if TYPE_CHECKING:
    from everyline.channel_contract import TalkMessage
    from everyline.channels.phone.call import OneCall
    from everyline.media.sounds import Playing

log = logging.getLogger(__name__)
PERSON = "0"  # what a flow reads as the wish for a person
AGAIN = (0.0, 0.5, 1.5)
ANSWER_SECONDS = 6.0  # after which who answered is given music until the next turn


async def play(call: OneCall) -> None:
    """The turns that are there and those that come, one after the other."""
    while True:
        if not call.turns:
            call.last_words = False
            call.moved.set()
            await _next(call)
        message = call.turns.popleft()
        call.silence()
        await Turn(call, message).run()


async def _next(call: OneCall) -> None:
    """Wait for the next turn; with music when it takes long."""
    call.turned.clear()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await call.turned.wait()
    except TimeoutError:
        await call.music()
        await call.turned.wait()


class Turn:
    """One turn, until it is answered or another scene begins."""

    def __init__(self, call: OneCall, message: TalkMessage) -> None:
        self.call, self.message = call, message
        assert message.turn is not None
        heard = call.line.settings.spoken_answers and call.house.door.hears(call.language)
        self.dialogue = Conversation(message.turn, call.language, ahead=call.ahead + self._pressed(), heard=heard)
        self._listening = Listening(call, self.dialogue) if self.dialogue.hears else None
        call.ahead = ""
        self._last: Playing | None = None
        self._answers: list[Effect] = []

    def _pressed(self) -> str:
        keys = ""
        while not self.call.keys.empty():
            keys += self.call.keys.get_nowait()
        return keys

    async def run(self) -> None:
        """Drive it."""
        call = self.call
        call.last_words = self.message.turn is not None and self.message.turn.get("keys") is None
        if self.dialogue.secret:
            call.tape.pause("secret")
        try:
            with contextlib.suppress(OSError):
                await call.house.door.seen(call.line, call.sender, self.message.id)
            if self._listening is not None:
                self._listening.begin()
            await self._do(self.dialogue.begin(time.monotonic()))
            while not self.dialogue.done:
                await self._do(await self._happens())
            call.ahead = self.dialogue.ahead
            for effect in self._answers:
                await self._give(effect)
        finally:
            if self._listening is not None:
                self._listening.end()
            if not call.leg.closed:
                call.leg.stop_prompts()
            call.tape.go_on("secret")

    async def _happens(self) -> list[Effect]:
        """Wait for a key, something that is said, the end of what is played, or silence."""
        listening = self._listening
        if listening is not None:
            listening.arrange()
        key = asyncio.ensure_future(self.call.keys.get())
        ended = asyncio.ensure_future(self._last.ended()) if self._last is not None else None
        said = asyncio.ensure_future(listening.next()) if listening is not None else None
        due = None if listening is not None and listening.busy else self.dialogue.due()
        timeout = None if due is None else max(due - time.monotonic(), 0)
        try:
            await asyncio.wait({key, ended, said} - {None}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]  # -- None was taken out
            at = time.monotonic()
            if key.done():
                return self.dialogue.key(key.result(), at)
            if said is not None and said.done():
                return self._said(said.result(), at)
            if ended is not None and ended.done():
                self._last = None
                return self.dialogue.prompts_ended(at)
            return self.dialogue.tick(at)
        finally:
            key.cancel()
            if ended is not None:
                ended.cancel()
            if said is not None:
                said.cancel()

    def _said(self, news: News, at: float) -> list[Effect]:
        if not isinstance(news, Said):
            return self.dialogue.spoke(at)
        if news.text:
            return self.dialogue.words(news.text, at, sure=news.sure)
        return self.dialogue.unheard(at, deaf=news.deaf)

    async def _do(self, effects: list[Effect]) -> None:
        call = self.call
        for effect in effects:
            match effect:
                case Play(prompts=prompts):
                    call.leg.stop_prompts()
                    self._last = await call.play([(one, call.language) for one in prompts])
                case StopPlaying():
                    self._last = None
                    call.leg.stop_prompts()
                case _:
                    self._answers.append(effect)

    async def _give(self, effect: Effect) -> None:
        """Hand in what came of it."""
        call = self.call
        match effect:
            case Answer(text=text, secret=True):
                await call.house.door.type_secret(call.line, call.sender, text)
            case Answer(text=text, said=said):
                await _handed_in(call, text, "said" if said else "keyed")
            case Person():
                await _handed_in(call, PERSON, "keyed")
            case Record(seconds=seconds):
                await _spoken(call, seconds)
            case GiveUp():
                call.ends("us")
            case _:
                pass


async def _spoken(call: OneCall, seconds: int) -> None:
    """What they say is the answer. Who says nothing is asked once more; where none comes of it a person goes on."""
    for again in (True, False):
        taken = await messages.take(call, seconds)
        if taken is Taken.KEPT:
            return
        if taken is Taken.CUT:
            await call.say(
                _("I am sorry, the end of your message could not be recorded. We have what you said before.")
            )
            return
        if taken is Taken.LOST:
            await call.say(_("I am sorry, your message could not be kept."))
            break
        await call.say(
            _("We did not hear a message."),
            _("Please speak after the tone. When you are done, press the pound key or hang up.") if again else "",
        )
    await call.say(_("I am putting you through to a person."))
    await _handed_in(call, PERSON, "keyed")


async def _handed_in(call: OneCall, text: str, event: str) -> None:
    """Keep an answer. Raises OSError when it cannot be."""
    for number, pause in enumerate(AGAIN, 1):
        await asyncio.sleep(pause)
        try:
            await call.accept(event, text)
        except OSError:
            if number == len(AGAIN):
                raise
        except (Refused, ProductError) as error:
            log.warning("an answer is not taken: %s", error)
            return
        else:
            return
