"""The engine by the real clock."""

from __future__ import annotations

import asyncio
import time

import pytest

from everyline.media.events import Digit, Event
from everyline.media.pulse import Pulse
from everyline.media.sounds import Sound
from tests.media.tones import level, tone
from tests.media.world import world


@pytest.mark.req("V1", "V3")
async def test_a_prompt_is_interrupted_by_a_key_in_real_time() -> None:
    with world() as found:
        found.engine.at = time.monotonic()
        phone, leg = found.call()
        phone.voice, phone.began = tone(440, 30), time.monotonic()
        heard: list[Event] = []

        async def follow() -> None:
            async for event in leg.events():
                heard.append(event)
                if isinstance(event, Digit):
                    leg.stop_prompts()

        following = asyncio.create_task(follow())
        async with Pulse(found.engine) as pulse, asyncio.timeout(20):
            playing = leg.play(Sound.of(tone(900, 20)))
            while time.monotonic() < phone.began + 1.5:
                phone.live(time.monotonic())
                phone.listen()
                await asyncio.sleep(0.005)
            phone.socket.sendto(phone.packet(b"\x05\x8a\x03\x20", 101, at=99000), phone.to)
            assert not await playing.ended(), "the key stopped it"
            count, received = pulse.punctuality.ticks, leg.quality().received
        leg.close()
        await following
        phone.listen()
        assert [type(event).__name__ for event in heard] == ["Digit", "PromptEnded"]
        assert len(phone.packets) == pytest.approx(count, abs=2)
        assert level(phone.heard[-4000:], 900) > 3000
        assert received > 60


@pytest.mark.req("V1")
async def test_it_rests_while_there_are_no_legs_and_misses_nothing_when_one_comes() -> None:
    with world() as found:
        async with Pulse(found.engine) as pulse, asyncio.timeout(20):
            await asyncio.sleep(0.15)
            assert pulse.punctuality.ticks == 0
            leg = found.engine.open("late")
            while pulse.punctuality.ticks < 5:  # noqa: ASYNC110 -- ticks tell nobody
                await asyncio.sleep(0.005)
            assert pulse.punctuality.skipped == 0, "no time had passed for it"
            leg.close()
            ticks = pulse.punctuality.ticks
            await asyncio.sleep(0.15)
            assert pulse.punctuality.ticks <= ticks + 1
