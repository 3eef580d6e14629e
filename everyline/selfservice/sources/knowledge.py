"""Showing who one is by what one knows: a source that serves as proof is asked with what a customer says and with the address
of the contact point by which they are known; when it finds a record, it is they.

A try is written down before anybody is asked, so that many at once cannot outrun the count; it counts against the customer,
wherever it comes from. What comes back is yes or no, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy import text as literal

from everyline.customers import queries as customers
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.selfservice.identity import Who
from everyline.selfservice.slots import Slot, Value
from everyline.selfservice.sources import looking, queries
from everyline.selfservice.sources.answers import Down, Found
from everyline.selfservice.sources.models import KnowledgeTry
from everyline.selfservice.sources.rules import ADDRESSES

MOST_TRIES = 10  # of a customer that fail, within
DAY = timedelta(days=1)
NOBODYS = {"mailbox": "nobody@nowhere.invalid", "number": "+10000000000", "postal": "nowhere"}  # RFC 6761, section 6.4


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer is asked, and in which words by language; no words: the slot's own."""

    slot: Slot
    words: Mapping[str, str]


async def questions(tx: Tx) -> tuple[Question, ...]:
    """What customers are asked to show who they are; nothing when no source serves as proof."""
    row = await queries.proof(tx)
    if row is None:
        return ()
    return tuple(Question(one.slot, one.asks) for one in queries.source_of(row).asked)


async def check(ground: Ground, who: Who, values: Mapping[str, Value]) -> bool:
    """Are these the answers of who it seems to be (``who.customer_id`` and ``who.point_id``)? The names of ``values`` are those of
    the slots that ``questions`` gave. No, after ten tries that failed within a day, whatever is answered. Somebody whom we
    do not know is asked for all the same, with an address that nobody has."""
    async with ground.database.transaction() as tx:
        proof = await queries.proof(tx)
        customer_id = await _customer(tx, who)
        try_id = await _note_try(tx, customer_id) if customer_id is not None else None
    if proof is None or (customer_id is not None and try_id is None):
        return False
    row = await queries.by_name(ground.database, proof.name)
    if row is None:
        return False
    address = await looking.address_of(ground, who) if customer_id is not None else None
    if address is None:
        kind = next(ADDRESSES[one.slot.kind] for one in queries.source_of(row).inputs if one.given == "address")
        address = (kind, NOBODYS[kind])
    tried = await looking.asked(ground, row, values, row.seconds, address, kept=False)
    right = isinstance(tried.result, Found) and customer_id is not None
    async with ground.database.transaction() as tx:
        if right or isinstance(tried.result, Down):  # nobody is blamed for a source that is away
            await tx.execute(delete(KnowledgeTry).where(KnowledgeTry.id == try_id))
        if customer_id is not None and not isinstance(tried.result, Down):
            kind = "customer_source.proved" if right else "customer_source.refuted"
            await events.record(tx, kind, customer_id=customer_id, source_id=row.id)
    return right


async def _customer(tx: Tx, who: Who) -> int | None:
    """Whose answers these should be, through every merge."""
    if who.customer_id is None or who.point_id is None:
        return None
    try:
        customer_id = int((await customers.get(tx, who.customer_id)).id)
    except NotFound:
        return None
    owner = await tx.value(_OWNER, {"point_id": who.point_id})
    return customer_id if owner == customer_id else None


_OWNER = literal("select customer_id from contact_point where id = :point_id")


async def _note_try(tx: Tx, customer_id: int) -> int | None:
    """Write a try down; returns its id, None when there were too many."""
    await tx.execute(literal("select pg_advisory_xact_lock(hashtextextended(:key, 11))"), {"key": str(customer_id)})
    mine = KnowledgeTry.customer_id == customer_id
    await tx.execute(delete(KnowledgeTry).where(mine, KnowledgeTry.at <= now() - DAY))
    if await tx.value(select(func.count()).select_from(KnowledgeTry).where(mine)) >= MOST_TRIES:
        return None
    statement = insert(KnowledgeTry).values(customer_id=customer_id, at=now()).returning(KnowledgeTry.id)
    return int(await tx.value(statement))
