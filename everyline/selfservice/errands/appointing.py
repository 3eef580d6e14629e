"""Appointments: their kinds, which times are free, and the verbs. Two never get the last place: who books waits for each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text, update

from everyline.customers.models import Customer
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.jobs import ask_for
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.queues import queries as queues
from everyline.queues.hours import OpeningHours
from everyline.queues.models import Hours
from everyline.selfservice.errands.models import Appointment, AppointmentKind
from everyline.selfservice.errands.times import grid

LIMITS = {
    "minutes": (5, 1440),
    "places": (1, 1000),
    "ahead_days": (1, 365),
    "lead_minutes": (0, 60 * 24 * 30),
    "remind_minutes": (0, 60 * 24 * 30),
}
BOOKED, MOVED, CANCELLED = "booked", "moved", "cancelled"
LETTERS = "everyline.selfservice.tasks.write_about_appointments"

_HOLD = text("select pg_advisory_xact_lock(hashtextextended('appointment:' || cast(:kind_id as text), 0))")
# an appointment lasts a day at most, so that the index leads to those that could be in the way
_FREE = text(
    "select c.starts_at, c.ends_at from unnest(cast(:starts as timestamptz[]), cast(:ends as timestamptz[])) as c (starts_at, ends_at) "
    "where (select count(*) from appointment a where a.kind_id = :kind_id and a.state = 'booked' and a.id <> :but "
    "and a.starts_at < c.ends_at and a.starts_at > c.starts_at - interval '1 day' and a.ends_at > c.starts_at) < :places "
    "order by c.starts_at limit :most"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of appointments with its hours."""

    row: Row
    hours: OpeningHours

    @property
    def id(self) -> int:
        return int(self.row.id)

    @property
    def name(self) -> str:
        return str(self.row.name)

    @property
    def place(self) -> str:
        """The zone that its times are told in."""
        return self.hours.zone


async def kinds(tx: Tx) -> Sequence[Row]:
    """The kinds in use, in their order, with the names of their hours and queues."""
    query = select(AppointmentKind.__table__, Hours.name.label("hours_name"), Hours.zone).join(
        Hours, Hours.id == AppointmentKind.hours_id
    )
    return await tx.rows(
        query.where(AppointmentKind.retired_at.is_(None)).order_by(AppointmentKind.position, AppointmentKind.name)
    )


async def kind(tx: Tx, kind_id: int) -> Kind:
    """One kind, also one that is not in use any more. NotFound."""
    row = await tx.first(select(AppointmentKind.__table__).where(AppointmentKind.id == kind_id))
    if row is None:
        raise NotFound(_("There is no such kind of appointments."))
    return Kind(row, await queues.opening_hours(tx, row.hours_id))


async def kind_named(tx: Tx, name: str | None) -> Kind:
    """The kind in use of a name; the only one there is when none is named. NotFound, which names those there are."""
    rows = await kinds(tx)
    wanted = " ".join((name or "").split()).casefold()
    found = [row for row in rows if not wanted or row.name.casefold() == wanted]
    found = found or [row for row in rows if wanted in row.name.casefold()]
    if len(found) == 1:
        return await kind(tx, found[0].id)
    if not rows:
        raise NotFound(_("There are no appointments to be made here."))
    raise NotFound(_("Please say for what: %s.") % ", ".join(row.name for row in rows))


