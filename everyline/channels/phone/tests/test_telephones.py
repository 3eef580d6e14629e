"""Telephones that others made call us, and are called as agents' own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from everyline.call_contract import CallState, Deed, Reach
from everyline.channels.phone.tests.doubles import (
    CALLER,
    FAR,
    MUSIC,
    NUMBER,
    RealPhone,
    World,
    a_line,
    a_talk,
    until,
    world,
)
from everyline.channels.phone.tests.test_turns import MENU, in_flow
from everyline.media.codecs import G722
from tests.media.tones import level, tone
from tests.sip.baresip import Baresip, baresip
from tests.sip.linphone import Linphone, linphone

AGENT_SAYS, CALLER_SAYS = 2300.0, 1900.0
QUIET = 60.0


async def hears(phone: Baresip | Linphone, hertz: float) -> None:
    """Wait until it hears this tone."""

    def so() -> bool:
        found = phone.heard()
        return len(found) > 2400 and level(found, hertz) > 400

    await until(so, f"{hertz} Hz is heard")


async def hears_not(phone: Baresip | Linphone, hertz: float) -> None:
    """Wait until it hears this tone no more."""
    await until(lambda: len(phone.heard()) > 2400 and level(phone.heard(), hertz) < QUIET, f"no more {hertz} Hz")


def at(house: World) -> str:
    """The house's number, at its address."""
    assert house.telephone.house
    return f"sip:{NUMBER}@127.0.0.1:{house.telephone.house.exchange.port}"


async def goes_through(
    house: World, caller: Baresip | Linphone, agent: RealPhone, key: str, press: Callable[[], Awaitable[object]]
) -> None:
    """The caller hears a menu, presses 1 by ``press``, waits with music, talks, is held, and talks again."""
    house.door.asks(key, "For bills, press 1.", keys=MENU)
    await until(lambda: "For bills, press 1." in house.door.said)
    await hears(caller, house.door.hertz("For bills, press 1."))
    await press()
    await until(lambda: "keyed" in house.door.events, "the key is heard")
    assert house.door.pieces[-1].text == "1"
    house.door.asks(key, "Somebody will be with you.", talk=a_talk("waiting"))
    await hears(caller, MUSIC)
    house.door.goes(key, "talking", agent_id=7)
    await hears(caller, AGENT_SAYS)
    await agent.heard_tone(CALLER_SAYS, "the caller")
    assert await house.door.ordered(key, Deed.HOLD) == ""
    await hears(caller, MUSIC)
    await agent.hears_not(CALLER_SAYS)
    assert await house.door.ordered(key, Deed.RESUME) == ""
    await hears(caller, AGENT_SAYS)
    await agent.heard_tone(CALLER_SAYS)


@pytest.mark.req("V1", "V3", "V5")
async def test_baresip_calls_presses_keys_is_held_and_hangs_up(tmp_path: Path) -> None:
    async with (
        world(tmp_path / "calls", a_line(networks="127.0.0.1"), begins=in_flow) as house,
        baresip(tmp_path / "phone", CALLER, says=CALLER_SAYS) as caller,
    ):
        agent = house.browser(7)
        agent.talk(AGENT_SAYS)
        await caller.told("dial", at(house))
        await caller.happens("CALL_ESTABLISHED")
        key = await house.begun()
        assert house.door.pieces[0].number == CALLER
        await goes_through(house, caller, agent, key, lambda: caller.told("sndcode", "1"))
        await caller.told("hold")
        await until(lambda: house.door.now(key).legs[0].remark == "They have put us on hold.")
        await agent.hears_not(CALLER_SAYS)
        await caller.told("resume")
        await agent.heard_tone(CALLER_SAYS)
        await caller.flows()  # its file of what it hears ends with its own hold
        await caller.told("hangup")
        await until(lambda: house.door.ended == [key], "the talk is ended")
        await house.settled()
        assert (house.door.now(key).state, house.door.now(key).ended_by) == (CallState.ENDED, "customer")


@pytest.mark.req("V5")
async def test_baresip_is_an_agents_telephone(tmp_path: Path) -> None:
    async with (
        world(tmp_path / "calls", a_line(networks=FAR)) as house,
        baresip(tmp_path / "phone", "ada", says=AGENT_SAYS) as agent,
    ):
        await by_way_of(house, agent)
        house.door.reaches[7] = Reach(7, "Maya Okafor", f"sip:ada@{agent.host}:{agent.port}")
        caller = await house.calls()
        caller.talk(CALLER_SAYS)
        key = await house.begun()
        house.door.goes(key, "talking", agent_id=7)
        await agent.happens("CALL_INCOMING")
        await agent.told("accept")
        await hears(agent, CALLER_SAYS)
        await caller.heard_tone(AGENT_SAYS, "the agent")
        await agent.told("hangup")
        await until(caller.ended.is_set, "the caller is hung up on")
        await house.settled()
        assert house.door.now(key).ended_by == "agent"


