"""What goes wrong in calls: ends that come too early, a full house, strangers, silence, trunks and doors that are gone."""

from __future__ import annotations

import asyncio
import functools
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from everyline.call_contract import CallState, Deed
from everyline.channel_contract import Refused
from everyline.channels.phone import check as line_check
from everyline.channels.phone.receiver import Telephone
from everyline.channels.phone.tests.doubles import CALLER, FAR, MUSIC, NUMBER, RealPhone, World, a_line, until, world
from everyline.channels.phone.tests.test_turns import MENU, in_flow
from everyline.roles.receivers import Receivers
from everyline.sip.events import EndReason
from tests.sip import peers
from tests.sip.peers import Sipp, start_sipp


@pytest.fixture
async def sipp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Sipp]]]:
    """SIPp with a scenario of ours, at whatever port our sound is; ended with the test."""
    begun: list[Sipp] = []
    shutil.copytree(peers.SCENARIOS, tmp_path / "scenarios")
    call = tmp_path / "scenarios/call.xml"
    call.write_text(call.read_text("utf-8").replace("m=audio 30000", "m=audio [0-9]+"), "utf-8")
    monkeypatch.setattr(peers, "SCENARIOS", tmp_path / "scenarios")

    async def start(name: str, port: int, **how: Any) -> Sipp:
        (tmp_path / "sipp").mkdir(exist_ok=True)
        begun.append(await start_sipp(tmp_path / "sipp", name, port, dialled=NUMBER, **how))
        return begun[-1]

    yield start
    for one in begun:
        await one.end()


@pytest.mark.req("V1")
@pytest.mark.parametrize("scenario", ["bye_before_ack", "call", "hold"])
async def test_calls_that_end_in_every_way_leave_nothing_behind(
    tmp_path: Path, sipp: Callable[..., Awaitable[Sipp]], scenario: str
) -> None:
    async with world(tmp_path / "calls", a_line(networks="127.0.0.0/8")) as house:
        assert house.telephone.house
        await (await sipp(scenario, house.telephone.house.exchange.port, calls=3)).done()
        await until(lambda: len(house.door.told) == 3)
        await house.settled()
        for key, told in house.door.told.items():
            assert told[-1].state is CallState.ENDED
            await until(functools.partial(house.door.ended.__contains__, key))


