"""What an agent sees who takes over from the bot: what it was about in a few lines, what was told, and which articles were shown."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.ground.words import _, language
from everyline.selfservice.bot import drafting, passages, setting, smalltalk
from everyline.selfservice.bot.replies import Outcome, Reply, Source
from everyline.selfservice.putting import shown
from everyline.selfservice.slots import Kind, Value

log = logging.getLogger(__name__)

MOST = 3  # questions that are quoted
LONGEST = 160  # characters of each


@dataclass(frozen=True, slots=True)
class HandOver:
    """What goes along to a person. ``slots`` are names with values as they are shown; a secret is shown to nobody."""

    summary: str
    slots: Mapping[str, str]
    sources: tuple[Source, ...]


def summary(turns: Sequence[tuple[str, Reply | None]]) -> str:
    """What a customer said and what they got, in at most five lines, without a language model: their first words, those that say
    most, and their last ones. ``turns``: what they said, each with the reply to it."""
    asked = [(words, reply) for words, reply in turns if _tells(words)]
    if not asked:
        return _("They asked for a person at once.") if turns else ""
    weights = [(len(set(passages.content(words))), -at) for at, (words, _reply) in enumerate(asked)]
    chosen = {0, len(asked) - 1, -max(weights)[1]}
    lines = []
    for at in sorted(chosen)[:MOST]:
        words, reply = asked[at]
        lines.append(f"“{_short(words)}” {_came(reply)}".strip())
    last = turns[-1][1]
    if last is not None and last.outcome is Outcome.DISTRESS:
        lines.append(_("They may be in danger."))
    elif last is not None and last.outcome is Outcome.PERSON:
        lines.append(_("They asked for a person."))
    return "\n".join(lines)


def _tells(words: str) -> bool:
    return bool(passages.content(words)) and not smalltalk.kind_of(words)


def _short(words: str) -> str:
    text = " ".join(words.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + "…"


def _came(reply: Reply | None) -> str:
    if reply is None:
        return ""
    if reply.outcome is Outcome.ANSWER and reply.sources:
        return _("→ answered from “%s”") % reply.sources[0].title
    if reply.outcome is Outcome.UNSURE:
        return _("→ not known")
    if reply.outcome in (Outcome.BEGIN, Outcome.ERRAND):
        return _("→ begun: %s") % reply.name
    if reply.outcome is Outcome.CLARIFY:
        return _("→ asked back")
    return ""


def hand_over(turns: Sequence[tuple[str, Reply | None]], slots: Mapping[str, Value] | None = None) -> HandOver:
    """The same with the slots that were filled and the articles that were shown, each once."""
    told = {name: value for _words, reply in turns if reply is not None for name, value in reply.slots.items()}
    told |= dict(slots or {})
    sources = {one.article_id: one for _words, reply in turns if reply is not None for one in reply.sources}
    kept = {name: shown(value) for name, value in told.items() if value.kind is not Kind.SECRET}
    return HandOver(summary(turns), kept, tuple(sources.values()))


async def better_hand_over(
    ground: Ground, turns: Sequence[tuple[str, Reply | None]], slots: Mapping[str, Value] | None = None
) -> HandOver:
    """The same, summed up by the language model where the house has one and what it writes stands in the talk."""
    found = hand_over(turns, slots)
    async with ground.database.transaction() as tx:
        chosen = await setting.load(tx)
    if not chosen.has_model or len(turns) < 3:
        return found
    talk = [
        (who, words)
        for said, reply in turns
        for who, words in (("customer", said), ("bot", reply.words if reply is not None else ""))
        if words
    ]
    try:
        written = await drafting.summary(ground, chosen, talk, language())
    except Conflict as error:
        log.info("the talk was summed up without the language model: %s", error.message)
        return found
    return HandOver(written, found.slots, found.sources)
