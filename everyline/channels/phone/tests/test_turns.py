"""Turns of a flow in a call: prompts are heard, keys answer, secrets stay secret."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from everyline.call_contract import Keeping
from everyline.channels.phone.tests.doubles import MUSIC, a_line, a_talk, until, world

MENU = {
    "least": 1,
    "most": 1,
    "end": "",
    "options": {"1": "bill", "2": "leak"},
    "first_seconds": 5.0,
    "next_seconds": 3.0,
}
DIGITS = {"least": 4, "most": 4, "end": "", "options": {}, "first_seconds": 5.0, "next_seconds": 3.0}
SECRET = "97531864"  # long enough to stand in no number or moment by chance


def in_flow(_key: str) -> Any:
    """A talk that a flow answers: it waits in no queue."""
    return a_talk("talking", in_flow=True)


@pytest.mark.req("V3")
async def test_a_turn_is_heard_and_answered_by_a_key_and_then_the_caller_waits(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.asks(key, "What is it about?", "For bills, press 1.", keys=MENU, person="0")
        await until(lambda: "For bills, press 1." in house.door.said)
        await caller.heard_tone(house.door.hertz("For bills, press 1."))
        await caller.press("1")
        await until(lambda: house.door.events == ["begin", "keyed"])
        assert (house.door.pieces[1].text, house.door.pieces[1].key) == ("1", key)
        house.door.asks(key, "Somebody will be with you.", talk=a_talk("waiting", place=2))
        await until(lambda: "Somebody will be with you." in house.door.said)
        await caller.heard_tone(house.door.hertz("Somebody will be with you."), "the last words before waiting")
        await caller.heard_tone(MUSIC)


@pytest.mark.req("V3")
async def test_a_key_cuts_the_words_off(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.asks(key, *(f"Word {n}." for n in range(20)), keys=MENU)
        await until(lambda: "Word 1." in house.door.said)
        await caller.heard_tone(house.door.hertz("Word 1."))
        await caller.press("2")
        await until(lambda: house.door.events == ["begin", "keyed"], seconds=4)
        await caller.hears_not(house.door.hertz("Word 1."))
        assert house.door.pieces[1].text == "2"


@pytest.mark.req("V3")
async def test_keys_pressed_ahead_answer_what_comes(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        await caller.press("21")
        house.door.asks(key, "First?", keys=MENU)
        await until(lambda: house.door.events.count("keyed") == 1)
        house.door.asks(key, "Second?", keys=MENU)
        await until(lambda: house.door.events.count("keyed") == 2)
        assert [piece.text for piece in house.door.pieces[1:]] == ["2", "1"]


@pytest.mark.req("V3")
async def test_keys_are_heard_in_the_sound_where_events_are_not_spoken(tmp_path: Path) -> None:
    from everyline.media import dtmf

    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls(keys=False)
        key = await house.begun()
        house.door.asks(key, "First?", keys=MENU)
        await until(lambda: "First?" in house.door.said)
        caller.say(dtmf.tones("2", 0.2))
        await until(lambda: house.door.events.count("keyed") == 1)
        assert house.door.pieces[1].text == "2"


@pytest.mark.req("V3", "V6")
async def test_a_secret_is_recorded_and_written_down_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with world(tmp_path, a_line(records="always"), begins=in_flow) as house:
        house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        house.door.goes(key, "talking", agent_id=7)
        await until(lambda: key in house.door.told and house.door.now(key).keeping is Keeping.ON)
        house.door.goes(key, "waiting", in_flow=True)  # the agent let a flow ask
        house.door.asks(key, "Type your code.", keys={**DIGITS, "least": 8, "most": 8}, silent_recording=True)
        await until(lambda: house.door.now(key).keeping is Keeping.PAUSED)
        await caller.press(SECRET)
        await until(lambda: house.door.secrets == [SECRET])
        house.door.goes(key, "talking", agent_id=7)
        await until(lambda: house.door.now(key).keeping is Keeping.ON)
        await caller.hang_up()
        await until(lambda: bool(house.door.kept))
        recorded, _content = house.door.kept[0]
        assert "secret" in {why for _from, _to, why in recorded.marks}
        assert house.door.events == ["begin"]
        assert SECRET not in caplog.text + str(house.door.pieces) + str(house.door.told)


@pytest.mark.req("V3")
async def test_who_wants_a_person_says_so_by_zero(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.asks(key, "First?", keys={**MENU, "person": "0"})
        await until(lambda: "First?" in house.door.said)
        await caller.press("0")
        await until(lambda: house.door.events == ["begin", "keyed"])
        assert house.door.pieces[1].text == "0"


@pytest.mark.req("V3")
async def test_an_agent_who_takes_over_cuts_a_turn_off(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.asks(key, *(f"Word {n}." for n in range(20)), keys=MENU)
        await until(lambda: "Word 1." in house.door.said)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        await until(lambda: not house.door.engine._prompted)
        assert house.door.events == ["begin"], "nobody waits for a key any more"


@pytest.mark.req("V3")
async def test_the_last_words_of_a_flow_are_heard_before_the_call_ends(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.asks(key, "Your bill is paid.", talk=a_talk("ended", ended_by="idle"))
        await until(lambda: "Your bill is paid." in house.door.said)
        await caller.heard_tone(house.door.hertz("Your bill is paid."))
        await until(lambda: "Thank you for calling. Goodbye." in house.door.said)
        await until(caller.ended.is_set)
        await house.settled()
        assert house.door.now(key).ended_by == "us"


@pytest.mark.req("V3")
async def test_an_answer_that_cannot_be_kept_is_apologised_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.channels.phone.turns.AGAIN", (0.0, 0.05))
    async with world(tmp_path, begins=in_flow) as house:
        caller = await house.calls()
        key = await house.begun()
        house.door.refuses = [OSError("no database")] * 2
        house.door.asks(key, "First?", keys=MENU)
        await until(lambda: "First?" in house.door.said)
        await caller.press("1")
        await until(caller.ended.is_set)
        assert any("cannot take your call" in words for words in house.door.said)
