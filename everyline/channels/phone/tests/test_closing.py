"""The process is to end while calls go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from everyline.call_contract import CallState, Deed, Drains
from everyline.channels.phone.tests.doubles import MUSIC, a_line, until, world
from everyline.channels.phone.tests.test_orders import AGENT_SAYS, THIRD, talking
from everyline.sip.events import EndReason
from tests.sip.peers import stranger

SORRY = "I am sorry, we have to end this call now. Please call again in a few minutes."
LONG = 60.0  # longer than any of these calls


@pytest.mark.req("V1")
async def test_no_new_calls_are_taken_and_one_that_goes_on_comes_to_its_end(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        telephone, house = call.house.telephone, call.house.telephone.house
        assert isinstance(telephone, Drains)
        assert house
        closing = asyncio.create_task(telephone.drain(LONG))
        await until(lambda: house.closing)
        other = await call.house.dials()
        await until(other.ended.is_set, "another caller is refused")
        assert (other.events[-1].code, other.events[-1].reason) == (503, EndReason.CONGESTED)  # type: ignore[attr-defined]  # -- an Ended
        await call.caller.hears_on(AGENT_SAYS)
        assert await call.ordered(Deed.HOLD) == ""
        assert await call.ordered(Deed.RESUME) == ""
        assert not closing.done()
        await call.caller.hang_up()
        await closing
        assert call.house.door.now(call.key).ended_by == "customer"
        assert SORRY not in call.house.door.said


@pytest.mark.req("V1")
async def test_who_asks_whether_we_are_there_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(networks="127.0.0.0/8")) as house:
        assert house.telephone.house
        async with stranger(house.telephone.house.exchange.port) as edge:
            edge.send(edge.request("OPTIONS", call="before"))
            assert await edge.hears() == [200]
            await house.telephone.drain(LONG)
            edge.send(edge.request("OPTIONS", call="after"))
            edge.send(edge.request("INVITE", call="late"))
            await until(lambda: edge.codes.count(503) == 2, "both are refused")
        refused = [
            one.decode() for one in edge.rogue.answers if b"CSeq: 1 INVITE" in one and one.startswith(b"SIP/2.0 503")
        ]
        assert "retry-after: 10" in refused[0].lower()


@pytest.mark.req("V1", "V4")
async def test_who_still_waits_at_the_end_hears_that_we_are_sorry(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        await caller.heard_tone(MUSIC)
        closing = asyncio.create_task(house.telephone.drain(0.3))
        await until(lambda: SORRY in house.door.said)
        await caller.heard_tone(house.door.hertz(SORRY), "that we are sorry")
        await closing
        await until(caller.ended.is_set, "the caller is hung up on")
        last = house.door.now(key)
        assert (last.state, last.ended_by) == (CallState.ENDED, "us")
        assert last.reason == "The telephone was stopped while this call went on."
        await house.settled()


@pytest.mark.req("V1", "V5")
async def test_a_conversation_that_does_not_end_is_ended_and_none_is_begun(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert call.house.telephone.house
        closing = asyncio.create_task(call.house.telephone.drain(0.5))
        await until(lambda: call.house.telephone.house is not None and call.house.telephone.house.closing)
        refused = await call.house.door.ordered("f" * 24, Deed.PLACE, number=THIRD)
        assert refused == "The telephone is being stopped. Please try again in a minute."
        await closing
        await until(call.caller.ended.is_set, "the caller is hung up on")
        assert call.house.door.now(call.key).ended_by == "us"
        assert SORRY not in call.house.door.said
        assert THIRD not in call.house.rung


@pytest.mark.req("V1")
async def test_a_message_that_is_being_left_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(voicemail=True)) as house:
        house.door.is_open = False
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.goes(key, "mail")
        await until(lambda: bool(house.door.engine.recordings), "a message is recorded")
        recording = next(iter(house.door.engine.recordings))
        await until(lambda: recording.seconds > 1.2, "there is something to keep")
        await house.telephone.drain(0.1)
        await until(lambda: "voicemail" in house.door.events, "the message is kept")
        assert SORRY not in house.door.said
