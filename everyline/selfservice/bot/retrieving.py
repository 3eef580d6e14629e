"""Articles that may answer, found by the product's own search, and the passage of each that says most of what was asked.

What a reader may not read is never loaded: every statement asks for their audience and their brand's categories.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from sqlalchemy import select

from everyline.articles import embedding, finding
from everyline.articles.embedding import Model
from everyline.articles.finding import Asked
from everyline.articles.models import ArticleAddress, PublishedArticle
from everyline.articles.queries import Reader
from everyline.articles.rules import FLAT, Kind
from everyline.ground.database import Row, Tx
from everyline.selfservice.bot import passages
from everyline.selfservice.bot.passages import Passage
from everyline.selfservice.bot.replies import Heard, Source

MOST = 4  # articles that are looked into
CLOSELY = 4  # passages whose meaning is compared
MOST_HELD = 4000  # vectors of passages, 1.5 KB each
OF_WORDS, OF_MEANING = 0.45, 0.55
# the most that the search gives an article that is first in all of its rankings, with meanings and without
MOST_SCORE = (finding.BY_WORDS + finding.BY_TITLE) / (FLAT + 1)
MOST_SCORE_MEANT = (finding.BY_WORDS + finding.BY_MEANING + finding.BY_TITLE) / (FLAT + 1)
_held: OrderedDict[str, Any] = OrderedDict()
_lock = Lock()
_TEXT = (
    PublishedArticle.article_id,
    PublishedArticle.language,
    PublishedArticle.slug,
    PublishedArticle.title,
    PublishedArticle.summary,
    PublishedArticle.plain,
    PublishedArticle.kind,
    PublishedArticle.products,
    PublishedArticle.questions,
)


@dataclass(frozen=True, slots=True)
class Found:
    """An article that may answer, with its best passage. ``near`` is how much the passage means what was asked (cosine; None
    where meanings cannot be had), ``useful`` what the search says of the article."""

    article: Row
    passage: Passage
    near: float | None
    useful: bool
    score: float
    taught: float = 0.0  # how likely an intent is that leads to it
    intent: str = ""
    foreign: bool = False  # in another language than was asked in: neither words nor meanings compare well

    @property
    def evidence(self) -> float:
        """How much speaks for its answering, 0 to about 1: that the search likes it or that was taught, that the passage has the
        words, and that it means the same."""
        most = MOST_SCORE if self.near is None else MOST_SCORE_MEANT
        liked = max(min(self.score / most, 1.0), self.taught)
        if self.foreign and self.taught:
            return self.taught
        if self.near is None:
            return 0.55 * liked + 0.45 * self.passage.share if self.useful or self.taught else 0.0
        return (self.near + 0.3 * liked + 0.15 * self.passage.share) / 1.2

    @property
    def source(self) -> Source:
        """As it is shown."""
        one = self.article
        return Source(
            one.article_id,
            one.slug,
            one.title,
            f"/{one.language}/articles/{one.slug}",
            one.language,
            self.passage.words,
        )


def reader(heard: Heard, language: str) -> Reader:
    """Who reads: never more than what is shown of them, of the brand's categories."""
    return Reader(heard.audience, language, heard.who.customer_id, heard.category_ids)


async def find(tx: Tx, heard: Heard, language: str, words: str) -> list[Found]:
    """The articles that may answer, best first; those about the product that is looked at come first among equals."""
    usual = (heard.languages or ("en",))[0]
    asked = Asked(words, reader(heard, language), channel=heard.who.channel, most=MOST, otherwise=usual)
    hits = await finding.find(tx, asked)
    if not hits:
        return []
    rows = await _texts(tx, heard, [hit.article_id for hit in hits])
    by_key = {(row.article_id, row.language): row for row in rows}
    found = []
    for hit in hits:
        row = by_key.get((hit.article_id, hit.language))
        if row is not None:
            lift = 1.25 if heard.product and heard.product.casefold() in row.products else 1.0
            found.append(Found(row, _best(words, row), None, hit.useful, hit.score * lift))
    found.sort(key=lambda one: -one.score)
    return await _nearest(words, found)


async def by_slug(tx: Tx, heard: Heard, language: str, slug: str, words: str) -> Found | None:
    """One article by any name it ever had, in the language that is spoken or the one it is written in; None when this reader does
    not see it."""
    article_id = await tx.value(select(ArticleAddress.article_id).where(ArticleAddress.slug == slug))
    return None if article_id is None else await by_id(tx, heard, language, article_id, words)


async def by_id(tx: Tx, heard: Heard, language: str, article_id: int, words: str) -> Found | None:
    """The same by its id."""
    rows = await _texts(tx, heard, [article_id])
    usual = (heard.languages or ("en",))[0]
    row = next((one for wanted in (language, usual) for one in rows if one.language == wanted), None)
    row = row or (rows[0] if rows else None)
    if row is None:
        return None
    [found] = await _nearest(words, [Found(row, _best(words, row), None, useful=True, score=0.0)])
    return found


async def _texts(tx: Tx, heard: Heard, article_ids: Sequence[int]) -> Sequence[Row]:
    sees = reader(heard, "").sees
    return await tx.rows(select(*_TEXT).where(PublishedArticle.article_id.in_(article_ids), sees))


def _split(row: Row) -> list[Passage]:
    """Of a guide only what it says of itself: its steps are gone through, not read."""
    return passages.split(row.summary, "" if row.kind == Kind.GUIDE else row.plain) or [Passage(row.title, "")]


def _best(words: str, row: Row) -> Passage:
    return passages.ranked(words, _split(row))[0]


def _near(model: Model, words: str, texts: Sequence[str]) -> list[float]:
    """How much each text means what was asked. Passages come again with other questions, so what they mean is held for a while."""
    known = {text: _held.get(text) for text in texts}
    new = [text for text, vector in known.items() if vector is None]
    *vectors, asked = model.vectors([*new, words])
    known.update(zip(new, vectors, strict=True))
    with _lock:
        _held.update((text, known[text]) for text in new)
        while len(_held) > MOST_HELD:
            _held.popitem(last=False)
    return [float(known[text] @ asked) for text in texts]


async def _nearest(words: str, found: list[Found]) -> list[Found]:
    """The best passages by what they mean as well, of the first two articles."""
    if not found or not embedding.installed():
        return found
    model = await asyncio.to_thread(embedding.model)
    assert model is not None
    kept: list[list[Passage]] = [
        passages.ranked(words, _split(one.article))[: CLOSELY if at == 0 else 2] for at, one in enumerate(found[:2])
    ]
    texts = [f"{found[at].article.title}. {one.words}" for at, mine in enumerate(kept) for one in mine]
    near = await asyncio.to_thread(_near, model, words, texts)
    begin = 0
    better = []
    for one, mine in zip(found, kept, strict=False):
        close = near[begin : begin + len(mine)]
        begin += len(mine)
        at = max(range(len(mine)), key=lambda n: OF_WORDS * mine[n].score + OF_MEANING * close[n])
        better.append(replace(one, passage=mine[at], near=round(max(close), 4)))
    better.sort(key=lambda one: -one.evidence)
    return better
