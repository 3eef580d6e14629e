"""Recordings that people hand in, made into what a telephone plays."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from itertools import chain

import numpy as np

from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.media.errors import BadSound
from everyline.media.g711 import RATE, Samples
from everyline.media.sounds import Sound
from everyline.speech.shaping import active_level, shaped

try:
    import av
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer

    FFMPEG = True
except ImportError:  # without the extra phone WAV files are read and nothing else
    FFMPEG = False

LARGEST = 25 * 1024 * 1024  # bytes
LONGEST_SECONDS = 300
SILENT = 8.0  # of 32,768
_FORMS = "wav,w64,aiff,mp3,ogg,matroska,webm,mov,mp4,aac,flac"  # none of them names another file to be read


@dataclass(frozen=True, slots=True)
class Made:
    """A recording as it is played: a WAV file at 8 kHz, without silence around it, as loud as the voices."""

    wav: bytes
    seconds: float


def made(content: bytes) -> Made:
    """What is played, of a file that was handed in: WAV, MP3, Opus and what browsers record. Takes a while: call it in a thread.
    Invalid, with what to do about it."""
    if len(content) > LARGEST:
        raise Invalid(_("The file is too large: at most %s MB.") % (LARGEST // 1024 // 1024))
    samples, rate = _decoded(content) if FFMPEG else _plain(content)
    if active_level(samples) < SILENT:
        raise Invalid(_("Nothing can be heard in it. Look whether the right microphone is on."))
    ready = shaped(samples, rate)
    return Made(as_file(ready), len(ready) / RATE)


def as_file(samples: Samples, rate: int = RATE) -> bytes:
    """A WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return written.getvalue()


def _plain(content: bytes) -> tuple[Samples, int]:
    try:
        found = Sound.read(content)
    except BadSound as error:
        raise Invalid(_("This is no WAV file. Other kinds need the extra for calls: everyline[phone].")) from error
    if found.seconds > LONGEST_SECONDS:
        raise _too_long()
    return found.samples, RATE


def _decoded(content: bytes) -> tuple[Samples, int]:
    """One channel of sound and its rate, by FFmpeg's libraries."""
    parts: list[Samples] = []
    try:
        with av.open(io.BytesIO(content), "r", options={"format_whitelist": _FORMS, "protocol_whitelist": ""}) as box:
            assert isinstance(box, InputContainer)
            if not box.streams.audio:
                raise Invalid(_("There is no sound in this file."))
            stream = box.streams.audio[0]
            rate = int(stream.rate or 48_000)
            left = rate * LONGEST_SECONDS
            plain = AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in chain(box.decode(stream), [None]):
                for one in plain.resample(frame):
                    parts.append(np.asarray(one.to_ndarray(), np.int16).reshape(-1))
                    left -= len(parts[-1])
                if left < 0:
                    raise _too_long()
    except (av.FFmpegError, ValueError, OSError) as error:
        raise Invalid(_("This file cannot be read. WAV, MP3, Opus and M4A can.")) from error
    return (np.concatenate(parts) if parts else np.zeros(0, np.int16)), rate


def _too_long() -> Invalid:
    return Invalid(_("It is too long: at most %s minutes.") % (LONGEST_SECONDS // 60))
