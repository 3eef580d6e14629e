"""Reads of customers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from everyline.customers.models import ContactPoint, Customer
from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _

statements = sql.beside(__file__, "customers.sql")


async def get(tx: Tx, customer_id: int) -> Row:
    """One customer; a merged one leads to the one it became."""
    for _step in range(20):
        row = await tx.first(select(Customer.__table__).where(Customer.id == customer_id))
        if row is None:
            break
        if row.merged_into_id is None:
            return row
        customer_id = row.merged_into_id
    raise NotFound(_("There is no such customer."))


async def points(tx: Tx, customer_id: int) -> Sequence[Row]:
    """A customer's contact points, the preferred one first."""
    return await tx.rows(statements.points, {"customer_id": customer_id})


async def duplicates(tx: Tx, customer_id: int) -> Sequence[Row]:
    """Up to five others that may be the same person, likeliest first (id, name, score 0 to 1)."""
    return await tx.rows(statements.duplicates, {"id": customer_id})


async def find(tx: Tx, words: str, *, most: int = 20) -> Sequence[Row]:
    """Customers by a part of their name or of an address."""
    pattern = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    by_address = select(ContactPoint.customer_id).where(ContactPoint.address.ilike(pattern)).limit(200)
    return await tx.rows(
        select(Customer.__table__)
        .where(Customer.merged_into_id.is_(None), or_(Customer.name.ilike(pattern), Customer.id.in_(by_address)))
        .order_by(Customer.name, Customer.id)
        .limit(most)
    )


async def after(tx: Tx, last_id: int, *, most: int = 50) -> Sequence[Row]:
    """All customers by id, after one."""
    return await tx.rows(
        select(Customer.__table__)
        .where(Customer.id > last_id, Customer.merged_into_id.is_(None))
        .order_by(Customer.id)
        .limit(most)
    )
