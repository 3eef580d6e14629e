"""Phones on real sockets, at an engine whose ticks are called with times of the test's own: quick, and exact to the packet."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from everyline.media import g711, negotiation, rtcp, rtp, sdp
from everyline.media.codecs import PCMU, Codec, FrameCodec
from everyline.media.engine import TICK, Engine
from everyline.media.events import Event
from everyline.media.g711 import Samples
from everyline.media.legs import Leg
from everyline.media.negotiation import Place
from everyline.media.sockets import Latch

BEAT = TICK / 4


def straight(_frame: int) -> float | None:
    """A network without delay and without loss: how late each frame comes, None for never."""
    return 0.0


class Phone:
    """Somebody with a telephone: says ``voice``, keeps what it hears, and is reached through a network."""

    def __init__(self, codec: Codec = PCMU, *, keys: bool = True, host: str = "127.0.0.1") -> None:
        self.codec, self._keys_as, self.host = codec, 101 if keys else None, host
        while True:
            self.socket, self.reports = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            self.socket.bind((host, 0))
            self.port = self.socket.getsockname()[1]
            try:
                self.reports.bind((host, self.port + 1))
                break
            except OSError:
                self.socket.close()
                self.reports.close()
        for one in (self.socket, self.reports):
            one.setblocking(False)
        self.voice: Samples = np.zeros(0, np.int16)
        self.network: Callable[[int], float | None] = straight
        self.drift = 0.0  # part by which its clock goes slower than ours
        self.sent, self.began = 0, 0.0
        self.sequence, self.stamp, self.source = 65500, 2**32 - 4000, 0x1234
        self.packets: list[rtp.Packet] = []
        self.read: list[rtcp.Report] = []
        self.to = ("", 0)
        self._here, self._there = self._make(), self._make()
        self._on_the_way: list[tuple[float, bytes]] = []

    def _make(self) -> FrameCodec:
        return self.codec.make()

    @property
    def description(self) -> bytes:
        """What it offers."""
        offered = negotiation.offer(Place(self.host, self.port), codecs=(self.codec,))
        body = sdp.write(offered).replace(b"a=rtcp-mux\r\n", b"")
        return body if self._keys_as else body.replace(b" 101\r\n", b"\r\n")

    def say(self, voice: Samples) -> None:
        """Say this from now on, instead of what it was saying."""
        before = self.voice[: self.sent * self.codec.frame]
        self.voice = np.concatenate([np.zeros(self.sent * self.codec.frame - len(before), np.int16), before, voice])

    def live(self, now: float) -> None:
        """Send what is due, by its own clock and through its network."""
        while self.began + self.sent * TICK * (1 + self.drift) <= now + 1e-9:
            frame = self.voice[self.sent * self.codec.frame : (self.sent + 1) * self.codec.frame]
            late = self.network(self.sent)
            if len(frame) == self.codec.frame:
                packet = self.packet(self._here.encode(frame), self.codec.payload_type, at=self.sent * self.codec.ticks)
                if late is not None:
                    self._on_the_way.append((self.began + self.sent * TICK * (1 + self.drift) + late, packet))
            self.sent += 1
        due = sorted((one for one in self._on_the_way if one[0] <= now + 1e-9), key=lambda one: one[0])
        self._on_the_way = [one for one in self._on_the_way if one[0] > now + 1e-9]
        for _at, packet in due:
            self.socket.sendto(packet, self.to)

    def packet(self, payload: bytes, payload_type: int, *, at: int = 0, marker: bool = False) -> bytes:
        """The next packet's bytes."""
        self.sequence += 1
        stamp = (self.stamp + at) & 0xFFFFFFFF
        return rtp.write(rtp.Packet(payload_type, self.sequence & 0xFFFF, stamp, self.source, payload, marker))

    def listen(self) -> None:
        """Take what came."""
        while True:
            try:
                self.packets.append(rtp.parse(self.socket.recv(2048)))
            except BlockingIOError:
                break
        while True:
            try:
                self.read.append(rtcp.parse(self.reports.recv(2048)))
            except BlockingIOError:
                break

    @property
    def heard(self) -> Samples:
        """All sound that came, in order."""
        sound = [p for p in self.packets if p.payload_type == self.codec.payload_type]
        if not sound:
            return np.zeros(0, np.int16)
        return np.concatenate([self._there.decode(packet.payload) for packet in sound])

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()
        self.reports.close()


@dataclass
class World:
    """An engine, phones, and a clock."""

    engine: Engine
    told: list[Event]
    phones: list[Phone] = field(default_factory=list)
    beats: int = 400_000

    @property
    def now(self) -> float:
        """The time of this world."""
        return self.beats * BEAT

    def call(
        self, codec: Codec = PCMU, *, keys: bool = True, latch: Latch = Latch.ADDRESS, direction: str = "sendrecv"
    ) -> tuple[Phone, Leg]:
        """A phone with a leg that has agreed with it."""
        phone = Phone(codec, keys=keys)
        leg = self.engine.open(f"phone {len(self.phones)}", latch=latch)
        agreed = negotiation.answer(sdp.parse(phone.description), leg.place, direction=direction)
        leg.agree(agreed)
        phone.to, phone.began = (leg.place.address, leg.place.port), self.now + BEAT
        self.phones.append(phone)
        return phone, leg

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / BEAT)):
            self.beats += 1
            for phone in self.phones:
                phone.live(self.now)
            self.engine.gather(self.now)
            if self.beats % 4 == 0:
                self.engine.tick(self.now)
                for phone in self.phones:
                    phone.listen()

    def events(self, kind: type[Event]) -> list[Event]:
        """What was told, of one kind."""
        return [event for event in self.told if isinstance(event, kind)]


@contextmanager
def world(**settings: float) -> Iterator[World]:
    """A world, and its end."""
    told: list[Event] = []
    engine = Engine(hear=told.append, **settings)  # type: ignore[arg-type]  # -- numbers by name
    found = World(engine, told)
    engine.at = found.now
    try:
        yield found
    finally:
        engine.close()
        for phone in found.phones:
            phone.close()


def silence(seconds: float) -> Samples:
    """Nothing to hear."""
    return np.zeros(round(seconds * g711.RATE), np.int16)
