"""Sounds to play: prompts, announcements and music, from WAV files or plain samples; and one while it is played."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from everyline.media import g711
from everyline.media.errors import BadSound
from everyline.media.g711 import Samples
from everyline.media.resampling import at_rate

FRAME = 160
LARGEST = 100_000_000  # bytes of a file
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


@dataclass(frozen=True, eq=False)
class Sound:
    """Samples at 8 kHz, in whole frames of 20 ms (the last is filled up with silence)."""

    samples: Samples
    name: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / g711.RATE

    @classmethod
    def of(cls, samples: Samples, *, rate: int = g711.RATE, name: str = "") -> Sound:
        """From plain samples at any rate."""
        found = at_rate(samples, rate, g711.RATE)
        filled = np.zeros(max(-(-len(found) // FRAME), 1) * FRAME, np.int16)
        filled[: len(found)] = found
        return cls(filled, name)

    @classmethod
    def load(cls, path: Path) -> Sound:
        """From a WAV file: PCM of 8 to 32 bits, floats, µ-law or A-law, of any rate, channels made one. Takes a while for a
        long file: call it in a thread, ahead of the call. Raises BadSound."""
        if path.stat().st_size > LARGEST:
            raise BadSound(f"{path.name} has more than {LARGEST} bytes")
        return cls.read(path.read_bytes(), name=path.name)

    @classmethod
    def read(cls, content: bytes, *, name: str = "") -> Sound:
        """The same from a file's bytes."""
        if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
            raise BadSound(f"{name or 'it'} is no WAV file")
        at, form = 12, None
        while at + 8 <= len(content):
            kind, size = struct.unpack_from("<4sI", content, at)
            body = content[at + 8 : at + 8 + size]
            if kind == b"fmt " and len(body) >= 16:
                form = body
            if kind == b"data" and form:
                samples, rate = _samples(form, body, name)
                return cls.of(samples, rate=rate, name=name)
            at += 8 + size + size % 2
        raise BadSound(f"{name or 'it'} has no sound in it")

    def frame(self, number: int) -> Samples:
        """Its 160 samples of so many frames after the beginning."""
        return self.samples[number * FRAME : (number + 1) * FRAME]


def _samples(form: bytes, body: bytes, name: str) -> tuple[Samples, int]:
    kind, channels, rate, _bytes, step, bits = struct.unpack_from("<HHIIHH", form)
    if kind == _EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack_from("<H", form, 24)[0]
    if not 1 <= channels <= 8 or not 4000 <= rate <= 192_000 or step != channels * bits // 8:
        raise BadSound(f"{name or 'it'} has {channels} channels at {rate} Hz")
    body = body[: len(body) // step * step]
    found: NDArray[np.float32]
    match kind, bits:
        case 1, 8:
            found = (np.frombuffer(body, np.uint8).astype(np.float32) - 128) * 256
        case 1, 16:
            found = np.frombuffer(body, "<i2").astype(np.float32)
        case 1, 24:
            found = np.frombuffer(body, np.uint8).reshape(-1, 3)[:, 1:].copy().view("<i2")[:, 0].astype(np.float32)
        case 1, 32:
            found = np.frombuffer(body, "<i4").astype(np.float32) / np.float32(65536)
        case 3, 32:
            found = np.nan_to_num(np.frombuffer(body, "<f4")) * np.float32(32767)
        case ((6 | 7), 8):
            found = g711.decode(np.frombuffer(body, np.uint8), g711.A if kind == _ALAW else g711.MU).astype(np.float32)
        case _:
            raise BadSound(f"{name or 'it'} has samples of kind {kind} with {bits} bits")
    mono = found.reshape(-1, channels).mean(1)
    return np.clip(mono, -32768, 32767).astype(np.int16), rate


class Playing:
    """A sound on its way into an ear. ``await playing.ended()`` says whether it was played to its end."""

    def __init__(self, sound: Sound, *, gain: float = 1.0) -> None:
        self.sound, self.gain = sound, gain
        self._at = 0
        self._done: asyncio.Future[bool] | None = None
        self._result: bool | None = None

    @property
    def seconds(self) -> float:
        """How much was played."""
        return self._at * FRAME / g711.RATE

    def next(self) -> Samples | None:
        """The next frame, None after the last."""
        found = self.sound.frame(self._at)
        self._at += 1 if len(found) else 0
        return found if len(found) else None

    def end(self, *, whole: bool) -> None:
        """Note that it is over."""
        if self._result is None:
            self._result = whole
            if self._done and not self._done.done():
                self._done.set_result(whole)

    async def ended(self) -> bool:
        """Wait until it is over: true when it was played to its end."""
        if self._result is not None:
            return self._result
        self._done = self._done or asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._done)


class Music:
    """A sound without end, the same for all who hear it: a listener more costs nothing."""

    def __init__(self, sound: Sound, gain: float = 1.0) -> None:
        self._frames = sound.samples.reshape(-1, FRAME).astype(np.float32) * gain
        self.name = sound.name

    def frame(self, tick: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """What is heard in a tick."""
        found: np.ndarray[tuple[int], np.dtype[np.float32]] = self._frames[tick % len(self._frames)]
        return found
