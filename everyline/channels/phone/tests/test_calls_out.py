"""Calls that we make: the agent is there first, hears it ring, and then talks."""

from __future__ import annotations

from pathlib import Path

import pytest

from everyline.call_contract import CallState, Deed, Direction, Keeping, LegKind, Reach
from everyline.channels.phone.call import new_key
from everyline.channels.phone.tests.doubles import NUMBER, RealPhone, a_line, a_talk, until, world
from everyline.sip.incoming import IncomingCall

THEIRS = "+13605550111"


def ring_first(call: IncomingCall, _phone: RealPhone) -> None:
    """Let it ring."""
    call.ring()


@pytest.mark.req("V5")
async def test_an_agent_calls_hears_it_ring_and_talks(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.answers[THEIRS] = ring_first
        agent = house.browser(7)
        agent.talk(2300)
        key = new_key()
        house.door.talks[key] = a_talk("talking", agent_id=7)
        assert await house.door.ordered(key, Deed.PLACE, number="(360) 555-0111", name="Ada") == ""
        house.door.goes(key, "talking", agent_id=7)
        them = await house.rings(THEIRS)
        await agent.heard_tone(440.0, "ringing")
        await until(lambda: house.door.now(key).state is CallState.RINGING)
        assert isinstance(them.call, IncomingCall)
        assert them.call.facts.number == NUMBER
        them.talk(1900)
        them.call.answer(them.description)
        await agent.heard_tone(1900)
        await them.heard_tone(2300)
        now = house.door.now(key)
        assert (now.state, now.direction, now.number) == (CallState.UP, Direction.OUT, THEIRS)
        await them.hang_up()
        await house.settled()
        await until(lambda: house.door.ended == [key])
        assert house.door.now(key).ended_by == "customer"
        assert house.door.pieces == []


@pytest.mark.req("V5")
async def test_what_is_heard_before_an_answer_is_heard_by_the_agent(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.answers[THEIRS] = lambda call, phone: call.ring(phone.description)
        agent = house.browser(7)
        key = new_key()
        assert await house.door.ordered(key, Deed.PLACE, number=THEIRS) == ""
        them = await house.rings(THEIRS)
        them.talk(1900)
        await agent.heard_tone(1900)
        await agent.hears_not(440.0)
        assert house.door.now(key).state is CallState.RINGING


@pytest.mark.req("V5", "V6")
async def test_a_call_out_is_recorded_from_its_answer_on_and_that_is_said(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(records="always")) as house:
        house.answers[THEIRS] = ring_first
        agent = house.browser(7)
        key = new_key()
        assert await house.door.ordered(key, Deed.PLACE, number=THEIRS) == ""
        them = await house.rings(THEIRS)
        await agent.heard_tone(440.0)
        assert house.door.engine.recordings == ()
        assert isinstance(them.call, IncomingCall)
        them.call.answer(them.description)
        await until(lambda: house.door.now(key).keeping is Keeping.ON)
        await until(lambda: "This call may be recorded." in house.door.said)
        words = house.door.hertz("This call may be recorded.")
        await them.heard_tone(words)


@pytest.mark.req("V5")
async def test_who_is_busy_is_said_to_be(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.answers[THEIRS] = lambda call, _phone: call.reject(486)
        agent = house.browser(7)
        key = new_key()
        house.door.talks[key] = a_talk("talking", agent_id=7)
        assert await house.door.ordered(key, Deed.PLACE, number=THEIRS) == ""
        await agent.heard_tone(620.0)
        await house.settled()
        now = house.door.now(key)
        assert (now.state, now.reason, now.answered_at) == (CallState.ENDED, "The line is busy.", None)
        await until(lambda: house.door.ended == [key])


@pytest.mark.req("V5")
async def test_an_agents_own_telephone_rings_first(tmp_path: Path) -> None:
    desk = "+13605550122"
    async with world(tmp_path) as house:
        house.door.reaches[7] = Reach(7, "Maya", number=desk)
        house.answers[desk] = ring_first
        key = new_key()
        assert await house.door.ordered(key, Deed.PLACE, number=THEIRS) == ""
        agent = await house.rings(desk)
        assert THEIRS not in house.rung
        agent.talk(2300)
        assert isinstance(agent.call, IncomingCall)
        agent.call.answer(agent.description)
        them = await house.rings(THEIRS)
        await them.heard_tone(2300)
        await until(lambda: [leg.kind for leg in house.door.now(key).legs] == [LegKind.CUSTOMER, LegKind.AGENT])


@pytest.mark.req("V5")
async def test_an_agent_takes_a_call_back_before_it_is_answered(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.answers[THEIRS] = ring_first
        house.browser(7)
        key = new_key()
        assert await house.door.ordered(key, Deed.PLACE, number=THEIRS) == ""
        them = await house.rings(THEIRS)
        assert await house.door.ordered(key, Deed.HANG_UP) == ""
        await until(them.ended.is_set)
        await house.settled()
        assert house.door.now(key).ended_by == "agent"


@pytest.mark.req("V5")
async def test_calls_that_may_not_be_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        asked = house.door.ordered
        assert await asked(new_key(), Deed.PLACE, number=THEIRS) == "Open the telephone in your browser first."
        house.browser(7)
        assert await asked(new_key(), Deed.PLACE, number="911") != ""
        assert await asked(new_key(), Deed.PLACE, number="+442079460123") == "Numbers of this country are not called."
        assert house.rung == {}
        await house.settled()


@pytest.mark.req("V5")
async def test_a_line_without_a_trunk_calls_nobody(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(host="")) as house:
        house.browser(7)
        refused = await house.door.ordered(new_key(), Deed.PLACE, number=THEIRS)
        assert refused == "The line has no trunk to call by."
