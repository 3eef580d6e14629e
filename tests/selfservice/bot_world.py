"""What the bot's tests stand on: a small house with articles, a flow, and what the bot was taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select

from everyline.articles import actions as articles
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.selfservice import actions, bot, flows
from everyline.selfservice.bot import Heard, Reply, Target, teaching, training
from everyline.selfservice.bot.models import BotModel
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.flows import Ask, Done, Flow, Queue, words
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Slot

SOMEBODY = Heard(who=Who(language="en", channel="widget"), talk="talk-1")
ADDRESS = (Slot(Kind.ADDRESS, "address"), Slot(Kind.DATE, "day"), Slot(Kind.SECRET, "pin", least=4, most=4))

ARTICLES: tuple[tuple[str, str, str], ...] = (
    (
        "License your dog",
        "Every dog older than six months needs a license.",
        "A license costs $12 a year for a dog that is spayed or neutered, $35 otherwise. Bring the rabies certificate.\n\n"
        "## Where\n\nThe counter at 40 Pier Street is open Monday to Friday from 8 am to 4 pm, and on Saturdays from 9 am to noon.",
    ),
    (
        "Garbage and recycling collection",
        "Garbage every week, recycling every other week. Put the bins at the curb by 7 am.",
        "After a holiday everything comes a day later. If a bin was not emptied, tell us by the next noon.",
    ),
    (
        "Why is my water bill so high?",
        "Most high bills come from a leak that nobody sees, usually in the toilet.",
        "Close every tap and look at the meter. If its red triangle still turns, water is leaking.\n\n"
        "Repair the leak within 30 days and we take half of the extra water off your bill.",
    ),
)
TAUGHT: tuple[Intent, ...] = (
    Intent(
        "dog-license",
        Target.ARTICLE,
        "license-your-dog",
        {},
        {
            "en": [
                "how do I license my dog", "I have a new puppy", "dog tag renewal", "register my dog with the county",
                "does my dog need a tag", "we got a dog", "my dog's license has expired",
            ],
            "es": ["licencia para mi perro", "quiero registrar a mi perro"],
        },
    ),
    Intent(
        "water-bill",
        Target.ARTICLE,
        "why-is-my-water-bill-so-high",
        {},
        {
            "en": [
                "my water bill doubled", "why do I owe so much for water", "the water bill is too high", "huge water charge this month",
                "water usage tripled", "my water costs went up", "there must be a leak",
            ]
        },
    ),
    Intent(
        "move",
        Target.FLOW,
        "stop-water",
        {"en": "Stop my water service", "es": "Cerrar mi servicio de agua"},
        {
            "en": [
                "I am moving out", "stop water service", "close my water account", "cancel my water service", "we are leaving the house",
                "end my service on the first", "turn my water service off for good",
            ]
        },
    ),
    Intent(
        "address",
        Target.ERRAND,
        "change_address",
        {"en": "Change my address"},
        {
            "en": [
                "change my mailing address", "I have a new address", "update my address", "send my letters to another address",
                "my address is different now", "we moved, write to the new address", "correct my address",
            ]
        },
    ),
)  # fmt: skip


def stop_water() -> Flow:
    """A flow that asks for an account and a day."""
    return Flow(
        "stop-water",
        title=words("Stop water service", es="Cerrar el servicio de agua"),
        start="account",
        person="agent",
        steps=(
            Ask(
                "account",
                words=words("Which account?", es="¿Qué cuenta?"),
                slot=Slot(Kind.ACCOUNT, "account", least=10, most=10),
                to="day",
            ),
            Ask("day", words=words("On which day?", es="¿Qué día?"), slot=Slot(Kind.DATE, "day"), to="end"),
            Done("end"),
            Queue("agent"),
        ),
    )


async def put(tx: Tx, title: str, summary: str, text: str, *, language: str = "en", **facts: Any) -> int:
    """An article that readers see."""
    article_id = await articles.add(tx, None, language, title, summary=summary, text=text, **facts)
    await articles.publish(tx, None, article_id, language)
    return article_id


async def furnish(ground: Ground, *, taught: tuple[Intent, ...] = TAUGHT) -> None:
    """Articles, a flow, and a bot that has learned."""
    async with ground.database.transaction() as tx:
        for title, summary, text in ARTICLES:
            await put(tx, title, summary, text)
        await actions.add(tx, None, flows.written(stop_water()))
        await actions.publish(tx, None, "stop-water")
        for one in taught:
            await teaching.add(tx, None, one)
    await _learn(ground, taught)


_learned: dict[str, tuple[str, bytes]] = {}


async def _learn(ground: Ground, taught: tuple[Intent, ...]) -> None:
    """Learn what was taught; the same is learned once in a process, for that takes a second."""
    key = repr(taught)
    async with ground.database.transaction() as tx:
        if key in _learned:
            kept, weights = _learned[key]
            await tx.execute(insert(BotModel).values(examples_hash=kept, weights=weights, in_use=True))
            return
    await training.learn(ground.database)
    async with ground.database.transaction() as tx:
        row = await tx.one(select(BotModel.examples_hash, BotModel.weights))
        _learned[key] = row.examples_hash, bytes(row.weights)


async def say(
    ground: Ground, words: str, *, after: Reply | None = None, heard: Heard = SOMEBODY, **facts: Any
) -> Reply:
    """What the bot replies, perhaps after another reply."""
    context: Mapping[str, Any] = after.context if after is not None else {}
    return await bot.answer(ground, words, replace(heard, context=context, **facts))


def signed_in(customer_id: int) -> Who:
    """Somebody who is signed in."""
    return Who(customer_id, Level.SIGNED_IN, None, "en", "portal")
