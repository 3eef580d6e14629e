"""What agents and supervisors do in a call, by what everybody hears."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from everyline.call_contract import CallState, Deed, Heard, Keeping, LegKind, LegNow, LegState, Reach, Traced
from everyline.channels.phone.tests.doubles import MUSIC, RealPhone, World, a_line, until, world
from everyline.sip.incoming import IncomingCall

CALLER_SAYS, AGENT_SAYS, THIRD_SAYS = 1900.0, 2300.0, 2700.0
RINGING = 480.0  # one tone of it
THIRD = "+13605550111"


@dataclass
class Talking:
    """A caller and an agent who talk."""

    house: World
    key: str
    caller: RealPhone
    agent: RealPhone

    async def ordered(self, deed: Deed, agent_id: int = 7, **values: Any) -> str:
        """An order, and why it was refused."""
        return await self.house.door.ordered(self.key, deed, agent_id, **values)

    def leg(self, kind: LegKind, agent_id: int | None = None) -> LegNow:
        """How a leg stands, as it was told last."""
        legs = self.house.door.now(self.key).legs
        return [one for one in legs if one.kind is kind and (agent_id is None or one.agent_id == agent_id)][-1]

    async def stands(self, kind: LegKind, state: LegState, agent_id: int | None = None) -> None:
        """Wait until a leg is told to stand so."""

        def so() -> bool:
            with contextlib.suppress(IndexError):
                return self.leg(kind, agent_id).state is state
            return False

        await until(so, f"{kind} is {state}")


@contextlib.asynccontextmanager
async def talking(folder: Path, **asked: Any) -> AsyncIterator[Talking]:
    """A call that an agent has."""
    async with world(folder, a_line(**asked)) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(CALLER_SAYS)
        agent.talk(AGENT_SAYS)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(CALLER_SAYS)
        await caller.heard_tone(AGENT_SAYS)
        yield Talking(house, key, caller, agent)


@pytest.mark.req("V5")
async def test_on_hold_the_caller_hears_music_and_is_not_heard(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.HOLD) == ""
        await call.caller.heard_tone(MUSIC)
        await call.caller.hears_not(AGENT_SAYS)
        await call.agent.hears_not(CALLER_SAYS)
        await call.stands(LegKind.CUSTOMER, LegState.HELD)
        assert await call.ordered(Deed.RESUME) == ""
        await call.caller.heard_tone(AGENT_SAYS)
        await call.caller.hears_not(MUSIC)
        await call.agent.heard_tone(CALLER_SAYS)


@pytest.mark.req("V5")
async def test_who_is_muted_is_not_heard(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.MUTE) == ""
        await call.caller.hears_not(AGENT_SAYS)
        await until(lambda: call.leg(LegKind.AGENT).muted)
        assert await call.ordered(Deed.UNMUTE) == ""
        await call.caller.heard_tone(AGENT_SAYS)
        assert await call.ordered(Deed.MUTE, leg="customer") == ""
        await call.agent.hears_not(CALLER_SAYS)


@pytest.mark.req("V5")
async def test_a_mute_does_not_outlast_the_call(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        await call.ordered(Deed.MUTE)
        await call.caller.hang_up()
        await call.house.settled()
        assert not call.house.door.browsers[7].leg.muted


@pytest.mark.req("V5")
async def test_keys_reach_the_caller_as_events(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.PRESS, keys="4#") == ""
        await until(lambda: {p.payload[0] for p in call.caller.packets if p.payload_type == 101} == {4, 11})
        assert await call.ordered(Deed.PRESS, keys="x") == "Only digits, * and # can be pressed."


@pytest.mark.req("V5")
async def test_somebody_is_asked_apart_then_all_talk_then_the_agent_leaves(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        house = call.house
        house.answers[THIRD] = _rings_first
        assert await call.ordered(Deed.CONSULT, number=THIRD, name="Interpreter") == ""
        third = await house.rings(THIRD)
        await call.caller.heard_tone(MUSIC)
        await call.agent.heard_tone(440.0, "it rings")
        third.talk(THIRD_SAYS)
        assert third.call
        assert isinstance(third.call, IncomingCall)
        third.call.answer(third.description)
        await call.agent.heard_tone(THIRD_SAYS)
        await third.heard_tone(AGENT_SAYS)
        await third.hears_not(CALLER_SAYS)
        assert not call.caller.hears(THIRD_SAYS)
        await call.stands(LegKind.GUEST, LegState.APART)
        assert call.leg(LegKind.GUEST).shown == "Interpreter"
        assert await call.ordered(Deed.JOIN) == ""
        await call.caller.heard_tone(THIRD_SAYS)
        await third.heard_tone(CALLER_SAYS)
        await call.agent.heard_tone(CALLER_SAYS)
        await call.stands(LegKind.GUEST, LegState.IN)
        assert await call.ordered(Deed.HAND_OVER) == ""
        await call.caller.hears_not(AGENT_SAYS)
        await until(lambda: house.door.parted == [7], "whoever left is done with it")
        house.door.goes(call.key, "ended", ended_by="agent")
        await third.hears_on(CALLER_SAYS)
        assert house.telephone.house
        assert call.key in house.telephone.house.calls
        await third.hang_up()
        await until(call.caller.ended.is_set, "the caller is hung up on when nobody is left")
        await house.settled()


def _rings_first(call: IncomingCall, _phone: RealPhone) -> None:
    call.ring()


@pytest.mark.req("V5")
async def test_a_third_comes_in_at_once_and_is_dropped(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.ADD, number=THIRD) == ""
        third = await call.house.rings(THIRD)
        third.talk(THIRD_SAYS)
        await call.caller.heard_tone(THIRD_SAYS)
        await third.heard_tone(CALLER_SAYS)
        await call.stands(LegKind.GUEST, LegState.IN)
        assert await call.ordered(Deed.DROP, leg=call.leg(LegKind.GUEST).name) == ""
        await until(third.ended.is_set)
        await call.caller.hears_not(THIRD_SAYS)
        await call.caller.heard_tone(AGENT_SAYS)


@pytest.mark.req("V5")
async def test_a_third_who_is_busy_is_said_to_be_and_the_agent_hears_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        call.house.answers[THIRD] = lambda ringing, _phone: ringing.reject(486)
        assert await call.ordered(Deed.CONSULT, number=THIRD) == ""
        await call.stands(LegKind.GUEST, LegState.GONE)
        await until(lambda: call.leg(LegKind.GUEST).remark == "The line is busy.")
        await call.agent.heard_tone(620.0, "the tone of no success")
        assert await call.ordered(Deed.RESUME) == ""
        await call.caller.heard_tone(AGENT_SAYS)


@pytest.mark.req("V5")
@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("911", "Emergency numbers cannot be called from here. Use a telephone that shows where you are."),
        ("+19005550177", "Premium-rate numbers are not called."),
        ("+882160000000", ""),
        ("somebody", "This is no telephone number."),
        ("", "Say whom to call."),
    ],
)
async def test_what_may_not_be_called_is_refused(tmp_path: Path, number: str, words: str) -> None:
    async with talking(tmp_path) as call:
        refused = await call.ordered(Deed.ADD, number=number)
        assert refused == words or (not words and refused)
        assert len(call.house.door.now(call.key).legs) == 2


@pytest.mark.req("V5")
async def test_another_agent_is_asked_and_then_has_the_call(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        other = call.house.browser(8)
        other.talk(THIRD_SAYS)
        assert await call.ordered(Deed.CONSULT, **{"with": 8}) == ""
        await call.caller.heard_tone(MUSIC)
        await call.agent.heard_tone(RINGING, "how it rings there")
        assert call.house.door.browsers[8].leg.mix is None
        assert await call.ordered(Deed.ANSWER, 8) == ""
        await call.agent.heard_tone(THIRD_SAYS)
        await other.heard_tone(AGENT_SAYS)
        assert not call.caller.hears(THIRD_SAYS)
        assert await call.ordered(Deed.HAND_OVER) == ""
        await until(lambda: call.house.door.given == [8], "the talk is theirs")
        assert call.house.door.parted == []
        await call.caller.heard_tone(THIRD_SAYS)
        await other.heard_tone(CALLER_SAYS)
        await call.caller.hears_not(AGENT_SAYS)
        await call.agent.hears_not(CALLER_SAYS)
        assert call.house.door.browsers[7].leg.mix is None


@pytest.mark.req("V5")
async def test_a_colleague_declines_or_is_not_there(tmp_path: Path) -> None:
    async with talking(tmp_path, ring_seconds=10) as call:
        call.house.browser(8)

        def asked() -> list[tuple[LegState, str]]:
            return [(leg.state, leg.remark) for leg in call.house.door.now(call.key).legs if leg.agent_id == 8]

        assert await call.ordered(Deed.ADD, **{"with": 8}) == ""
        await until(lambda: asked() == [(LegState.RINGING, "")])
        assert await call.ordered(Deed.DROP, 8, leg=call.leg(LegKind.AGENT, 8).name) == ""
        await until(lambda: asked() == [(LegState.GONE, "They do not take the call.")])
        assert await call.ordered(Deed.TRANSFER, **{"with": 8}) == ""
        await until(lambda: call.house.door.again == [call.key], "they wait again")
        assert asked()[1:] == [(LegState.GONE, "Nobody answers.")]
        assert call.house.door.given == []


@pytest.mark.req("V5")
async def test_a_call_that_goes_back_to_the_queue_hears_music_until_the_next(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        other = call.house.browser(8)
        other.talk(THIRD_SAYS)
        call.house.door.goes(call.key, "waiting")
        await call.caller.heard_tone(MUSIC)
        await call.agent.hears_not(CALLER_SAYS)
        call.house.door.goes(call.key, "talking", agent_id=8)
        await call.caller.heard_tone(THIRD_SAYS)
        await call.caller.hears_not(MUSIC)
        assert call.caller.hears(THIRD_SAYS)
        assert call.house.door.browsers[7].leg.mix is None


@pytest.mark.req("V5")
async def test_a_supervisor_listens_whispers_and_is_heard(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        boss = call.house.browser(9)
        boss.talk(THIRD_SAYS)
        assert await call.ordered(Deed.LISTEN, 9) == ""
        await boss.heard_tone(CALLER_SAYS)
        await boss.heard_tone(AGENT_SAYS)
        assert not call.agent.hears(THIRD_SAYS)
        assert call.leg(LegKind.SUPERVISOR).heard is Heard.NOBODY
        assert await call.ordered(Deed.WHISPER, 9) == ""
        await call.agent.heard_tone(THIRD_SAYS)
        assert not call.caller.hears(THIRD_SAYS)
        await until(lambda: call.leg(LegKind.SUPERVISOR).heard is Heard.AGENT)
        assert await call.ordered(Deed.BARGE, 9) == ""
        await call.caller.heard_tone(THIRD_SAYS)
        await until(lambda: call.leg(LegKind.SUPERVISOR).heard is Heard.ALL)
        assert await call.ordered(Deed.LEAVE, 9) == ""
        await call.caller.hears_not(THIRD_SAYS)
        await boss.hears_not(CALLER_SAYS)


@pytest.mark.req("V5")
async def test_an_agents_telephone_is_called(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.door.reaches[7] = Reach(7, "Maya", number=THIRD)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(CALLER_SAYS)
        house.door.goes(key, "talking", agent_id=7)
        agent = await house.rings(THIRD)
        agent.talk(AGENT_SAYS)
        await agent.heard_tone(CALLER_SAYS)
        await caller.heard_tone(AGENT_SAYS)
        await agent.hang_up()
        await until(caller.ended.is_set, "hanging up their telephone ends the call")
        await house.settled()
        assert house.door.now(key).ended_by == "agent"
        assert house.door.ended == [key]


@pytest.mark.req("V5")
async def test_a_page_that_is_loaded_anew_comes_back_into_the_call(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        before = call.house.door.browsers.pop(7)
        await call.stands(LegKind.AGENT, LegState.RINGING)
        await until(lambda: call.leg(LegKind.AGENT).remark == "Their browser is not there.")
        await call.caller.heard_tone(MUSIC)
        before.leg.close()
        again = call.house.browser(7)
        again.talk(THIRD_SAYS)
        await call.caller.heard_tone(THIRD_SAYS)
        await again.heard_tone(CALLER_SAYS)
        await call.caller.hears_not(MUSIC)
        await call.stands(LegKind.AGENT, LegState.IN)
        assert call.leg(LegKind.AGENT).remark == ""


@pytest.mark.req("V5")
async def test_an_agent_hangs_up(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.HANG_UP) == ""
        await until(call.caller.ended.is_set)
        await call.house.settled()
        now = call.house.door.now(call.key)
        assert (now.state, now.ended_by) == (CallState.ENDED, "agent")


@pytest.mark.req("V5")
async def test_orders_that_cannot_be_are_refused(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.HOLD, 8) == "You are not in this call."
        assert await call.ordered(Deed.HAND_OVER) == "Nobody is there to hand the call over to."
        assert await call.ordered(Deed.DROP, leg="guest-9") == "They are not in this call any more."
        assert await call.ordered(Deed.LISTEN, 9) == "Open the telephone in your browser first."
        assert await call.ordered(Deed.LISTEN, 7) == "You talk in this call already."
        assert await call.ordered(Deed.CONSULT, **{"with": 8}) == "They have no telephone open in their browser."
        assert await call.house.door.ordered("0" * 24, Deed.HOLD) == "This call is over."


@pytest.mark.req("V6")
async def test_a_recording_is_paused_and_goes_on_by_hand(tmp_path: Path) -> None:
    async with talking(tmp_path, records="always") as call:
        await until(lambda: call.house.door.now(call.key).keeping is Keeping.ON)
        assert await call.ordered(Deed.PAUSE) == ""
        await until(lambda: call.house.door.now(call.key).keeping is Keeping.PAUSED)
        assert await call.ordered(Deed.GO_ON) == ""
        await until(lambda: call.house.door.now(call.key).keeping is Keeping.ON)


@pytest.mark.req("V2", "P3")
async def test_what_was_said_on_the_wire_is_told_while_a_call_lasts_and_after(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        assert await talk.ordered(Deed.ADD, number=THIRD) == ""
        await talk.house.rings(THIRD)
        await talk.stands(LegKind.GUEST, LegState.IN)
        door = talk.house.door
        assert await talk.ordered(Deed.TRACE) == ""
        told = Traced.model_validate_json(door.answers[max(door.answers)])
        assert [one.name for one in told.wires] == ["customer", "guest-1"], "a browser has no wire"
        caller, guest = told.wires
        assert [(one.ours, one.text.split()[0 if one.text[:3] != "SIP" else 1]) for one in caller.messages] == [
            (False, "INVITE"),
            (True, "100"),
            (True, "200"),
            (False, "ACK"),
        ]
        assert guest.messages[0].ours
        assert guest.messages[0].text.startswith("INVITE")
        await talk.caller.hang_up()
        await talk.house.settled()
        assert await talk.ordered(Deed.TRACE) == ""
        after = Traced.model_validate_json(door.answers[max(door.answers)])
        assert any(one.text.startswith("BYE") for one in after.wires[0].messages)
        assert "not kept" in await door.ordered("another", Deed.TRACE)
