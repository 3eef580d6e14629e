"""Calls over lines that lose, delay, double and overtake packets, and over one that goes dead: real packets between two networks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from everyline.call_contract import CallState, LegState
from everyline.calls.rules import sound
from everyline.channels.phone.tests.bad_line import BEYOND, HOUSE, Beyond, Faults, Line, over_a_line
from everyline.channels.phone.tests.doubles import RealPhone, World, a_line, until, world
from everyline.sip.events import Answered
from tests.media.tones import level

pytestmark = pytest.mark.req("V1", "V5")
CALLER_SAYS, AGENT_SAYS = 1900.0, 2300.0
BAD = Faults(loss=0.05, delay=0.02, jitter=0.03, overtaken=0.05, doubled=0.01)
FRAME = 160
LISTENED = 500  # frames: ten seconds


async def _answered(house: World) -> tuple[RealPhone, RealPhone, str]:
    """A caller from beyond the line, an agent at this end of it, and their call's key."""
    agent = house.browser(7)
    caller = await house.calls()
    key = await house.begun()
    caller.talk(CALLER_SAYS)
    agent.talk(AGENT_SAYS)
    house.door.goes(key, "talking", agent_id=7)
    await agent.heard_tone(CALLER_SAYS, "the caller")
    await caller.heard_tone(AGENT_SAYS, "the agent")
    return caller, agent, key


def _words(house: World, key: str) -> str:
    """What agents read of the caller's sound."""
    return (sound(house.door.now(key).legs[0].quality) or {}).get("words", "")


async def _present(phone: RealPhone, hertz: float) -> float:
    """In which part of the next ten seconds' frames a tone is heard, frame by frame."""
    before = len(phone.packets)
    await until(lambda: len(phone.packets) >= before + LISTENED, "sound comes", 60)
    decode = phone.codec.make().decode
    frames = [decode(one.payload) for one in phone.packets[before : before + LISTENED] if len(one.payload) == FRAME]
    return float(np.mean([level(frame, hertz) > 400 for frame in frames]))


def test_words_stay_words_over_a_bad_line_and_agents_see_how_bad_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.BEAT_SECONDS", 0.2)

    async def work(line: Line, beyond: Beyond) -> None:
        async with world(tmp_path, a_line(host=BEYOND), here=HOUSE, there=BEYOND, beyond=beyond) as house:
            caller, agent, key = await _answered(house)
            assert await _present(agent, CALLER_SAYS) > 0.995
            good = house.door.now(key).legs[0].quality
            assert good["loss"] < 0.01
            assert _words(house, key) == "Good sound"
            assert line.lost == 0

            line.faults = BAD
            await asyncio.sleep(1)  # the buffer learns how late packets come now
            assert await _present(agent, CALLER_SAYS) > 0.98
            assert await _present(caller, AGENT_SAYS) > 0.98, "of what came"
            assert line.lost > 20
            assert line.doubled > 5
            leg = (house.telephone.house or pytest.fail("it is gone")).calls[key].leg
            assert leg.quality().concealed > 10
            bad = house.door.now(key).legs[0].quality
            assert 0.01 < bad["loss"] < 0.1
            assert bad["score"] < good["score"]
            assert bad["jitter_ms"] > 5
            assert bad["delay_ms"] > good["delay_ms"]

            line.faults = replace(BAD, loss=0.1)
            await until(lambda: _words(house, key) == "Fair sound", "agents see that it is worse", 40)
            line.faults = Faults()
            await until(lambda: _words(house, key) == "Good sound", "and that it is well again", 40)

    over_a_line(work)


def test_calls_are_set_up_and_ended_over_a_line_that_loses_a_third(tmp_path: Path) -> None:
    async def work(line: Line, beyond: Beyond) -> None:
        async with world(tmp_path, a_line(host=BEYOND), here=HOUSE, there=BEYOND, beyond=beyond) as house:
            line.faults = Faults(loss=0.35, again=3, delay=0.02)
            callers = await asyncio.gather(*(house.dials() for _ in range(6)))
            for caller in callers:
                await until(caller.up.is_set, "the call is answered", 40)
            assert line.lost > 3
            await until(lambda: house.door.events.count("begin") == 6, "each is handed in once", 40)
            assert [len([one for one in caller.events if isinstance(one, Answered)]) for caller in callers] == [1] * 6
            await asyncio.gather(*(caller.hang_up() for caller in callers))
            await until(lambda: len(house.door.ended) == 6, "each has ended", 60)
            assert {calls[-1].state for calls in house.door.told.values()} == {CallState.ENDED}
            line.faults = Faults()

    over_a_line(work)


@pytest.mark.timeout(300)
def test_a_line_that_goes_dead_is_told_to_the_agent_and_ends_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.BEAT_SECONDS", 0.2)
    monkeypatch.setattr("everyline.channels.phone.living.QUIET_SECONDS", 0.5)

    async def work(line: Line, beyond: Beyond) -> None:
        async with world(
            tmp_path, a_line(host=BEYOND), here=HOUSE, there=BEYOND, beyond=beyond, one_way_after=0.5
        ) as house:
            _caller, agent, key = await _answered(house)
            line.faults = Faults(loss=1)
            await until(lambda: house.door.now(key).legs[0].remark == "Nothing is heard from them.", "it is noticed")
            assert house.door.now(key).state is CallState.UP
            await agent.hears_not(CALLER_SAYS)
            line.faults = Faults()  # for a moment
            await until(lambda: house.door.now(key).legs[0].remark == "", "it is back")
            await agent.heard_tone(CALLER_SAYS, "the caller, who is back")
            line.faults = Faults(loss=1)
            await until(lambda: house.door.now(key).state is CallState.ENDED, "the call is ended", 90)
            now = house.door.now(key)
            assert now.ended_by == "lost"
            assert {leg.state for leg in now.legs} == {LegState.GONE}
            await house.settled()

    over_a_line(work)
