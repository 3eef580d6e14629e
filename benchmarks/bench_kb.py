"""``kb``: search over 20,000 articles by words and by meaning, and how often the right article is among the first three.

The 20,000 articles are made up of the topics of a county; their words are spread as in any language. What is asked is their
titles put otherwise, half typed, mistyped, or without a word of theirs. The labelled questions stand in
``benchmarks/questions.py`` with what they are; they are asked of the sample company's articles alone, and then among all, where
hundreds of made-up ones speak of the same things.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from sqlalchemy import text

from benchmarks.questions import QUESTIONS
from benchmarks.stage import percentile, report
from everyline.articles import embedding, finding, meanings, pairing, queries, rules, working
from everyline.articles.finding import Asked
from everyline.articles.queries import Reader
from everyline.ground import schema
from everyline.ground.database import Database
from everyline.ground.postgres import EmbeddedPostgres
from everyline.sample import articles as sample

ARTICLES = 20_000
SEARCHES = 400
WARM = 60
THINGS = (  # noqa: SIM905 -- read as words
    "permit fence bill meter license dog marriage ballot pothole lamp tax exemption statement appeal form address garage "
    "inspection plan panel tree school bus ferry pier roof well septic tank sidewalk sewer hydrant parcel deed survey "
    "boundary shelter kennel vaccine hearing court jury fine ticket warrant passport birth death certificate record "
    "archive map zoning noise smoke burn pile compost recycling bin pickup bulky battery paint oil tire mattress sign "
    "banner event park trail camp ground boat ramp mooring berth beach lifeguard pool library card story hour"
).split()
DEEDS = (  # noqa: SIM905 -- read as words
    "apply renew cancel pay report request replace transfer appeal find book change register return borrow sell buy move "
    "close open measure inspect repair clean remove build"
).split()
FILLERS = (  # noqa: SIM905 -- read as words
    "you need bring office counter online phone week day before after fee costs waits reviewed signed copy proof owner "
    "tenant neighbor district county state number account letter mail card check receipt hours Monday Friday morning"
).split()


def made(chance: random.Random) -> tuple[str, str]:
    """Title and text of an article: some words are in a third of them, most in few."""
    thing = [THINGS[int(chance.random() ** 2 * len(THINGS))] for _ in range(3)]
    deed = chance.choice(DEEDS)
    title = f"{deed.title()} a {thing[0]} for your {thing[1]} {chance.randrange(1, 999)}"
    sentences = [
        " ".join(chance.choices([*FILLERS, *thing, deed, f"code{int(chance.random() ** 3 * 9000)}"], k=12)).capitalize()
        + "."
        for _ in range(6)
    ]
    return title, "\n\n".join(" ".join(sentences[at : at + 4]) for at in range(0, 6, 3))


def asked(chance: random.Random, title: str) -> str:
    """What somebody types who wants it."""
    deed, _a, thing, _for, _your, other, *_ = title.lower().split()
    kind = chance.randrange(4)
    if kind == 0:
        return f"how do i {deed} my {thing}"
    if kind == 1:
        return f"{thing} {other[: max(3, len(other) - 2)]}"
    if kind == 2:
        at = chance.randrange(1, max(2, len(thing) - 1))
        return f"{thing[:at]}{thing[at + 1 :]} {deed} {other}"
    return f"what does it take to get rid of the {other} of a {thing}"


async def fill(database: Database) -> list[str]:
    """Published articles, past the verbs; returns their titles."""
    chance = random.Random(4)
    titles = []
    async with database.transaction() as tx:
        for _ in range(ARTICLES // 1000):
            rows = [made(chance) for _ in range(1000)]
            titles += [title for title, _text in rows]
            ids = [
                row.id
                for row in await tx.rows(
                    text("insert into article (language) select 'en' from generate_series(1, 1000) returning id")
                )
            ]
            await tx.many(
                queries.statements.put_published,
                [
                    {
                        "article_id": one,
                        "language": "en",
                        "number": 1,
                        "slug": f"a{one}",
                        "title": title,
                        "summary": body[:120],
                        "text": body,
                        "plain": body,
                        "questions": [],
                        "wordings": "{}",
                        "source_number": None,
                        "configuration": "article_english",
                        "renderer": "",
                        "rendered": "{}",
                        "at": "2026-01-01T00:00Z",
                    }
                    for one, (title, body) in zip(ids, rows, strict=True)
                ],
            )
        await tx.execute(queries.statements.count_words, {"language": "en", "configuration": rules.configuration("en")})
    return titles


def tidy(url: str) -> None:
    """What the database does by itself some minutes after so much was written."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


