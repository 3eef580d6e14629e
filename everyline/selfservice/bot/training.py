"""From what was taught to a model in use: learned by a worker, held by every process that answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging

from sqlalchemy import delete, insert, select, text, update

from everyline.articles import embedding
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.selfservice.bot import classifier, teaching
from everyline.selfservice.bot.classifier import Classifier, Embed, Guessed
from everyline.selfservice.bot.models import BotModel

log = logging.getLogger(__name__)

KEPT = 5  # models, so that one can go back
CONFUSED = 40  # pairs that are kept of a test
_LOCK = text("select pg_advisory_xact_lock(7342)")
_held: dict[str, tuple[int, Classifier]] = {}  # by database: each process holds the model in use once


async def learn(database: Database, *, anew: bool = False) -> int | None:
    """Learn what was taught, if that has changed since; returns the model's id. Nothing with fewer than two intents."""
    async with database.transaction() as tx:
        intents = await teaching.every(tx)
        newest = await tx.first(select(BotModel.id, BotModel.examples_hash).order_by(BotModel.id.desc()).limit(1))
    pairs = [(words, one.name) for one in intents for every_one in one.examples.values() for words in every_one]
    by = embedding.NAME if embedding.installed() else ""  # the model itself is loaded where there is something to learn
    taught = hashlib.sha256(json.dumps([classifier.FORM, by, sorted(pairs)]).encode()).hexdigest()
    if newest is not None and newest.examples_hash == taught and not anew:
        return None
    if len({label for _words, label in pairs}) < 2:
        return None
    began, embed = now(), await embedder()
    texts, labels = [words for words, _label in pairs], [label for _words, label in pairs]
    made, tested = await asyncio.to_thread(classifier.of, texts, labels, embed)
    packed = await asyncio.to_thread(made.packed)
    figures = {
        "kind": tested.kind,
        "accuracy": round(tested.accuracy, 4),
        "by_kind": {kind: round(share, 4) for kind, share in tested.by_kind.items()},
        "confused": [list(one) for one in tested.confused[:CONFUSED]],
        "by_label": {label: list(counts) for label, counts in tested.by_label.items()},
        "held_out": tested.held_out,
        "examples": len(pairs),
        "intents": len(made.labels),
        "seconds": round((now() - began).total_seconds(), 2),
    }
    async with database.transaction() as tx:
        await tx.execute(_LOCK)
        model_id: int = await tx.value(
            insert(BotModel).values(examples_hash=taught, weights=packed, figures=figures).returning(BotModel.id)
        )
        await _use(tx, None, model_id)
        old = await tx.column(
            select(BotModel.id)
            .where(BotModel.id != model_id, ~BotModel.in_use)
            .order_by(BotModel.id.desc())
            .offset(KEPT)
        )
        if old:
            await tx.execute(delete(BotModel).where(BotModel.id.in_(old)))
    log.info("the bot has learned %s examples of %s intents", len(pairs), len(made.labels))
    return model_id


async def embedder() -> Embed | None:
    """Meanings of texts, where the extra is installed."""
    if not embedding.installed():
        return None
    model = await asyncio.to_thread(embedding.model)
    return model.vectors if model is not None else None


async def use(tx: Tx, by: int | None, model_id: int) -> None:
    """Take a model into use, such as the one before. NotFound."""
    await tx.execute(_LOCK)
    await _use(tx, by, model_id)


async def _use(tx: Tx, by: int | None, model_id: int) -> None:
    await tx.execute(update(BotModel).where(BotModel.in_use, BotModel.id != model_id).values(in_use=False))
    if not await tx.execute(update(BotModel).where(BotModel.id == model_id).values(in_use=True)):
        raise NotFound(_("There is no such model."))
    await events.record(tx, "bot_model.used", actor_id=by, model_id=model_id)


async def models(tx: Tx) -> list[Row]:
    """The models that are kept, newest first (id, made_at, figures, in_use)."""
    return list(
        await tx.rows(
            select(BotModel.id, BotModel.made_at, BotModel.figures, BotModel.in_use).order_by(BotModel.id.desc())
        )
    )


async def unpacked(tx: Tx, model_id: int) -> Classifier:
    """One of them, to compare with. NotFound."""
    weights = await tx.value(select(BotModel.weights).where(BotModel.id == model_id))
    if weights is None:
        raise NotFound(_("There is no such model."))
    return Classifier.unpacked(bytes(weights))


async def in_use(tx: Tx) -> tuple[int, Classifier] | None:
    """The model in use, with its id; None before anything was learned, or when it needs meanings that cannot be had here."""
    row = await tx.first(text("select (select id from bot_model where in_use) as id, current_database() as house"))
    assert row is not None
    if row.id is None:
        return None
    held = _held.get(row.house)
    if held is None or held[0] != row.id:
        try:
            held = row.id, await unpacked(tx, row.id)
        except ValueError as error:  # of another version of the product; a worker learns anew
            log.warning("the bot's model cannot be read: %s", error)
            return None
        _held.clear()
        _held[row.house] = held
    if held[1].needs_meaning and not embedding.installed():
        return None
    return held


async def guess(tx: Tx, said: str) -> tuple[int | None, Guessed | None]:
    """What is meant by the model in use, and its id."""
    held = await in_use(tx)
    if held is None:
        return None, None
    model_id, model = held
    embed = await embedder() if model.needs_meaning else None
    [found] = await asyncio.to_thread(model.guess, [said], embed)
    return model_id, found
