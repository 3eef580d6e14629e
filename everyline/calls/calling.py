"""Calls that we make: who may be called, by which line, and the talk that is there before anybody rings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
from everyline.ground.errors import Busy, Conflict, Invalid
from everyline.ground.moments import clock, zone
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.rules import Me
from everyline.queues import actions as queues
from everyline.queues.models import Membership


async def place(tx: Tx, me: Me, case_id: int, number: str, *, line_id: int | None = None) -> int:
    """An agent calls somebody about a case: it is their work from now on, as if they had been called. Returns the interaction's id;
    tell the bus by ``actions.call_for`` after the commit. NotFound; Invalid when it is no number; Busy when they have another call in hand;
    Conflict when who is called does not want to be, or no line can call."""
    begun = await _begin(tx, me, case_id, _number(number), line_id)
    await order_on_line(tx, me.id, Deed.PLACE, begun.key, begun.line_id, dict(begun.values))
    return int(begun.values["interaction"])


@dataclass(frozen=True, slots=True)
class Begun:
    """A call of ours whose talk is there."""

    key: str
    line_id: int
    values: Mapping[str, Any]  # ``call_contract.Order.values`` of ``Deed.PLACE``


async def dialled(tx: Tx, me: Me, number: str, line_id: int) -> Begun:
    """An agent has called somebody by themselves, on a telephone: about what they have in hand of whoever has that number, else about the
    newest open case of theirs that is nobody else's work, else about a new one. Raises as ``place``."""
    number = _number(number)
    await customers.hold(tx, [Address(NUMBER, number)])
    known = (await customers.find_or_create(tx, [Address(NUMBER, number)]))[NUMBER, number]
    seen = {"everything": me.all_queues, "queue_ids": sorted(me.queue_ids)}
    case_id = await tx.value(statements.to_call_about, {"customer_id": known.customer_id, "agent_id": me.id, **seen})
    if case_id is None:
        case_id = await cases.open_for(
            tx, me.id, known.customer_id, _("Call to %s") % known.name, language=known.language
        )
    return await _begin(tx, me, case_id, number, line_id)


def _number(number: str) -> str:
    try:
        return normal(NUMBER, number)
    except ValueError as error:
        raise Invalid(_("This is no phone number."), {"number": str(error)}) from error


async def _begin(tx: Tx, me: Me, case_id: int, number: str, line_id: int | None) -> Begun:
    row = await case_queries.get(tx, me, case_id, lock=True)
    if await tx.first(statements.in_a_call, {"agent_id": me.id, "case_id": case_id}):
        raise Busy(_("You have a call in hand already."))
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
    return Begun(key, line.id, values)


async def line_of(tx: Tx, agent_id: int) -> Row:
    """The line by which an agent calls who is no case yet: the oldest of those of their queues, else of all. Conflict when none can call."""
    own = Line.queue_id.in_(select(Membership.queue_id).where(Membership.agent_id == agent_id))
    query = select(Line.__table__).where(Line.channel.in_(calling()), Line.open, Line.retired_at.is_(None))
    found = await tx.first(query.order_by(own.desc().nulls_last(), Line.id).limit(1))
    if found is None:
        raise Conflict(_("No line of ours can call. An admin adds one in the set-up."))
    return found


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
