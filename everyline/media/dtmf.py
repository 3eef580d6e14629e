"""Keys as events (RFC 4733): read, each once, and written; and the two tones of each key (ITU-T Q.23)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from everyline.media.g711 import Samples

KEYS = "0123456789*#ABCD"  # in the order of the event codes
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
TONE_FRAMES, PAUSE_FRAMES = 5, 4  # 100 ms of tone and 80 of pause: above Q.24's 40 and 40
_STRENGTH = 10  # -dBm0
_END = 0x80


def pair(key: str) -> tuple[int, int]:
    """The two frequencies of a key."""
    row = next(n for n, keys in enumerate(PAD) if key in keys)
    return LOW[row], HIGH[PAD[row].index(key)]


def tones(key: str, seconds: float = 0.1, *, rate: int = 8000, loud: float = 5000) -> Samples:
    """The sound of a key."""
    at = np.arange(round(seconds * rate)) / rate
    return sum((loud * np.sin(2 * np.pi * hertz * at) for hertz in pair(key)), np.zeros(len(at))).astype(np.int16)


class KeysHeard:
    """Reads the events of one leg. A key is told with the first packet that speaks of it, whichever that is: packets are
    sent several times and get lost; what they have in common is their timestamp."""

    def __init__(self) -> None:
        self._last: int | None = None

    def read(self, payload: bytes, timestamp: int) -> str | None:
        """The key, when it was not told before; None also for events that are no keys."""
        if len(payload) < 4 or payload[0] >= len(KEYS):
            return None
        if self._last is not None and (timestamp - self._last + 2**31) % 2**32 - 2**31 <= 0:
            return None
        self._last = timestamp
        return KEYS[payload[0]]


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One packet of a key: ``elapsed`` frames since its first one, of which the timestamp is."""

    payload: bytes
    elapsed: int
    marker: bool = False
    again: bool = False  # sent with another of the same tick


def packets(keys: str, ticks: int) -> Iterator[tuple[EventPacket, ...]]:
    """What to send in each tick for these keys, nothing in pauses; ``ticks`` is the timestamp's step in 20 ms. The end is
    sent three times (RFC 4733 section 2.5.1.4)."""
    for key in keys:
        code = KEYS.index(key)
        for frame in range(TONE_FRAMES):
            last = frame == TONE_FRAMES - 1
            flags = _STRENGTH | (_END if last else 0)
            payload = struct.pack("!BBH", code, flags, min((frame + 1) * ticks, 65535))
            one = EventPacket(payload, frame, marker=frame == 0)
            yield (one, *([EventPacket(payload, frame, again=True)] * 2 if last else []))
        yield from [()] * PAUSE_FRAMES
