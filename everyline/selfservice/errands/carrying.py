"""Carrying an errand out, once for its key; undoing it; what is offered.

Everything that an errand may do is decided in here and in the errand itself, never by who calls: how well it is shown who asks is
looked up again, and nobody gets more than that opens.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, insert, select, text, update

from everyline.customers import queries as customers
from everyline.customers.models import ContactPoint
from everyline.ground import events
from everyline.ground.addresses import MAILBOX, NUMBER
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound, ProductError
from everyline.ground.installation import Ground
from everyline.ground.moments import zone
from everyline.ground.words import _, language, speaking
from everyline.people.queries import installation
from everyline.selfservice import origins
from everyline.selfservice.errands import shipped
from everyline.selfservice.errands.contract import (
    Asking,
    Contract,
    Done,
    Down,
    Errand,
    Outcome,
    Refused,
    Settled,
    Slots,
    Unable,
    Unproved,
    read,
)
from everyline.selfservice.errands.models import ErrandDone, ErrandSetting
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Value, clean

log = logging.getLogger(__name__)

LONGEST_KEY = 200
STRANGERS_AN_HOUR = (
    5  # cases of who is not known, from one browser or talk or for one address, where the house says nothing else
)
MANY = 10  # times as many from one network
_HOLD_ORIGIN = text("select pg_advisory_xact_lock(hashtextextended('errand from ' || :origin, 0))")
_FROM_THERE = text(
    "select o.origin, count(*) as n from errand_done d cross join lateral jsonb_array_elements_text(d.origins) as o (origin) "
    "where d.errand = :errand and d.at > :since and o.origin = any(cast(:origins as text[])) group by o.origin"
)
_HOLD_KEY = text("select pg_advisory_xact_lock(hashtextextended('errand:' || :key, 0))")
_HOLD_CUSTOMER = text("select id from customer where id = :id for no key update")


def known() -> Mapping[str, Contract]:
    """The errands that there are, by name."""
    return MappingProxyType({name: errand.contract for name, errand in shipped.ERRANDS.items()})


async def carry_out(ground: Ground, name: str, values: Slots, who: Who, key: str) -> Outcome:
    """Get an errand done for who asks; in words of ``who.language``.

    ``key`` makes it happen once: the same key again, and any number of times at once, gives what came of it the first time. A
    key that was used for something else, or by somebody else, is refused. What was refused changed nothing and is not kept:
    with the same key it can be tried again, better proved or better told.
    """
    errand = shipped.ERRANDS.get(name)
    if errand is None:
        return Down(f"there is no errand {name}")
    if not 0 < len(key) <= LONGEST_KEY:
        return Down("an errand needs a key of its own")
    with speaking(who.language):
        try:
            async with ground.database.transaction() as tx:
                return await _carried_out(tx, ground, errand, values, who, key)
        except Unproved as error:
            return Refused(error.message, error.wants)
        except ProductError as error:
            return Refused(error.message)
        except Unable as error:
            return Down(str(error))
        except Exception as error:
            log.exception("the errand %s failed", name)
            return Down(f"{type(error).__name__}: {error}")


async def _carried_out(tx: Tx, ground: Ground, errand: Errand, values: Slots, who: Who, key: str) -> Done:
    contract = errand.contract
    await tx.execute(_HOLD_KEY, {"key": key})
    asking = await _asking(tx, ground, who, key)
    digest = _digest(ground, contract.name, values)
    kept = await tx.first(select(ErrandDone.__table__).where(ErrandDone.key == key))
    if kept is not None:
        return await _again(asking, kept, digest)
    setting = await tx.first(select(ErrandSetting.__table__).where(ErrandSetting.errand == contract.name))
    if setting is not None and not setting.offered:
        raise Conflict(_("This cannot be done here by oneself at present."))
    if contract.needs > Level.UNKNOWN and (asking.customer_id is None or asking.level < contract.needs):
        raise Unproved(contract.needs)
    given = read(errand, values, asking.at.astimezone(zone(asking.zone)).date())
    if asking.customer_id is not None:
        await tx.execute(_HOLD_CUSTOMER, {"id": asking.customer_id})
        await _not_too_often(asking, contract)
    elif contract.opens_cases:
        asking = replace(asking, origins=(*who.origins, *_addresses(ground, contract, given)))
        await _not_too_many(asking, contract, setting.strangers_an_hour if setting is not None else STRANGERS_AN_HOUR)
    settled = await errand.run(replace(asking, queue_id=setting.queue_id if setting is not None else None), given)
    done_id = await _keep(asking, contract, values, digest, settled)
    return Done(settled.slots, settled.told, done_id)


async def _asking(tx: Tx, ground: Ground, who: Who, key: str) -> Asking:
    """Who asks, as far as what is on record bears it out. Somebody else's contact point opens nothing, one that was never
    proved opens no more than an address does; who told what only they know has none."""
    level, customer_id, point_id = Level.UNKNOWN, None, None
    row = None
    if who.customer_id is not None and who.level >= Level.ADDRESS:
        try:
            row = await customers.get(tx, who.customer_id)
        except NotFound:
            row = None
    if row is not None and who.point_id is None:
        if who.level is Level.PROVED:
            level, customer_id = Level.PROVED, row.id
    elif row is not None:
        point = await tx.first(
            select(ContactPoint.customer_id, ContactPoint.verified_at).where(ContactPoint.id == who.point_id)
        )
        if point is not None and point.customer_id == row.id:
            level = who.level if point.verified_at is not None else min(who.level, Level.ADDRESS)
            customer_id, point_id = row.id, who.point_id
    house = await installation(tx)
    place = (row.zone if row is not None and customer_id is not None else "") or str(house["zone"])
    return Asking(
        tx, ground, level, customer_id, point_id, who.language, who.channel[:40], place, str(house["language"]), now(), key
    )  # fmt: skip


def _digest(ground: Ground, name: str, values: Slots) -> bytes:
    given = json.dumps([name, sorted((key, value.value) for key, value in values.items() if value.value.strip())])
    return hmac.digest(hashlib.sha256(b"everyline errand" + ground.key).digest(), given.encode(), "sha256")


async def _again(asking: Asking, kept: Row, digest: bytes) -> Done:
    """What came of it the first time, for who may hear it."""
    whose = (await customers.get(asking.tx, kept.customer_id)).id if kept.customer_id is not None else None
    if whose != asking.customer_id or not hmac.compare_digest(bytes(kept.inputs_hash), digest):
        if whose is not None and asking.level < kept.level:
            raise Unproved(Level(kept.level))
        raise Conflict(_("Something else was done with this already. Please begin anew."))
    if asking.level < kept.level:
        raise Unproved(Level(kept.level))
    return _opened(asking.ground, kept)


def _opened(ground: Ground, kept: Row) -> Done:
    outcome = json.loads(ground.vault.open(bytes(kept.outcome)))
    slots = {
        name: Value(Kind(one["kind"]), one["value"], one["unit"], one["words"])
        for name, one in outcome["slots"].items()
    }
    return Done(slots, outcome["told"], kept.id)


async def _not_too_often(asking: Asking, contract: Contract) -> None:
    lately = await asking.tx.value(
        select(func.count()).where(
            ErrandDone.customer_id == asking.customer_id,
            ErrandDone.errand == contract.name,
            ErrandDone.at > asking.at - timedelta(hours=1),
        )
    )
    if lately >= contract.most_an_hour:
        raise Conflict(_("This was done too often within the last hour. Please try again later."))


def _addresses(ground: Ground, contract: Contract, given: Any) -> list[str]:
    """The addresses that somebody says are theirs."""
    kinds = {Kind.EMAIL: MAILBOX, Kind.PHONE: NUMBER}
    said = [(kinds[one.slot.kind], getattr(given, one.slot.name)) for one in contract.inputs if one.slot.kind in kinds]
    return [origins.of_address(ground.key, kind, address) for kind, address in said if address]


async def _not_too_many(asking: Asking, contract: Contract, most: int) -> None:
    """Who is not known is counted by where they come from, and by the addresses that they give; behind one network there may be
    many. What was refused does not count."""
    for origin in sorted(asking.origins):
        await asking.tx.execute(_HOLD_ORIGIN, {"origin": origin})
    rows = await asking.tx.rows(
        _FROM_THERE, {"errand": contract.name, "since": asking.at - timedelta(hours=1), "origins": list(asking.origins)}
    )
    for row in rows:
        if row.n >= most * (MANY if origins.kind_of(row.origin) == origins.NETWORK else 1):
            raise Conflict(
                _("This was done too often from here within the last hour. Please try again later, or write to us.")
            )


async def _keep(asking: Asking, contract: Contract, values: Slots, digest: bytes, settled: Settled) -> int:
    outcome = {
        "told": settled.told,
        "slots": {
            name: {"kind": one.kind, "value": one.value, "unit": one.unit, "words": one.words}
            for name, one in settled.slots.items()
        },
    }
    secret = {one.slot.name for one in contract.inputs if one.slot.secret}
    until = None
    if settled.undo is not None and contract.undo_for is not None:
        until = min(filter(None, (asking.at + contract.undo_for, settled.undo_until)))
    done_id: int = await asking.tx.value(
        insert(ErrandDone)
        .values(
            key=asking.key,
            errand=contract.name,
            customer_id=asking.customer_id,
            contact_point_id=asking.point_id,
            channel=asking.channel,
            level=asking.level,
            origins=list(asking.origins),
            inputs={
                name: clean(value.value)
                for name, value in values.items()
                if name not in secret and value.kind is not Kind.SECRET and value.value.strip()
            },
            inputs_hash=digest,
            outcome=asking.ground.vault.lock(json.dumps(outcome)),
            undo=dict(settled.undo) if until is not None and settled.undo is not None else None,
            undo_until=until,
            at=asking.at,
        )
        .returning(ErrandDone.id)
    )
    await events.record(
        asking.tx,
        "errand.done",
        customer_id=asking.customer_id,
        errand=contract.name,
        done_id=done_id,
        channel=asking.channel,
        level=int(asking.level),
        **settled.facts,
    )
    return done_id


async def undo(ground: Ground, done_id: int, by: int | Who) -> Outcome:
    """Undo what was done, while that is possible. ``by``: an agent, or the customer themselves, who must have shown who they are
    as well as for doing it. Somebody else's errand is one that there is not."""
    with speaking(by.language if isinstance(by, Who) else language()):
        try:
            async with ground.database.transaction() as tx:
                return await _undone(tx, ground, done_id, by)
        except Unproved as error:
            return Refused(error.message, error.wants)
        except ProductError as error:
            return Refused(error.message)
        except Exception as error:
            log.exception("errand %s could not be undone", done_id)
            return Down(f"{type(error).__name__}: {error}")