async def keep_kind(tx: Tx, by: int | None, kind_id: int | None, **facts: Any) -> int:
    """Add a kind of appointments, or change one; returns its id. ``facts``: name, queue_id, hours_id, minutes, places, ahead_days,
    lead_minutes, remind_minutes, position. What is booked stays as it is. Invalid."""
    errors = {
        name: _("A number from {least} to {most}.").format(least=least, most=most)
        for name, (least, most) in LIMITS.items()
        if name in facts and not least <= facts[name] <= most
    }
    if "name" in facts:
        facts["name"] = " ".join(str(facts["name"]).split())[:120]
        same = select(AppointmentKind.id).where(
            func.lower(AppointmentKind.name) == facts["name"].lower(),
            AppointmentKind.retired_at.is_(None),
            AppointmentKind.id != (kind_id or 0),
        )
        if not facts["name"]:
            errors["name"] = _("Write a name.")
        elif await tx.value(same) is not None:
            errors["name"] = _("There is one of this name already.")
    if "hours_id" in facts and await tx.value(select(Hours.id).where(Hours.id == facts["hours_id"])) is None:
        errors["hours_id"] = _("Choose one of the list.")
    if errors:
        raise Invalid(_("Please look at this again."), errors)
    if facts.get("queue_id") is not None:
        await queues.get(tx, facts["queue_id"])
    if kind_id is None:
        kind_id = int(await tx.value(insert(AppointmentKind).values(**facts).returning(AppointmentKind.id)))
        await events.record(tx, "appointment_kind.added", actor_id=by, kind_id=kind_id)
    else:
        if not await tx.execute(update(AppointmentKind).where(AppointmentKind.id == kind_id).values(**facts)):
            raise NotFound(_("There is no such kind of appointments."))
        await events.record(tx, "appointment_kind.changed", actor_id=by, kind_id=kind_id, fields=sorted(facts))
    return kind_id


async def retire_kind(tx: Tx, by: int | None, kind_id: int) -> None:
    """Offer it no more; what is booked stays."""
    if not await tx.execute(
        update(AppointmentKind)
        .where(AppointmentKind.id == kind_id, AppointmentKind.retired_at.is_(None))
        .values(retired_at=now())
    ):
        raise NotFound(_("There is no such kind of appointments."))
    await events.record(tx, "appointment_kind.retired", actor_id=by, kind_id=kind_id)


def bookable(found: Kind, at: datetime, day: date | None = None) -> list[tuple[datetime, datetime]]:
    """The times that could be booked, were nothing booked: on one day, or all."""
    if found.hours.closed_now or found.row.retired_at is not None:
        return []
    earliest = at + timedelta(minutes=found.row.lead_minutes)
    latest = at + timedelta(days=found.row.ahead_days)
    first, last = (one.astimezone(zone(found.place)).date() for one in (earliest, latest))
    if day is not None:
        first, last = max(first, day), min(last, day)
    return [one for one in grid(found.hours, found.row.minutes, first, last) if earliest <= one[0] <= latest]


async def free(
    tx: Tx, found: Kind, at: datetime, day: date | None = None, *, most: int = 50, but: int = 0
) -> list[datetime]:
    """When there is a place: on one day, or from now on. ``but`` is an appointment that does not count: it is to be moved."""
    return [starts for starts, _ends in await _free(tx, found, bookable(found, at, day), most, but)]


async def _free(
    tx: Tx, found: Kind, spans: Sequence[tuple[datetime, datetime]], most: int, but: int
) -> list[tuple[datetime, datetime]]:
    if not spans:
        return []
    rows = await tx.rows(
        _FREE,
        {
            "starts": [starts for starts, _ends in spans],
            "ends": [ends for _starts, ends in spans],
            "kind_id": found.id,
            "places": found.row.places,
            "but": but,
            "most": most,
        },
    )
    return [(row.starts_at, row.ends_at) for row in rows]


async def _take(tx: Tx, found: Kind, starts: datetime, customer_id: int, but: int = 0) -> tuple[datetime, datetime]:
    """The time that begins then, held until the end of the transaction. Conflict when it has no place or they are busy."""
    await tx.execute(_HOLD, {"kind_id": found.id})
    spans = [span for span in bookable(found, now()) if span[0] == starts]
    places = await _free(tx, found, spans, 1, but)
    if not places:
        raise Conflict(_("This time is not free."))
    [span] = places
    busy = select(Appointment.id).where(
        Appointment.customer_id == customer_id,
        Appointment.state == BOOKED,
        Appointment.id != but,
        Appointment.starts_at < span[1],
        Appointment.ends_at > span[0],
    )
    if await tx.value(busy.limit(1)) is not None:
        raise Conflict(_("You have an appointment at this time already."))
    return span


