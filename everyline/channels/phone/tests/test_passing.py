"""Callers who are passed on before anybody has answered."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from everyline.call_contract import CallState, Deed, LegKind, LegState, Reach
from everyline.channels.phone.tests.doubles import MUSIC, RealPhone, World, a_line, until, world
from everyline.channels.phone.tests.test_orders import CALLER_SAYS, THIRD, THIRD_SAYS, talking
from everyline.channels.phone.tests.test_telephones import by_way_of, hears
from everyline.sip.incoming import IncomingCall
from tests.sip.baresip import Baresip, baresip


def rings_on(call: IncomingCall, _phone: RealPhone) -> None:
    """Nobody answers."""
    call.ring()


@pytest.mark.req("V5")
async def test_an_agent_leaves_while_it_rings_and_whoever_answers_has_the_caller(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        assert await call.ordered(Deed.TRANSFER, number=THIRD) == ""
        await call.stands(LegKind.AGENT, LegState.GONE)
        third = await call.house.rings(THIRD)
        third.talk(THIRD_SAYS)
        await call.caller.heard_tone(THIRD_SAYS, "whoever answered")
        await third.heard_tone(CALLER_SAYS, "the caller")
        assert call.house.door.now(call.key).state is CallState.UP
        await third.hang_up()
        await until(call.caller.ended.is_set, "the caller is hung up on")
        assert call.house.door.again == []
        assert call.house.door.parted == [7], "whoever left is done with it"


@pytest.mark.req("V4", "V5")
async def test_who_is_passed_on_in_vain_waits_where_they_waited(tmp_path: Path) -> None:
    async with talking(tmp_path, ring_seconds=10) as call:
        call.house.answers[THIRD] = rings_on
        assert await call.ordered(Deed.TRANSFER, number=THIRD) == ""
        await call.house.rings(THIRD)
        assert not call.caller.ended.is_set()
        await until(lambda: call.house.door.again == [call.key], "they wait again")
        await call.caller.heard_tone(MUSIC)
        call.house.door.goes(call.key, "talking", agent_id=7)
        await call.agent.heard_tone(CALLER_SAYS, "the caller, who is back")


@pytest.mark.req("V5")
async def test_why_not_is_said_in_the_agents_language(tmp_path: Path) -> None:
    async with talking(tmp_path) as call:
        call.house.door.reaches[7] = Reach(7, "Maya", language="de")
        assert await call.ordered(Deed.HAND_OVER) == "Es ist niemand da, dem der Anruf übergeben werden kann."
        await call.caller.heard_tone(2300.0, "the agent, who is still there")


@contextlib.asynccontextmanager
async def on_a_telephone(folder: Path) -> AsyncIterator[tuple[World, RealPhone, Baresip]]:
    """A caller who talks with an agent on a telephone of their own; the trunk leads to the network again."""
    async with (
        world(folder / "calls", a_line(networks="127.0.0.0/8")) as house,
        baresip(folder / "phone", "ada") as agent,
    ):
        [line] = house.door.open_lines
        await by_way_of(house, agent)
        house.door.reaches[7] = Reach(7, "Maya", f"sip:ada@{agent.host}:{agent.port}")
        caller = await house.calls()
        caller.talk(CALLER_SAYS)
        key = await house.begun()
        house.door.goes(key, "talking", agent_id=7)
        await agent.happens("CALL_INCOMING")
        await agent.told("accept")
        await hears(agent, CALLER_SAYS)
        house.door.open_lines[:] = [line]
        assert house.telephone.house
        exchange = house.telephone.house.exchange
        await until(lambda: [one.trunk.host for one in exchange.trunks] == [line.settings.host])
        house.telephone.house.calls[key].line = line  # as if it had come by that trunk
        yield house, caller, agent


@pytest.mark.req("V5")
async def test_an_agents_own_telephone_passes_a_caller_on(tmp_path: Path) -> None:
    async with on_a_telephone(tmp_path) as (house, caller, agent):
        await agent.told("transfer", f"sip:{THIRD}@127.0.0.1")
        third = await house.rings(THIRD)
        third.talk(THIRD_SAYS)
        await caller.heard_tone(THIRD_SAYS, "whoever answered")
        await agent.happens("CALL_CLOSED")
        assert not caller.ended.is_set()


@pytest.mark.req("V5")
@pytest.mark.parametrize("foreign", [True, False])
async def test_it_passes_nobody_on_to_what_may_not_be_called_or_into_anothers_call(
    tmp_path: Path, foreign: bool
) -> None:
    async with on_a_telephone(tmp_path) as (house, _caller, agent):
        to = "sip:+19005550100@127.0.0.1"
        if foreign:
            assert house.telephone.house
            [call] = house.telephone.house.calls.values()
            assert call.customer.wire
            theirs = call.customer.wire.dialog
            replaces = f"{theirs.call_id};to-tag={theirs.ours.tag};from-tag={theirs.theirs.tag}"
            to = f"sip:{THIRD}@127.0.0.1?Replaces={quote(replaces, safe='')}"
        await agent.told("transfer", to)
        await until(lambda: "transfer failure: 603" in agent.log, "it is refused")
        assert house.rung == {}  # baresip hangs up then by itself
