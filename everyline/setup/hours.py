"""Hours: the week, holidays, days that differ, and the switch for an emergency."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import clock, zones
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people import queries as people
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import openings, queries
from everyline.queues.hours import OpeningHours, is_open, next_opening
from everyline.queues.models import Hours
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/hours")
Writer = Annotated[Me, permit("queue.write")]

DAYS = (
    mark("Monday"),
    mark("Tuesday"),
    mark("Wednesday"),
    mark("Thursday"),
    mark("Friday"),
    mark("Saturday"),
    mark("Sunday"),
)
SPANS = 2  # spans of a day that the form offers
NO_DAY = {"day": "", "name": "", "from": "", "to": ""}
OFFICE = [[["08:00", "17:00"]]] * 5 + [[], []]


def said_now(hours: OpeningHours) -> tuple[bool, str]:
    """Is it open, and what comes next, in words."""
    at = now()
    if hours.closed_now:
        return False, _("Closed until you open again.")
    if is_open(hours, at):
        return True, _("Open now.")
    opens = next_opening(hours, at)
    return False, _("Opens %s.") % clock(opens, hours.zone) if opens else _("Never opens.")


@router.get("")
async def every_hours(request: Request, me: Writer) -> Response:
    """The list, each with what it is now."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "hours")
        rows = await queries.all_hours(tx)
        states = {row.id: said_now(await queries.opening_hours(tx, row.id)) for row in rows}
        used: dict[int, list[str]] = {}
        for queue in await queries.all_queues(tx):
            if queue.hours_id:
                used.setdefault(queue.hours_id, []).append(queue.name)
    return page("setup/hours-list.html", **shown, hours=rows, states=states, used=used)


async def _row(tx: Tx, hours_id: int) -> Row:
    row = await tx.first(select(Hours.__table__).where(Hours.id == hours_id))
    if row is None:
        raise NotFound(_("There are no such hours."))
    return row


async def _page(request: Request, me: Me, hours_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "hours")
        row = await _row(tx, hours_id) if hours_id is not None else None
        zone = row.zone if row else (await people.installation(tx))["zone"]
        values = {
            "name": row.name if row else "",
            "zone": zone,
            "holidays_of": row.holidays_of if row else "",
            **_week_values(row.week if row else OFFICE),
        }
        days = await queries.days_of(tx, hours_id) if hours_id is not None else []
        state = said_now(await queries.opening_hours(tx, hours_id)) if hours_id is not None else (True, "")
    context = {
        "hours": row,
        "values": values,
        "days": days,
        "state": state,
        "weekdays": [_(day) for day in DAYS],
        "spans": SPANS,
        "zones": zones(),
        "day_values": NO_DAY,
        "day_errors": {},
        "places": _places(),
        "channels": [(name, _(one.facts.label)) for name, one in all_channels().items()],
    }
    return page("setup/hours.html", status=status, **filled(shown, context, more))


def _places() -> list[str]:
    import holidays as library

    found = []
    for country, subdivisions in sorted(library.list_supported_countries().items()):
        found += [country, *(f"{country}-{subdivision}" for subdivision in subdivisions)]
    return found


def _week_values(week: Any) -> dict[str, str]:
    values = {}
    for day in range(7):
        for number in range(SPANS):
            begin, end = week[day][number] if number < len(week[day]) else ("", "")
            values[f"from-{day}-{number}"], values[f"to-{day}-{number}"] = begin, "00:00" if end == "24:00" else end
    return values


def _span(form: Typed, begin: str, end: str) -> list[list[str]]:
    """What two fields say; midnight as an end is the end of the day; both empty is no span."""
    first, last = form.text(begin, longest=5), form.text(end, longest=5)
    return [[first or "00:00", "24:00" if last in ("", "00:00") else last]] if first or last else []


