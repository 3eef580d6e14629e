"""The codecs a leg can speak, and the seam behind which they stand.

G.711 is built in and done for all legs at once (``g711``). Others are done frame by frame by PyAV (FFmpeg's libraries),
which comes with the extra ``phone``; without it they are not offered.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from everyline.media import g711
from everyline.media.g711 import Samples

FRAME_SECONDS = 0.02


class FrameCodec(Protocol):
    """The two directions of one leg's codec; holds what the codec remembers from frame to frame."""

    def encode(self, samples: Samples) -> bytes:
        """The payload of 20 ms at the codec's rate."""

    def decode(self, payload: bytes) -> Samples:
        """The samples of a payload at the codec's rate; none when it cannot be read."""


@dataclass(frozen=True)
class Codec:
    """What a codec is called on the wire and what it is inside.

    ``clock`` is the clock of RTP timestamps, which for G.722 is not the rate of the sound (RFC 3551 section 4.5.2).
    ``rate`` is that of the samples we take and give. ``payload_type`` is the static one, or what we offer when there is none.
    """

    name: str
    payload_type: int
    clock: int
    rate: int
    make: Callable[[], FrameCodec]
    channels: int = 1  # as written in rtpmap
    parameters: str = ""
    law: int | None = None  # of G.711, the row of its tables

    @property
    def frame(self) -> int:
        """Samples in 20 ms."""
        return round(self.rate * FRAME_SECONDS)

    @property
    def ticks(self) -> int:
        """How far a timestamp goes in 20 ms."""
        return round(self.clock * FRAME_SECONDS)

    @property
    def wide(self) -> bool:
        """Whether it carries more than the band of a telephone."""
        return self.rate > g711.RATE


@dataclass(frozen=True)
class _G711:
    law: int

    def encode(self, samples: Samples) -> bytes:
        return g711.encode(samples, self.law).tobytes()

    def decode(self, payload: bytes) -> Samples:
        return g711.decode(np.frombuffer(payload, np.uint8), self.law)


def _g722() -> FrameCodec:
    from everyline.media.wideband import G722  # noqa: PLC0415 -- an optional extra, loaded by the leg that speaks it

    return G722()


def _opus() -> FrameCodec:
    from everyline.media.wideband import Opus  # noqa: PLC0415 -- an optional extra, loaded by the leg that speaks it

    return Opus()


PCMU = Codec("PCMU", 0, 8000, 8000, lambda: _G711(g711.MU), law=g711.MU)
PCMA = Codec("PCMA", 8, 8000, 8000, lambda: _G711(g711.A), law=g711.A)
G722 = Codec("G722", 9, 8000, 16000, _g722)
OPUS = Codec("opus", 111, 48000, 16000, _opus, channels=2, parameters="maxplaybackrate=16000;useinbandfec=1")
NARROW = (PCMU, PCMA)


@cache
def available() -> tuple[Codec, ...]:
    """What this installation can speak, the plainest first."""
    return (*NARROW, G722, OPUS) if importlib.util.find_spec("av") else NARROW
