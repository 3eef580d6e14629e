"""``bot``: how long an answer takes, what memory it needs, and how well intents and what is none of them are told apart.

Answers are asked of the sample company, in a process that does nothing else, on one core. Intents are learned of public sets that are
neither shipped nor fetched: put them into a folder and name it in ``BOT_SETS``::

    banking/train.csv, banking/test.csv    77 intents: columns text, category (Casanueva et al. 2020)
    clinc/data_full.json                   150 intents and what is none of them (Larson et al. 2019)

Without them these figures are left out. Of the first set 40 examples of each intent are learned, drawn with a fixed seed from its
training side; of the second all of its training side, and its questions out of scope are only asked. Nothing was tuned on a test side.
"""

from __future__ import annotations

import asyncio
import csv
import json
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.questions import QUESTIONS
from benchmarks.stage import percentile, report
from everyline.articles import embedding, meanings
from everyline.ground import schema
from everyline.ground.installation import standing
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings
from everyline.sample import articles as sample
from everyline.sample import taught
from everyline.selfservice import bot
from everyline.selfservice.bot import Heard, Outcome, classifier, training
from everyline.selfservice.identity import Who

SETS = "BOT_SETS"
EACH = 40  # examples of an intent
WARM = 20
SEED = 5
AT_ONCE = 64  # questions that are told apart together
ELSEWHERE = (  # what no county office answers
    "what is the capital of France",
    "who won the football game last night",
    "tell me a joke",
    "how do I bake bread",
    "which phone should I buy",
    "translate good morning into Japanese",
    "what is the square root of two",
    "recommend a film for tonight",
    "how tall is the highest mountain",
    "what is my horoscope",
    "book me a flight to Rome",
    "how do I tune a guitar",
    "when was the printing press invented",
    "play some music",
    "what do geese eat",
)


async def _prepare(url: str, folder: Path) -> None:
    """The sample company's articles with their meanings, and a bot that has learned."""
    async with standing(Settings(data=folder, database_url=url, secret_key="k" * 32)) as ground:
        async with ground.database.transaction() as tx:
            await sample.load(tx, None)
            await taught.load(tx, None)
        await meanings.catch_up(ground.database)
        await training.learn(ground.database)


async def _answers(url: str, folder: Path) -> dict[str, float]:
    times, right, wrong, claimed = [], 0, 0, 0
    heard = Heard(who=Who(language="en", channel="bench"))
    async with standing(Settings(data=folder, database_url=url, secret_key="k" * 32)) as ground:
        for at, (words, title) in enumerate((*QUESTIONS[:WARM], *QUESTIONS)):
            began = time.perf_counter()
            reply = await bot.answer(ground, words, heard)
            if at >= WARM:
                times.append((time.perf_counter() - began) * 1e3)
                if reply.outcome is Outcome.ANSWER:
                    right, wrong = (right + 1, wrong) if reply.sources[0].title == title else (right, wrong + 1)
        for words in ELSEWHERE:
            claimed += (await bot.answer(ground, words, heard)).outcome is Outcome.ANSWER
    memory = psutil.Process().memory_full_info()
    return {
        "answer_p50_ms": percentile(times, 0.5),
        "answer_p95_ms": percentile(times, 0.95),
        "memory_pss_mb": memory.pss / 2**20,
        "answered_right_share": right / len(QUESTIONS),
        "answered_wrong_share": wrong / len(QUESTIONS),
        "answered_elsewhere_share": claimed / len(ELSEWHERE),
    }


def _alone(url: str, folder: Path) -> None:
    """In a process of its own, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    (folder / "figures.json").write_text(json.dumps(asyncio.run(_answers(url, folder))))


def answers() -> dict[str, float]:
    """Time, memory, and what the answers are worth."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        schema.bring_up_to_date(postgres.url)
        asyncio.run(_prepare(postgres.url, folder))
        process = multiprocessing.get_context("spawn").Process(target=_alone, args=(postgres.url, folder))
        process.start()
        process.join()
        found: dict[str, float] = json.loads((folder / "figures.json").read_text())
        return found
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def banking(folder: Path) -> dict[str, float]:
    """Accuracy over 77 intents with 40 examples each."""
    train, test = (_pairs(folder / "banking" / name) for name in ("train.csv", "test.csv"))
    chance = random.Random(SEED)
    by_label: dict[str, list[str]] = {}
    for words, label in train:
        by_label.setdefault(label, []).append(words)
    drawn = [
        (words, label)
        for label, every_one in sorted(by_label.items())
        for words in chance.sample(every_one, min(EACH, len(every_one)))
    ]
    embed = embedding.model()
    vectors = embed.vectors if embed is not None else None
    began = time.perf_counter()
    made, tested = classifier.of([words for words, _l in drawn], [label for _w, label in drawn], vectors)
    seconds = time.perf_counter() - began
    found = _guess(made, [words for words, _l in test])
    right = sum(one.guesses[0].label == label for one, (_w, label) in zip(found, test, strict=True))
    return {
        "intents_accuracy_share": right / len(test),
        "intents_held_out_share": tested.accuracy,
        "intents_learned_s": seconds,
    }


def _pairs(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _guess(made: classifier.Classifier, texts: Sequence[str]) -> list[classifier.Guessed]:
    embed = embedding.model()
    vectors = embed.vectors if embed is not None else None
    return [one for at in range(0, len(texts), AT_ONCE) for one in made.guess(texts[at : at + AT_ONCE], vectors)]


def clinc(folder: Path) -> dict[str, float]:
    """What is none of 150 intents, and how often one of them is taken for it."""
    sets = json.loads((folder / "clinc" / "data_full.json").read_text("utf-8"))
    embed = embedding.model()
    vectors = embed.vectors if embed is not None else None
    made, _tested = classifier.of([one[0] for one in sets["train"]], [one[1] for one in sets["train"]], vectors)
    inside, outside = (_guess(made, [one[0] for one in sets[name]]) for name in ("test", "oos_test"))
    right = sum(one.guesses[0].label == label for one, (_w, label) in zip(inside, sets["test"], strict=True))
    return {
        "inside_accuracy_share": right / len(inside),
        "outside_seen_share": sum(not one.known for one in outside) / len(outside),
        "outside_false_alarms_share": sum(not one.known for one in inside) / len(inside),
    }


def main() -> None:
    """Measure and report."""
    figures = answers()
    folder = Path(os.environ.get(SETS, ""))
    if os.environ.get(SETS) and (folder / "banking" / "train.csv").is_file():
        figures |= banking(folder)
    if os.environ.get(SETS) and (folder / "clinc" / "data_full.json").is_file():
        figures |= clinc(folder)
    missing = {"intents_accuracy_share", "outside_seen_share"} - set(figures)
    if missing:
        print(f"not measured, for {SETS} names no folder with the public sets: {', '.join(sorted(missing))}")
    limits = {
        "answer_p95_ms": 250,
        "memory_pss_mb": 400,
        "intents_accuracy_share": 0.90,
        "outside_seen_share": 0.80,
        "outside_false_alarms_share": 0.10,
    }
    report("bot", figures, limits)


if __name__ == "__main__":
    main()
