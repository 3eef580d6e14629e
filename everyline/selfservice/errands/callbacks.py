"""The errands of being called back. It is work that waits in a queue like all other, and keeps its place until its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text as statement

from everyline.cases.rules import CALLBACK
from everyline.channel_contract import Address
from everyline.ground.addresses import NUMBER
from everyline.ground.database import Row
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _, mark, speaking
from everyline.queues import actions as queues
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, digits, text
from everyline.selfservice.errands.opening import Matter, open_case
from everyline.selfservice.errands.times import moment_at, read_clock, said
from everyline.selfservice.identity import Level
from everyline.selfservice.putting import shown
from everyline.selfservice.slots import Kind, Value

FURTHEST = timedelta(days=30)

_WAITING = statement(
    'select c.id, c.number, e.callback_after, e.state from "case" c join queue_entry e on e.case_id = c.id '
    "and e.state in ('waiting', 'offered') where c.customer_id = :customer_id and :tag = any(c.tags) order by c.id desc limit 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    number: str = asked(Kind.PHONE, mark("Telephone number"))
    day: date | None = asked(Kind.DATE, mark("Not before this day"), optional=True)
    time: str | None = asked(Kind.TEXT, mark("Not before this time"), optional=True, most=40)
    subject: str | None = asked(Kind.TEXT, mark("What it is about"), optional=True, most=200)
    queue: str | None = asked(Kind.TEXT, mark("Queue"), optional=True, most=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    day: date = asked(Kind.DATE, mark("Not before this day"))
    time: str | None = asked(Kind.TEXT, mark("Not before this time"), optional=True, most=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is to be said."""


def _after(asking: Asking, day: date | None, clock: str | None) -> datetime | None:
    """The moment before which nobody calls; None: as soon as it is their turn."""
    if day is None and clock is None:
        return None
    at = read_clock(clock) if clock is not None else read_clock("00:00")
    if at is None:
        raise Invalid(_("Please say a time such as 14:30."), {"time": _("Please say a time such as 14:30.")})
    today = asking.at.astimezone(moment_at(date(2000, 1, 1), at, asking.zone).tzinfo).date()
    found = moment_at(day or today, at, asking.zone)
    if (day or today) < today or found > asking.at + FURTHEST:
        raise Conflict(_("We can call you within the next thirty days."))
    return found if found > asking.at else None


def _told(after: datetime | None, number: str, asking: Asking) -> str:
    if after is None:
        return _("We call you at %s as soon as it is your turn. You keep your place.") % number
    return _("We call you at %(number)s, not before %(when)s. You keep your place.") % {
        "number": number,
        "when": said(after, asking.zone),
    }


async def ask_callback(asking: Asking, given: Calling) -> Settled:
    """A case waits in the queue to be called; the number is theirs to say, and stands on no customer that it was not proved for."""
    if asking.customer_id is not None and await _own(asking) is not None:
        raise Conflict(_("You wait to be called already. You can move that or cancel it."))
    after = _after(asking, given.day, given.time)
    number = shown(Value(Kind.PHONE, given.number))
    words = given.subject or _("Please call me")
    with speaking(asking.house_language):
        label = _("Telephone")
    matter = Matter(
        words,
        f"{words}\n{number}" + (f"\n{said(after, asking.zone)}" if after else ""),
        {label: number},
        tags=(CALLBACK,),
        queue=given.queue or "",
        callback_after=after,
        callback_number=given.number,
    )
    opened = await open_case(asking, matter, [Address(NUMBER, given.number, "")])
    return Settled(
        _told(after, number, asking),
        {"number": digits(opened.number)},
        undo={"case_id": opened.case_id},
        facts={"opened_case_id": opened.case_id},
    )


async def _own(asking: Asking) -> Row | None:
    return await asking.tx.first(_WAITING, {"customer_id": asking.own, "tag": CALLBACK})


async def _waiting(asking: Asking) -> Row:
    row = await _own(asking)
    if row is None:
        raise NotFound(_("You do not wait to be called."))
    if row.state != "waiting":
        raise Conflict(_("Somebody is about to call you just now."))
    return row


async def move_callback(asking: Asking, given: Later) -> Settled:
    """Who waits to be called is called later, and keeps the place."""
    row = await _waiting(asking)
    after = _after(asking, given.day, given.time)
    await queues.put_off(asking.tx, row.id, after)
    told = _("We call you as soon as it is your turn.")
    if after is not None:
        told = _("We do not call you before %s. You keep your place.") % said(after, asking.zone)
    before = row.callback_after.isoformat() if row.callback_after is not None else ""
    undo = {"case_id": row.id, "before": before}
    return Settled(told, {"number": digits(row.number)}, undo=undo, facts={"moved_case_id": row.id})


async def callback_as_before(asking: Asking, kept: Mapping[str, Any]) -> str:
    """They are called when they were to be before."""
    row = await _waiting(asking)
    if row.id != kept["case_id"]:
        raise NotFound(_("You do not wait to be called."))
    await queues.put_off(asking.tx, row.id, datetime.fromisoformat(kept["before"]) if kept["before"] else None)
    return _("It is as it was before.")


async def cancel_callback(asking: Asking, _given: Nothing) -> Settled:
    """Nobody calls; the case is settled."""
    row = await _waiting(asking)
    await queues.resolve(asking.tx, None, row.id)
    return Settled(_("We do not call you."), {"cancelled": text("yes")}, facts={"settled_case_id": row.id})


async def call_off(asking: Asking, kept: Mapping[str, Any]) -> str:
    """What was asked for is taken back while nobody has it in hand."""
    found = await asking.tx.first(
        statement("select id from queue_entry where case_id = :case_id and state = 'waiting' for update"),
        {"case_id": kept["case_id"]},
    )
    if found is None:
        raise Conflict(_("Somebody has it in hand already."))
    await queues.resolve(asking.tx, None, kept["case_id"])
    return _("We do not call you.")


CALLBACKS = (
    declared(
        ask_callback,
        Calling,
        call_off,
        name="ask_callback",
        title=mark("Ask for a callback"),
        changes=mark("A case waits in a queue to be called, not before the time that was asked for."),
        needs=Level.UNKNOWN,
        gives=("number",),
        undo_for=timedelta(days=1),
        most_an_hour=5,
        opens_cases=True,
    ),
    declared(
        move_callback,
        Later,
        callback_as_before,
        name="move_callback",
        title=mark("Move a callback"),
        changes=mark("The customer is called later, and keeps the place."),
        needs=Level.PROVED,
        gives=("number",),
        undo_for=timedelta(days=1),
    ),
    declared(
        cancel_callback,
        Nothing,
        name="cancel_callback",
        title=mark("Cancel a callback"),
        changes=mark("Nobody calls, and the case is settled."),
        needs=Level.PROVED,
        gives=("cancelled",),
    ),
)