@pytest.mark.req("V1")
async def test_a_call_that_nobody_acknowledges_is_ended(
    tmp_path: Path, sipp: Callable[..., Awaitable[Sipp]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path / "calls", a_line(networks="127.0.0.0/8")) as house:
        assert house.telephone.house
        exchange = house.telephone.house.exchange
        monkeypatch.setattr(exchange, "_listening", replace(exchange._listening, acknowledged_within=0.5))
        await sipp("no_ack", exchange.port)
        key = await house.begun()
        await until(lambda: house.door.now(key).state is CallState.ENDED)
        await house.settled()
        assert house.door.now(key).ended_by == "lost"


@pytest.mark.req("V1")
async def test_a_full_house_says_when_to_call_again(tmp_path: Path) -> None:
    async with world(tmp_path, most_calls=1) as house:
        await house.calls()
        await house.begun()
        second = await house.dials()
        await until(second.ended.is_set)
        assert second.call
        assert second.call.outcome
        assert (second.call.outcome.code, second.call.outcome.reason) == (503, EndReason.CONGESTED)


@pytest.mark.req("V1")
async def test_no_port_for_sound_is_a_full_house_too(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        engine = house.door.engine
        taken = [engine.open(f"browser {n}") for n in range(3)]
        engine._free.clear()
        caller = await house.dials()
        await until(caller.ended.is_set)
        assert caller.call
        assert caller.call.outcome
        assert caller.call.outcome.code == 503
        assert "retry-after" in house.far.trace(caller.call.id).lower()
        for leg in taken:
            leg.close()


@pytest.mark.req("V1")
async def test_sound_of_strangers_is_not_heard(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        stranger = house.phone()
        stranger.talk(2700)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.77", 0))
            for number in range(100):
                other.sendto(stranger.packet(b"\x00" * 160, 0, at=number * 160), caller.to)
        assert house.telephone.house
        leg = house.telephone.house.calls[key].leg
        await until(lambda: leg.quality().strangers == 100)
        assert agent.hears(1900)


@pytest.mark.req("V1")
async def test_one_way_sound_is_remarked_and_quality_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.BEAT_SECONDS", 0.2)
    async with world(tmp_path, one_way_after=0.5) as house:
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        await until(lambda: bool(house.door.now(key).legs[0].quality))
        quality = house.door.now(key).legs[0].quality
        assert set(quality) == {"score", "loss", "jitter_ms", "delay_ms"}
        assert 1 <= quality["score"] <= 4.5
        caller.network = lambda _frame: None
        await until(lambda: house.door.now(key).legs[0].remark == "Nothing is heard from them.")
        caller.network = lambda _frame: 0.0
        await until(lambda: house.door.now(key).legs[0].remark == "")


@pytest.mark.req("V1")
async def test_who_sends_nothing_any_more_is_asked_whether_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.living.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("everyline.channels.phone.living.QUIET_SECONDS", 0.1)
    async with world(tmp_path, one_way_after=0.3) as house:
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        await caller.heard_tone(MUSIC)
        caller.network = lambda _frame: None
        await until(lambda: _asked(house, caller) > 0, "they are asked")
        assert caller.call
        assert house.door.now(key).state is CallState.UP
        house.far.dismiss(caller.call)  # their side knows of no call any more
        await until(lambda: house.door.now(key).state is CallState.ENDED)
        assert house.door.now(key).ended_by == "lost"
        await house.settled()


def _asked(house: World, caller: RealPhone) -> int:
    """How often the house sent an INVITE in a caller's call."""
    assert caller.call
    return house.far.trace(caller.call.id).count("INVITE sip:") - 1


@pytest.mark.req("V3")
async def test_keys_that_are_signalled_count_only_where_none_come_with_the_sound(tmp_path: Path) -> None:
    async with world(tmp_path, begins=in_flow) as house:
        for number, speaks_events in enumerate((True, False), 1):
            caller = await house.calls(keys=speaks_events)
            key = await house.begun(number)
            house.door.asks(key, "First?", keys=MENU)
            await until(lambda: house.door.said.count("First?") == number)  # noqa: B023 -- asked at once
            assert caller.call
            await caller.call.press("1")
            if speaks_events:
                await caller.press("2")
            await until(lambda: house.door.events.count("keyed") == number)  # noqa: B023 -- asked at once
        assert [piece.text for piece in house.door.pieces if piece.event == "keyed"] == ["2", "1"]


@pytest.mark.req("V5")
async def test_an_agent_who_cannot_be_looked_up_for_a_moment_is_joined_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.joining.AGAIN_SECONDS", 0.05)
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        found, tries = house.door.reach, 0

        async def reach(agent_id: int) -> Any:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise OSError("no database")
            return await found(agent_id)

        monkeypatch.setattr(house.door, "reach", reach)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        assert tries == 3


@pytest.mark.req("V1")
async def test_lines_that_change_do_not_begin_a_telephone_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    async def run(self: Telephone, _door: Any) -> None:
        begun.append(self.name)
        await asyncio.Event().wait()

    monkeypatch.setattr(Telephone, "run", run)
    lines = [a_line()]

    async def open_lines(_channel: str) -> list[Any]:
        return lines

    receivers = Receivers(SimpleNamespace(), SimpleNamespace(lines=open_lines), sounding=True)  # type: ignore[arg-type]  # -- what it asks of them
    await receivers._match_lines()
    lines[:] = [a_line(), a_line("+12025550100", id=2)]
    await receivers._match_lines()
    await until(lambda: bool(begun))
    assert begun == ["telephone"]
    await receivers._stop("phone")


@pytest.mark.req("V1")
async def test_a_caller_is_gone_while_their_call_is_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path) as house:
        let, kept = asyncio.Event(), house.door.accept

        async def slowly(*given: Any, **more: Any) -> bool:
            await let.wait()
            return await kept(*given, **more)

        monkeypatch.setattr(house.door, "accept", slowly)
        caller = await house.calls()
        await caller.hang_up()
        await until(lambda: any(told[-1].state is CallState.ENDED for told in house.door.told.values()))
        assert house.door.pieces == []
        let.set()
        key = await house.begun()
        await until(lambda: house.door.ended == [key])


@pytest.mark.req("V1")
async def test_a_door_that_does_not_take_a_call_is_apologised_for(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        house.door.refuses = [Refused("too many")]
        caller = await house.calls()
        await until(caller.ended.is_set)
        await house.settled()
        assert any("cannot take your call" in words for words in house.door.said)


@pytest.mark.req("V1")
async def test_a_door_that_breaks_in_mid_call_ends_no_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.channels.phone.following.PAUSE_SECONDS", 0.05)
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        broken = asyncio.Event()

        def follow(*_given: Any) -> Any:
            broken.set()
            raise OSError("no database")

        monkeypatch.setattr(house.door, "follow", follow)
        house.door.ear(key).over = True
        house.door.goes(key, "talking", agent_id=7)
        await until(broken.is_set)
        assert agent.hears(1900)
        monkeypatch.undo()
        house.door.ear(key).over = False
        house.door.goes(key, "ended", ended_by="agent")
        await until(caller.ended.is_set)


@pytest.mark.req("V1")
async def test_a_trunk_that_is_taken_away_in_mid_call_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.taking.LINES_SECONDS", 0.05)
    async with world(tmp_path) as house:
        agent = house.browser(7)
        caller = await house.calls()
        key = await house.begun()
        caller.talk(1900)
        house.door.goes(key, "talking", agent_id=7)
        await agent.heard_tone(1900)
        house.door.open_lines = []
        assert house.telephone.house
        exchange = house.telephone.house.exchange
        await until(lambda: exchange.trunks == ())
        assert agent.hears(1900)
        await caller.hang_up()
        await until(lambda: house.door.ended == [key])
        await house.settled()


@pytest.mark.req("V1")
async def test_a_line_that_is_new_takes_calls_at_once_and_old_calls_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.taking.LINES_SECONDS", 0.05)
    async with world(tmp_path) as house:
        first = await house.calls()
        await house.begun(1)
        line = house.door.open_lines[0]
        house.door.open_lines = [line, replace(line, id=2, address="+12025550100")]
        assert house.telephone.house
        telephone = house.telephone.house
        await until(lambda: len(telephone.lines) == 2)
        await house.calls("+12025550100")
        await house.begun(2)
        await first.heard_tone(MUSIC)


@pytest.mark.req("V1")
async def test_the_process_ends_and_callers_are_hung_up_on(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        caller = await house.calls()
        key = await house.begun()
        phone = caller
    assert phone.ended.is_set()
    assert house.door.now(key).state is CallState.ENDED


@pytest.mark.req("V1")
async def test_an_order_that_falls_over_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path) as house:
        await house.calls()
        key = await house.begun()
        house.browser(9)

        async def reach(_agent_id: int) -> Any:
            raise RuntimeError("no")

        monkeypatch.setattr(house.door, "reach", reach)
        assert await house.door.ordered(key, Deed.LISTEN, 9) == "This did not work. Please try again."


@pytest.mark.req("V1")
async def test_the_test_of_a_line_asks_its_trunk_and_hears_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as house:
        assert house.telephone.house
        monkeypatch.setenv("EVERYLINE_PHONE_HOST", "127.0.0.1")
        monkeypatch.setenv("EVERYLINE_PHONE_PORT", str(house.telephone.house.exchange.port))
        await house.far.arrange(
            [*[one.trunk for one in house.far.trunks], replace(house.far.trunks[0].trunk, name="test", port=9)]
        )
        found = [one async for one in line_check.check(house.door.open_lines[0], house.door)]  # type: ignore[arg-type]  # -- a double
        assert [(one.step, one.ok, one.detail) for one in found if not one.ok] == []
        assert len(found) == 4


async def test_the_test_of_a_line_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_check, "TRUNK_SECONDS", 0.5)
    monkeypatch.setenv("EVERYLINE_PHONE_HOST", "127.0.0.1")
    monkeypatch.setenv("EVERYLINE_PHONE_PORT", "0")
    async with world(tmp_path) as house:
        silent = a_line(host="127.0.0.66")
        found = [one async for one in line_check.check(silent, house.door)]  # type: ignore[arg-type]  # -- a double
        assert [one.ok for one in found] == [True, False, False, True]
        assert all(one.advice for one in found if not one.ok)


def test_the_numbers_of_the_tests_are_nobodys() -> None:
    assert {CALLER[:8], NUMBER[:8], FAR[:4]} == {"+1360555", "+1800555", "127."}
