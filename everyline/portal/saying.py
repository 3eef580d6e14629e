"""Hours, waits and the state of a case in words for customers. Pure but for the language spoken."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from everyline.cases.rules import Status
from everyline.ground.moments import zone as zone_of
from everyline.ground.words import _, language, mark, ngettext
from everyline.intake.acknowledgements import duration_in_words
from everyline.queues.hours import OpeningHours, Span, closes_at, is_open, next_opening
from everyline.queues.waits import Expected, rounded

WHOLE_DAY = ("00:00", "24:00")
DASH = "–"

# how a case stands, as its customer is told: words, tone, what comes next
STANDINGS: dict[str, tuple[str, str, str]] = {
    Status.NEW: (mark("Received"), "", mark("We read it and answer. You need do nothing.")),
    Status.OPEN: (mark("We are working on it"), "good", mark("We answer you. You need do nothing.")),
    Status.WAITING_FOR_CUSTOMER: (
        mark("We wait for your answer"),
        "warn",
        mark("We asked you something. Answer below."),
    ),
    Status.WAITING_FOR_OTHERS: (
        mark("We wait for somebody else"),
        "",
        mark("Somebody else has to do something first. We come back to you."),
    ),
    Status.RESOLVED: (mark("Solved"), "done", mark("Nothing more, unless you open it again.")),
    Status.CLOSED: (
        mark("Closed"),
        "done",
        mark("Nothing more. What you write opens a new case that is linked with this one."),
    ),
}


def hours_in_words(hours: OpeningHours) -> list[str]:
    """The week, days with the same times together: ``Mon–Fri, 08:00–17:00``."""
    week = [tuple((span[0], span[1]) for span in day) for day in hours.week]
    if all(day == (WHOLE_DAY,) for day in week):
        return [_("Any hour")]
    found: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and week[day] == week[first]:
            continue
        if week[first]:
            found.append(f"{_days(first, day - 1)}, {_spans(week[first])}")
        first = day
    return found or [_("Closed")]


def _days(first: int, last: int) -> str:
    names = [_day_name(one) for one in (first, last)]
    return names[0] if first == last else f"{names[0]}{DASH}{names[1]}"


def _day_name(day: int) -> str:
    from babel.dates import get_day_names

    return str(get_day_names("abbreviated", "stand-alone", language())[day])


def _spans(spans: tuple[Span, ...]) -> str:
    if spans == (WHOLE_DAY,):
        return _("all day")
    return ", ".join(f"{clock(begin)}{DASH}{clock(end)}" for begin, end in spans)


def clock(text: str) -> str:
    """A time of the day, ``HH:MM``, as it is written in the language spoken."""
    from babel.dates import format_time

    at = time.fromisoformat("00:00" if text == "24:00" else text)
    said = str(format_time(at, "short", locale=language()))
    if at.minute == 0 and said[-1].isalpha() and ":" in said:  # a half of the day stands behind it: 8 AM
        return str(format_time(at, "h a", locale=language()))
    return said


def now_in_words(hours: OpeningHours, at: datetime) -> str:
    """Open until when, or closed until when."""
    if is_open(hours, at):
        closing = closes_at(hours, at)
        if closing is None or closing - at > timedelta(hours=20):
            return _("Open now")
        return _("Open now, until %s") % moment_of_day(closing, hours.zone)
    opening = next_opening(hours, at)
    if opening is None or hours.closed_now:
        return _("Closed")
    day = opening.astimezone(zone_of(hours.zone)).date()
    if day == _local(hours, at):
        return _("Closed, opens at %s") % moment_of_day(opening, hours.zone)
    return _("Closed, opens %(day)s at %(time)s") % {"day": weekday(day), "time": moment_of_day(opening, hours.zone)}


def _local(hours: OpeningHours, at: datetime) -> date:
    return at.astimezone(zone_of(hours.zone)).date()


def weekday(day: date) -> str:
    """The name of a day."""
    from babel.dates import format_date

    return str(format_date(day, "EEEE", locale=language()))


def moment_of_day(at: datetime, zone: str) -> str:
    """The time of a moment in a zone."""
    return clock(f"{at.astimezone(zone_of(zone)):%H:%M}")


def day_in_words(at: datetime, zone: str, today: date | None = None) -> str:
    """``today``, or the day and month, with the year when it is another."""
    local = at.astimezone(zone_of(zone)).date()
    if local == today:
        return _("today")
    skeleton = "MMMMd" if today is not None and local.year == today.year else "yMMMMd"
    return _day(local, skeleton, language())


@lru_cache(maxsize=4096)
def _day(day: date, skeleton: str, spoken: str) -> str:
    """A day as it is said in a language: the same for a thousand readers of what changed on it."""
    from babel.dates import format_skeleton

    return str(format_skeleton(skeleton, datetime(day.year, day.month, day.day, tzinfo=UTC), locale=spoken))


def day_and_time(at: datetime, zone: str, today: date | None = None) -> str:
    """Day and time of a moment in a zone."""
    return f"{day_in_words(at, zone, today)}, {moment_of_day(at, zone)}"


def whole_moment(at: datetime, zone: str) -> str:
    """A moment with all that belongs to it, its zone too: for those who point at it."""
    from babel.dates import format_datetime

    return str(format_datetime(at, "full", tzinfo=zone_of(zone), locale=language()))


def zone_in_words(zone: str) -> str:
    """What a zone is called."""
    from babel.dates import get_timezone_name

    return str(get_timezone_name(zone_of(zone), locale=language())) if "/" in zone else zone


def range_in_words(expected: Expected) -> str:
    """A wait as a range: ``2 to 5 minutes``."""
    low, high = rounded(expected.low) // 60, max(-(-rounded(expected.high) // 60), 1)
    if high <= 1:
        return _("less than a minute") if expected.high < 45 else _("about a minute")
    if high >= 120:
        return duration_in_words(timedelta(seconds=expected.high))
    if low in (0, high):
        return ngettext("up to %d minute", "up to %d minutes", high) % high
    return ngettext("%(low)d to %(high)d minute", "%(low)d to %(high)d minutes", high) % {"low": low, "high": high}


def size_in_words(size: int) -> str:
    """Bytes as people say them."""
    if size >= 1024 * 1024:
        return _("%s MB") % f"{size / 1024 / 1024:.1f}".removesuffix(".0")
    return _("%s KB") % max(1, round(size / 1024))