async def search(database: Database, titles: Sequence[str]) -> float:
    """The 95th percentile of a search, in milliseconds."""
    chance = random.Random(5)
    reader = Reader("public", "en")
    times = []
    for at in range(SEARCHES + WARM):
        words = asked(chance, chance.choice(titles))
        began = time.perf_counter()
        async with database.transaction() as tx:
            await finding.find(tx, Asked(words, reader))
        if at >= WARM:
            times.append((time.perf_counter() - began) * 1e3)
    return percentile(times, 0.95)


async def compare(database: Database) -> float:
    """How long an article takes to be compared with all others, in milliseconds, when all are new."""
    began, left = time.perf_counter(), 1
    while left:
        async with database.transaction() as tx:
            left = await pairing.compare_some(tx)
    return (time.perf_counter() - began) / ARTICLES * 1e3


async def health(database: Database) -> float:
    """The 95th percentile of what the page about the articles' health reads, in milliseconds."""
    times = []
    for _ in range(WARM):
        began = time.perf_counter()
        async with database.transaction() as tx:
            await working.health(tx, ["en", "es"])
        times.append((time.perf_counter() - began) * 1e3)
    return percentile(times, 0.95)


async def right(database: Database, first: int) -> tuple[float, list[str]]:
    """The share of labelled questions whose article is among the first ones, and those whose is not."""
    missed = []
    async with database.transaction() as tx:
        for words, title in QUESTIONS:
            hits = await finding.find(tx, Asked(words, Reader("public", "en")))
            ids = [hit.article_id for hit in hits[:first]]
            found = await tx.column(
                text("select title from published_article where article_id = any(:ids) and language = 'en'"),
                {"ids": ids},
            )
            if title not in found:
                missed.append(f"{words} -> {title}")
    return 1 - len(missed) / len(QUESTIONS), missed


async def measure(url: str) -> dict[str, float]:
    """All figures."""
    database = Database(url)
    try:
        async with database.transaction() as tx:
            await sample.load(tx, None)
        found = {"right_of_3_words_share": (await right(database, 3))[0]}
        if embedding.installed():
            await meanings.catch_up(database)
            found["right_of_3_share"], missed = await right(database, 3)
            found["right_first_share"], _ = await right(database, 1)
            for line in missed:
                print("missed:", line)
        titles = await fill(database)
        tidy(url)
        found["words_p95_ms"] = await search(database, titles)
        if embedding.installed():
            began = time.perf_counter()
            await meanings.catch_up(database)
            found["embed_ms_each"] = (time.perf_counter() - began) / ARTICLES * 1e3
            tidy(url)
            found["meaning_p95_ms"] = await search(database, titles)
            found["right_of_3_among_all_share"], _ = await right(database, 3)
        found["compare_ms_each"] = await compare(database)
        found["health_p95_ms"] = await health(database)
    finally:
        await database.close()
    return found


def main() -> None:
    """Measure and report."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        schema.bring_up_to_date(postgres.url)
        figures = asyncio.run(measure(postgres.url))
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    limits = {"words_p95_ms": 60, "meaning_p95_ms": 120, "right_of_3_share": 0.85}
    report("kb", {**figures, "articles_count": ARTICLES, "questions_count": len(QUESTIONS)}, limits)


if __name__ == "__main__":
    main()