async def book(tx: Tx, found: Kind, customer_id: int, starts: datetime, remarks: str = "") -> int:
    """Book a time; returns the appointment's number. Conflict when it is not free."""
    begins, ends = await _take(tx, found, starts, customer_id)
    appointment_id: int = await tx.value(
        insert(Appointment)
        .values(
            kind_id=found.id,
            customer_id=customer_id,
            starts_at=begins,
            ends_at=ends,
            remarks=remarks,
            changed_at=now(),
            tell=BOOKED,
        )
        .returning(Appointment.id)
    )
    await ask_for(tx, LETTERS)
    await _record(tx, "appointment.booked", None, found, customer_id, appointment_id, begins)
    return appointment_id


async def move(tx: Tx, row: Row, found: Kind, starts: datetime) -> None:
    """Move an appointment that is booked, or was cancelled, to another time. Conflict when that is not free."""
    begins, ends = await _take(tx, found, starts, row.customer_id, row.id)
    await tx.execute(
        update(Appointment)
        .where(Appointment.id == row.id)
        .values(
            starts_at=begins,
            ends_at=ends,
            state=BOOKED,
            reminded_at=None,
            **_changed(BOOKED if row.state == CANCELLED else MOVED),
        )
    )
    await ask_for(tx, LETTERS)
    await _record(tx, "appointment.moved", None, found, row.customer_id, row.id, begins)


async def cancel(tx: Tx, by: int | None, row: Row) -> None:
    """An appointment does not take place; its place is free again."""
    found = await kind(tx, row.kind_id)
    await tx.execute(update(Appointment).where(Appointment.id == row.id).values(state=CANCELLED, **_changed(CANCELLED)))
    await ask_for(tx, LETTERS)
    await _record(tx, "appointment.cancelled", by, found, row.customer_id, row.id, row.starts_at)


def _changed(tell: str) -> dict[str, Any]:
    return {"changed_at": now(), "revision": Appointment.revision + 1, "tell": tell}


async def _record(
    tx: Tx, name: str, by: int | None, found: Kind, customer_id: int, appointment_id: int, starts: datetime
) -> None:
    await events.record(
        tx,
        name,
        actor_id=by,
        customer_id=customer_id,
        queue_id=found.row.queue_id,
        appointment_id=appointment_id,
        kind_id=found.id,
        starts_at=starts.isoformat(),
    )


async def of_customer(tx: Tx, customer_id: int, *, after: datetime | None = None, most: int = 20) -> Sequence[Row]:
    """The appointments of a customer that are booked and end after a moment, or all; soonest first, with kind_name and zone."""
    query = (
        select(Appointment.__table__, AppointmentKind.name.label("kind_name"), Hours.zone)
        .join(AppointmentKind, AppointmentKind.id == Appointment.kind_id)
        .join(Hours, Hours.id == AppointmentKind.hours_id)
        .where(Appointment.customer_id == customer_id)
    )
    if after is not None:
        query = query.where(Appointment.state == BOOKED, Appointment.ends_at > after)
    return await tx.rows(query.order_by(Appointment.starts_at, Appointment.id).limit(most))


async def between(tx: Tx, begins: datetime, ends: datetime, most: int = 500) -> Sequence[Row]:
    """All that begins within a time, soonest first, with kind_name, customer_name and zone; what was cancelled too."""
    return await tx.rows(
        select(
            Appointment.__table__,
            AppointmentKind.name.label("kind_name"),
            Customer.name.label("customer_name"),
            Hours.zone,
        )
        .join(AppointmentKind, AppointmentKind.id == Appointment.kind_id)
        .join(Customer, Customer.id == Appointment.customer_id)
        .join(Hours, Hours.id == AppointmentKind.hours_id)
        .where(Appointment.starts_at >= begins, Appointment.starts_at < ends)
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(most)
    )


async def own(tx: Tx, customer_id: int, number: int) -> Row:
    """An appointment of a customer that is booked, held until the end of the transaction. NotFound when there is none, or it is
    another's: the two are not told apart."""
    row = await tx.first(
        select(Appointment.__table__)
        .where(Appointment.id == number, Appointment.customer_id == customer_id, Appointment.state == BOOKED)
        .with_for_update()
    )
    if row is None:
        raise NotFound(_("We have no appointment %s of yours.") % number)
    return row