def _facts(form: Typed) -> dict[str, Any]:
    week = [
        [span for number in range(SPANS) for span in _span(form, f"from-{day}-{number}", f"to-{day}-{number}")]
        for day in range(7)
    ]
    return {
        "name": form.text("name", longest=100),
        "zone": form.text("zone", longest=60),
        "holidays_of": form.text("holidays_of", longest=12),
        "week": week,
    }


@router.get("/new")
async def ask_new(request: Request, me: Writer) -> Response:
    """The form."""
    return await _page(request, me, None)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add hours."""
    form = await typed(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            hours_id = await openings.add_hours(tx, me.id, **facts)
            await audit(tx, me.id, "hours.added", "hours", hours_id, address=caller(request), name=facts["name"])
    except ProductError as error:
        return await _page(request, me, None, status=422, values=form.values, **wrong(error))
    return back(f"/setup/hours/{hours_id}", "added")


@router.get("/{hours_id}")
async def one(request: Request, me: Writer, hours_id: int) -> Response:
    """The form of one."""
    return await _page(request, me, hours_id)


@router.post("/{hours_id}")
async def change(request: Request, me: Writer, hours_id: int) -> Response:
    """Change name, zone, holidays and week."""
    form = await typed(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await openings.change_hours(tx, me.id, hours_id, **facts)
            await audit(tx, me.id, "hours.changed", "hours", hours_id, address=caller(request), name=facts["name"])
    except ProductError as error:
        return await _page(request, me, hours_id, status=422, values=form.values, **wrong(error))
    return back(f"/setup/hours/{hours_id}", "saved")


@router.post("/{hours_id}/closure")
async def closure(request: Request, me: Writer, hours_id: int) -> Response:
    """The emergency switch: close with a message, or open again."""
    form = await typed(request)
    opens = form.yes("open")
    try:
        async with ground_of(request).database.transaction() as tx:
            if opens:
                await openings.open_again(tx, me.id, hours_id)
            else:
                message = form.text("message", longest=500)
                words = {name: form.text(f"words-{name}", longest=500) for name in all_channels()}
                form.done()
                await openings.close_now(tx, me.id, hours_id, message, words)
            await audit(
                tx,
                me.id,
                "hours.opened" if opens else "hours.closed",
                "hours",
                hours_id,
                address=caller(request),
                message=form.text("message"),
            )
    except ProductError as error:
        return await _page(request, me, hours_id, status=422, values=form.values, **wrong(error))
    return back(f"/setup/hours/{hours_id}", "opened" if opens else "closed")


@router.post("/{hours_id}/days")
async def set_day(request: Request, me: Writer, hours_id: int) -> Response:
    """A day that differs, or one that does no more."""
    form = await typed(request)
    try:
        day = _day(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            if form.yes("drop"):
                await openings.drop_day(tx, me.id, hours_id, day)
            else:
                await openings.set_day(
                    tx, me.id, hours_id, day, form.text("name", longest=100), _span(form, "from", "to")
                )
            await audit(tx, me.id, "hours.changed", "hours", hours_id, address=caller(request), day=day.isoformat())
    except ProductError as error:
        return await _page(
            request,
            me,
            hours_id,
            status=422,
            day_values={**NO_DAY, **form.values},
            day_errors=wrong(error)["errors"],
            trouble=error.message,
        )
    return back(f"/setup/hours/{hours_id}#days", "removed" if form.yes("drop") else "saved")


def _day(form: Typed) -> date:
    try:
        return date.fromisoformat(form.text("day", longest=10))
    except ValueError:
        form.errors["day"] = _("Choose a day.")
        return date.min


@router.post("/{hours_id}/remove")
async def remove(request: Request, me: Writer, hours_id: int) -> Response:
    """Remove hours that no queue keeps."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await openings.remove_hours(tx, me.id, hours_id)
            await audit(tx, me.id, "hours.removed", "hours", hours_id, address=caller(request))
    except ProductError as error:
        return await _page(request, me, hours_id, status=409, **wrong(error))
    return back("/setup/hours", "removed")
