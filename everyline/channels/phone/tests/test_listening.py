"""Answers that are spoken on the telephone: real signalling and real sound; what hears them is a double here, and real in the last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from everyline.channels.phone.tests.doubles import RealPhone, World, a_line, a_talk, until, world
from everyline.media.sounds import Sound
from everyline.speech.answers import Answers
from everyline.speech.hearing import Ear, Understood
from tests.media.tones import tone
from tests.speech.voice import model, spoken

pytestmark = [pytest.mark.req("V3"), pytest.mark.enable_socket]
KEYS = {"least": 1, "most": 1, "options": {"1": "bill", "2": "leak"}, "person": "0", "again": "*"}
SPEECH = [["Pay my bill", "bill"], ["Report a leak", "leak"]]
DIGITS = {"least": 4, "most": 8, "end": "#", "first_seconds": 10, "next_seconds": 4, "person": "0", "again": "*"}
A_WORD = tone(300, 0.8)


class Hears:
    """What is understood, in its order; None: it cannot be heard now."""

    def __init__(self, *words: str | None, sure: float = 0.9) -> None:
        self.words, self.sure, self.free = list(words), sure, asyncio.Event()
        self.free.set()

    async def __call__(self, sound: bytes, likely: Sequence[str]) -> Understood | None:
        words = self.words.pop(0)
        await self.free.wait()
        return None if words is None else Understood(words, self.sure)


def spoken_line(**asked: Any) -> Any:
    return a_line(spoken_answers=True, **asked)


def in_a_flow(_key: str) -> Any:
    return a_talk("flow")


async def asked(at: World, phone: RealPhone, hears: Hears | None, **turn: Any) -> str:
    """A call in a flow that asks; its key."""
    at.door.answers_heard = hears
    key = await at.begun()
    at.door.asks(key, "What do you need?", **{"keys": KEYS, "speech": SPEECH, **turn})
    await hears_out(at, phone, "What do you need?")
    return key


async def hears_out(at: World, phone: RealPhone, words: str) -> None:
    """Hear words to their end."""
    await until(lambda: words in at.door.said, f"{words} is said")
    await phone.heard_tone(at.door.hertz(words))
    await phone.hears_not(at.door.hertz(words))


async def said(at: World, count: int = 1) -> list[tuple[str, str]]:
    """The answers, once there are so many."""

    def found() -> list[tuple[str, str]]:
        return [(piece.event, piece.text) for piece in at.door.pieces if piece.event in ("said", "keyed")]

    await until(lambda: len(found()) >= count, "it is answered")
    return found()


async def test_an_option_is_said_and_handed_in(tmp_path: Path) -> None:
    async with world(tmp_path, spoken_line(), begins=in_a_flow) as at:
        phone = await at.calls()
        await asked(at, phone, Hears("report a leak"))
        phone.say(A_WORD)
        assert await said(at) == [("said", "2")]
        ((seconds, likely),) = at.door.heard
        assert 0.8 <= seconds < 1.4
        assert likely[:2] == ("Pay my bill", "Report a leak")


async def test_speaking_cuts_off_what_is_played_before_anybody_knows_what_is_said(tmp_path: Path) -> None:
    async with world(tmp_path, spoken_line(), begins=in_a_flow) as at:
        phone = await at.calls()
        at.door.spoken["A long story.", "en"] = Sound.of(tone(1100, 30), name="story")
        hears = at.door.answers_heard = Hears("pay my bill")
        hears.free.clear()
        key = await at.begun()
        at.door.asks(key, "A long story.", keys=KEYS, speech=SPEECH)
        await phone.heard_tone(1100)
        await phone.hears_on(1100)
        await phone.hears_on(1100)  # the line's echo is known after a second
        phone.say(A_WORD)
        await phone.hears_not(1100)
        hears.free.set()
        assert await said(at) == [("said", "1")]


async def test_a_key_comes_first_and_what_is_heard_later_is_nobodys(tmp_path: Path) -> None:
    async with world(tmp_path, spoken_line(), begins=in_a_flow) as at:
        phone = await at.calls()
        hears = Hears("report a leak")
        hears.free.clear()
        key = await asked(at, phone, hears)
        phone.say(A_WORD)
        await until(lambda: bool(at.door.heard), "it is being heard")
        await phone.press("1")
        assert await said(at) == [("keyed", "1")]
        hears.free.set()
        at.door.asks(key, "And now?", keys=KEYS, speech=SPEECH)
        await until(lambda: "And now?" in at.door.said, "it is asked")
        await phone.press("2")
        assert await said(at, 2) == [("keyed", "1"), ("keyed", "2")]


async def test_who_cannot_be_heard_now_is_asked_for_keys(tmp_path: Path) -> None:
    async with world(tmp_path, spoken_line(), begins=in_a_flow) as at:
        phone = await at.calls()
        await asked(at, phone, Hears(None))
        phone.say(A_WORD)
        words = "I cannot listen just now. Please use the keys of your telephone."
        await until(lambda: words in at.door.said, "keys are asked for")
        await phone.press("2")
        assert await said(at) == [("keyed", "2")]


async def test_a_secret_is_never_listened_to(tmp_path: Path) -> None:
    async with world(tmp_path, spoken_line(records="always"), begins=in_a_flow) as at:
        phone = await at.calls()
        await asked(at, phone, Hears(), keys=DIGITS, speech=[], listens="secret", silent_recording=True)
        (call,) = at.telephone.house.calls.values()  # type: ignore[union-attr]  # -- the house is there
        assert call.leg.listener is None
        phone.say(tone(300, 1.5))
        await phone.press("4711#")
        await until(lambda: at.door.secrets == ["4711"], "it is keyed")
        assert at.door.heard == []


@pytest.mark.parametrize(("line", "language"), [(a_line(), "en"), (spoken_line(language="fr"), "fr")])
async def test_where_it_is_off_or_the_language_is_not_known_nothing_is_listened_to(
    tmp_path: Path, line: Any, language: str
) -> None:
    async with world(tmp_path, line, begins=in_a_flow) as at:
        phone = await at.calls()
        at.door.answers_heard = Hears()
        key = await at.begun()
        at.door.asks(key, "What do you need?", keys=KEYS, speech=SPEECH)
        await until(lambda: ("What do you need?", language) in at.door.spoken, "it is asked")
        (call,) = at.telephone.house.calls.values()  # type: ignore[union-attr]  # -- the house is there
        assert call.leg.listener is None
        await phone.press("1")
        assert await said(at) == [("keyed", "1")]
        assert at.door.heard == []


# --- with a voice, and with what hears it


@pytest.mark.timeout(240)
async def test_words_come_over_the_line_as_the_answers_of_a_flow(tmp_path: Path) -> None:
    answers = Answers(Ear(model()), seconds=60)  # the machine of a suite is busy
    found: list[str] = []
    assert answers.knows("en")
    assert not answers.knows("de")
    async with world(tmp_path, spoken_line(), begins=in_a_flow) as at:
        phone = await at.calls()

        async def hear(sound: bytes, likely: Sequence[str]) -> Understood | None:
            one = await answers.hear(sound, "en", likely)
            found.append(f"{one.words} ({one.sure:.2f})")
            return one

        at.door.answers_heard = hear
        key = await at.begun()
        at.door.asks(key, "What do you need?", keys=KEYS, speech=SPEECH)
        await hears_out(at, phone, "What do you need?")
        phone.say(spoken("report a leak"))
        assert await said(at) == [("said", "2")], found
        at.door.asks(key, "Your number?", keys=DIGITS, listens="account", reads_back=True)
        await hears_out(at, phone, "Your number?")
        phone.say(spoken("four one two five five"))
        await until(lambda: "I understood: 4 1 2, 5 5." in at.door.said, "it is read back")
        await hears_out(at, phone, "If that is right, say yes or press 1. Otherwise say no or press 2.")
        phone.say(spoken("yes"))
        assert await said(at, 2) == [("said", "2"), ("said", "41255")], found
        at.door.asks(key, "Anything else?", keys=KEYS, speech=SPEECH)
        await hears_out(at, phone, "Anything else?")
        phone.say(spoken("I would like to speak to an agent"))
        assert (await said(at, 3))[-1] == ("keyed", "0")
    await answers.end()
