"""Search that finds: by words with their stems, synonyms and typing errors, and by meaning, as one ranking.

One function for all who search: the portal, the widget, the desk, later flows and the chatbot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from everyline.articles import meanings
from everyline.articles.queries import Reader
from everyline.articles.rules import LONGEST_WORDS, configuration, fused, rarity
from everyline.ground.database import Row, Tx

statements = meanings.statements

MOST_TERMS = 16
RANKED = 40  # of each ranking, before they are put together
CANDIDATES = 700  # articles looked at closely, of those with a word in their title and of those with the rarest words
COVERED = 0.6  # share of what was asked that a useful hit holds
MEANT = 0.48  # cosine from which on an article is taken to be about what was asked
CERTAIN = 0.8  # at that it is about nothing else
NEAR = 0.30  # below that it is about something else
BY_WORDS, BY_MEANING, BY_TITLE = 1.0, 1.25, 0.35  # weights of the rankings
_MARKED = re.compile("\ue000(.*?)\ue001", re.DOTALL)
_SIGNS = str.maketrans("", "", "\ue000\ue001")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search."""

    words: str
    reader: Reader
    channel: str = ""
    most: int = 8
    otherwise: str = ""  # the language searched when nothing useful is there in the reader's


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found. ``title`` and ``extract`` are HTML with what was asked for in ``<mark>``."""

    article_id: int
    language: str
    slug: str
    title: Markup
    extract: Markup
    score: float
    kind: str = "answer"
    useful: bool = True  # it is likely about what was asked; a search without one is a gap


@dataclass(frozen=True, slots=True)
class Term:
    """A word that was asked for, as queries of PostgreSQL one of which is to match, and in how many articles it is."""

    queries: tuple[str, ...]
    articles: int
    weight: float

    @property
    def query(self) -> str:
        """All of them as one."""
        return "(" + " | ".join(self.queries) + ")"


async def find(tx: Tx, asked: Asked) -> list[Hit]:
    """The articles that answer, best first, at most ``asked.most``; empty when nothing comes near. Half-typed words count."""
    hits = await _in_language(tx, asked, asked.reader.language)
    other = asked.otherwise
    if other and other != asked.reader.language and not any(hit.useful for hit in hits):
        known = {hit.article_id for hit in hits}
        found = [hit for hit in await _in_language(tx, asked, other) if hit.useful and hit.article_id not in known]
        hits = [*found, *hits][: asked.most]
    return hits


async def _in_language(tx: Tx, asked: Asked, language: str) -> list[Hit]:
    words = " ".join(asked.words[:LONGEST_WORDS].translate(_SIGNS).replace("\x00", "").split())
    if not any(map(str.isalnum, words)):
        return []
    terms = await _terms(tx, words, language)
    audiences = asked.reader.audiences
    within = asked.reader.within
    sight = {"language": language, "audiences": audiences, "category_ids": within}
    by_words = await _by_words(tx, terms, sight)
    titled = await tx.rows(statements.by_title, {"words": words, "most": RANKED, **sight})
    vector = await meanings.of(words)
    meant = (
        [] if vector is None else await meanings.nearest(tx, vector, language, audiences, within=within, most=RANKED)
    )
    meant = [one for one in meant if one[1] >= NEAR]
    scores = fused(
        [
            (BY_WORDS, [(row.article_id, row.cover) for row in by_words]),
            (BY_MEANING, [(article_id, near / CERTAIN) for article_id, near in meant]),
            (BY_TITLE, [(row.article_id, row.likeness) for row in titled]),
        ]
    )
    best = sorted(scores, key=lambda one: (-scores[one], one))[: asked.most]
    covers = {row.article_id: row.cover for row in by_words}
    likeness = dict(meant)
    query = " | ".join(term.query for term in terms)
    rows = await tx.rows(
        statements.hits,
        {"ids": best, "configuration": configuration(language), "query": query, **sight},
    )
    shown = {row.article_id: row for row in rows}
    return [
        Hit(
            article_id,
            language,
            shown[article_id].slug,
            marked(shown[article_id].marked),
            marked(_extract(shown[article_id])),
            round(scores[article_id], 6),
            shown[article_id].kind,
            covers.get(article_id, 0) >= COVERED or likeness.get(article_id, 0) >= MEANT,
        )
        for article_id in best
        if article_id in shown
    ]


def _extract(row: Row) -> str:
    """The place where the words stand; where there are none, what the article says of itself."""
    return str(row.extract) if "\ue000" in row.extract else str(row.summary or row.extract)


def marked(text: str) -> Markup:
    """Text as HTML, with what stands between the two signs in ``<mark>``."""
    safe = str(escape(text))
    return Markup(_MARKED.sub(r"<mark>\1</mark>", safe).translate(_SIGNS))  # noqa: S704 -- escaped just above


def plain_words(words: str) -> list[str]:
    """The words of a search without accents, in lower case, each once; neither apostrophe nor hyphen splits one."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", words.lower()) if not unicodedata.combining(one))
    found = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", unicodedata.normalize("NFC", bare))
    return list(dict.fromkeys(found))[:MOST_TERMS]


async def _terms(tx: Tx, words: str, language: str) -> list[Term]:
    plain = plain_words(words)
    stemmer = configuration(language)
    rows = await tx.rows(statements.terms, {"words": plain, "language": language, "configuration": stemmer})
    same = await tx.rows(
        statements.synonyms, {"language": language, "configuration": stemmer, "words": f" {' '.join(plain)} "}
    )
    terms = []
    for row in rows:
        queries = [f"'{_quoted(one)}'" for one in row.lexemes]
        if not queries:
            continue  # a word that says nothing, such as "the"
        code = len(queries) > 1 and any(map(str.isdigit, row.word))  # such as SE-2: all of it or nothing
        queries = [f"({' & '.join(queries)})"] if code else queries
        if row.at == len(plain) and len(row.word) >= 3 and words[-1].isalnum():
            queries.append(f"'{_quoted(row.word)}':*")
        articles = row.rarest if code else row.articles
        if not articles and row.alike:
            queries += [f"'{_quoted(one)}'" for one in row.alike]
        for group in same:
            if row.word in group.member.split():
                queries += [one for one in group.others if one]
        terms.append(Term(tuple(dict.fromkeys(queries)), articles, rarity(articles, row.of)))
    return terms


def _quoted(lexeme: str) -> str:
    return str(lexeme).replace("\\", "\\\\").replace("'", "''")


async def _by_words(tx: Tx, terms: list[Term], sight: Mapping[str, Any]) -> list[Row]:
    if not terms:
        return []
    rare: list[Term] = []
    for term in sorted(terms, key=lambda one: one.articles):
        if rare and sum(one.articles for one in rare) + term.articles > CANDIDATES:
            break
        rare.append(term)
    titled = [
        f"{query}A" if query.endswith(":*") else f"{query}:A"
        for term in terms
        for query in term.queries
        if "<" not in query and "&" not in query
    ]
    return await tx.rows(
        statements.by_words,
        {
            **sight,
            "titled": " | ".join(titled),
            "rare": " | ".join(term.query for term in rare),
            "queries": [term.query for term in terms],
            "weights": [term.weight for term in terms],
            "candidates": CANDIDATES,
            "most": RANKED,
        },
    )
