"""Showing who one is by what one knows: a source that serves as proof is asked with what a customer says and with the address
that they say we know of them; when it finds a record, it is they.

A try is written down before anybody is asked, so that many at once cannot outrun the count; it counts against the customer,
the address, and where it comes from, in whatever run. An address that nobody has is treated as one that somebody has: the same
is counted, the same is asked, the same comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import delete, func, insert, select
from sqlalchemy import text as literal

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.selfservice import origins
from everyline.selfservice.slots import Slot, Value
from everyline.selfservice.sources import looking, queries
from everyline.selfservice.sources.answers import Down, Found
from everyline.selfservice.sources.models import KnowledgeTry
from everyline.selfservice.sources.rules import ADDRESSES

CUSTOMER = "customer"
MOST_TRIES = MappingProxyType(
    {CUSTOMER: 10, origins.ADDRESS: 6, origins.BROWSER: 6, origins.VISITOR: 6, origins.NETWORK: 40}
)  # that fail, within
DAY = timedelta(days=1)

_OWNER = literal("select customer_id from contact_point where kind = :kind and address = :address")
_HOLD = literal("select pg_advisory_xact_lock(hashtextextended(:key, 11))")


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer is asked, and in which words by language; no words: the slot's own."""

    slot: Slot
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Questions:
    """All of them. ``address`` is the address that we know of the customer; ``key`` is another one when anything is changed."""

    key: tuple[int, int]
    address: Slot
    asked: tuple[Question, ...]

    @property
    def address_kind(self) -> str:
        """Which kind of contact point that is."""
        return ADDRESSES[self.address.kind]


class Verdict(StrEnum):
    """What came of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"  # there were too many: nobody is asked until a day later
    DOWN = "down"  # nobody could be asked; it did not count


@dataclass(frozen=True, slots=True)
class Checked:
    """Who it is, when it was right."""

    verdict: Verdict
    customer_id: int | None = None


async def questions(tx: Tx) -> Questions | None:
    """What customers are asked to show who they are; None when no source serves as proof."""
    row = await queries.proof(tx)
    if row is None:
        return None
    source = queries.source_of(row)
    address = next((one.slot for one in source.inputs if one.given == "address"), None)
    if address is None:
        return None
    return Questions((row.id, row.revision), address, tuple(Question(one.slot, one.asks) for one in source.asked))


async def check(
    ground: Ground, kind: str, address: str, values: Mapping[str, Value], come_from: Sequence[str] = ()
) -> Checked:
    """Are these the answers of whoever has this address (in its normal form)? The names of ``values`` are those of the slots that
    ``questions`` gave; ``come_from`` are the origins of who answers."""
    seen = [origins.of_address(ground.key, kind, address), *come_from]
    async with ground.database.transaction() as tx:
        proof = await queries.proof(tx)
        customer_id = await tx.value(_OWNER, {"kind": kind, "address": address})
        noted = await _note(tx, seen, customer_id)
    if noted is None:
        return Checked(Verdict.OVER)
    row = await queries.by_name(ground.database, proof.name) if proof is not None else None
    if row is None:
        return Checked(Verdict.DOWN)
    tried = await looking.asked(ground, row, values, row.seconds, (kind, address), kept=False)
    down = isinstance(tried.result, Down)
    right = isinstance(tried.result, Found) and customer_id is not None and noted.counts
    async with ground.database.transaction() as tx:
        if right or down:  # nobody is blamed for a source that is away
            await tx.execute(delete(KnowledgeTry).where(KnowledgeTry.id.in_(noted.ids)))
        if not down:
            event = "customer_source.proved" if right else "customer_source.refuted"
            await events.record(tx, event, customer_id=customer_id, source_id=row.id)
    if down:
        return Checked(Verdict.DOWN)
    return Checked(Verdict.RIGHT, customer_id) if right else Checked(Verdict.WRONG)


@dataclass(frozen=True, slots=True)
class _Noted:
    ids: tuple[int, ...]
    counts: bool  # the customer has tries left: else no answer is the right one


async def _note(tx: Tx, seen: Sequence[str], customer_id: int | None) -> _Noted | None:
    """Write a try down; None when there were too many from there, or for the address. That a customer has none left is told
    nobody: it would say that two addresses are of one customer."""
    own = f"{CUSTOMER}:{customer_id or 0}"
    keys = sorted({*seen, own})
    for key in keys:
        await tx.execute(_HOLD, {"key": key})
    await tx.execute(delete(KnowledgeTry).where(KnowledgeTry.counted.in_(keys), KnowledgeTry.at <= now() - DAY))
    counted = select(KnowledgeTry.counted, func.count().label("n")).where(KnowledgeTry.counted.in_(keys))
    tries = {row.counted: row.n for row in await tx.rows(counted.group_by(KnowledgeTry.counted))}
    full = {key for key in keys if tries.get(key, 0) >= MOST_TRIES[origins.kind_of(key)]}
    if full - {own}:
        return None
    left = [key for key in keys if key not in full and (key != own or customer_id is not None)]
    rows = [{"counted": key, "at": now()} for key in left]
    ids = await tx.column(insert(KnowledgeTry).values(rows).returning(KnowledgeTry.id))
    return _Noted(tuple(ids), own not in full)


async def forget_old(tx: Tx) -> None:
    """Forget tries that count no more."""
    await tx.execute(delete(KnowledgeTry).where(KnowledgeTry.at <= now() - DAY))
