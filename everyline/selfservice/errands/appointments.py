"""The errands of appointments: free times, booking, moving, cancelling, and which there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Any

from everyline.ground.database import Row
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.words import _, mark
from everyline.selfservice.errands import appointing, reminding
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, digits, text
from everyline.selfservice.errands.times import moment_at, on_the_clock, read_clock, said, said_clock, said_day
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind, Value

MOST_TOLD = 24  # free times of a day
DAYS_TOLD, TIMES_TOLD = 5, 3  # the next days with some, and of each the first times
UNDO = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    appointment: str | None = asked(Kind.TEXT, mark("What it is for"), optional=True, most=120)
    day: date | None = asked(Kind.DATE, mark("Day"), optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    appointment: str | None = asked(Kind.TEXT, mark("What it is for"), optional=True, most=120)
    day: date = asked(Kind.DATE, mark("Day"))
    time: str = asked(Kind.TEXT, mark("Time"), most=40)
    text: str | None = asked(Kind.TEXT, mark("What we should know"), optional=True, most=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    number: str = asked(Kind.DIGITS, mark("Number of the appointment"), most=18)
    day: date = asked(Kind.DATE, mark("New day"))
    time: str = asked(Kind.TEXT, mark("New time"), most=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelling:
    number: str = asked(Kind.DIGITS, mark("Number of the appointment"), most=18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is to be said."""


def _slots(number: int, name: str, starts: datetime, place: str) -> dict[str, Value]:
    return {
        "number": digits(number),
        "appointment": text(name),
        "day": Value(Kind.DATE, on_the_clock(starts, place)[0].isoformat()),
        "time": text(said_clock(starts, place)),
    }


async def free_times(asking: Asking, given: When) -> Settled:
    """When there is a place: the next times, or those of a day."""
    kind = await appointing.kind_named(asking.tx, given.appointment)
    most = MOST_TOLD * DAYS_TOLD if given.day is None else MOST_TOLD
    found = await appointing.free(asking.tx, kind, asking.at, given.day, most=most)
    if not found:
        return Settled(await _nothing_free(asking, kind, given.day), {"times": digits(0)})
    if given.day is not None:
        times = ", ".join(said_clock(one, kind.place) for one in found)
        told = _("On that day there is still: %s.") % times
    else:
        told = "\n".join([_("There is still:"), *_days(found, kind.place)])
    slots = {"times": digits(len(found)), "appointment": text(kind.name)}
    day, clock = on_the_clock(found[0], kind.place)
    slots |= {"day": Value(Kind.DATE, day.isoformat()), "time": text(f"{clock:%H:%M}")}
    return Settled(told, slots)


def _days(found: Sequence[datetime], place: str) -> Iterator[str]:
    """The next days, with the first times of each and how many more there are."""
    days = groupby(found, lambda one: on_the_clock(one, place)[0])
    for day, moments in islice(days, DAYS_TOLD):
        times = [said_clock(one, place) for one in moments]
        told = ", ".join(times[:TIMES_TOLD])
        if len(times) > TIMES_TOLD:
            told = _("%(times)s and %(n)s more") % {"times": told, "n": len(times) - TIMES_TOLD}
        yield f"{said_day(day)}: {told}"


async def _nothing_free(asking: Asking, kind: appointing.Kind, day: date | None) -> str:
    next_ones = await appointing.free(asking.tx, kind, asking.at, most=1) if day is not None else []
    if next_ones:
        return _("Nothing is free on that day. The next is: %s.") % said(next_ones[0], kind.place)
    return _("Nothing is free at present.")


async def _chosen(asking: Asking, kind: appointing.Kind, day: date, clock: str, but: int = 0) -> datetime:
    """The free time that is meant. Invalid when it is no time; Conflict, with the nearest ones, when it is not free."""
    at = read_clock(clock)
    if at is None:
        raise Invalid(_("Please say a time such as 14:30."), {"time": _("Please say a time such as 14:30.")})
    found = await appointing.free(asking.tx, kind, asking.at, day, but=but)
    meant = [one for one in found if on_the_clock(one, kind.place) == (day, at)]
    if meant:
        return meant[0]
    if not found:
        raise Conflict(await _nothing_free(asking, kind, day))
    wanted = moment_at(day, at, kind.place)
    near = sorted(sorted(found, key=lambda one: abs(one - wanted))[:3])
    times = ", ".join(said_clock(one, kind.place) for one in near)
    raise Conflict(_("This time is not free. On that day there is still: %s.") % times)


async def book_appointment(asking: Asking, given: Booking) -> Settled:
    """A time of the house is the customer's."""
    kind = await appointing.kind_named(asking.tx, given.appointment)
    starts = await _chosen(asking, kind, given.day, given.time)
    number = await appointing.book(asking.tx, kind, asking.own, starts, given.text or "")
    await reminding.booked_by(asking.tx, number, asking.point_id)
    told = _("Your appointment for %(what)s is on %(when)s. It has the number %(number)s.")
    return Settled(
        told % {"what": kind.name, "when": said(starts, kind.place), "number": number},
        _slots(number, kind.name, starts, kind.place),
        undo={"number": number},
        undo_until=starts,
        facts={"appointment_id": number},
    )


