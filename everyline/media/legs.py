"""One party's sound: what came to be agreed with it, what it is played, what it told, how good it is."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media import dtmf, rtcp, rtp
from everyline.media.bands import WideBand
from everyline.media.codecs import NARROW
from everyline.media.errors import BadPacket
from everyline.media.events import Digit, Event, Flowing, Goodbye, OneWay, PromptEnded, Stranger
from everyline.media.negotiation import Agreement, Place
from everyline.media.quality import Quality
from everyline.media.rtp import Packet
from everyline.media.sockets import Latch, Pair
from everyline.media.sounds import Music, Playing, Sound

if TYPE_CHECKING:
    from everyline.media.engine import Engine
    from everyline.media.mixing import Mix

RELATCH_AFTER = 5.0  # seconds of silence from the address that was fixed
_COMFORT_NOISE = 13
# 20 ms of what a leg says, and of what it hears meanwhile
Listener: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], None]
_MOST_WAITING = 1000  # events that nobody has read


class Leg:
    """A leg of an engine; made by ``Engine.open`` and given back by ``close``. Use it in the engine's event loop only."""

    def __init__(self, engine: Engine, row: int, pair: Pair, name: str, latch: Latch) -> None:
        self.name, self.row = name, row
        self.mix: Mix | None = None
        self.agreement: Agreement | None = None
        self.agreed_at = 0.0
        self.address: tuple[str, int] | None = None  # from where its sound comes, once that is fixed
        self.raw_address: tuple[object, ...] | None = None
        self.strangers = self.unreadable = 0
        self.wide: WideBand | None = None
        self.keys: Iterator[tuple[dtmf.EventPacket, ...]] | None = None
        self.prompts: deque[Playing] = deque()
        self.pair, self.closed = pair, False
        self.silent_told = self.to_us_told = False
        self._engine, self._latch = engine, latch
        self._music: Music | None = None
        self._listener: Listener | None = None
        self._muted = False
        self._keys_heard = dtmf.KeysHeard()
        self._key_stamp = 0
        self._readers: list[asyncio.Queue[Event | None]] = []
        self._from_us_told = False
        self._reported: tuple[int, int] = (0, 0)  # highest number they had of ours, and how many we had sent
        self._their_report: tuple[int, float] | None = None  # its NTP time and when it came
        self._before = (0, 0)  # expected and received at our last report
        self._round_trip: float | None = None
        self._there: rtcp.Block | None = None

    def __repr__(self) -> str:
        return f"<Leg {self.row} {self.name}>"

    # What is agreed.

    @property
    def place(self) -> Place:
        """Where it can be reached, for descriptions."""
        return Place(self._engine.advertised, self.pair.port)

    def agree(self, agreement: Agreement) -> None:
        """Speak as both sides agreed, from the next tick on. Again after each re-INVITE; the address is free again then if it
        changed."""
        before = self.agreement
        self.agreement, self.agreed_at = agreement, self._engine.at
        if before is None or before.remote != agreement.remote:
            self.address = self.raw_address = None
        if before is None or before.codec != agreement.codec or before.receives_as != agreement.receives_as:
            self.wide = None if agreement.codec in NARROW else WideBand(agreement.codec)
            self._engine.arriving.agree(self.row, agreement.codec, agreement.receives_as)
            self._engine.departing.agree(self.row, agreement.codec, agreement.payload_type)
            self._engine.arriving.source[self.row] = -1
        self._engine.sends_changed()

    @property
    def sends_to(self) -> tuple[str, int] | None:
        """Where its sound is sent, None when it gets none."""
        if self.agreement is None or not self.agreement.sends:
            return None
        return self.address if self._latch is Latch.FIRST and self.address else self.agreement.remote

    @property
    def listener(self) -> Listener | None:
        """Who is handed each frame in its tick, and must be quick."""
        return self._listener

    @listener.setter
    def listener(self, listener: Listener | None) -> None:
        self._listener = listener
        self._engine.gains_changed()

    # What it hears.

    @property
    def muted(self) -> bool:
        """Whether nobody hears it."""
        return self._muted

    def mute(self) -> None:
        """Let nobody hear it; it hears on."""
        self._muted = True
        self._engine.gains_changed()

    def unmute(self) -> None:
        """Let it be heard again."""
        self._muted = False
        self._engine.gains_changed()

    @property
    def music(self) -> Music | None:
        """What it hears without end, when no prompt is played; beside its mix."""
        return self._music

    @music.setter
    def music(self, music: Music | None) -> None:
        self._music = music
        self._engine.music_changed()

    def play(self, sound: Sound, *, gain: float = 1.0) -> Playing:
        """Play a sound to this leg alone after those that wait already; music pauses meanwhile."""
        playing = Playing(sound, gain=gain)
        self.prompts.append(playing)
        self._engine.prompts_changed(self)
        return playing

    def stop_prompts(self) -> None:
        """Stop what is played and forget what waits: somebody pressed a key, or spoke."""
        while self.prompts:
            self.prompt_ended(stopped=True)
        self._engine.prompts_changed(self)

    def prompt_ended(self, *, stopped: bool) -> None:
        """The first prompt is over."""
        playing = self.prompts.popleft()
        playing.end(whole=not stopped)
        self.tell(PromptEnded(self, playing, stopped))

    def press(self, keys: str) -> None:
        """Send keys: as events where the other side reads them, else as tones. Raises ValueError for what is no key."""
        if unknown := set(keys) - set(dtmf.KEYS):
            raise ValueError(f"these are no keys: {''.join(sorted(unknown))}")
        if self.agreement is None or self.agreement.events is None:
            pause = np.zeros(640, np.int16)
            for key in keys:
                self.play(Sound.of(np.concatenate([dtmf.tones(key), pause]), name=f"key {key}"))
            return
        more = dtmf.packets(keys, self.agreement.events_clock // 50)
        self.keys = more if self.keys is None else _both(self.keys, more)
        self._engine.sends_changed()

    def send_key(self, one: dtmf.EventPacket) -> None:
        """Send a packet of a key; the engine calls this in its ticks."""
        out, row, to = self._engine.departing, self.row, self.sends_to
        if not one.elapsed and not one.again:
            self._key_stamp = int(out.stamp[row])
        if to is None or self.agreement is None or self.agreement.events is None:
            return
        number, source = int(out.sequence[row]), int(out.source[row])
        packet = Packet(self.agreement.events, number, self._key_stamp, source, one.payload, one.marker)
        out.sequence[row] += 1
        out.sent[row] += 1
        self._engine.send(self.pair.rtp, rtp.write(packet), to)

    # What it tells.

    def tell(self, event: Event) -> None:
        """Hand an event to all who listen."""
        for reader in self._readers:
            if reader.qsize() < _MOST_WAITING:
                reader.put_nowait(event)
        self._engine.tell(event)

    async def events(self) -> AsyncIterator[Event]:
        """What happens from now until the leg is closed."""
        reader: asyncio.Queue[Event | None] = asyncio.Queue()
        self._readers.append(reader)
        try:
            while (event := await reader.get()) is not None:
                yield event
        finally:
            self._readers.remove(reader)

    # What comes in, apart from plain sound of the address that is fixed.

    def from_elsewhere(self, datagram: bytes, address: tuple[object, ...], at: float) -> bool:
        """Whether a packet from another address than the fixed one is the leg's after all, which fixes its address."""
        agreement, found = self.agreement, (str(address[0]), int(str(address[1])))
        last = float(self._engine.arriving.last_at[self.row])
        free = self.raw_address is None or at - last > RELATCH_AFTER
        near = agreement is not None and (self._latch is Latch.FIRST or found[0] == agreement.remote[0])
        if agreement and free and near:
            try:
                packet = rtp.parse(datagram)
            except BadPacket:
                self.unreadable += 1
                return False
            if packet.payload_type in (agreement.receives_as, agreement.events_as):
                self.address, self.raw_address = found, address
                self._engine.sends_changed()
                return True
        self.strangers += 1
        if self.strangers == 1:
            self.tell(Stranger(self, found))
        return False

    def odd(self, datagram: bytes, at: float, now: float) -> None:
        """A packet that is not plain: with an extension, of another length, a key, in wide band, of a new source."""
        engine, row, agreement = self._engine, self.row, self.agreement
        try:
            packet = rtp.parse(datagram)
        except BadPacket:
            self.unreadable += 1
            return
        if agreement and agreement.rtcp_together and 72 <= packet.payload_type <= 79:
            self.read_report(datagram, None, at)
            return
        known = agreement and packet.payload_type in (agreement.receives_as, agreement.events_as, _COMFORT_NOISE)
        if agreement is None or not known:
            self.unreadable += 1
            return
        arriving = engine.arriving
        if arriving.source[row] != packet.source:
            arriving.begin(row, packet, at)
            engine.buffers.begin_anew(row)
        rows = np.array([row])
        heads = rtp.headers(np.frombuffer(datagram[:12], np.uint8)[None, :])
        if packet.payload_type == agreement.events_as:
            arriving.count_only(rows, heads, at)
            if key := self._keys_heard.read(packet.payload, packet.timestamp):
                self.tell(Digit(self, key))
            return
        offset = int(arriving.count(rows, heads, np.array([at]))[0])
        if packet.payload_type == agreement.receives_as and packet.payload and arriving.heard[row]:
            self._sound(offset, packet.payload, at, now)

    def _sound(self, offset: int, payload: bytes, at: float, now: float) -> None:
        buffers, row = self._engine.buffers, self.row
        step = int(self._engine.arriving.step[row])
        if self.wide:
            frame, count = offset // step, self.wide.put(offset // step, payload)
            for number in range(frame, frame + count):
                if buffers.arrived(np.array([row]), np.array([number]), np.array([at * 50]), now)[0]:
                    buffers.put(np.array([row]), np.array([number]), np.zeros((1, 160), np.int16))
            return
        assert self.agreement
        samples = self.agreement.codec.make().decode(payload[:1440])
        buffers.piece_arrived(row, offset, samples, at * 50, now)

    # Reports.

    def read_report(self, datagram: bytes, address: tuple[object, ...] | None, at: float) -> None:
        """RTCP of the other side."""
        hosts = {self.agreement.remote[0], self.agreement.remote_rtcp[0]} if self.agreement else set()
        if address is not None and address[0] not in hosts | ({self.address[0]} if self.address else set()):
            self.strangers += 1
            return
        try:
            report = rtcp.parse(datagram)
        except BadPacket:
            self.unreadable += 1
            return
        if report.sent is not None:
            self._their_report = (report.sent, at)
        for block in report.blocks:
            if block.source == self._engine.departing.source[self.row]:
                self._read_block(block, at)
        if report.goodbye:
            self.tell(Goodbye(self))

    def _read_block(self, block: rtcp.Block, at: float) -> None:
        self._there = block
        if block.last_report:
            trip = (rtcp.middle(at + self._engine.epoch) - block.last_report - block.since_last) & 0xFFFFFFFF
            self._round_trip = trip / 65536 if trip < 60 * 65536 else None
        sent = int(self._engine.departing.sent[self.row])
        highest, sent_then = self._reported
        if sent - sent_then > 100:
            stuck = block.highest == highest
            if stuck != self._from_us_told:
                self._from_us_told = stuck
                self.tell(OneWay(self, to_us=False) if stuck else Flowing(self, to_us=False))
            self._reported = (block.highest, sent)

    def report(self, at: float) -> bytes:
        """Our report on this leg (RFC 3550 section 6.4)."""
        arriving, out, row = self._engine.arriving, self._engine.departing, self.row
        block = None
        if arriving.source[row] >= 0:
            expected, received = arriving.expected(row), int(arriving.received[row])
            gone = expected - self._before[0] - (received - self._before[1])
            fraction = max(0, min(255, gone * 256 // max(expected - self._before[0], 1)))
            self._before = (expected, received)
            sent, came = self._their_report or (0, at)
            since = round((at - came) * 65536)
            jitter, highest = int(arriving.jitter[row]), int(arriving.highest[row])
            block = rtcp.Block(
                int(arriving.source[row]), fraction, expected - received, highest, jitter, sent, since if sent else 0
            )
        count = int(out.sent[row])
        return rtcp.write(
            int(out.source[row]),
            self._engine.name,
            at + self._engine.epoch,
            timestamp=int(out.stamp[row]),
            packets=count,
            octets=count * 160,
            block=block,
            sends=self.sends_to is not None,
        )

    def quality(self) -> Quality:
        """How good it is so far."""
        engine, row = self._engine, self.row
        arriving, buffers = engine.arriving, engine.buffers
        received = int(arriving.received[row])
        delay = float(buffers.delay(row + 1, engine.at * 50 + 1)[row]) * 20 if buffers.play[row] >= 0 else None
        clock = float(arriving.clock[row])
        return Quality(
            received,
            int(engine.departing.sent[row]),
            max(arriving.expected(row) - received, 0) if received else 0,
            int(buffers.late[row]),
            int(engine.concealment.concealed[row]),
            self.strangers,
            self.unreadable,
            float(arriving.jitter[row]) / clock * 1000,
            delay,
            None if self._round_trip is None else self._round_trip * 1000,
            None if self._there is None else self._there.fraction_lost / 256,
            None if self._there is None else self._there.jitter / clock * 1000,
        )

    def watch(self, at: float, one_way_after: float) -> None:
        """Notice when nothing comes; the engine calls this each second."""
        expects = self.agreement is not None and self.agreement.receives and not self.agreement.held
        last = max(float(self._engine.arriving.last_at[self.row]), self.agreed_at)
        quiet = expects and at - last > one_way_after
        if quiet != self.to_us_told:
            self.to_us_told = quiet
            self.tell(OneWay(self, to_us=True) if quiet else Flowing(self, to_us=True))

    def close(self) -> None:
        """End it: its ports and its row are free again, it leaves its mix, what it plays stops."""
        if not self.closed:
            self.closed = True
            self.stop_prompts()
            self._engine.give_back(self)
            for reader in self._readers:
                reader.put_nowait(None)


def _both(
    first: Iterator[tuple[dtmf.EventPacket, ...]], then: Iterator[tuple[dtmf.EventPacket, ...]]
) -> Iterator[tuple[dtmf.EventPacket, ...]]:
    yield from first
    yield from then
