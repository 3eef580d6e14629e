"""Verbs and reads of what the bot is taught: intents and the ways in which they are put. Every change is learned soon after."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.jobs import ask_for
from everyline.ground.words import _, languages
from everyline.selfservice.bot.models import BotExample, BotIntent
from everyline.selfservice.bot.replies import Target

JOB = "everyline.selfservice.tasks.learn"
MOST_EXAMPLES = 1000  # of one intent
MOST_INTENTS = 500
LONGEST_EXAMPLE = 400  # characters
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,59}")


@dataclass(frozen=True, slots=True)
class Intent:
    """What customers want, and what it leads to. ``words`` by language: what it is called as a choice, or for small talk what is
    answered. ``examples``: ways in which it is put, by language."""

    name: str
    target: Target
    target_name: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    id: int | None = None

    @property
    def leads_to(self) -> tuple[Target, str]:
        """What is the same for two that lead to one place."""
        return self.target, self.target_name or self.name

    def called(self, language: str) -> str:
        """What it is called."""
        return self.words.get(language) or self.words.get("en") or next(iter(self.words.values()), "") or self.name


async def every(tx: Tx) -> list[Intent]:
    """All of them by their names, with their examples."""
    rows = await tx.rows(select(BotIntent.__table__).order_by(BotIntent.name))
    examples = await tx.rows(
        select(BotExample.intent_id, BotExample.language, BotExample.words).order_by(BotExample.id)
    )
    by_intent: dict[int, dict[str, list[str]]] = {}
    for one in examples:
        by_intent.setdefault(one.intent_id, {}).setdefault(one.language, []).append(one.words)
    return [
        Intent(row.name, Target(row.target), row.target_name, dict(row.words), by_intent.get(row.id, {}), row.id)
        for row in rows
    ]


async def without_examples(tx: Tx) -> dict[str, Intent]:
    """All of them by their names."""
    rows = await tx.rows(select(BotIntent.__table__))
    return {
        row.name: Intent(row.name, Target(row.target), row.target_name, dict(row.words), {}, row.id) for row in rows
    }


async def get(tx: Tx, name: str) -> Intent:
    """One of them. NotFound."""
    found = next((one for one in await every(tx) if one.name == name), None)
    if found is None:
        raise NotFound(_("There is no such intent."))
    return found


async def add(tx: Tx, by: int | None, intent: Intent) -> int:
    """Begin one; returns its id. Conflict when there is one of that name; Invalid, by field."""
    _check(intent)
    if len(await tx.column(select(BotIntent.id))) >= MOST_INTENTS:
        raise Conflict(_("There are %s intents already.") % MOST_INTENTS)
    values = {
        "name": intent.name,
        "target": str(intent.target),
        "target_name": intent.target_name,
        "words": dict(intent.words),
        "created_by": by,
    }
    intent_id = await tx.value(upsert(BotIntent).values(**values).on_conflict_do_nothing().returning(BotIntent.id))
    if intent_id is None:
        raise Conflict(_("There is an intent “%s” already.") % intent.name)
    await _put_examples(tx, intent_id, intent.examples)
    await events.record(tx, "bot_intent.added", actor_id=by, intent_id=intent_id)
    await ask_for(tx, JOB)
    return int(intent_id)


async def change(tx: Tx, by: int | None, intent: Intent) -> None:
    """Write what it leads to, its words and all of its examples anew. Its name stays."""
    _check(intent)
    intent_id = await _id(tx, intent.name)
    await tx.execute(
        update(BotIntent)
        .where(BotIntent.id == intent_id)
        .values(target=str(intent.target), target_name=intent.target_name, words=dict(intent.words))
    )
    await tx.execute(delete(BotExample).where(BotExample.intent_id == intent_id))
    await _put_examples(tx, intent_id, intent.examples)
    await events.record(tx, "bot_intent.changed", actor_id=by, intent_id=intent_id)
    await ask_for(tx, JOB)


async def add_example(tx: Tx, by: int | None, name: str, language: str, words: str) -> None:
    """One more way in which it is put, such as a question that was not understood."""
    intent = await get(tx, name)
    said = " ".join(words.split())
    known = {one.casefold() for one in intent.examples.get(language, ())}
    if said and said.casefold() not in known:
        more = {**intent.examples, language: [*intent.examples.get(language, ()), said]}
        await change(tx, by, Intent(intent.name, intent.target, intent.target_name, intent.words, more))


async def remove(tx: Tx, by: int | None, name: str) -> None:
    """Forget one, with its examples."""
    intent_id = await _id(tx, name)
    await tx.execute(delete(BotIntent).where(BotIntent.id == intent_id))
    await events.record(tx, "bot_intent.removed", actor_id=by, intent_id=intent_id)
    await ask_for(tx, JOB)


async def _id(tx: Tx, name: str) -> int:
    found = await tx.value(select(BotIntent.id).where(BotIntent.name == name).with_for_update())
    if found is None:
        raise NotFound(_("There is no such intent."))
    return int(found)


async def _put_examples(tx: Tx, intent_id: int, examples: Mapping[str, Sequence[str]]) -> None:
    rows = [
        {"intent_id": intent_id, "language": language, "words": words}
        for language, every_one in examples.items()
        for words in dict.fromkeys(" ".join(one.replace("\x00", "").split()) for one in every_one)
        if words
    ]
    if rows:
        await tx.execute(insert(BotExample).values(rows))


def _check(intent: Intent) -> None:
    errors = {}
    if not _NAME.fullmatch(intent.name):
        errors["name"] = _("Small letters, digits, - and _, beginning with a letter.")
    needs_name = intent.target in (Target.ARTICLE, Target.FLOW, Target.ERRAND)
    if needs_name and not intent.target_name:
        errors["target_name"] = _("Say which one.")
    if intent.target is Target.SMALL_TALK and not any(intent.words.values()):
        errors["words"] = _("Say what is answered.")
    if unknown := set(intent.examples) - set(languages()):
        errors["examples"] = _("We do not speak %s.") % ", ".join(sorted(unknown))
    if sum(map(len, intent.examples.values())) > MOST_EXAMPLES:
        errors["examples"] = _("At most %s examples.") % MOST_EXAMPLES
    if any(len(one) > LONGEST_EXAMPLE for every_one in intent.examples.values() for one in every_one):
        errors["examples"] = _("At most %s characters.") % LONGEST_EXAMPLE
    if errors:
        raise Invalid(_("Please look at this again."), errors)
