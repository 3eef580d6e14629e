"""What comes in on all legs and what goes out, as arrays: a row is a leg, one pass is a tick."""

from __future__ import annotations

import random
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media import g711, rtp
from everyline.media.codecs import Codec
from everyline.media.g711 import Samples
from everyline.media.jitter import FRAME, JitterBuffers, Mask, Rows, Times

FIRST_FRAME = 1000  # the number of a stream's first frame: what was sent before it and comes later has a place
RESTART = 3000  # a sequence number so far off begins a new count (RFC 3550 appendix A.1)
_PACKET = np.dtype([("head", rtp.HEADER), ("payload", "u1", FRAME)])
Octets: TypeAlias = NDArray[np.uint8]


class Arriving:
    """Sequence, time and loss of what each leg sends (RFC 3550 appendix A)."""

    def __init__(self, most: int) -> None:
        self.payload_type, self.law = np.full(most, -1, np.int64), np.zeros(most, np.int64)
        self.source, self.clock = np.full(most, -1, np.int64), np.full(most, 8000.0)
        self.step = np.full(most, FRAME, np.int64)
        self.highest, self._base, self._counted = (np.zeros(most, np.int64) for _ in range(3))
        self.received, self.stamp, self.offset = (np.zeros(most, np.int64) for _ in range(3))
        self.jitter, self._transit = np.zeros(most), np.zeros(most)
        self.last_at = np.full(most, -np.inf)
        self.heard = np.zeros(most, np.bool_)  # whether anybody hears it: else its packets are counted and no more

    def open(self, row: int) -> None:
        """Forget what another leg sent in this row."""
        self.payload_type[row] = self.source[row] = -1
        self.received[row] = self._counted[row] = self.highest[row] = 0
        self._base[row] = 1
        self.last_at[row] = -np.inf
        self.heard[row] = False

    def agree(self, row: int, codec: Codec, payload_type: int) -> None:
        """What is to come."""
        self.payload_type[row], self.clock[row], self.step[row] = payload_type, codec.clock, codec.ticks
        self.law[row] = -1 if codec.law is None else codec.law

    def begin(self, row: int, packet: rtp.Packet, at: float) -> None:
        """A source that was not heard before: its first packet sets where counting begins."""
        self._counted[row] += self.highest[row] - self._base[row] + 1
        self.source[row] = packet.source
        self._base[row], self.highest[row] = packet.sequence, packet.sequence - 1
        self.stamp[row], self.offset[row] = packet.timestamp, FIRST_FRAME * self.step[row]
        self._transit[row] = at * self.clock[row] - self.offset[row]
        self.jitter[row] = 0

    def expected(self, row: int) -> int:
        """How many packets were sent, by their numbers."""
        return int(self._counted[row] + self.highest[row] - self._base[row] + 1)

    def count_only(self, rows: Rows, heads: NDArray[Any], at: float) -> None:
        """Count packets that are no sound (keys): their timestamps say nothing of when they were sent."""
        stamp, offset, jitter, transit = (a[rows].copy() for a in (self.stamp, self.offset, self.jitter, self._transit))
        self.count(rows, heads, np.array([at]))
        self.stamp[rows], self.offset[rows], self.jitter[rows], self._transit[rows] = stamp, offset, jitter, transit

    def count(self, rows: Rows, heads: NDArray[Any], at: Times) -> Rows:
        """Count packets, one a row at most; returns their offsets in the stream, in units of the clock."""
        sequence, stamp = heads["sequence"].astype(np.int64), heads["timestamp"].astype(np.int64)
        ahead = (sequence - self.highest[rows] + 0x8000) % 0x10000 - 0x8000
        anew = np.abs(ahead) > RESTART
        if anew.any():
            some = rows[anew]
            self._counted[some] += self.highest[some] - self._base[some] + 1
            self._base[some], self.highest[some] = sequence[anew], sequence[anew]
            ahead[anew] = 0
        self.highest[rows] += np.maximum(ahead, 0)
        self.received[rows] += 1
        later = (stamp - self.stamp[rows] + 0x80000000) % 0x100000000 - 0x80000000
        offset: Rows = self.offset[rows] + later
        newer = later > 0
        self.offset[rows], self.stamp[rows] = (
            np.where(newer, offset, self.offset[rows]),
            np.where(newer, stamp, self.stamp[rows]),
        )
        transit = at * self.clock[rows] - offset
        self.jitter[rows] += (np.abs(transit - self._transit[rows]) - self.jitter[rows]) / 16
        self._transit[rows] = transit
        self.last_at[rows] = at
        return offset

    def plain(self, slab: Octets, rows: Rows, sizes: Rows) -> tuple[NDArray[Any], Mask]:
        """The headers of packets, and which of them are 20 ms of G.711 of the source we know, with nothing special."""
        heads = rtp.headers(slab)
        return heads, (
            (heads["first"] == rtp.PLAIN)
            & (sizes == rtp.HEADER_BYTES + FRAME)
            & (heads["second"] & 0x7F == self.payload_type[rows])
            & (heads["source"] == self.source[rows])
            & (self.law[rows] >= 0)
        )

    def take_in(
        self, slab: Octets, heads: NDArray[Any], rows: Rows, at: Times, buffers: JitterBuffers, now: float
    ) -> None:
        """Plain packets into the buffers: in rounds of one a row, for there may be several of one leg."""
        order = np.argsort(rows, kind="stable")
        sorted_rows = rows[order]
        starts = np.r_[True, sorted_rows[1:] != sorted_rows[:-1]]
        turn = np.arange(len(rows)) - np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0))
        for number in range(int(turn.max()) + 1):
            chosen = order[turn == number]
            self._one_each(slab[chosen], heads[chosen], rows[chosen], at[chosen], buffers, now)

    def _one_each(
        self, slab: Octets, heads: NDArray[Any], rows: Rows, at: Times, buffers: JitterBuffers, now: float
    ) -> None:
        offset = self.count(rows, heads, at)
        heard = self.heard[rows]
        if not heard.all():
            slab, rows, offset, at = slab[heard], rows[heard], offset[heard], at[heard]
        frames, rest = np.divmod(offset, FRAME)
        if rest.any():
            for n in np.flatnonzero(rest):
                samples = g711.decode(slab[n, rtp.HEADER_BYTES : rtp.HEADER_BYTES + FRAME], int(self.law[rows[n]]))
                buffers.piece_arrived(int(rows[n]), int(offset[n]), samples, float(at[n]) * 50, now)
            whole = rest == 0
            slab, rows, frames, at = slab[whole], rows[whole], frames[whole], at[whole]
        good = buffers.arrived(rows, frames, at * 50, now)
        payload = slab[good, rtp.HEADER_BYTES : rtp.HEADER_BYTES + FRAME]
        samples = g711.DECODED[payload + (self.law[rows[good], None] * 256)]
        buffers.put(rows[good], frames[good], samples)


