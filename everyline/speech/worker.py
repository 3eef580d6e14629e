"""The process that speaks: ``python -m everyline.speech.worker``. It reads a request a line, JSON, from its input, and answers
each with a line, JSON, and the sound behind it: 16 bits, 8 kHz, shaped for a telephone. It ends with its input.

A request: ``{"words": …, "voice": …, "library": …, "data": …}``, or ``program`` in place of the library, or ``piper`` with
``model``. An answer: ``{"bytes": n}`` or ``{"error": …}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO

from everyline.media.g711 import Samples
from everyline.speech.errors import CannotSpeak
from everyline.speech.espeak import Library, Program, wave
from everyline.speech.shaping import shaped

PIPER_SECONDS = 120.0


@cache
def _library(path: str, data: str) -> Library:
    return Library(Path(path), Path(data))


def _piper(program: str, model: str, words: str) -> tuple[Samples, int]:
    """A line is a sentence to it, and it writes a WAV file."""
    asked = [program, "--model", model, "--output_file", "-"]
    text = " ".join(words.split()) + "\n"
    try:
        done = subprocess.run(asked, input=text.encode(), capture_output=True, timeout=PIPER_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode("utf-8", "replace").strip()[-300:]
        raise CannotSpeak(f"piper ended with {error.returncode}: {said}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotSpeak(f"piper: {error}") from error
    return wave(done.stdout)


def spoken(request: Mapping[str, str]) -> Samples:
    """What a request asks for."""
    words = request["words"]
    if "piper" in request:
        samples, rate = _piper(request["piper"], request["model"], words)
    elif "library" in request:
        samples, rate = _library(request["library"], request["data"]).say(words, request["voice"])
    else:
        samples, rate = Program(Path(request["program"])).say(words, request["voice"])
    return shaped(samples, rate)


def serve(reads: BinaryIO, writes: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in reads:
        body, said_why = b"", ""
        try:
            body = spoken(json.loads(line)).astype("<i2").tobytes()
        except (CannotSpeak, OSError, ValueError, KeyError) as error:
            said_why = str(error) or type(error).__name__
        head = {"error": said_why} if said_why else {"bytes": len(body)}
        writes.write(json.dumps(head).encode() + b"\n" + body)
        writes.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