@pytest.mark.req("V1", "V3", "V5")
@pytest.mark.parametrize("codec", ["opus", "G722", "PCMU"])
async def test_linphone_calls_presses_keys_is_held_and_hangs_up(tmp_path: Path, codec: str) -> None:
    line = a_line(networks="127.0.0.1", translated_addresses=True)
    async with (
        world(tmp_path / "calls", line, begins=in_flow) as house,
        linphone(tmp_path / "phone", CALLER, says=CALLER_SAYS, codec=codec) as caller,
    ):
        agent = house.browser(7)
        agent.talk(AGENT_SAYS)
        await caller.told(f"call {at(house)}")
        key = await house.begun()
        await goes_through(house, caller, agent, key, lambda: caller.told("1"))
        assert house.door.now(key).codec == codec
        await caller.told("pause")
        await until(lambda: house.door.now(key).legs[0].remark == "They have put us on hold.")
        await caller.says("is now paused")
        await caller.told("resume")  # meanwhile its file was the music that it played to us
        await until(lambda: house.door.now(key).legs[0].remark == "")
        await hears(caller, AGENT_SAYS)
        await agent.hears_on(CALLER_SAYS)
        await caller.told("terminate")
        await until(lambda: house.door.ended == [key], "the talk is ended")
        await house.settled()
        assert (house.door.now(key).state, house.door.now(key).ended_by) == (CallState.ENDED, "customer")


@pytest.mark.req("V1", "V5")
async def test_what_lies_above_the_band_of_a_telephone_goes_from_opus_to_g722_and_back(tmp_path: Path) -> None:
    line = a_line(networks="127.0.0.1", translated_addresses=True)
    async with (
        world(tmp_path / "calls", line) as house,
        linphone(tmp_path / "phone", CALLER, says=5000, codec="opus") as caller,
    ):
        agent = house.browser(7, G722)
        agent.say(tone(6000, 60, rate=16_000))
        await caller.told(f"call {at(house)}")
        key = await house.begun()
        house.door.goes(key, "talking", agent_id=7)
        await until(lambda: level(agent.newest(), 5000, rate=16_000) > 400, "the caller is heard")
        await until(lambda: level(caller.heard(0.4, 16_000), 6000, rate=16_000) > 400, "the agent is heard")
        assert house.door.now(key).codec == "opus"


@pytest.mark.req("V1", "V5")
async def test_linphone_is_an_agents_telephone(tmp_path: Path) -> None:
    async with (
        world(tmp_path / "calls", a_line(networks=FAR, translated_addresses=True)) as house,
        linphone(tmp_path / "phone", "ada", says=AGENT_SAYS) as agent,
    ):
        await by_way_of(house, agent)
        house.door.reaches[7] = Reach(7, "Maya Okafor", f"sip:ada@{agent.host}:{agent.port}")
        caller = await house.calls()
        caller.talk(CALLER_SAYS)
        key = await house.begun()
        house.door.goes(key, "talking", agent_id=7)
        await agent.says("Receiving new incoming call")
        await agent.told("answer")
        await hears(agent, CALLER_SAYS)
        await caller.heard_tone(AGENT_SAYS, "the agent")
        await agent.told("pause")
        await until(lambda: house.door.now(key).legs[1].remark == "They have put us on hold.")
        await agent.says("is now paused")
        await agent.told("resume")
        await until(lambda: house.door.now(key).legs[1].remark == "")
        await hears(agent, CALLER_SAYS)
        await caller.hears_on(AGENT_SAYS)
        await agent.told("terminate")
        await until(caller.ended.is_set, "the caller is hung up on")
        await house.settled()
        assert house.door.now(key).ended_by == "agent"


async def by_way_of(house: World, phone: Baresip | Linphone) -> None:
    """The line's trunk is this telephone from now on."""
    [line] = house.door.open_lines
    house.door.open_lines[:] = [
        replace(line, settings=line.settings.model_copy(update={"host": phone.host, "port": phone.port}))
    ]

    def arranged() -> bool:
        assert house.telephone.house
        return [one.trunk.port for one in house.telephone.house.exchange.trunks] == [phone.port]

    await until(arranged, "the trunk is arranged")
