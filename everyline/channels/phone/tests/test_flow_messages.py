"""A flow that takes a message: its words, a tone, what is said, and then it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from everyline.channels.phone.effects import Person, Play, Record, StopPlaying
from everyline.channels.phone.tests.doubles import RealPhone, World, a_talk, files_in, until, world
from everyline.channels.phone.tests.test_dialogue import Caller
from everyline.channels.phone.tests.test_turns import MENU, in_flow
from everyline.channels.phone.tests.test_waiting import BEEP, sound_of
from tests.media.tones import level

pytestmark = pytest.mark.req("V3", "V4")
KEYS = {"least": 0, "most": 0, "end": "#", "options": {}, "person": "0", "again": "*"}
WORDS = "Tell us what is broken."
GOODBYE = "Thank you for calling. Goodbye."


def spoken(**more: Any) -> dict[str, Any]:
    return {"prompts": [WORDS, "Speak after the tone."], "keys": KEYS, "records": 60, **more}


def test_after_its_words_they_speak() -> None:
    caller = Caller(spoken())
    assert caller.said == [WORDS, "Speak after the tone."]
    assert caller.listen() == [Record(60)]
    assert caller.dialogue.done


def test_who_knows_the_words_speaks_at_once_and_hears_them_again_or_a_person() -> None:
    assert Caller(spoken()).press("#") == [StopPlaying(), Record(60)]
    again = Caller(spoken())
    assert again.press("*") == [StopPlaying(), Play((WORDS, "Speak after the tone."))]
    assert Caller(spoken()).press("0") == [StopPlaying(), Person()]
    other = Caller(spoken())
    other.press("7")
    assert other.said[0] == "That key means nothing here."
    assert other.listen() == [Record(60)]


def test_a_key_that_ended_what_was_before_does_not_cut_the_words_off() -> None:
    caller = Caller(spoken(), ahead="#")
    assert caller.said == [WORDS, "Speak after the tone."]
    assert Caller(spoken(prompts=[])).effects == [Record(60)], "no words are no reason to be stuck"


async def speaks(house: World, *, hertz: float = 1900.0, **more: Any) -> tuple[RealPhone, str]:
    """A caller is asked by a flow for a message, and speaks."""
    caller = await house.calls()
    key = await house.begun()
    house.door.asks(key, WORDS, keys=KEYS, **{"records": 60, **more})
    await until(lambda: WORDS in house.door.said)
    await caller.heard_tone(house.door.hertz(WORDS))
    await caller.heard_tone(BEEP, "the tone")
    await until(lambda: bool(house.door.engine.recordings))
    caller.talk(hertz)
    return caller, key


async def heard_for(house: World, seconds: float) -> None:
    """Wait until so much was said."""
    (recording,) = house.door.engine.recordings
    await until(lambda: recording.seconds > seconds)


async def test_a_message_is_the_answer_and_the_flow_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller, key = await speaks(house)
        await heard_for(house, 1.6)
        await caller.press("#")
        await until(lambda: house.door.events == ["begin", "voicemail"])
        assert level(sound_of(house.door.pieces[1].sound)[4000:], 1900) > 1000
        caller.say(caller.voice[:0])
        house.door.asks(key, "Is there more?", keys=MENU, talk=a_talk("mail", in_flow=True))
        await until(lambda: "Is there more?" in house.door.said)
        await caller.press("2")
        await until(lambda: house.door.events == ["begin", "voicemail", "keyed"])
        assert not any("Nobody is free" in one for one in house.door.said), "it is the flow that has them"
        house.door.asks(key, "We call you back.", talk=a_talk("mail"))
        await until(lambda: GOODBYE in house.door.said)
        assert house.door.said.index("We call you back.") < house.door.said.index(GOODBYE)
        await until(caller.ended.is_set)
        await house.settled()
        assert house.door.ended == [], "it waits for an answer"
        assert files_in(tmp_path, "") == []


async def test_it_ends_with_the_time_that_the_step_gives(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        await speaks(house, records=2)
        await until(lambda: house.door.events == ["begin", "voicemail"])
        assert 1 <= house.door.pieces[1].seconds < 3


async def test_who_hangs_up_in_it_has_left_it(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller, _key = await speaks(house)
        await heard_for(house, 1.6)
        await caller.hang_up()
        await until(lambda: house.door.events == ["begin", "voicemail"])
        await house.settled()
        assert house.door.ended == []


async def test_who_says_nothing_is_asked_again_and_then_goes_to_a_person(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.asks(key, WORDS, keys=KEYS, records=60)
        for number in (1, 2):
            await caller.heard_tone(BEEP, "the tone")
            await until(lambda: bool(house.door.engine.recordings))
            await caller.press("#")
            await until(lambda: house.door.said.count("We did not hear a message.") == number)  # noqa: B023 -- asked at once
        await until(lambda: house.door.events == ["begin", "keyed"])
        assert house.door.pieces[1].text == "0"
        assert files_in(tmp_path, "") == []


async def test_who_waits_for_a_person_after_it_and_hangs_up_waits_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller, key = await speaks(house)
        await heard_for(house, 1.6)
        await caller.press("#")
        await until(lambda: house.door.events == ["begin", "voicemail"])
        house.door.asks(key, "Somebody comes.", talk=a_talk("waiting", place=1))
        await until(lambda: "Somebody comes." in house.door.said)
        await caller.heard_tone(330.0, "music")
        await caller.hang_up()
        await until(lambda: house.door.ended == [key])
        await house.settled()
        assert house.door.events == ["begin", "voicemail"], "their words came in once, and nothing else"