async def _undone(tx: Tx, ground: Ground, done_id: int, by: int | Who) -> Done:
    row = await tx.first(select(ErrandDone.__table__).where(ErrandDone.id == done_id).with_for_update())
    missing = NotFound(_("There is nothing of this kind to undo."))
    if row is None:
        raise missing
    asking = await _undoing(tx, ground, row, by)
    if asking.customer_id is not None and row.customer_id is not None:
        owner = await customers.get(tx, row.customer_id)
        if owner.id != asking.customer_id:
            raise missing
    elif isinstance(by, Who):
        raise missing
    errand = shipped.ERRANDS.get(row.errand)
    if errand is None or errand.undo is None or row.undo is None:
        raise Conflict(_("This cannot be undone."))
    if isinstance(by, Who) and asking.level < errand.contract.needs:
        raise Unproved(errand.contract.needs)
    if row.undone_at is not None:
        raise Conflict(_("This was undone already."))
    if row.undo_until is None or row.undo_until <= asking.at:
        raise Conflict(_("It is too late to undo this."))
    if asking.customer_id is not None:
        await tx.execute(_HOLD_CUSTOMER, {"id": asking.customer_id})
    told = await errand.undo(asking, row.undo)
    agent_id = by if isinstance(by, int) else None
    await tx.execute(update(ErrandDone).where(ErrandDone.id == row.id).values(undone_at=asking.at, undone_by=agent_id))
    await events.record(
        tx, "errand.undone", actor_id=agent_id, customer_id=asking.customer_id, errand=row.errand, done_id=row.id
    )
    return Done({}, told, row.id)


