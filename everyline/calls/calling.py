"""Calls that we make: who may be called, by which line, and the talk that is there before anybody rings."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select

from everyline.call_contract import Deed
from everyline.calls import callbacks
from everyline.calls.actions import order_on_line
from everyline.calls.queries import statements
from everyline.cases import actions as cases
from everyline.cases import queries as case_queries
from everyline.cases.models import Interaction, Talk
from everyline.channel_contract import Address, MediaClass
from everyline.channel_registry import calling
from everyline.customers import actions as customers
from everyline.dispatch.rules import undisturbed_until
from everyline.ground import events
from everyline.ground.addresses import NUMBER, normal
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.moments import clock, zone
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.rules import Me
from everyline.queues import actions as queues


async def place(tx: Tx, me: Me, case_id: int, number: str, *, line_id: int | None = None) -> int:
    """An agent calls somebody about a case: it is their work from now on, as if they had been called. Returns the interaction's id;
    tell the bus by ``actions.call_for`` after the commit. NotFound; Invalid when it is no number; Conflict when they do not want to be called,
    have another call in hand, or no line can call."""
    try:
        number = normal(NUMBER, number)
    except ValueError as error:
        raise Invalid(_("This is no phone number."), {"number": str(error)}) from error
    row = await case_queries.get(tx, me, case_id, lock=True)
    if await tx.first(statements.in_a_call, {"agent_id": me.id, "case_id": case_id}):
        raise Conflict(_("You have a call in hand already."))
    at = now()
    manners = await tx.one(statements.manners, {"number": number, "customer_id": row.customer_id})
    if manners.unwanted:
        raise Conflict(_("This customer does not want to be called at that number."))
    until = undisturbed_until(manners.quiet_from, manners.quiet_until, zone(manners.zone), at)
    if until is not None:
        said = _("This customer does not want to be disturbed before %s.")
        raise Conflict(said % clock(until, me.zone))
    line = await _line(tx, row, line_id)
    await customers.hold(tx, [Address(NUMBER, number)])
    await customers.belong(tx, Address(NUMBER, number), row.customer_id)
    known = (await customers.find_or_create(tx, [Address(NUMBER, number)]))[NUMBER, number]
    key = secrets.token_hex(12)
    interaction_id: int = await tx.value(
        insert(Interaction)
        .values(
            case_id=case_id,
            line_id=line.id,
            contact_point_id=known.point_id,
            channel=line.channel,
            media_class=str(MediaClass.CALL),
            direction="out",
            started_at=at,
        )
        .returning(Interaction.id)
    )
    rules = {"warn_after": 0, "end_after": 0, "gone_after": 45, "rejoin": 0}
    await tx.execute(insert(Talk).values(interaction_id=interaction_id, key=key, said_at=at, here_at=at, rules=rules))
    await events.record(
        tx,
        "talk.began",
        actor_id=me.id,
        agent_id=me.id,
        case_id=case_id,
        customer_id=row.customer_id,
        interaction_id=interaction_id,
        queue_id=row.queue_id,
        line_id=line.id,
        point_id=known.point_id,
        direction="out",
    )
    await cases.give(tx, me.id, case_id, me.id)
    await queues.talk_oneself(tx, me.id, case_id, row.queue_id or line.queue_id)
    called_back = await callbacks.begin(tx, case_id, interaction_id)
    values = {"number": number, "interaction": interaction_id, "language": row.language or line.language}
    values |= {"callback": True} if called_back else {}
    await order_on_line(tx, me.id, Deed.PLACE, key, line.id, values)
    return interaction_id


async def _line(tx: Tx, row: Row, line_id: int | None) -> Row:
    """The line asked for; else the case's own, its queue's, or the oldest, of those that can call."""
    query = select(Line.__table__).where(Line.channel.in_(calling()), Line.open, Line.retired_at.is_(None))
    if line_id is not None:
        query = query.where(Line.id == line_id)
    order = ((Line.id == row.line_id).desc(), (Line.queue_id == row.queue_id).desc().nulls_last(), Line.id)
    found = await tx.first(query.order_by(*order).limit(1))
    if found is None:
        raise Conflict(_("No line of ours can call. An admin adds one in the set-up."))
    return found
