"""The process that makes speech into words: ``python -m everyline.speech.recogniser MODEL``. It reads a request a line, JSON, with
the sound behind it (16 bits, 8 kHz), and answers each with a line, JSON. It ends with its input, and lets everything else run first.

A request: ``{"language": …, "bytes": n}``. An answer: ``{"words": …}`` or ``{"error": …}``. The model is a folder as faster-whisper
reads it; nothing is ever fetched.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, BinaryIO

import numpy as np

from everyline.media.g711 import RATE
from everyline.media.resampling import at_rate

HEARS = 16_000  # Hz, of the model
AFTER_ALL_OTHERS = 15  # as nice(1) counts


class Recogniser:
    """A model, loaded once."""

    def __init__(self, folder: str) -> None:
        library: Any = importlib.import_module("faster_whisper")  # of the extra transcripts
        self._model: Any = library.WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def words(self, sound: bytes, language: str) -> str:
        """What is said. ValueError when the model does not know the language."""
        spoken = language.split("-")[0]
        if spoken and not self._model.model.is_multilingual and spoken != "en":
            raise ValueError(f"the model hears English, not {spoken}")
        samples = at_rate(np.frombuffer(sound, "<i2").astype(np.int16), RATE, HEARS).astype(np.float32) / 32768
        parts, _facts = self._model.transcribe(samples, language=spoken or None, condition_on_previous_text=False)
        return " ".join(part.text.strip() for part in parts if part.text.strip())


def serve(recogniser: Recogniser, reads: BinaryIO, writes: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in reads:
        try:
            asked = json.loads(line)
            answer = {"words": recogniser.words(reads.read(int(asked["bytes"])), str(asked["language"]))}
        except (ValueError, KeyError, RuntimeError) as error:
            answer = {"error": str(error) or type(error).__name__}
        writes.write(json.dumps(answer).encode() + b"\n")
        writes.flush()


if __name__ == "__main__":
    os.nice(AFTER_ALL_OTHERS)
    os.environ["HF_HUB_OFFLINE"] = "1"
    serve(Recogniser(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
