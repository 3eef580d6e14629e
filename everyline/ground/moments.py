"""Moments and languages in words for people: as short as they can be told from others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from everyline.ground.clock import now
from everyline.ground.words import _, language, ngettext


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The zone of a name; UTC when there is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def clock(when: datetime | None, zone_name: str = "UTC") -> str:
    """The time today, weekday and time this week, else the day; "never" when there is no moment."""
    if when is None:
        return _("never")
    local, today = when.astimezone(zone(zone_name)), now().astimezone(zone(zone_name)).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if abs(today - local.date()) < timedelta(days=6):
        return f"{_day(language(), local.date(), 'EEE')} {local:%H:%M}"
    return day(local.date(), today)


def day(which: date, today: date | None = None) -> str:
    """A day: "22 Nov", with its year when it is not this one."""
    same = today is not None and which.year == today.year
    return _day(language(), which, "MMMd" if same else "yMMMd")


def span(seconds: float) -> str:
    """A length of time in its two largest units, in the words that the browser counts it down with."""
    minutes = max(0, int(seconds // 60))
    if minutes < 1:
        return _("%d sec") % max(0, int(seconds))
    if minutes < 60:
        return _("%d min") % minutes
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return (
            _("%(hours)d hr %(minutes)d min") % {"hours": hours, "minutes": minutes} if minutes else _("%d hr") % hours
        )
    days, hours = divmod(hours, 24)
    whole = ngettext("%d day", "%d days", days) % days
    return _("%(days)s %(hours)d hr") % {"days": whole, "hours": hours} if hours else whole


@lru_cache(maxsize=4096)
def _day(spoken: str, which: date, skeleton: str) -> str:
    from babel.dates import format_skeleton

    return str(format_skeleton(skeleton, datetime(which.year, which.month, which.day), locale=spoken))  # noqa: DTZ001 -- a day, in no zone


def language_names(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Languages (ISO 639-1) with their names, by name."""
    return sorted(((code, _language_name(code, language())) for code in codes), key=lambda pair: pair[1])


@lru_cache(maxsize=512)
def _language_name(code: str, spoken: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(code).get_language_name(spoken)
    except (UnknownLocaleError, ValueError):
        name = None
    return name[:1].upper() + name[1:] if name else code


def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The zones to choose from, by region (IANA)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones()):
        region, slash, place = zone.partition("/")
        if slash and region not in ("Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico"):
            found.setdefault(region, []).append((zone, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *found.items()]
