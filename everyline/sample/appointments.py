"""What customers of the sample company make appointments for, and what of it is booked already."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.sample import generator
from everyline.sample.house import House
from everyline.selfservice.errands import appointing

KINDS = {  # name: queue, minutes, places
    "Building permit": ("Permits", 45, 2),
    "Marriage license": ("Licenses and pets", 30, 1),
    "Water meter": ("Water", 60, 3),
}
BOOKED = 40

_HOURS = text("select id from hours where name = 'Office hours'")
_CUSTOMERS = text("select id from customer order by id limit :most")
_TOLD = text("update appointment set tell = '', reminded_at = now()")


async def add(tx: Tx, founded: House) -> None:
    """Offer the kinds, and book a few of their times for the first of the customers: the same ones each time, and nobody is
    written to about them."""
    chance, at = random.Random(generator.SEED), now()
    hours_id = await tx.value(_HOURS)
    kinds = []
    for position, (name, (queue, minutes, places)) in enumerate(KINDS.items()):
        facts = {"queue_id": founded.queues[queue], "hours_id": hours_id, "minutes": minutes, "places": places}
        kind_id = await appointing.keep_kind(tx, None, None, name=name, position=position, **facts)
        kinds.append(await appointing.kind(tx, kind_id))
    for customer_id in await tx.column(_CUSTOMERS, {"most": BOOKED}):
        kind = chance.choice(kinds)
        free = await appointing.free(tx, kind, at, (at + timedelta(days=chance.randrange(1, 12))).date())
        if free:
            await appointing.book(tx, kind, customer_id, chance.choice(free))
    await tx.execute(_TOLD)
