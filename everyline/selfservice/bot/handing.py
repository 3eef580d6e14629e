"""What an agent sees who takes over from the bot: what was said and what came of it in a few lines, and which articles were shown. Made
of the questions as they are kept, whichever process answered them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from everyline.ground.database import Row, Tx
from everyline.ground.words import _
from everyline.selfservice.bot import passages, smalltalk
from everyline.selfservice.bot.quality import statements
from everyline.selfservice.bot.replies import Outcome

MOST = 3  # questions that are quoted
LONGEST = 160  # characters of each


@dataclass(frozen=True, slots=True)
class Shown:
    """An article that was shown, as it is called now."""

    article_id: int
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What goes along to a person: lines of what was said and what came of it, and the articles, each once."""

    summary: tuple[str, ...] = ()
    sources: tuple[Shown, ...] = ()


async def of_talk(tx: Tx, talk: str) -> HandOver:
    """What the bot was asked in a talk, in the language spoken now; empty when it was asked nothing."""
    rows = await tx.rows(statements.of_talk, {"talk": talk})
    sources = {row.article_id: Shown(row.article_id, row.language, row.title) for row in rows if row.article_id}
    return HandOver(summary(rows), tuple(sources.values()))


async def said(tx: Tx, talk: str) -> list[str]:
    """All that was asked in a talk, in the customer's words; of distress nothing is kept."""
    return [row.words for row in await tx.rows(statements.of_talk, {"talk": talk}) if row.words]


def summary(rows: Sequence[Row]) -> tuple[str, ...]:
    """What a customer said and what they got, in at most five lines, without a language model: their first words, those that say
    most, and their last ones (rows of ``of_talk``)."""
    asked = [row for row in rows if _tells(row.words)]
    quoted = asked
    if len(asked) > MOST:
        most = max(asked[1:-1], key=lambda row: len(set(passages.content(row.words))))
        quoted = [asked[0], most, asked[-1]]
    lines = [f"“{_short(row.words)}” {_came(row)}".strip() for row in quoted]
    if any(row.outcome == Outcome.DISTRESS for row in rows):
        lines.append(_("They may be in danger."))
    elif any(row.outcome == Outcome.PERSON for row in rows):
        lines.append(_("They asked for a person.") if asked else _("They asked for a person at once."))
    return tuple(lines)


def _tells(words: str) -> bool:
    return bool(passages.content(words)) and not smalltalk.kind_of(words)


def _short(words: str) -> str:
    text = " ".join(words.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + "…"


def _came(row: Row) -> str:
    if row.outcome == Outcome.ANSWER and row.title:
        answered: str = _("→ answered from “%s”") % row.title
        if row.helped is None:
            return answered
        came = _("which helped") if row.helped else _("which did not help")
        return f"{answered}, {came}"
    if row.outcome == Outcome.UNSURE:
        return _("→ not known")
    if row.outcome in (Outcome.BEGIN, Outcome.ERRAND):
        begun: str = _("→ begun: %s") % row.name
        return begun
    return _("→ asked back") if row.outcome == Outcome.CLARIFY else ""
