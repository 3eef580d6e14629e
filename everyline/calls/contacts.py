"""Whom agents add to calls, and who is no customer: interpreters by language, other offices. The house keeps the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from everyline.calls.models import CallContact
from everyline.calls.queries import statements
from everyline.ground import events
from everyline.ground.addresses import NUMBER, normal
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _

KINDS = ("interpreter", "office")
MOST_LANGUAGES = 40


async def every_one(tx: Tx) -> Sequence[Row]:
    """All of them, by name."""
    return await tx.rows(select(CallContact.__table__).order_by(CallContact.name, CallContact.id))


async def get(tx: Tx, contact_id: int) -> Row:
    """One of them. NotFound."""
    row = await tx.first(select(CallContact.__table__).where(CallContact.id == contact_id))
    if row is None:
        raise NotFound(_("There is no such contact."))
    return row


async def fitting(tx: Tx, language: str, words: str, spoken: Sequence[str], most: int) -> Sequence[Row]:
    """Who speaks a language first, interpreters before offices; where words are given, by a part of their name or number, or by the
    languages (codes) that the words mean. Column ``speaks``: they speak it."""
    values = {"language": language, "words": words, "spoken": list(spoken), "most": most}
    return await tx.rows(statements.call_contacts_fitting, values)


async def add(tx: Tx, by: int | None, **facts: Any) -> int:
    """Add one: name, number, kind, languages (codes), fee. Invalid."""
    contact_id: int = await tx.value(insert(CallContact).values(**_checked(facts)).returning(CallContact.id))
    await events.record(tx, "call_contact.added", actor_id=by, contact=contact_id)
    return contact_id


async def change(tx: Tx, by: int | None, contact_id: int, **facts: Any) -> None:
    """Change one. Invalid, NotFound."""
    await get(tx, contact_id)
    await tx.execute(update(CallContact).where(CallContact.id == contact_id).values(**_checked(facts)))
    await events.record(tx, "call_contact.changed", actor_id=by, contact=contact_id)


async def remove(tx: Tx, by: int | None, contact_id: int) -> None:
    """Take one out of the list; calls in which they took part keep their name. NotFound."""
    await get(tx, contact_id)
    await tx.execute(delete(CallContact).where(CallContact.id == contact_id))
    await events.record(tx, "call_contact.removed", actor_id=by, contact=contact_id)


async def note_called(tx: Tx, agent_id: int, call: Row, contact: Row) -> None:
    """Write down at the case that somebody was called to a call, and what they cost."""
    await events.record(
        tx,
        "call.contact_called",
        actor_id=agent_id,
        case_id=call.case_id,
        interaction_id=call.interaction_id,
        queue_id=call.queue_id,
        contact=contact.name,
        fee=contact.fee,
    )


def _checked(facts: dict[str, Any]) -> dict[str, Any]:
    wrong = {}
    if not facts["name"]:
        wrong["name"] = _("Say what they are called.")
    try:
        facts = {**facts, "number": normal(NUMBER, facts["number"])}
    except ValueError as error:
        wrong["number"] = str(error)
    if facts["kind"] not in KINDS:
        wrong["kind"] = _("Choose one of these.")
    if wrong:
        raise Invalid(_("Please look at this again."), wrong)
    return {**facts, "languages": list(dict.fromkeys(facts["languages"]))[:MOST_LANGUAGES]}
