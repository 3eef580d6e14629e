"""When a line or queue is open. Pure, but for the holidays library, which is loaded when holidays are asked for.

All sums are done on the wall clock of the zone and turned into moments, so a day that the clock changes on has its 23
or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

Span = tuple[str, str]  # "HH:MM" to "HH:MM", the end excluded; "24:00" is the end of the day
LOOK_AHEAD_DAYS = 400  # who does not open within this time never does


@dataclass(frozen=True)
class OpeningHours:
    """A week, and what differs from it."""

    zone: str
    week: Sequence[Sequence[Span]]  # seven days, Monday first
    holidays_of: str = ""  # "US" or "US-WA" (ISO 3166); empty: none are kept
    days: Mapping[date, Sequence[Span]] = field(default_factory=dict)  # days that differ; no span: closed
    closed_now: str = ""  # emergency closure: what people are told
    closed_words: Mapping[str, str] = field(default_factory=dict)  # by channel, where they are told something else

    def closure(self, channel: str = "") -> str:
        """What an emergency closure says on a channel; empty when there is none."""
        return self.closed_now and (self.closed_words.get(channel) or self.closed_now)


ALWAYS = OpeningHours("UTC", [[("00:00", "24:00")]] * 7)


@cache
def holidays(place: str, year: int) -> frozenset[date]:
    """The public holidays of a country or its subdivision in a year."""
    import holidays as library

    country, _, subdivision = place.partition("-")
    return frozenset(library.country_holidays(country, subdiv=subdivision or None, years=year))


def spans_of(hours: OpeningHours, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The open spans of one day as moments."""
    spans = hours.days.get(day)
    if spans is None:
        closed = hours.holidays_of and day in holidays(hours.holidays_of, day.year)
        spans = () if closed else hours.week[day.weekday()]
    zone = ZoneInfo(hours.zone)
    for begin, end in spans:
        yield _moment(day, begin, zone), _moment(day, end, zone)


def is_open(hours: OpeningHours, at: datetime) -> bool:
    """Is it open at this moment?"""
    if hours.closed_now:
        return False
    day = at.astimezone(ZoneInfo(hours.zone)).date()
    return any(begin <= at < end for begin, end in spans_of(hours, day))


def closes_at(hours: OpeningHours, at: datetime) -> datetime | None:
    """When what is open at this moment closes; None when it does not within two days."""
    end = at
    for begins, ends in sorted(span for step in range(-1, 3) for span in spans_of(hours, _day(hours, at, step))):
        if begins <= end < ends:
            end = ends
    return end if end - at < timedelta(days=2) else None


def _day(hours: OpeningHours, at: datetime, step: int) -> date:
    return at.astimezone(ZoneInfo(hours.zone)).date() + timedelta(days=step)


def next_opening(hours: OpeningHours, at: datetime) -> datetime | None:
    """When it opens next; ``at`` itself when it is open; None when it does not open within a year."""
    for begin, end in _spans_from(hours, at):
        if end > at:
            return max(begin, at)
    return None


def add_open_time(hours: OpeningHours, start: datetime, amount: timedelta) -> datetime | None:
    """The moment when ``amount`` of open time has passed since ``start``; None when that is not within a year."""
    for begin, end in _spans_from(hours, start):
        begin = max(begin, start)
        if end <= begin:
            continue
        if begin + amount <= end:
            return begin + amount
        amount -= end - begin
    return None


def _spans_from(hours: OpeningHours, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    day = at.astimezone(ZoneInfo(hours.zone)).date()
    for step in range(LOOK_AHEAD_DAYS):
        yield from spans_of(hours, day + timedelta(days=step))


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """In UTC: sums of two moments of one zone would be done on its wall clock, wrong by an hour twice a year."""
    if clock == "24:00":
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
