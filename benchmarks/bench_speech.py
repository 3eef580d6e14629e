"""``speech``: what words cost until they can be heard: the first time, when they are kept on disk, and when they are in memory."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.stage import percentile, report
from everyline.speech.speaker import Speaker
from everyline.speech.voices import Espeak

SENTENCES = 60
AGAIN = 5000


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


def main() -> None:
    """Measure in a folder that is taken away."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-speech-"))
    try:
        asyncio.run(_measure(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
