"""G.722 and Opus by PyAV (FFmpeg and libopus), 16 kHz inside. Needs the extra ``phone``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.packet import Packet

from everyline.media.resampling import Fewer

if TYPE_CHECKING:
    from everyline.media.g711 import Samples

RATE = 16000


def _context(name: str, mode: Literal["r", "w"], rate: int = RATE, **settings: str) -> AudioCodecContext:
    found = av.CodecContext.create(name, mode)
    assert isinstance(found, AudioCodecContext)
    found.sample_rate = rate
    found.layout = "mono"
    if name != "libopus" or mode == "w":
        found.format = "s16"
    found.options = settings
    return found


class _Pair:
    """An encoder and a decoder of FFmpeg."""

    def __init__(self, encoder: AudioCodecContext, decoder: AudioCodecContext) -> None:
        self._encoder, self._decoder = encoder, decoder
        self._at = 0

    def encode(self, samples: Samples) -> bytes:
        """The payload of a frame of 320 samples."""
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = RATE, self._at
        self._at += len(samples)
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))

    def _decoded(self, payload: bytes) -> list[Any]:
        try:
            return [frame.to_ndarray() for frame in self._decoder.decode(Packet(payload))]
        except av.error.FFmpegError:  # what strangers and broken phones send is no sound, and no reason to stop
            return []


class G722(_Pair):
    """ITU-T G.722 at 64 kbit/s."""

    def __init__(self) -> None:
        super().__init__(_context("g722", "w"), _context("g722", "r"))

    def decode(self, payload: bytes) -> Samples:
        """Two samples a byte."""
        found = self._decoded(payload)
        return np.concatenate([part.reshape(-1) for part in found]) if found else np.zeros(0, np.int16)


class Opus(_Pair):
    """Opus (RFC 6716, RFC 7587), mono, made for speech; its decoder gives 48 kHz, of which 16 kHz are kept."""

    def __init__(self) -> None:
        encoder = _context("libopus", "w", application="voip", frame_duration="20", fec="1", packet_loss="5")
        encoder.bit_rate = 24000
        super().__init__(encoder, _context("libopus", "r", 48000))
        self._fewer = Fewer(3)

    def decode(self, payload: bytes) -> Samples:
        """As many frames as the packet holds."""
        parts = []
        for part in self._decoded(payload):
            whole = part.astype(np.float32) * (32768 if part.dtype.kind == "f" else 1)
            parts.append(whole.mean(0) if whole.shape[0] > 1 else whole.reshape(-1))
        if not parts:
            return np.zeros(0, np.int16)
        kept = self._fewer(np.concatenate(parts))
        return np.clip(kept, -32768, 32767).astype(np.int16)
