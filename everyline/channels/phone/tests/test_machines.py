"""Calls back that a machine takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everyline.call_contract import CallState, Deed
from everyline.channels.phone.call import new_key
from everyline.channels.phone.tests.doubles import RealPhone, World, a_line, a_talk, until, world
from everyline.media.g711 import Samples
from everyline.sip.incoming import IncomingCall
from tests.media.test_answering import silence, voiced
from tests.media.tones import tone

pytestmark = pytest.mark.req("V4")
THEIRS = "+13605550111"
MACHINE: Samples = np.concatenate([silence(0.3), voiced(4.0), silence(0.5), tone(1000, 0.4)])


async def calls_back(house: World, says: Samples, **values: Any) -> tuple[str, RealPhone, RealPhone]:
    """An agent calls somebody back, who answers with these words."""
    agent, key = house.browser(7), new_key()
    agent.talk(2300)
    house.door.talks[key] = a_talk("talking", agent_id=7)

    def answers(call: IncomingCall, phone: RealPhone) -> None:
        phone.say(says)
        call.answer(phone.description)

    house.answers[THEIRS] = answers
    assert await house.door.ordered(key, Deed.PLACE, number=THEIRS, **{"callback": True, **values}) == ""
    house.door.goes(key, "talking", agent_id=7)
    return key, agent, await house.rings(THEIRS)


async def test_a_machine_is_hung_up_on_and_the_agent_is_free(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(tells_machines=True)) as house:
        key, agent, them = await calls_back(house, MACHINE)
        await until(them.ended.is_set)
        now = house.door.now(key)
        await house.settled()
        now = house.door.now(key)
        assert (now.answered_by, now.ended_by, now.state) == ("machine", "us", CallState.ENDED)
        assert now.reason == "An answering machine took the call."
        assert now.answered_at is not None
        assert "listening" in {one.answered_by for one in house.door.told[key]}
        assert agent in house.phones
        assert not any("message" in one for one in house.door.said)


async def test_the_message_of_the_line_is_left_after_the_tone_and_no_agent_hears_it(tmp_path: Path) -> None:
    line = a_line(tells_machines=True, machine_message="We will call again.", music=True)
    async with world(tmp_path, line) as house:
        key, agent, them = await calls_back(house, MACHINE)
        await until(lambda: "We will call again." in house.door.said)
        await them.heard_tone(house.door.hertz("We will call again."))
        assert not agent.hears(house.door.hertz("We will call again."))
        assert not them.hears(2300), "nobody speaks into it"
        await until(them.ended.is_set)
        await until(lambda: house.door.now(key).reason.endswith("message was left on it."))


async def test_a_person_talks_from_the_first_word_on(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(tells_machines=True, machine_message="We will call again.")) as house:
        key, agent, them = await calls_back(house, np.concatenate([voiced(0.5), silence(2.0), tone(1900, 60)]))
        await them.heard_tone(2300, "the agent, at once")
        await until(lambda: house.door.now(key).answered_by == "person")
        await agent.heard_tone(1900)
        await them.hears_on(2300)
        await them.hang_up()
        await house.settled()
        assert house.door.now(key).ended_by == "customer"
        assert house.door.said == []


@pytest.mark.parametrize(("asked", "values"), [(False, {}), (True, {"callback": False})])
async def test_nobody_listens_where_it_is_off_or_the_agent_calls_by_themselves(
    tmp_path: Path, asked: bool, values: dict[str, Any]
) -> None:
    async with world(tmp_path, a_line(tells_machines=asked)) as house:
        key, agent, them = await calls_back(house, np.concatenate([MACHINE, tone(1900, 60)]), **values)
        await agent.heard_tone(1900, "what is said after the machine's tone")
        assert {one.answered_by for one in house.door.told[key]} == {""}
        assert not them.ended.is_set()
