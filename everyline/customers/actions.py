"""Verbs of customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text, update

from everyline.channel_contract import Address
from everyline.customers import queries, rules
from everyline.customers.models import ContactPoint, Customer, CustomerMerge
from everyline.ground import addresses, events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _

statements = queries.statements


@dataclass(frozen=True, slots=True)
class Known:
    """A contact point and whose it is."""

    point_id: int
    customer_id: int
    name: str
    language: str
    bad: bool = False


async def find_or_create(
    tx: Tx, wanted: Iterable[Address], languages: Mapping[tuple[str, str], str] | None = None
) -> dict[tuple[str, str], Known]:
    """The customers behind these addresses (in normal form), made where there are none; all at once.

    Safe under concurrency: whoever asks for the same address at the same time waits, and finds what the first one made.
    ``languages`` gives what is known of a new customer's language by (kind, address).
    """
    first: dict[tuple[str, str], Address] = {}
    for address in wanted:
        kept = first.setdefault((address.kind, address.address), address)
        if address.name and not kept.name:
            first[address.kind, address.address] = address
    if not first:
        return {}
    await tx.execute(statements.lock_addresses, {"addresses": sorted(f"{kind}:{address}" for kind, address in first)})
    keys = list(first)
    rows = await tx.rows(
        statements.known_points, {"kinds": [key[0] for key in keys], "addresses": [key[1] for key in keys]}
    )
    found = {
        (row.kind, row.address): Known(row.id, row.customer_id, row.name, row.language, row.bad_since is not None)
        for row in rows
    }
    missing = [key for key in keys if key not in found]
    if missing:
        languages = languages or {}
        customer_ids = [row.id for row in await tx.rows(statements.next_ids, {"tbl": "customer", "n": len(missing)})]
        point_ids = [row.id for row in await tx.rows(statements.next_ids, {"tbl": "contact_point", "n": len(missing)})]
        names = [rules.name_for(first[key].name, key[1]) for key in missing]
        spoken = [languages.get(key, "") for key in missing]
        await tx.execute(statements.insert_customers, {"ids": customer_ids, "names": names, "languages": spoken})
        await tx.execute(
            statements.insert_points,
            {
                "ids": point_ids,
                "customer_ids": customer_ids,
                "kinds": [key[0] for key in missing],
                "addresses": [key[1] for key in missing],
            },
        )
        await events.record_all(
            tx, [events.Event("customer.created", now(), customer_id=customer_id) for customer_id in customer_ids]
        )
        for key, point, customer, name, language in zip(missing, point_ids, customer_ids, names, spoken, strict=True):
            found[key] = Known(point, customer, name, language)
    return found


async def hold(tx: Tx, wanted: Iterable[Address]) -> None:
    """Nobody else makes a customer of these addresses before the transaction ends. All at once, so that nobody waits in a ring."""
    await tx.execute(statements.lock_addresses, {"addresses": sorted({f"{one.kind}:{one.address}" for one in wanted})})


async def belong(tx: Tx, address: Address, customer_id: int) -> None:
    """An address that was shown to be a customer's is theirs. Who was known by it alone becomes that customer; who has
    addresses that lead somewhere of their own is left as they are. The address must be held."""
    row = await tx.first(
        select(ContactPoint.id, ContactPoint.customer_id).where(
            ContactPoint.kind == address.kind, ContactPoint.address == address.address
        )
    )
    if row is None:
        await tx.execute(
            insert(ContactPoint).values(customer_id=customer_id, kind=address.kind, address=address.address)
        )
        await events.record(tx, "contact_point.added", customer_id=customer_id)
    elif row.customer_id != customer_id:
        others = select(ContactPoint.id).where(
            ContactPoint.customer_id == row.customer_id, ContactPoint.kind != address.kind
        )
        if await tx.value(others.limit(1)) is None:
            await merge(tx, None, customer_id, row.customer_id)


async def change(tx: Tx, by: int | None, customer_id: int, **facts: str) -> None:
    """Change a customer's name, kind, language, zone or remarks."""
    row = await queries.get(tx, customer_id)
    if "name" in facts and not facts["name"].strip():
        raise Invalid(_("A customer needs a name."), {"name": _("Write a name.")})
    await tx.execute(update(Customer).where(Customer.id == row.id).values(**facts))
    await events.record(tx, "customer.changed", actor_id=by, customer_id=row.id, fields=sorted(facts))


async def add_point(tx: Tx, by: int | None, customer_id: int, *, kind: str, address: str, label: str = "") -> int:
    """Give a customer a further contact point; returns its id. Conflict when it is somebody else's."""
    row = await queries.get(tx, customer_id)
    try:
        normal = addresses.normal(kind, address)
    except (KeyError, ValueError) as error:
        raise Invalid(_("This is no address."), {"address": str(error)}) from error
    await tx.execute(statements.lock_addresses, {"addresses": [f"{kind}:{normal}"]})
    held = await tx.first(
        select(ContactPoint.id, ContactPoint.customer_id).where(
            ContactPoint.kind == kind, ContactPoint.address == normal
        )
    )
    if held is not None:
        if held.customer_id == row.id:
            return int(held.id)
        raise Conflict(_("Another customer has this address. If they are the same person, merge the two."))
    point_id: int = await tx.value(
        insert(ContactPoint)
        .values(customer_id=row.id, kind=kind, address=normal, label=label)
        .returning(ContactPoint.id)
    )
    await events.record(tx, "contact_point.added", actor_id=by, customer_id=row.id, contact_point_id=point_id)
    return point_id


