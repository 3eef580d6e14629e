"""A leg that speaks in wide band. What it says is split: the band of a telephone goes through the one mix of all, what lies
above it goes beside, to those who can hear it. Both are linear, so that the gains of the matrix hold for both."""

from __future__ import annotations

import numpy as np

from everyline.media.codecs import Codec
from everyline.media.g711 import Samples
from everyline.media.resampling import REACH, Fewer, Floats, More

WIDE_FRAME = 320
_BEHIND = 4 * REACH  # samples by which low band and back delay


class WideBand:
    """The codec of one leg and what waits to be decoded; frames are decoded in the order in which they are heard."""

    def __init__(self, codec: Codec) -> None:
        self._codec, self._opus = codec.make(), codec.name == "opus"
        self._waiting: dict[int, bytes] = {}
        self._decoded: dict[int, Samples] = {}
        self._down, self._up, self._out = Fewer(2), More(2), More(2)
        self._before: Floats = np.zeros(_BEHIND, np.float32)
        self.high: Floats = np.zeros(WIDE_FRAME, np.float32)

    def put(self, frame: int, payload: bytes) -> int:
        """Keep a payload for its time; returns how many frames it holds."""
        if len(self._waiting) > 64:
            self._waiting.clear()
        self._waiting[frame] = payload
        return _opus_frames(payload) if self._opus else max(len(payload) // 160, 1)

    def take(self, frame: int) -> Floats:
        """The low band of a frame that is due, -1 when it is missing; the high band is in ``high``."""
        sound = np.zeros(WIDE_FRAME, np.float32)
        if (payload := self._waiting.pop(frame, None)) is not None:
            samples = self._codec.decode(payload)
            for number in range(len(samples) // WIDE_FRAME):
                self._decoded[frame + number] = samples[number * WIDE_FRAME : (number + 1) * WIDE_FRAME]
        if (found := self._decoded.pop(frame, None)) is not None:
            sound = found.astype(np.float32)
        if frame >= 0:
            for kept in (self._waiting, self._decoded):
                for old in [number for number in kept if number < frame]:
                    del kept[old]
        low = self._down(sound)
        whole = np.concatenate([self._before, sound])
        self._before = whole[WIDE_FRAME:]
        self.high = whole[:WIDE_FRAME] - self._up(low)
        return low

    def encode(self, low: Floats, high: Floats | None) -> bytes:
        """The payload of what the leg is to hear."""
        sound = self._out(low)
        if high is not None:
            sound = sound + high
        return self._codec.encode(np.clip(sound, -32768, 32767).astype(np.int16))


def _opus_frames(payload: bytes) -> int:
    """How many times 20 ms a packet holds (RFC 6716 section 3.1), at least one."""
    if not payload:
        return 1
    kind, code = payload[0] >> 3, payload[0] & 3
    lengths = (10, 20, 40, 60) if kind < 12 else (10, 20) if kind < 16 else (2.5, 5, 10, 20)
    count = 1 if code == 0 else 2 if code < 3 else payload[1] & 0x3F if len(payload) > 1 else 1
    return max(min(int(lengths[kind % len(lengths)] * count / 20), 6), 1)
