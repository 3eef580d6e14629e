"""Recordings: what is in them, what is not, and where they go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from everyline.call_contract import Deed, Keeping
from everyline.channels.phone.tests.doubles import RealPhone, World, a_line, a_talk, files_in, until, world
from everyline.media.recording import Kept, unsealed
from tests.media.tones import level


def opened(content: bytes, folder: Path) -> Kept:
    """A recording that was kept, as it sounds."""
    path = folder / "opened"
    path.write_bytes(content)
    return unsealed(path, lambda _number, stored: bytes(one ^ 0x5A for one in stored))


async def recorded_call(house: World, key: str, caller: RealPhone, agent: RealPhone, *, queue: str = "Water") -> None:
    """Two who talk for a while."""
    caller.talk(1900)
    agent.talk(2300)
    house.door.goes(key, "talking", agent_id=7, queue=queue)
    await agent.heard_tone(1900)
    await caller.heard_tone(2300)


@pytest.mark.req("V6")
async def test_both_sides_are_in_the_recording_and_what_is_said_on_hold_is_not(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(records="always", recordings_days=90)) as house:
        agent, caller = house.browser(7), await house.calls()
        key = await house.begun()
        await until(lambda: "This call may be recorded." in house.door.said)
        await recorded_call(house, key, caller, agent)
        await until(lambda: house.door.now(key).keeping is Keeping.ON)
        (recording,) = house.door.engine.recordings
        await until(lambda: recording.seconds > 1)
        await house.door.ordered(key, Deed.HOLD)
        held_at = recording.seconds
        await until(lambda: recording.seconds > held_at + 1)
        await house.door.ordered(key, Deed.RESUME)
        assert not recording.paused
        await caller.hang_up()
        await until(lambda: bool(house.door.kept))
        recorded, content = house.door.kept[0]
        found = opened(content, tmp_path)
        sound = np.frombuffer(found.samples, np.int16)
        assert level(sound[:8000], 1900) > 500
        assert level(sound[:8000], 2300) > 500
        ((begin, end, why),) = recorded.marks
        assert (why, end is not None and end - begin > 0.9) == ("hold", True)
        assert not sound[round(begin * 8000) + 400 : round((begin + 0.8) * 8000)].any()
        assert recorded.seconds == pytest.approx(len(sound) / 8000, abs=0.05)
        assert (recorded.failure, recorded.keep_days) == ("", 90)
        await house.settled()
        await until(lambda: files_in(tmp_path, ".sealed") + files_in(tmp_path, ".json") == [])


@pytest.mark.req("V6")
async def test_only_queues_that_are_named_are_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(records="queues", recorded_queues="Permits\nLicenses")) as house:
        agent, caller = house.browser(7), await house.calls()
        key = await house.begun()
        await recorded_call(house, key, caller, agent, queue="Water")
        assert house.door.engine.recordings == ()
        assert await house.door.ordered(key, Deed.PAUSE) == "This call is not recorded."
        house.door.goes(key, "waiting", queue="Permits")
        await agent.hears_not(1900)
        await recorded_call(house, key, caller, agent, queue="Permits")
        await until(lambda: house.door.now(key).keeping is Keeping.ON)
        house.door.goes(key, "waiting", queue="Water")
        await agent.hears_not(1900)
        await recorded_call(house, key, caller, agent, queue="Water")
        await until(lambda: house.door.now(key).keeping is Keeping.PAUSED)


@pytest.mark.req("V6")
async def test_a_line_that_records_nothing_says_nothing_of_it(tmp_path: Path) -> None:
    async with world(tmp_path, a_line()) as house:
        agent, caller = house.browser(7), await house.calls()
        key = await house.begun()
        await recorded_call(house, key, caller, agent)
        assert house.door.engine.recordings == ()
        assert "This call may be recorded." not in house.door.said


@pytest.mark.req("V6")
async def test_what_is_said_while_a_third_is_asked_apart_is_not_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(records="always")) as house:
        agent, caller = house.browser(7), await house.calls()
        key = await house.begun()
        await recorded_call(house, key, caller, agent)
        await house.door.ordered(key, Deed.CONSULT, number="+13605550111")
        await until(lambda: house.door.now(key).keeping is Keeping.PAUSED)
        await house.rings("+13605550111")
        await house.door.ordered(key, Deed.JOIN)
        await until(lambda: house.door.now(key).keeping is Keeping.ON)
        (recording,) = house.door.engine.recordings
        (gap,) = recording.gaps
        assert gap.end is not None, "what is said now is recorded again"


@pytest.mark.req("V6")
async def test_a_recording_that_cannot_be_kept_is_kept_at_the_next_start(tmp_path: Path) -> None:
    async with world(tmp_path, a_line(records="always")) as house:
        house.door.cannot_keep = True
        agent, caller = house.browser(7), await house.calls()
        key = await house.begun()
        await recorded_call(house, key, caller, agent)
        (recording,) = house.door.engine.recordings
        await until(lambda: recording.seconds > 2.2)
        assert await house.door.ordered(key, Deed.HOLD) == ""
        begin = recording.gaps[-1].begin
        await until(lambda: recording.seconds > begin + 0.3)
        assert await house.door.ordered(key, Deed.RESUME) == ""
        end = recording.gaps[-1].end
        await until(lambda: recording.seconds > begin + 1)
        assert await house.door.ordered(key, Deed.PAUSE) == ""
        await caller.hang_up()
        await house.settled()
        assert house.door.kept == []
    assert len(files_in(tmp_path, ".sealed")) == 1
    async with world(tmp_path, a_line(records="always")) as house:
        await until(lambda: bool(house.door.kept))
        recorded, content = house.door.kept[0]
        assert level(np.frombuffer(opened(content, tmp_path).samples, np.int16)[:8000], 1900) > 500
        assert recorded.seconds >= 2
        assert recorded.marks[-2] == (begin, end, "hold")
        assert recorded.marks[-1][1:] == (None, "agent"), "what was being left out to its end"
        assert recorded.failure == "The process that moves sound ended in mid-call."
        await until(lambda: not files_in(tmp_path, ".sealed"))


@pytest.mark.req("V6")
async def test_a_note_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "1-abc.json").write_text("{")
    (tmp_path / "1-abc.sealed").write_bytes(b"EVERYLINE1\n")
    async with world(tmp_path, begins=lambda _key: a_talk()) as house:
        await house.calls()
        await house.begun()
        assert house.door.kept == []
        assert files_in(tmp_path, ".json") == ["1-abc.json"]