async def prefer_point(tx: Tx, by: int | None, customer_id: int, point_id: int) -> None:
    """Make one contact point the preferred one."""
    row = await queries.get(tx, customer_id)
    held = await tx.value(
        select(ContactPoint.id).where(ContactPoint.id == point_id, ContactPoint.customer_id == row.id)
    )
    if held is None:
        raise NotFound(_("There is no such contact point."))
    await tx.execute(
        update(ContactPoint).where(ContactPoint.customer_id == row.id).values(preferred=ContactPoint.id == point_id)
    )
    await events.record(tx, "contact_point.preferred", actor_id=by, customer_id=row.id, contact_point_id=point_id)


async def mark_bad(tx: Tx, point_id: int, reason: str) -> None:
    """Nothing arrives at this contact point any more."""
    row = await tx.first(
        update(ContactPoint)
        .where(ContactPoint.id == point_id, ContactPoint.bad_since.is_(None))
        .values(bad_since=now(), bad_reason=reason[:500])
        .returning(ContactPoint.customer_id)
    )
    if row is not None:
        await events.record(tx, "contact_point.marked_bad", customer_id=row.customer_id, contact_point_id=point_id)


async def mark_good(tx: Tx, by: int | None, customer_id: int, point_id: int) -> None:
    """The address works again, or was put right."""
    row = await queries.get(tx, customer_id)
    await tx.execute(
        update(ContactPoint)
        .where(ContactPoint.id == point_id, ContactPoint.customer_id == row.id)
        .values(bad_since=None, bad_reason="")
    )
    await events.record(tx, "contact_point.marked_good", actor_id=by, customer_id=row.id, contact_point_id=point_id)


_FOLLOW = ("errand_done", "appointment", "statement")  # tables of nouns above this one, whose rows are the customer's
_MOVE = {
    "contact_point": text(
        "update contact_point set customer_id = :to, preferred = false where customer_id = :from returning id"
    ),
    "case": text('update "case" set customer_id = :to where customer_id = :from returning id'),
    **{
        table: text(f"update {table} set customer_id = :to where customer_id = :from returning id")  # noqa: S608 -- one of ours
        for table in _FOLLOW
    },
}
_MOVE_BACK = {
    "contact_point": text("update contact_point set customer_id = :to where id = any(:ids) and customer_id = :from"),
    "case": text('update "case" set customer_id = :to where id = any(:ids) and customer_id = :from'),
    **{
        table: text(f"update {table} set customer_id = :to where id = any(:ids) and customer_id = :from")  # noqa: S608 -- one of ours
        for table in _FOLLOW
    },
}


async def merge(tx: Tx, by: int | None, kept_id: int, gone_id: int) -> int:
    """Make two records one; returns the merge's id, by which it can be undone."""
    kept, gone = await queries.get(tx, kept_id), await queries.get(tx, gone_id)
    if kept.id == gone.id:
        raise Invalid(_("These two are one customer already."))
    await tx.rows(
        select(Customer.id).where(Customer.id.in_([kept.id, gone.id])).order_by(Customer.id).with_for_update()
    )
    moved: dict[str, Any] = {
        table: [row.id for row in await tx.rows(statement, {"to": kept.id, "from": gone.id})]
        for table, statement in _MOVE.items()
    }
    await tx.execute(update(Customer).where(Customer.id == gone.id).values(merged_into_id=kept.id))
    merge_id: int = await tx.value(
        insert(CustomerMerge)
        .values(kept_id=kept.id, gone_id=gone.id, moved=moved, agent_id=by)
        .returning(CustomerMerge.id)
    )
    await events.record(tx, "customer.merged", actor_id=by, customer_id=kept.id, gone_id=gone.id, merge_id=merge_id)
    return merge_id


async def undo_merge(tx: Tx, by: int | None, merge_id: int) -> int:
    """Part two records again: what the merge moved goes back, what came later stays; returns the restored customer's id."""
    row = await tx.first(select(CustomerMerge.__table__).where(CustomerMerge.id == merge_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such merge."))
    if row.undone_at is not None:
        raise Conflict(_("This merge was undone already."))
    for table, statement in _MOVE_BACK.items():
        await tx.execute(statement, {"to": row.gone_id, "from": row.kept_id, "ids": row.moved.get(table, [])})
    await tx.execute(update(Customer).where(Customer.id == row.gone_id).values(merged_into_id=None))
    await tx.execute(update(CustomerMerge).where(CustomerMerge.id == merge_id).values(undone_at=now()))
    await events.record(
        tx, "customer.parted", actor_id=by, customer_id=row.kept_id, gone_id=row.gone_id, merge_id=merge_id
    )
    return int(row.gone_id)
