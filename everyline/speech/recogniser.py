"""The process that makes speech into words: ``python -m everyline.speech.recogniser MODEL [NICE]``. It reads a request a line, JSON, with
the sound behind it (16 bits, 8 kHz), and answers each with a line, JSON. It ends with its input, and lets others run
first (``NICE`` as nice(1) counts; without it nearly all).

A request: ``{"language": …, "bytes": n}``, and ``"likely": […]`` for an answer of a few words to somebody who waits for it. An answer:
``{"words": …, "sure": …}`` or ``{"error": …}``. The model is a folder as faster-whisper reads it; nothing is ever fetched.

Answers: ``likely`` are words that may come, which the model then prefers: with them it understood 10 of 12 answers that eSpeak NG said,
without them 7. How sure it is, is the mean probability of what it wrote (0 to 1); where it says itself that nobody speaks, there are no words.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from everyline.media.g711 import RATE
from everyline.media.resampling import at_rate

HEARS = 16_000  # Hz, of the model
AFTER_ALL_OTHERS = 15  # as nice(1) counts
NOBODY = 0.6  # probability that nobody speaks
MOST_TOKENS = 60  # of an answer: what goes on and on is nothing that was said


class Recogniser:
    """A model, loaded once."""

    def __init__(self, folder: str) -> None:
        library: Any = importlib.import_module("faster_whisper")  # of the extra transcripts
        self._model: Any = library.WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def words(self, sound: bytes, language: str) -> str:
        """What is said. ValueError when the model does not know the language."""
        samples, spoken = self._samples(sound, language)
        parts, _facts = self._model.transcribe(samples, language=spoken or None, condition_on_previous_text=False)
        return " ".join(part.text.strip() for part in parts if part.text.strip())

    def _samples(self, sound: bytes, language: str) -> tuple[NDArray[np.float32], str]:
        spoken = language.split("-")[0]
        if spoken and not self._model.model.is_multilingual and spoken != "en":
            raise ValueError(f"the model hears English, not {spoken}")
        samples = at_rate(np.frombuffer(sound, "<i2").astype(np.int16), RATE, HEARS).astype(np.float32)
        return samples / np.float32(32768), spoken

    def answer(self, sound: bytes, language: str, likely: Sequence[str]) -> tuple[str, float]:
        """What is said in an answer, and how sure that is. ValueError as above."""
        samples, spoken = self._samples(sound, language)
        found, _facts = self._model.transcribe(
            samples,
            language=spoken or None,
            condition_on_previous_text=False,
            without_timestamps=True,
            temperature=0.0,
            max_new_tokens=MOST_TOKENS,
            hotwords=", ".join(likely) or None,
        )
        parts = [part for part in found if part.text.strip() and part.no_speech_prob < NOBODY]
        words = " ".join(part.text.strip() for part in parts)
        return words, math.exp(sum(part.avg_logprob for part in parts) / len(parts)) if parts else 0.0


def serve(recogniser: Recogniser, reads: BinaryIO, writes: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in reads:
        try:
            asked = json.loads(line)
            sound, language = reads.read(int(asked["bytes"])), str(asked["language"])
            if "likely" in asked:
                words, sure = recogniser.answer(sound, language, asked["likely"])
                answer: dict[str, Any] = {"words": words, "sure": sure}
            else:
                answer = {"words": recogniser.words(sound, language), "sure": 1.0}
        except (ValueError, KeyError, RuntimeError) as error:
            answer = {"error": str(error) or type(error).__name__}
        writes.write(json.dumps(answer).encode() + b"\n")
        writes.flush()


if __name__ == "__main__":
    os.nice(int(sys.argv[2]) if len(sys.argv) > 2 else AFTER_ALL_OTHERS)
    os.environ["HF_HUB_OFFLINE"] = "1"
    serve(Recogniser(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
