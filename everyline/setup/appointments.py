"""Appointments: their kinds, and what is booked day by day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.selfservice.errands import appointing
from everyline.selfservice.errands.appointing import LIMITS
from everyline.selfservice.errands.times import said_clock
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/appointments")
Writer = Annotated[Me, permit("flow.write")]
USUAL = {"minutes": 30, "places": 1, "ahead_days": 30, "lead_minutes": 120, "remind_minutes": 1440, "position": 0}


def _day(request: Request, me: Me) -> date:
    """The day that is asked for, else today where the reader is."""
    try:
        return date.fromisoformat(request.query_params.get("day", ""))
    except ValueError:
        return now().astimezone(zone(me.zone)).date()


async def _show(request: Request, me: Me, row: Row | None = None, *, status: int = 200, **more: Any) -> Response:
    """The kinds with a form to add one, and a day's bookings; or the form of one kind."""
    day = _day(request, me)
    begins = datetime.combine(day, time(), zone(me.zone))
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "appointments")
        rows = await appointing.kinds(tx) if row is None else []
        booked = await appointing.between(tx, begins, begins + timedelta(days=1)) if row is None else []
        hours = [(str(one.id), one.name) for one in await queues.all_hours(tx)]
        choice = [(str(one.id), one.name) for one in await queues.all_queues(tx)]
    values: dict[str, Any] = {"name": "", "hours_id": "", "queue_id": "", **USUAL}
    if row is not None:
        values |= {name: "" if getattr(row, name) is None else str(getattr(row, name)) for name in values}
    context = {
        "row": row,
        "rows": rows,
        "values": values,
        "hours": hours,
        "queues": choice,
        "queue_names": {int(number): name for number, name in choice},
        "limits": LIMITS,
        "day": day,
        "before": (day - timedelta(days=1)).isoformat() if day > date(2000, 1, 1) else "",
        "after": (day + timedelta(days=1)).isoformat() if day < date(2999, 1, 1) else "",
        "booked": [
            {
                "number": one.id,
                "time": f"{said_clock(one.starts_at, me.zone)} – {said_clock(one.ends_at, me.zone)}",
                "kind": one.kind_name,
                "customer": one.customer_name,
                "customer_id": one.customer_id,
                "remarks": one.remarks,
                "cancelled": one.state == appointing.CANCELLED,
            }
            for one in booked
        ],
    }
    template = "setup/appointments.html" if row is None else "setup/appointment-kind.html"
    return page(template, status=status, **filled(around, context, more))


def _read(form: Typed) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": form.text("name", longest=120, required=True),
        "hours_id": form.id("hours_id"),
        "queue_id": form.id("queue_id"),
        **{name: form.number(name, *LIMITS[name], USUAL[name]) for name in LIMITS},
        "position": form.number("position", 0, 9999),
    }
    if facts["hours_id"] is None:
        form.errors.setdefault("hours_id", _("Choose one of the list."))
    form.done()
    return facts


@router.get("")
async def every_kind(request: Request, me: Writer) -> Response:
    """The kinds, and what is booked on a day."""
    return await _show(request, me)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add a kind."""
    form = await typed(request)
    try:
        facts = _read(form)
        async with ground_of(request).database.transaction() as tx:
            kind_id = await appointing.keep_kind(tx, me.id, None, **facts)
            await audit(
                tx, me.id, "appointment_kind.added", "appointment_kind", kind_id, address=caller(request), **facts
            )
    except ProductError as error:
        return await _show(request, me, status=error.status, values=form.values, **wrong(error))
    return back("/setup/appointments", "added")


async def _kind(request: Request, kind_id: int) -> Row:
    async with ground_of(request).database.transaction() as tx:
        row = (await appointing.kind(tx, kind_id)).row
    if row.retired_at is not None:
        raise NotFound(_("There is no such kind of appointments."))
    return row


@router.get("/{kind_id}")
async def one(request: Request, me: Writer, kind_id: int) -> Response:
    """One kind."""
    return await _show(request, me, await _kind(request, kind_id))


@router.post("/{kind_id}")
async def change(request: Request, me: Writer, kind_id: int) -> Response:
    """Change one."""
    row = await _kind(request, kind_id)
    form = await typed(request)
    try:
        facts = _read(form)
        async with ground_of(request).database.transaction() as tx:
            await appointing.keep_kind(tx, me.id, kind_id, **facts)
            await audit(
                tx, me.id, "appointment_kind.changed", "appointment_kind", kind_id, address=caller(request), **facts
            )
    except ProductError as error:
        return await _show(request, me, row, status=error.status, values=form.values, **wrong(error))
    return back(f"/setup/appointments/{kind_id}", "saved")


@router.post("/{kind_id}/retire")
async def retire(request: Request, me: Writer, kind_id: int) -> Response:
    """Offer it no more."""
    row = await _kind(request, kind_id)
    async with ground_of(request).database.transaction() as tx:
        await appointing.retire_kind(tx, me.id, kind_id)
        await audit(
            tx, me.id, "appointment_kind.retired", "appointment_kind", kind_id, address=caller(request), name=row.name
        )
    return back("/setup/appointments", "retired")
