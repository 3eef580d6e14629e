"""The answer at once: that we have it, its number, and when an answer usually comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from everyline.ground.words import _, language, speaking
from everyline.queues.hours import OpeningHours, add_open_time, closes_at, is_open, next_opening


@dataclass(frozen=True, slots=True)
class Promise:
    """What a queue can say about its answers."""

    hours: OpeningHours
    goal: timedelta  # in open time
    usual_seconds: float | None  # wall clock, of those who wrote at this hour; None: too few to say


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Its words."""

    subject: str
    text: str


def expected_at(promise: Promise, at: datetime) -> datetime | None:
    """When an answer to what came at ``at`` is to be expected; never while it is closed. What comes outside the hours is
    answered in turn after the opening, so the goal is promised then, and not what was usual."""
    if promise.usual_seconds is None or not is_open(promise.hours, at):
        return add_open_time(promise.hours, at, promise.goal)
    return next_opening(promise.hours, at + timedelta(seconds=promise.usual_seconds))


def acknowledgement(
    promise: Promise, *, number: int, subject: str, organisation: str, spoken: str, at: datetime, channel: str = ""
) -> Acknowledgement:
    """The words in the customer's language; of an emergency closure, those of the ``channel``."""
    with speaking(spoken or "en"):
        parts = [
            _("Thank you for writing to us. Your message has arrived, and its number is %s.") % number,
            _when(promise, at, channel),
            _("You need not write again: simply answer this message if you want to add something."),
        ]
        text = "\n\n".join(part for part in parts if part) + f"\n\n{organisation}\n"
        title = _("We have your message (%(number)s): %(subject)s") % {"number": number, "subject": subject[:200]}
    return Acknowledgement(title, text)


def _when(promise: Promise, at: datetime, channel: str) -> str:
    expected = expected_at(promise, at)
    if promise.hours.closed_now:
        return promise.hours.closure(channel)
    if expected is None:
        return ""
    opening = next_opening(promise.hours, at)
    if not is_open(promise.hours, at) and opening is not None:
        return _("We are closed now and open again on %(opening)s. We usually answer by %(time)s.") % {
            "opening": moment_in_words(opening, promise.hours.zone),
            "time": moment_in_words(expected, promise.hours.zone),
        }
    return _("At this hour we usually answer within %s.") % duration_in_words(expected - at)


def duration_in_words(duration: timedelta) -> str:
    """``4 hours``, ``2 days``: rounded up, so that we rather come early."""
    from babel.dates import format_timedelta

    minutes = max(duration.total_seconds() / 60, 1)
    for unit, step in ((60 * 24, 60 * 24), (60, 60), (1, 5)):
        if minutes > unit * 1.5 or unit == 1:
            minutes = -(-minutes // step) * step
            break
    return str(format_timedelta(timedelta(minutes=minutes), granularity="minute", threshold=1.5, locale=language()))


def moment_in_words(at: datetime, zone: str) -> str:
    """``Monday, 23 November, 08:00`` in the zone of the hours."""
    from babel.dates import format_datetime

    return str(format_datetime(at.astimezone(ZoneInfo(zone)), "EEEE d MMMM, HH:mm", locale=language()))


def standing_in_words(hours: OpeningHours, at: datetime, *, attended: bool) -> str:
    """That we are here and until when, or closed and until when: ``We are here until 18:00.``"""
    if not is_open(hours, at):
        opening = next_opening(hours, at)
        if opening is None:
            return _("We are closed.")
        return _("We are closed until %s.") % moment_in_words(opening, hours.zone)
    if not attended:
        return _("Nobody is free just now. Leave a message: we answer by email.")
    closing = closes_at(hours, at)
    if closing is None:
        return _("We are here day and night.")
    return _("We are here until %s.") % closing.astimezone(ZoneInfo(hours.zone)).strftime("%H:%M")


def wait_in_words(low: int, high: int) -> str:
    """``1 to 3 minutes``, of seconds that are rounded already."""
    if high <= 60:
        return _("less than a minute")
    first, last = max(low // 60, 1), -(-high // 60)
    if first == last:
        return duration_in_words(timedelta(minutes=last))
    return _("%(low)d to %(high)d minutes") % {"low": first, "high": last}
