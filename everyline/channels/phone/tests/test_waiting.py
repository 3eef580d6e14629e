"""Who waits: announcements, calls back, messages, hours."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from everyline.channels.phone.tests.doubles import (
    CALLER,
    MUSIC,
    MUSIC_OF,
    RealPhone,
    World,
    a_line,
    a_talk,
    files_in,
    range_of,
    until,
    world,
)
from everyline.sip.placed import Caller
from tests.media.tones import level

BEEP = 1000.0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announcements without the usual pause before the first."""
    monkeypatch.setattr("everyline.channels.phone.waiting.FIRST_SECONDS", 0.3)


async def spoken(house: World, words: str) -> str:
    """Wait until something that has these words in it was said; all of it."""
    await until(lambda: any(words in one for one in house.door.said), f"“{words}” is said")
    return next(one for one in reversed(house.door.said) if words in one)


@pytest.mark.req("V4")
async def test_place_and_wait_are_told_when_they_changed_and_else_comfort(tmp_path: Path) -> None:
    async with world(
        tmp_path, a_line(announce_seconds=1), begins=lambda _key: a_talk(place=3, wait=range_of(120, 240))
    ) as house:
        caller = await house.calls()
        key = await house.begun()
        words = "You are number 3 in line. The expected wait is 2 to 4 minutes."
        await spoken(house, words)
        await caller.heard_tone(house.door.hertz(words))
        await caller.heard_tone(MUSIC, "music goes on")
        await spoken(house, "Thank you for waiting.")
        assert house.door.said.count(words) == 1
        house.door.goes(key, "waiting", place=1)
        await spoken(house, "You are next.")


@pytest.mark.req("V4")
async def test_who_is_moved_to_another_queue_hears_its_music(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(announce_seconds=1)) as house:
        caller = await house.calls()
        key = await house.begun()
        await caller.heard_tone(MUSIC)
        house.door.goes(key, "waiting", queue="Permits")
        await caller.heard_tone(MUSIC_OF["Permits"])
        await caller.hears_not(MUSIC)
        assert caller.hears(MUSIC_OF["Permits"]), "it goes on"


@pytest.mark.req("V4", "P5")
async def test_who_chose_a_language_waits_in_it(tmp_path: Path) -> None:
    line = a_line(languages="es | 2 | Para español, oprima el dos.")
    async with world(tmp_path, line, begins=lambda _key: a_talk(place=1)) as house:
        caller = await house.calls()
        await until(lambda: len(house.door.said) == 2)
        await caller.press("2")
        await spoken(house, "Usted es el siguiente.")
        assert ("Usted es el siguiente.", "es") in house.door.spoken


@pytest.mark.req("V4")
async def test_a_caller_is_called_back_at_their_number_once_they_confirm_it(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        await spoken(house, "be called back, press 1")
        await caller.press("1")
        assert await spoken(house, "We call you at") == "We call you at 3 6 0, 5 5 5, 0 1 4 2."
        await caller.press("1")
        await until(lambda: house.door.callbacks == [CALLER])
        await spoken(house, "You keep your place")
        await until(caller.ended.is_set)
        await house.settled()
        assert not any("after the tone" in one for one in house.door.said), "nobody asks them for a message"
        assert house.door.ended == [], "the talk goes on until they were called"
        assert house.door.now(key).ended_by == "us"


@pytest.mark.req("V4")
async def test_another_number_is_typed_and_read_back(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls(caller=Caller(CALLER, withheld=True))
        await house.begun()
        await spoken(house, "be called back, press 1")
        await caller.press("1")
        await spoken(house, "Type the number")
        await caller.press("3605550177#")
        assert await spoken(house, "We call you at") == "We call you at 3 6 0, 5 5 5, 0 1 7 7."
        await caller.press("1")
        await until(lambda: house.door.callbacks == ["+13605550177"])


@pytest.mark.req("V4")
async def test_a_premium_number_is_not_called_back(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls(caller=Caller(CALLER, withheld=True))
        await house.begun()
        await spoken(house, "be called back, press 1")
        await caller.press("1")
        await spoken(house, "Type the number")
        await caller.press("9005550177#")
        await spoken(house, "This is no number that we can call.")
        assert house.door.callbacks == []


def sound_of(wav: bytes) -> np.ndarray:
    """The samples of a WAV file of ours."""
    assert struct.unpack_from("<I", wav, 24)[0] == 8000
    return np.frombuffer(wav[44:], np.int16)


async def leaves_words(house: World, caller: RealPhone, hertz: float) -> None:
    """Speak after the tone for a while."""
    await spoken(house, "Please speak after the tone")
    await caller.heard_tone(BEEP, "the tone")
    caller.talk(hertz)
    assert house.telephone.house
    await until(lambda: any(one.seconds > 1.6 for one in house.door.engine.recordings), "it is recorded")


@pytest.mark.req("V4")
async def test_who_waits_leaves_a_message_and_waits_no_more(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        await spoken(house, "To leave a message, press 2")
        await caller.press("2")
        await leaves_words(house, caller, 1900)
        await caller.press("#")
        await until(lambda: house.door.later == [key])
        message = house.door.pieces[-1]
        assert (message.event, message.key, message.number) == ("voicemail", key, CALLER)
        assert message.seconds > 1.5
        assert level(sound_of(message.sound)[4000:], 1900) > 1000
        await spoken(house, "We have your message")
        await until(caller.ended.is_set)
        await house.settled()
        assert house.door.ended == []
        assert files_in(tmp_path, ".wav") == []


@pytest.mark.req("V4")
async def test_a_message_is_kept_when_its_caller_hangs_up_in_it(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        await spoken(house, "To leave a message, press 2")
        await caller.press("2")
        await leaves_words(house, caller, 1900)
        await caller.hang_up()
        await until(lambda: house.door.later == [key])
        assert house.door.pieces[-1].event == "voicemail"
        assert house.door.ended == []


@pytest.mark.req("V4")
async def test_outside_the_hours_closed_words_are_said_and_a_message_is_taken(tmp_path: Path) -> None:
    async with world(tmp_path, begins=lambda _key: a_talk("mail")) as house:
        house.door.is_open = False
        caller = await house.calls()
        await house.begun()
        await spoken(house, "We are closed until nine.")
        await leaves_words(house, caller, 1900)
        await caller.press("#")
        await until(lambda: house.door.events == ["begin", "voicemail"])
        await until(caller.ended.is_set)
        assert house.door.pieces[-1].seconds > 1.5


@pytest.mark.req("V4")
async def test_a_line_without_messages_says_goodbye(tmp_path: Path) -> None:
    line = a_line(voicemail=False, closed_words="Call again on Monday.")
    async with world(tmp_path, line, begins=lambda _key: a_talk("mail")) as house:
        house.door.is_open = False
        caller = await house.calls()
        key = await house.begun()
        await spoken(house, "Call again on Monday.")
        await until(caller.ended.is_set)
        await until(lambda: house.door.ended == [key])
        assert house.door.events == ["begin"]
        assert not any("after the tone" in one for one in house.door.said)


@pytest.mark.req("V4")
async def test_nothing_said_is_no_message(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        await spoken(house, "To leave a message, press 2")
        await caller.press("2")
        await caller.heard_tone(BEEP)
        await until(lambda: bool(house.door.engine.recordings))
        await caller.press("#")
        await until(caller.ended.is_set)
        await until(lambda: house.door.ended == [key])
        assert house.door.events == ["begin"]
