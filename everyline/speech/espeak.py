"""eSpeak NG by its library or its program. Runs in the speaker's own process: a fault in the library ends that and no call."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from pathlib import Path

import numpy as np

from everyline.media.g711 import Samples
from everyline.speech.errors import CannotSpeak

WORDS_A_MINUTE = 155  # slower than its usual 175: a telephone takes away what helps to understand
PROGRAM_SECONDS = 30.0
# speak_lib.h of eSpeak NG
_SYNCHRONOUS, _NO_EXIT, _POSITION_CHARACTER, _UTF8, _RATE, _OK = 2, 0x8000, 1, 1, 1, 0
_HEARD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """``espeak_VOICE``."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("inner", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class Library:
    """The library, loaded and asked. One thread at a time."""

    def __init__(self, library: Path, data: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _NO_EXIT)
        if rate <= 0:
            raise CannotSpeak(f"eSpeak NG did not find its voices in {data}")
        self.rate = int(rate)
        self._parts: list[bytes] = []
        self._callback = _HEARD(self._hear)  # kept: the library calls it
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(_RATE, WORDS_A_MINUTE, 0)

    def _hear(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if count > 0:
            self._parts.append(ctypes.string_at(samples, count * 2))
        return 0

    def say(self, words: str, voice: str) -> tuple[Samples, int]:
        """The sound of words, and its rate."""
        wanted = _Voice(languages=voice.encode())
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK and (
            self._library.espeak_SetVoiceByProperties(ctypes.byref(wanted)) != _OK
        ):
            raise CannotSpeak(f"eSpeak NG has no voice {voice}")
        text = words.encode() + b"\0"
        self._parts = []
        done = self._library.espeak_Synth(
            text, ctypes.c_size_t(len(text)), 0, _POSITION_CHARACTER, 0, _UTF8, None, None
        )
        if done != _OK:
            raise CannotSpeak(f"eSpeak NG answered {done}")
        return np.frombuffer(b"".join(self._parts), "<i2"), self.rate


class Program:
    """The same by Debian's program, started for each text."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def say(self, words: str, voice: str) -> tuple[Samples, int]:
        """The sound of words, and its rate."""
        plain = words.replace("[[", "[ [")  # which would begin phonemes
        asked = [str(self._program), "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
        try:
            done = subprocess.run(asked, input=plain.encode(), capture_output=True, timeout=PROGRAM_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotSpeak(f"{self._program.name}: {error}") from error
        return wave(done.stdout)


def wave(content: bytes) -> tuple[Samples, int]:
    """The samples of a WAV file whose lengths are unknown, as it comes through a pipe: 44 bytes, then sound."""
    if content[:4] != b"RIFF" or len(content) < 44:
        raise CannotSpeak("what was spoken is no WAV file")
    (rate,) = struct.unpack_from("<I", content, 24)
    body = content[44:]
    return np.frombuffer(body[: len(body) // 2 * 2], "<i2"), int(rate)
