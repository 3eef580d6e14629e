"""Times that are free, and times as people say them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from everyline.ground.moments import zone
from everyline.ground.words import language
from everyline.queues.hours import OpeningHours, spans_of
from everyline.selfservice.slots import clean

_CLOCK = re.compile(r"(\d{1,2})(?:\s*[:.h]\s*(\d{2})|(\d{2}))?\s*(am|pm|uhr|h|giờ)?")


def grid(hours: OpeningHours, minutes: int, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """The times of this length that fit into the open hours from one day to another, one behind the other from each opening, as
    moments. A day on which the clock changes has as many as it has hours."""
    length = timedelta(minutes=minutes)
    for n in range((last - first).days + 1):
        for opens, closes in spans_of(hours, first + timedelta(days=n)):
            begins = opens
            while begins + length <= closes:
                yield begins, begins + length
                begins += length


def read_clock(said: str) -> time | None:
    """A time of the day as people say it: ``14:30``, ``2:30 pm``, ``1430``, ``2pm``, ``14 Uhr``. None when it is none."""
    text = clean(said).casefold().replace("a.m.", "am").replace("p.m.", "pm").removeprefix("at ").strip(" .")
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2] or match[3] or 0), match[4]
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def on_the_clock(moment: datetime, place: str) -> tuple[date, time]:
    """The day and the time that a clock there shows."""
    there = moment.astimezone(zone(place))
    return there.date(), there.time().replace(second=0, microsecond=0)


def moment_at(day: date, at: time, place: str) -> datetime:
    """The moment at which a clock there shows this; the first of two when it is put back."""
    return datetime.combine(day, at, zone(place))


def said(moment: datetime, place: str) -> str:
    """A moment as it is told: the day with its name, and the time there."""
    return f"{said_day(moment.astimezone(zone(place)).date())}, {said_clock(moment, place)}"


def said_day(day: date) -> str:
    """A day with its name."""
    from babel.dates import format_date

    return str(format_date(day, "full", locale=language()))


def said_clock(moment: datetime, place: str) -> str:
    """The time of a moment there."""
    from babel.dates import format_time

    told = format_time(moment.astimezone(zone(place)).timetz(), "short", locale=language())
    return str(told).replace("\u202f", " ").replace("\u00a0", " ")
