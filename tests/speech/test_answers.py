"""Answers made into words while somebody waits: by a real model, and in what order by one that only counts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from everyline.media.g711 import Samples
from everyline.speech.answers import Answers
from everyline.speech.errors import CannotHear, TooBusy
from everyline.speech.hearing import Ear, Understood
from tests.speech.voice import model, spoken

pytestmark = pytest.mark.req("V3")
# says how many bytes it was given once a file is there; breaks on nothing at all
SLOW = """
import json, os, sys, time
for line in sys.stdin.buffer:
    asked = json.loads(line)
    sound = sys.stdin.buffer.read(asked["bytes"])
    while len(sound) > 4 and not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    if not sound:
        sys.exit(1)
    sys.stdout.write(json.dumps({"words": str(len(sound)), "sure": 0.5}) + chr(10))
    sys.stdout.flush()
"""


class Slow:
    """An ear that is free when it is told so."""

    def __init__(self, folder: Path) -> None:
        self.free = folder / "free"
        self.ear = Ear(folder, command=(sys.executable, "-c", SLOW, str(self.free)))


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Slow]:
    made = Slow(tmp_path)
    yield made
    await made.ear.end()


def sound(samples: Samples) -> bytes:
    quiet = np.zeros(2400, np.int16)
    return np.concatenate([quiet, samples.astype(np.int16), quiet]).tobytes()


@pytest.mark.timeout(240)
async def test_words_that_may_come_are_heard_and_noise_is_nothing() -> None:
    ear = Ear(model())
    labels = ("pay my bill", "report a leak", "agent")
    try:
        found = await ear.answer(sound(spoken("pay my bill")), "en", labels)
        assert found.words.casefold().strip(".") == "pay my bill"
        assert found.sure > 0.5
        assert "pay my bill" not in repr(found)
        plain = await ear.answer(sound(spoken("pay my bill")), "en", ())
        assert plain.sure < found.sure, "without knowing what may come it is less sure"
        noise = (np.random.default_rng(3).standard_normal(6000) * 300).astype(np.int16)
        assert (await ear.answer(noise.tobytes(), "en", labels)).words == ""
        with pytest.raises(CannotHear):
            await ear.answer(sound(spoken("ja")), "de", ())
    finally:
        await ear.end()


def test_a_model_of_english_knows_english_and_one_of_all_languages_all(tmp_path: Path) -> None:
    assert Ear(model()).knows("en-GB")
    assert not Ear(model()).knows("es")
    (tmp_path / "vocabulary.json").write_text(str(list(range(51_866))), "utf-8")
    assert Ear(tmp_path).knows("es")


async def test_a_few_wait_and_others_are_told_at_once(slow: Slow) -> None:
    answers = Answers(slow.ear, most=2, seconds=60)
    both = [asyncio.create_task(answers.hear(bytes(n), "en", ())) for n in (100, 200)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await answers.hear(bytes(300), "en", ())
    slow.free.touch()
    assert [await one for one in both] == [Understood("100", 0.5), Understood("200", 0.5)]
    assert await answers.hear(bytes(300), "en", ()) == Understood("300", 0.5)
    await answers.end()


async def test_nobody_waits_long_and_what_is_heard_for_nobody_holds_nobody_up(slow: Slow) -> None:
    answers = Answers(slow.ear, seconds=0.05)
    for n in (100, 200):
        with pytest.raises(TooBusy):
            await answers.hear(bytes(n), "en", ())
    slow.free.touch()
    patient = Answers(slow.ear, seconds=60)
    assert await patient.hear(bytes(300), "en", ()) == Understood("300", 0.5)
    await answers.end()


async def test_an_ear_that_breaks_is_there_again(slow: Slow) -> None:
    answers = Answers(slow.ear, seconds=60)
    with pytest.raises(CannotHear):
        await answers.hear(b"", "en", ())
    assert await answers.hear(bytes(4), "en", ()) == Understood("4", 0.5)
    await answers.end()