async def _undoing(tx: Tx, ground: Ground, row: Row, by: int | Who) -> Asking:
    if isinstance(by, Who):
        return await _asking(tx, ground, by, row.key)
    owner = await customers.get(tx, row.customer_id) if row.customer_id is not None else None
    house = await installation(tx)
    place = (owner.zone if owner is not None else "") or str(house["zone"])
    return Asking(
        tx, ground, Level(row.level), owner.id if owner is not None else None, row.contact_point_id,
        owner.language if owner is not None else "", row.channel, place, str(house["language"]), now(), row.key,
    )  # fmt: skip


async def done_for(tx: Tx, customer_id: int, *, most: int = 20) -> list[Row]:
    """What a customer got done, newest first (id, errand, channel, level, inputs, at, undone_at, undo_until, undoable)."""
    undoable = (ErrandDone.undo.is_not(None) & ErrandDone.undone_at.is_(None) & (ErrandDone.undo_until > now())).label(
        "undoable"
    )
    return await tx.rows(
        select(
            ErrandDone.id, ErrandDone.errand, ErrandDone.channel, ErrandDone.level, ErrandDone.inputs, ErrandDone.at,
            ErrandDone.undone_at, ErrandDone.undo_until, undoable,
        )
        .where(ErrandDone.customer_id == customer_id)
        .order_by(ErrandDone.at.desc(), ErrandDone.id.desc())
        .limit(most)
    )  # fmt: skip
