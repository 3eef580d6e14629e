"""What one writer says is settled in the order it was said, whoever settles it and whatever dies on the way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from hashlib import blake2b

import pytest
from sqlalchemy import select, text, update

from everyline.cases.models import Message
from everyline.channel_contract import Raw
from everyline.channels.webchat import piece
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.models import Inbound
from everyline.intake.processor import Processor
from everyline.lines import actions as lines

pytestmark = pytest.mark.req("P2", "C1")


class Talkers:
    """Visitors of a chat line whose words come in through the door."""

    def __init__(self, ground: Ground, door: IntakeDoor, line_id: int) -> None:
        self.ground, self.door, self.line_id = ground, door, line_id

    async def say(self, who: str, what: str) -> None:
        visitor = f"v-{blake2b(who.encode(), digest_size=12).hexdigest()}"
        body = piece.Utterance(visitor=visitor, client_id=what, text=f"{who} {what}").as_bytes()
        await self.door.keep(self.line_id, Raw(piece.external_id(visitor, what), body, writer=visitor))

    async def said(self) -> dict[str, list[str]]:
        """What stands in the cases of each, in its order."""
        found: dict[str, list[str]] = {}
        async with self.ground.database.transaction() as tx:
            for words in await tx.column(select(Message.text).order_by(Message.id)):
                who, _space, what = words.partition(" ")
                found.setdefault(who, []).append(what)
        return found


@contextlib.asynccontextmanager
async def opened(ground: Ground) -> AsyncIterator[Talkers]:
    async with ground.database.transaction() as tx:
        line_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="webchat",
            address="help",
            name="Help",
            queue_id=1,
            settings={"waits_alone": True},
        )
    door = IntakeDoor(ground)
    await door.start()
    try:
        yield Talkers(ground, door, line_id)
    finally:
        await door.stop()


async def process(ground: Ground) -> None:
    processor = Processor(ground)
    while await processor.process_some():
        pass


async def test_what_is_said_after_a_lost_word_waits_for_it_and_others_do_not(ground: Ground) -> None:
    async with opened(ground) as talkers:
        await talkers.say("ann", "first")
        assert len((await Processor(ground)._read_some()).rows) == 1  # and is killed: nobody settles it
        await talkers.say("ann", "second")
        await talkers.say("bob", "hello")
        await talkers.say("ann", "third")
        await process(ground)
        assert await talkers.said() == {"bob": ["hello"]}
        async with ground.database.transaction() as tx:
            await tx.execute(text("update inbound set due_at = now() where state = 'new'"))  # the claim is over
        await process(ground)
        assert await talkers.said() == {"bob": ["hello"], "ann": ["first", "second", "third"]}


async def test_a_lost_word_that_is_due_last_is_still_settled_first(ground: Ground) -> None:
    async with opened(ground) as talkers:
        for what in ("first", "second", "third"):
            await talkers.say("ann", what)
        async with ground.database.transaction() as tx:
            first = await tx.value(select(Inbound.id).order_by(Inbound.id))
            await tx.execute(update(Inbound).values(attempts=1))
            await tx.execute(update(Inbound).where(Inbound.id == first).values(attempts=2, due_at=now()))
        await process(ground)
        assert await talkers.said() == {"ann": ["first", "second", "third"]}


async def test_a_word_that_cannot_be_read_holds_up_nothing(ground: Ground) -> None:
    async with opened(ground) as talkers:
        await talkers.say("ann", "first")
        async with ground.database.transaction() as tx:
            await tx.execute(
                text("update inbound set attempts = 1, cause = 'broken', due_at = now() + interval '1 hour'")
            )
        await talkers.say("ann", "second")
        await process(ground)
        assert await talkers.said() == {"ann": ["second"]}


async def test_many_processors_keep_the_order_of_each_writer(ground: Ground) -> None:
    chance = random.Random(5)
    people = [f"v{n}" for n in range(6)]
    words = [f"{n:02}" for n in range(20)]

    async def speak(who: str) -> None:
        for what in words:
            await talkers.say(who, what)
            await asyncio.sleep(chance.uniform(0, 0.01))

    async def work() -> None:
        processor = Processor(ground)
        while not over.is_set():
            await processor.process_some()
            await asyncio.sleep(chance.uniform(0, 0.01))

    over = asyncio.Event()
    async with opened(ground) as talkers:
        working = [asyncio.create_task(work()) for _worker in range(4)]
        await asyncio.gather(*(speak(who) for who in people))
        over.set()
        await asyncio.gather(*working)
        await process(ground)
        assert await talkers.said() == dict.fromkeys(people, words)
