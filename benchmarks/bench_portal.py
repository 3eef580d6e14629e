"""``portal``: what pages of the portal cost the web role: articles as they are read, articles that this process shows for the first
time and so has to read and render, the first page, search; and what Lighthouse gives an article and the first page.

A knowledge base of 1,000 articles in 40 categories, each with headings, a table, a callout and a list. Every request is by
another reader, so that every reading is counted and written; nobody sends cookies or asks whether a page has changed. Some
articles are read often and most seldom, as it is everywhere.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import random
import time
from collections.abc import Iterator

from psutil import Process

from benchmarks.scores import scores
from benchmarks.stage import Product, cpu, percentile, product, report
from everyline.articles import actions
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import Settings
from everyline.lines import actions as lines

ARTICLES = 1_000
CATEGORIES = 40
REQUESTS = 400
WARM = 200
SEARCHES = 100
WORDS = (  # noqa: SIM905 -- read as words
    "permit fence water bill meter license dog marriage ballot election pothole street light tax exemption statement appeal "
    "form letter address move renew office hours appointment inspection plan panel neighbor yard garden roof tree school bus"
).split()


def text(chance: random.Random) -> str:
    """An article of some 600 words."""

    def said(count: int) -> str:
        return " ".join(chance.choices(WORDS, k=count)).capitalize() + "."

    parts = []
    for _part in range(5):
        parts += [
            f"## {said(4)}",
            " ".join(said(12) for _ in range(4)),
            "\n".join(f"- **{said(3)}** {said(8)}" for _ in range(4)),
        ]
    rows = "\n".join(f"| {said(3)} | ${n} |" for n in range(6))
    parts += [
        f"| What | Fee |\n|:--|--:|\n{rows}",
        f"> [!TIP]\n> {said(15)}",
        f"[{said(2)}](https://www.county.example/)",
    ]
    return "\n\n".join(parts)


async def fill(ground: Ground) -> list[str]:
    """Write and publish everything; returns the articles' names."""
    chance, slugs = random.Random(3), []
    async with ground.database.transaction() as tx:
        await lines.add(
            tx, ground.vault, None, channel_name="webform", address="help", name="Help", queue_id=1, settings={}
        )
        places = [
            await actions.add_category(tx, None, {"en": f"Subject {n} {chance.choice(WORDS)}"})
            for n in range(CATEGORIES)
        ]
    for number in range(ARTICLES):
        async with ground.database.transaction() as tx:
            title = f"{' '.join(chance.sample(WORDS, 4)).capitalize()} {number}"
            article_id = await actions.add(
                tx,
                None,
                "en",
                title,
                summary=" ".join(chance.choices(WORDS, k=16)),
                text=text(chance),
                category_id=chance.choice(places),
                tags=chance.sample(WORDS, 3),
            )
            slugs.append(await actions.publish(tx, None, article_id, "en"))
    return slugs


def ask(found: Product, web: Process, paths: Iterator[str], count: int) -> tuple[float, float]:
    """Milliseconds: processor time of the web role for one page, and the 95th percentile of the answer."""
    connection = http.client.HTTPConnection(found.address.removeprefix("http://"), timeout=30)
    times = []
    before = cpu(web)
    for number in range(count):
        began = time.perf_counter()
        agent = f"Mozilla/5.0 (X11; reader {next(READERS)} of {number})"
        connection.request("GET", next(paths), headers={"User-Agent": agent, "Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {content[:200]!r}")
        times.append((time.perf_counter() - began) * 1e3)
    time.sleep(3)  # what was counted is written
    return (cpu(web) - before) / count * 1e3, percentile(times, 0.95)


READERS = itertools.count()


def main() -> None:
    """Measure and report."""
    chance = random.Random(1)

    async def filled() -> list[str]:
        async with standing(Settings(data=found.data), found.database_url) as ground:
            return await fill(ground)

    with product() as found:
        slugs, web = asyncio.run(filled()), found.role("web")
        time.sleep(5)  # the events of all that are heard
        chance.shuffle(slugs)
        fresh = (f"/help/en/articles/{slug}" for slug in slugs)
        often = (f"/help/en/articles/{slugs[int(chance.random() ** 3 * ARTICLES)]}" for _ in itertools.count())
        home = itertools.repeat("/help/en")
        searches = (f"/help/en/search?q={chance.choice(WORDS)}+{chance.choice(WORDS)}" for _ in itertools.count())
        ask(found, web, fresh, WARM)
        first_cpu, first_p95 = ask(found, web, fresh, REQUESTS)
        ask(found, web, often, 2 * WARM)
        article_cpu, article_p95 = ask(found, web, often, REQUESTS)
        ask(found, web, home, WARM)
        home_cpu, home_p95 = ask(found, web, home, REQUESTS)
        _search_cpu, search_p95 = ask(found, web, searches, SEARCHES)
        given = scores(f"{found.address}/help/en/articles/{slugs[0]}", f"{found.address}/help/en")
    report(
        "portal",
        {
            "article_first_cpu_ms": first_cpu,
            "article_first_p95_ms": first_p95,
            "article_cpu_ms": article_cpu,
            "article_p95_ms": article_p95,
            "home_cpu_ms": home_cpu,
            "home_p95_ms": home_p95,
            "search_p95_ms": search_p95,
            "articles_count": ARTICLES,
            **{f"lighthouse_{name}_score": score for name, score in given.items()},
        },
        {"article_cpu_ms": 5, "article_first_cpu_ms": 5, **{f"lighthouse_{name}_score": 95 for name in given}},
    )


if __name__ == "__main__":
    main()
