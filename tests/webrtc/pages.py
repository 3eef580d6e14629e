"""Pages on the other side, without a browser: aiortc's own peers, which say a tone and keep what they hear."""

from __future__ import annotations

import asyncio
import fractions
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from av import AudioFrame

from everyline.media import rtp
from everyline.media.engine import Engine
from everyline.media.g711 import Samples
from everyline.media.pulse import Pulse
from everyline.webrtc.browsers import Browsers
from everyline.webrtc.ways import is_report
from tests.media.tones import tone

FRAME = 160


class Voice(AudioStreamTrack):
    """A tone without end, at the pace of the real clock."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self.hertz, self._sent, self._began = hertz, 0, time.monotonic()

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(self._began + self._sent * 0.02 - time.monotonic())
        samples = tone(self.hertz, 0.02, begin=self._sent * FRAME)
        frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, self._sent * FRAME, fractions.Fraction(1, 8000)
        self._sent += 1
        return frame


class Page:
    """A desk's page with its phone turned on."""

    def __init__(self, hertz: float = 440) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.sender = self.pc.addTrack(Voice(hertz))
        self.heard: Samples = np.zeros(0, np.int16)
        self._came = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self.pc.on("track", self._listen)

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def turn_on(self, browsers: Browsers, agent_id: int) -> str:
        """As the script of the desk does it; returns the answer."""
        answer = await browsers.answer(agent_id, await self.offer())
        await self.take(answer)
        return answer

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._keep(track))

    async def _keep(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            found = frame.to_ndarray().reshape(-1).astype(np.int16)[:: frame.sample_rate // 8000]
            self.heard = np.concatenate([self.heard, found[: FRAME * 10]])
            self._came.set()

    async def hears(self, right: Callable[[Samples], bool], samples: int = 4000) -> None:
        """Wait until what was heard last is as it should be."""
        while len(self.heard) < samples or not right(self.heard[-samples:]):
            self._came.clear()
            await self._came.wait()

    async def press(self, key: int, payload_type: int) -> None:
        """A key as a browser sends it (RFC 4733), its end three times, in the stream of its sound, which is over with it."""
        way = self.sender.transport
        sends, last = way._send_rtp, asyncio.get_running_loop().create_future()

        async def see(data: bytes) -> None:
            if not last.done() and not is_report(data):
                last.set_result(rtp.parse(data))
            await sends(data)

        way._send_rtp = see  # type: ignore[method-assign]  # -- to see what it sends
        before = await last
        self.sender.replaceTrack(None)
        for number, (end, duration) in enumerate([(0, 160), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)]):
            payload = bytes([key, end | 10]) + duration.to_bytes(2, "big")
            sequence, at = (before.sequence + 100 + number) % 2**16, (before.timestamp + 16000) % 2**32
            await sends(rtp.write(rtp.Packet(payload_type, sequence, at, before.source, payload, marker=number == 0)))

    async def vanish(self) -> None:
        """Gone without a word, as a machine is whose network is cut."""
        transport = self.sender.transport
        for protocol in transport.transport._connection._protocols:
            protocol.transport.close()
        await self.close()

    async def close(self) -> None:
        await self.pc.close()
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])


@dataclass
class House:
    """An engine by the real clock, browsers, and what was told of them."""

    engine: Engine
    browsers: Browsers
    told: list[tuple[int, bool]]
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def moved(self, agent_id: int, ready: bool) -> None:
        self.told.append((agent_id, ready))
        self._moved.set()

    async def until(self, *told: tuple[int, bool]) -> None:
        """Wait until exactly this was told."""
        while self.told != list(told):
            assert self.told == list(told)[: len(self.told)], self.told
            self._moved.clear()
            await self._moved.wait()


@asynccontextmanager
async def house(**settings: object) -> AsyncIterator[House]:
    """All of it, ended at the end, with nothing left over."""
    before = asyncio.all_tasks()
    engine = Engine(ports=(30000, 39999), most=50)
    found = House(engine, None, [])  # type: ignore[arg-type]  # -- set in the next line
    found.browsers = Browsers(engine, moved=found.moved, **settings)  # type: ignore[arg-type]  # -- as the test says
    try:
        async with Pulse(engine), asyncio.timeout(60):
            yield found
    finally:
        await found.browsers.end()
        left = len(engine.legs)
        engine.close()
    assert left == 0, "every leg is given back"
    own = {task for task in asyncio.all_tasks() - before if "everyline" in repr(task)}
    assert not own, "no task is left"


def formats_of(answer: str) -> list[str]:
    """The names of what an answer speaks."""
    return re.findall(r"a=rtpmap:\d+ ([\w-]+)/", answer)
