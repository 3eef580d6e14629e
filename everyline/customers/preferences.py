"""What customers decide for themselves: language, quiet hours, what may be sent where, and which addresses they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.customers import queries, rules
from everyline.customers.models import Consent, ContactPoint, Customer
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _

# text, because the tables of cases and deliveries belong to nouns above this one
_UNUSED = text(
    "delete from contact_point p where p.id = :id and p.customer_id = :customer_id "
    "and not exists (select from interaction where contact_point_id = p.id) "
    "and not exists (select from message where contact_point_id = p.id) "
    "and not exists (select from delivery where contact_point_id = p.id) "
    "and not exists (select from draft where contact_point_id = p.id) returning p.id"
)


async def set_manners(
    tx: Tx, customer_id: int, *, language: str, zone: str, quiet_from: str = "", quiet_until: str = ""
) -> None:
    """How a customer wants to be met: the language, the zone they live in, and when they are not to be disturbed (``HH:MM`` of
    their own zone; both empty: never)."""
    errors = {
        name: _("Write a time such as 21:00.")
        for name, given in (("quiet_from", quiet_from), ("quiet_until", quiet_until))
        if given and not rules.is_clock(given)
    }
    if not errors and bool(quiet_from) != bool(quiet_until):
        errors["quiet_until" if quiet_from else "quiet_from"] = _("Write both times, or none.")
    if errors:
        raise Invalid(_("Please look at this again."), errors)
    row = await queries.get(tx, customer_id)
    wanted = {"language": language, "zone": zone, "quiet_from": quiet_from, "quiet_until": quiet_until}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changed:
        await tx.execute(update(Customer).where(Customer.id == row.id).values(**changed))
        await events.record(tx, "customer.changed", customer_id=row.id, fields=sorted(changed), by_customer=True)


async def rename(tx: Tx, customer_id: int, name: str) -> None:
    """A customer says what they are called."""
    row = await queries.get(tx, customer_id)
    called = " ".join(name.replace("\x00", "").split())[:200]
    if not called:
        raise Invalid(_("Please look at this again."), {"name": _("Please tell us your name")})
    if called != row.name:
        await tx.execute(update(Customer).where(Customer.id == row.id).values(name=called))
        await events.record(tx, "customer.changed", customer_id=row.id, fields=["name"], by_customer=True)


async def consents(tx: Tx, customer_id: int) -> dict[tuple[int, str], Row]:
    """What was said about each contact point and purpose."""
    rows = await tx.rows(
        select(Consent.__table__)
        .join(ContactPoint, ContactPoint.id == Consent.contact_point_id)
        .where(ContactPoint.customer_id == customer_id)
    )
    return {(row.contact_point_id, row.purpose): row for row in rows}


async def consent(tx: Tx, customer_id: int, chosen: Mapping[str, Sequence[int]], proof: str) -> dict[int, set[str]]:
    """Say what may be sent where: by purpose, the contact points that it may be sent to; the others it may not. ``proof`` says
    where that was said. Returns the purposes that changed, by contact point."""
    row = await queries.get(tx, customer_id)
    known = await consents(tx, row.id)
    rows: list[dict[str, Any]] = []
    changed: dict[int, set[str]] = {}
    for point in await queries.points(tx, row.id):
        for purpose in rules.PURPOSES:
            wanted = point.id in chosen.get(purpose, ())
            kept = known.get((point.id, purpose))
            if wanted != rules.granted(purpose, kept=kept.granted if kept else None):
                rows.append(
                    {
                        "contact_point_id": point.id,
                        "purpose": purpose,
                        "granted": wanted,
                        "at": now(),
                        "proof": proof[:500],
                    }
                )
                changed.setdefault(point.id, set()).add(purpose)
    if rows:
        statement = upsert(Consent).values(rows)
        fresh = {name: statement.excluded[name] for name in ("granted", "at", "proof")}
        await tx.execute(statement.on_conflict_do_update(index_elements=["contact_point_id", "purpose"], set_=fresh))
        await events.record(
            tx,
            "consent.changed",
            customer_id=row.id,
            consents=[[one["contact_point_id"], one["purpose"], one["granted"]] for one in rows],
        )
    return changed


async def remove_point(tx: Tx, customer_id: int, point_id: int, *, but: int) -> None:
    """Take a contact point away that nothing was ever said over; ``but`` is the one that the customer is signed in by."""
    row = await queries.get(tx, customer_id)
    if point_id == but:
        raise Conflict(_("You are signed in with this address. Sign in with another to remove it."))
    held = select(ContactPoint.id).where(ContactPoint.id == point_id, ContactPoint.customer_id == row.id)
    if await tx.value(held) is None:
        raise NotFound(_("There is no such contact point."))
    if await tx.value(_UNUSED, {"id": point_id, "customer_id": row.id}) is None:
        raise Conflict(
            _("This address stands on your cases and stays with them. Take its ticks away, and nothing is sent there.")
        )
    await events.record(tx, "contact_point.removed", customer_id=row.id, contact_point_id=point_id)


async def may_write(tx: Tx, point_ids: Sequence[int], purpose: str) -> set[int]:
    """Of these contact points, those to which something may be sent for a purpose."""
    said = case((Consent.granted.is_(None), purpose in rules.ALWAYS), else_=Consent.granted)
    query = (
        select(ContactPoint.id)
        .outerjoin(Consent, (Consent.contact_point_id == ContactPoint.id) & (Consent.purpose == purpose))
        .where(ContactPoint.id.in_(point_ids), func.coalesce(said, False))
    )
    return set(await tx.column(query))