async def unbook(asking: Asking, kept: Mapping[str, Any]) -> str:
    """What was booked is cancelled."""
    row = await appointing.own(asking.tx, asking.own, kept["number"])
    _still_to_come(asking, row)
    await appointing.cancel(asking.tx, None, row)
    return _("Your appointment is cancelled.")


def _still_to_come(asking: Asking, row: Row) -> None:
    if row.starts_at <= asking.at:
        raise Conflict(_("This appointment has begun already."))


async def move_appointment(asking: Asking, given: Moving) -> Settled:
    """An appointment is at another time."""
    row = await appointing.own(asking.tx, asking.own, int(given.number))
    _still_to_come(asking, row)
    kind = await appointing.kind(asking.tx, row.kind_id)
    starts = await _chosen(asking, kind, given.day, given.time, row.id)
    await appointing.move(asking.tx, row, kind, starts)
    told = _("Your appointment for %(what)s is on %(when)s now. It has the number %(number)s.")
    return Settled(
        told % {"what": kind.name, "when": said(starts, kind.place), "number": row.id},
        _slots(row.id, kind.name, starts, kind.place),
        undo={"number": row.id, "before": row.starts_at.isoformat(), "after": starts.isoformat()},
        undo_until=min(row.starts_at, starts),
        facts={"appointment_id": row.id},
    )


async def move_back(asking: Asking, kept: Mapping[str, Any]) -> str:
    """It is at the time before again, if that is still free."""
    row = await appointing.own(asking.tx, asking.own, kept["number"])
    if row.starts_at != datetime.fromisoformat(kept["after"]):
        raise Conflict(_("It was moved again since."))
    kind = await appointing.kind(asking.tx, row.kind_id)
    before = datetime.fromisoformat(kept["before"])
    await appointing.move(asking.tx, row, kind, before)
    return _("Your appointment is on %s again.") % said(before, kind.place)


async def cancel_appointment(asking: Asking, given: Cancelling) -> Settled:
    """An appointment does not take place."""
    row = await appointing.own(asking.tx, asking.own, int(given.number))
    _still_to_come(asking, row)
    kind = await appointing.kind(asking.tx, row.kind_id)
    await appointing.cancel(asking.tx, None, row)
    told = _("Your appointment for %(what)s on %(when)s is cancelled.")
    return Settled(
        told % {"what": kind.name, "when": said(row.starts_at, kind.place)},
        {"number": digits(row.id)},
        undo={"number": row.id},
        undo_until=row.starts_at,
        facts={"appointment_id": row.id},
    )


async def book_again(asking: Asking, kept: Mapping[str, Any]) -> str:
    """It takes place after all, if its time is still free."""
    rows = await appointing.of_customer(asking.tx, asking.own, most=1000)
    row = next((one for one in rows if one.id == kept["number"] and one.state == appointing.CANCELLED), None)
    if row is None:
        raise Conflict(_("It is booked already."))
    kind = await appointing.kind(asking.tx, row.kind_id)
    await appointing.move(asking.tx, row, kind, row.starts_at)
    return _("Your appointment is on %s again.") % said(row.starts_at, kind.place)


async def my_appointments(asking: Asking, _given: Nothing) -> Settled:
    """Those that are still to come."""
    rows = await appointing.of_customer(asking.tx, asking.own, after=asking.at)
    if not rows:
        return Settled(_("You have no appointment."), {"appointments": digits(0)})
    told = [
        _("Number %(number)s, %(what)s: %(when)s")
        % {"number": row.id, "what": row.kind_name, "when": said(row.starts_at, row.zone)}
        for row in rows
    ]
    first = rows[0]
    slots = _slots(first.id, first.kind_name, first.starts_at, first.zone)
    return Settled("\n".join(told), {"appointments": digits(len(rows)), **slots})


_GIVES = ("number", "appointment", "day", "time")
APPOINTMENTS = (
    declared(
        free_times,
        When,
        name="free_times",
        title=mark("Free times"),
        changes=mark("Nothing. It tells when there is a place."),
        needs=Level.UNKNOWN,
        gives=("times", "appointment", "day", "time"),
        most_an_hour=60,
    ),
    declared(
        book_appointment,
        Booking,
        unbook,
        name="book_appointment",
        title=mark("Book an appointment"),
        changes=mark("A time of ours is the customer's."),
        needs=Level.ADDRESS,
        gives=_GIVES,
        undo_for=UNDO,
    ),
    declared(
        move_appointment,
        Moving,
        move_back,
        name="move_appointment",
        title=mark("Move an appointment"),
        changes=mark("The appointment is at another time, and the one before is free."),
        needs=Level.PROVED,
        gives=_GIVES,
        undo_for=UNDO,
    ),
    declared(
        cancel_appointment,
        Cancelling,
        book_again,
        name="cancel_appointment",
        title=mark("Cancel an appointment"),
        changes=mark("The appointment does not take place, and its time is free."),
        needs=Level.PROVED,
        gives=("number",),
        undo_for=UNDO,
    ),
    declared(
        my_appointments,
        Nothing,
        name="my_appointments",
        title=mark("My appointments"),
        changes=mark("Nothing. It tells the customer's appointments."),
        needs=Level.PROVED,
        gives=("appointments", *_GIVES),
        most_an_hour=60,
    ),
)
