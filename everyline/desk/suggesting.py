"""Articles for the case at hand: what is searched for, and what of each may be given to its customer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from everyline.articles import finding, queries
from everyline.articles.finding import Asked, Hit
from everyline.articles.queries import Reader
from everyline.articles.wordings import Wording
from everyline.channel_contract import Facts, MediaClass
from everyline.desk.lists import channel_facts
from everyline.desk.talk_routes import statements as talks
from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.words import _, language
from everyline.people.rules import Me

statements = sql.beside(__file__, "articles.sql")
SUGGESTED = 5
FOUND = 8
PICKED = 6
LONGEST_LAST = 300  # characters of the customer's newest words that are searched for
FEW_CHARACTERS = 320  # a channel that carries no more gets the shortest wording
BY_MEDIA = {MediaClass.CALL: Wording.SPOKEN, MediaClass.CHAT: Wording.CHAT, MediaClass.MAIL: Wording.LETTER}
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_CALLOUT = re.compile(r"^>[ \t]*\[![A-Z]+\][ \t]*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offered:
    """An article that was found. Only those that customers may read are given to them."""

    id: int
    language: str
    slug: str
    title: str
    marked: Markup
    extract: Markup
    useful: bool
    given: bool
    flags: int


def wording_of(channel: str) -> Wording:
    """The wording that fits a channel: what is said, typed or sent there. A mail carries what a letter does: words and
    addresses without pictures and links behind words."""
    facts = channel_facts(channel)
    if not isinstance(facts, Facts):
        return Wording.LETTER
    if facts.longest_text is not None and facts.longest_text <= FEW_CHARACTERS:
        return Wording.SHORT
    return BY_MEDIA.get(facts.media_class, Wording.LETTER)


async def suggested(tx: Tx, me: Me, case: Row) -> list[Offered]:
    """The articles that seem to answer a case: by the customer's newest words and what it is about. People say much beside what they
    ask, so that a word of theirs in the title is enough."""
    last = await tx.value(talks.last_words, {"case_id": case.id}) or ""
    words = " ".join(f"{last[:LONGEST_LAST]} {case.subject}".split())
    return [one for one in await found(tx, me, case, words, most=SUGGESTED) if one.useful or "<mark>" in one.marked]


async def found(tx: Tx, me: Me, case: Row, words: str, *, most: int = FOUND) -> list[Offered]:
    """The articles that are found by words, in the case's language before the agent's own."""
    spoken = case.language or language()
    asked = Asked(words, Reader("agents", spoken), channel=case.last_channel, most=most, otherwise=me.language)
    return await _offered(tx, await finding.find(tx, asked))


async def _offered(tx: Tx, hits: list[Hit]) -> list[Offered]:
    if not hits:
        return []
    ids = [hit.article_id for hit in hits]
    rows = await tx.rows(statements.facts, {"ids": ids, "languages": sorted({hit.language for hit in hits})})
    facts = {(row.article_id, row.language): row for row in rows}
    flags = {row.article_id: row.flags for row in await tx.rows(statements.flagged, {"ids": ids})}
    return [
        Offered(
            hit.article_id,
            hit.language,
            hit.slug,
            row.title,
            hit.title,
            hit.extract,
            hit.useful,
            row.audience != "agents",
            flags.get(hit.article_id, 0),
        )
        for hit in hits
        if (row := facts.get((hit.article_id, hit.language))) is not None
    ]


async def published(tx: Tx, article_id: int, spoken: str) -> Row:
    """An article in a language, as readers see it. NotFound."""
    rows = await tx.rows(statements.facts, {"ids": [article_id], "languages": [spoken]})
    if not rows:
        raise NotFound(_("There is no such article."))
    return rows[0]


async def for_customer(tx: Tx, article_id: int, spoken: str) -> Row:
    """The same, of one that customers may read. Conflict when it is for us alone."""
    row = await published(tx, article_id, spoken)
    if row.audience == "agents":
        raise Conflict(_("This article is for us alone: it is not given to customers."))
    return row


def address_of(house: str, row: Row) -> str:
    """Where a customer reads an article. ``house``: the portal's address."""
    return f"{house}/{row.language}/articles/{row.slug}"


async def words_of(tx: Tx, row: Row, channel: str) -> tuple[str, Wording]:
    """The text of an article for a channel, and in which wording."""
    kind = wording_of(channel)
    text = await queries.wording(tx, row.article_id, kind, row.language)
    return (as_typed(text) if kind is Wording.LETTER else text), kind


def as_typed(text: str) -> str:
    """Article text with no sign that means nothing in a message: a heading becomes a bold line, a callout a quote."""
    return _CALLOUT.sub("", _HEADING.sub(r"**\1**", text)).strip()