class Departing:
    """The packets to all legs, written in place."""

    def __init__(self, most: int) -> None:
        self._packets = np.zeros(most, _PACKET)
        self._packets["head"]["first"] = rtp.PLAIN
        self.payload_type, self.law = np.zeros(most, np.int64), np.zeros(most, np.int64)
        self.step, self.stamp = np.full(most, FRAME, np.int64), np.zeros(most, np.int64)
        self.sequence, self.source = np.zeros(most, np.int64), np.zeros(most, np.int64)
        self.sent, self.marked = np.zeros(most, np.int64), np.zeros(most, np.int64)
        octets = self._packets.view(np.uint8).reshape(most, -1)
        self.views = [memoryview(octets[row]) for row in range(most)]

    def open(self, row: int) -> None:
        """Begin a stream: number, time and source are random (RFC 3550 section 5.1)."""
        self.sequence[row], self.stamp[row] = random.getrandbits(15), random.getrandbits(31)
        self.source[row] = random.getrandbits(32)
        self.sent[row] = 0
        self._packets["head"]["source"][row] = self.source[row]

    def agree(self, row: int, codec: Codec, payload_type: int) -> None:
        """What is to be sent."""
        self.payload_type[row], self.step[row] = payload_type, codec.ticks
        self.law[row] = codec.law or 0
        self.marked[row] = 1

    def write(self, top: int, rows: Rows, samples: Samples) -> None:
        """Fill the packets of rows below ``top`` and count those of ``rows``, which are sent."""
        head = self._packets["head"]
        laws = self.law[:top]
        if top and (laws == laws[0]).all():
            self._packets["payload"][:top] = g711.encode(samples, int(laws[0]))
        else:
            self._packets["payload"][:top] = g711.ENCODED[samples.view(np.uint16) + laws[:, None] * 65536]
        head["second"][:top] = self.payload_type[:top] | self.marked[:top] << 7
        head["sequence"][:top] = self.sequence[:top] & 0xFFFF
        head["timestamp"][:top] = self.stamp[:top] & 0xFFFFFFFF
        self.sequence[rows] += 1
        self.sent[rows] += 1
        self.marked[rows] = 0

    def pass_time(self, top: int, frames: int = 1) -> None:
        """Timestamps go on whether something is sent or not."""
        self.stamp[:top] += self.step[:top] * frames
