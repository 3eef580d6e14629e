"""Reading for answers: whom the last message of a case came from, whom it went to, and where it asks answers to go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from everyline.channel_contract import Address
from everyline.customers.models import ContactPoint
from everyline.dispatch import rules
from everyline.ground import sql
from everyline.ground.database import Tx

statements = sql.beside(__file__, "dispatch.sql")

_POINTS = select(ContactPoint.address).where(ContactPoint.customer_id == bindparam("customer_id"))


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What an answer to a case's last message begins with."""

    copies: tuple[Address, ...] = ()  # who else is part of it, without us
    asked: Address | None = None  # where the customer asks answers to go, when that is elsewhere
    asked_by_id: int | None = None  # the contact point that the request came from


async def own_addresses(tx: Tx) -> frozenset[str]:
    """The addresses of all lines, closed and given up ones too: nothing of ours goes to ourselves."""
    return frozenset(await tx.column(statements.own_addresses))


async def correspondence(tx: Tx, case_id: int, customer_id: int) -> Correspondence:
    """Read from the newest message that a person sent on the case.

    Whoever stands in its To and Cc gets a copy, and its writer too when that is not the customer; once an agent has
    answered it, whoever got a copy of that answer. Where answers are
    asked to go counts only when the customer asks: others cannot lead the customer's answers away.
    """
    row = await tx.first(statements.newest_in, {"case_id": case_id})
    if row is None:
        return Correspondence()
    own = frozenset(row.own)
    everyone = [Address(*one) for one in row.facts.get("recipients", ())]
    theirs = row.customer_id == customer_id
    if not theirs and row.address:
        everyone.insert(0, Address(row.kind, row.address, row.facts.get("sender_name", "")))
    asked = Address(*row.facts["reply_to"]) if theirs and row.facts.get("reply_to") else None
    if asked is not None and rules.is_own(asked.address, own):
        asked = None
    known = {row.address} if theirs else set(await tx.column(_POINTS, {"customer_id": customer_id}))
    if row.copied is not None:
        everyone = [Address(*one) for one in row.copied]
    return Correspondence(
        rules.others(everyone, own, known | ({asked.address} if asked else set())),
        asked,
        row.contact_point_id if asked else None,
    )
