"""Calls that come in: greeted, handed in, waiting with music, talking, hung up by either side."""

from __future__ import annotations

from pathlib import Path

import pytest

from everyline.call_contract import CallState, LegState
from everyline.channels.phone.tests.doubles import CALLER, MUSIC, NUMBER, a_line, a_talk, until, world
from everyline.sip.events import EndReason
from everyline.sip.placed import Caller


@pytest.mark.req("V1", "V4")
async def test_a_caller_is_greeted_waits_with_music_talks_and_hangs_up(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        begin = house.door.pieces[0]
        assert (begin.number, begin.name, begin.dialled, begin.language) == (CALLER, "Ada", NUMBER, "en")
        await caller.heard_tone(MUSIC, "music")
        assert house.door.said[0] == "Thank you for calling Harbor help."
        caller.talk(1900)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900, "the caller")
        await caller.hears_not(MUSIC)
        agent.talk(1500)
        await caller.heard_tone(1500, "the agent")
        await until(lambda: house.door.now(key).talk_id == 1)
        now = house.door.now(key)
        assert (now.state, [leg.state for leg in now.legs]) == (CallState.UP, [LegState.IN, LegState.IN])
        assert now.legs[1].agent_id == 7
        await caller.hang_up()
        await until(lambda: house.door.ended == [key], "the talk is ended")
        await house.settled()
        last = house.door.now(key)
        assert (last.state, last.ended_by, last.reason) == (CallState.ENDED, "customer", "")
        assert house.door.browsers[7].leg.mix is None
        assert not house.door.browsers[7].leg.closed


@pytest.mark.req("V1")
async def test_an_agent_ends_the_talk_and_the_caller_is_hung_up_on(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        house.door.goes(key, "ended", ended_by="agent")
        await until(caller.ended.is_set, "the caller is hung up on")
        await house.settled()
        assert house.door.now(key).ended_by == "agent"
        assert "Thank you for calling. Goodbye." not in house.door.said


@pytest.mark.req("V1")
async def test_a_number_that_is_none_of_ours_is_not_answered(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.dials("+12025550177")
        await until(caller.ended.is_set)
        assert caller.call
        assert caller.call.outcome
        assert caller.call.outcome.reason is EndReason.NOT_FOUND
        assert house.door.pieces == []


@pytest.mark.req("V1")
async def test_who_withholds_the_number_is_somebody_for_this_call(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        await house.calls(caller=Caller(CALLER, withheld=True))
        key = await house.begun()
        assert house.door.pieces[0].number == ""
        await until(lambda: key in house.door.told)
        assert house.door.now(key).number == ""


@pytest.mark.req("V1")
async def test_two_calls_of_one_number_are_two(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        one, other = await house.calls(), await house.calls()
        first, second = await house.begun(1), await house.begun(2)
        assert first != second
        house.browser(7)
        agent = house.browser(8)
        one.talk(1900)
        other.talk(2300)
        house.door.goes(second, "talking", agent_id=8)
        await agent.heard_tone(2300)
        assert not agent.hears(1900)
        await one.hang_up()
        await until(lambda: first in house.door.ended)
        assert agent.hears(2300)


@pytest.mark.req("V1", "V3")
async def test_callers_choose_a_language_by_its_key(tmp_path: Path) -> None:
    line = a_line(languages="es | 2 | Para español, oprima el dos.\nfr | 3 | Pour le français, le trois.")
    async with world(tmp_path, line) as house:
        caller = await house.calls()
        await until(lambda: len(house.door.said) == 3)
        await caller.heard_tone(house.door.hertz("Para español, oprima el dos.", "es"))
        assert house.door.pieces == []
        await caller.press("2")
        await house.begun()
        assert house.door.pieces[0].language == "es"


@pytest.mark.req("V4")
async def test_who_hangs_up_at_once_leaves_no_case_where_the_line_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(short_seconds=30)) as house:
        caller = await house.calls()
        await until(lambda: bool(house.door.told))
        await caller.hang_up()
        await house.settled()
        (key,) = house.door.told
        assert house.door.now(key).state is CallState.ENDED
        assert (house.door.pieces, house.door.ended) == ([], [])


@pytest.mark.req("V1")
async def test_a_talk_that_comes_after_the_caller_has_gone_is_ended(tmp_path: Path) -> None:
    async with world(tmp_path, begins=lambda _key: None) as house:
        caller = await house.calls()
        key = await house.begun()
        await caller.hang_up()
        await house.settled()
        house.door.talks[key] = a_talk()
        await until(lambda: bool(house.door.ended))
        assert house.door.ended == [key]
        assert house.door.now(key).ended_by == "customer"


@pytest.mark.req("V1")
async def test_a_door_that_is_out_of_order_is_apologised_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.AGAIN", (0.0, 0.05))
    async with world(tmp_path) as house:
        house.door.refuses = [OSError("no database")] * 2
        caller = await house.calls()
        await until(caller.ended.is_set, "they are sent away")
        await house.settled()
        assert any("cannot take your call" in words for words in house.door.said)
        (key,) = house.door.told
        assert (house.door.now(key).ended_by, house.door.now(key).reason) == ("us", "The call could not be taken in.")


@pytest.mark.req("V1")
async def test_a_door_that_comes_back_in_time_is_not_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.AGAIN", (0.0, 0.05, 0.05))
    async with world(tmp_path) as house:
        house.door.refuses = [OSError("no database")] * 2
        caller = await house.calls()
        await house.begun()
        await caller.heard_tone(MUSIC)
        assert house.door.refuses == [], "it was out of order twice"
        assert not any("cannot take your call" in words for words in house.door.said)
