"""Where what begins on a line goes, when it is not where the line says: by when it comes, from where, in which language, to which of our
addresses, and by whom. Pure, but for the library of numbers, which is loaded when a country is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from everyline.ground.words import _

MOST_LISTED = 200  # values of one condition
KINDS = ("person", "firm")


@dataclass(frozen=True, slots=True)
class When:
    """Conditions, all of which hold; one that is empty always does."""

    days: tuple[int, ...] = ()  # of the week, 0: Monday
    begins: str = ""  # HH:MM on the line's clock; past midnight when it is later than ``ends``
    ends: str = ""
    holiday: bool | None = None  # a public holiday of the line's hours
    closure: bool | None = None  # an emergency closure stands
    prefixes: tuple[
        str, ...
    ] = ()  # of the number that they have: a plus sign and the first digits, so area codes and countries
    countries: tuple[str, ...] = ()  # of that number, ISO 3166
    dialled: tuple[str, ...] = ()  # which of our addresses they asked for first, where it was passed on to this one
    languages: tuple[str, ...] = ()  # ISO 639-1
    kinds: tuple[str, ...] = ()  # of customer: person, firm
    known: bool | None = None  # they had a case before
    open_case: bool | None = None  # they have one that is open

    def as_json(self) -> dict[str, Any]:
        """What differs from nothing."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) not in ((), "", None)}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> When:
        """The same again; what is not known any more is left out."""
        names = {one.name for one in fields(cls)}
        known: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one for name, one in kept.items() if name in names
        }
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Route:
    """Where it goes when all conditions hold. ``queue_id`` and ``flow`` of None: as the line says; a flow that is empty: to people."""

    id: int
    name: str
    when: When = field(default_factory=When)
    queue_id: int | None = None
    flow: str | None = None
    priority: int | None = None  # 1 most urgent to 5
    follows_case: bool = False  # to the queue of their open case, where they have one
    last_agent: bool = False  # whoever served them last is asked first


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of who begins."""

    at: datetime  # on the line's clock
    number: str = ""  # E.164, or empty
    dialled: str = ""
    language: str = ""
    kind: str = "person"
    known: bool = False
    open_case: bool = False
    holiday: bool = False
    closure: bool = False


def chosen(routes: Iterable[Route], arrival: Arrival) -> Route | None:
    """The first route whose conditions hold."""
    return next((route for route in routes if holds(route.when, arrival)), None)


def holds(when: When, arrival: Arrival) -> bool:
    """Do all conditions hold?"""
    return (
        _in_time(when, arrival.at)
        and all(
            wanted is None or wanted is found
            for wanted, found in (
                (when.holiday, arrival.holiday),
                (when.closure, arrival.closure),
                (when.known, arrival.known),
                (when.open_case, arrival.open_case),
            )
        )
        and (not when.kinds or arrival.kind in when.kinds)
        and (not when.languages or arrival.language in when.languages)
        and (not when.dialled or arrival.dialled in when.dialled)
        and (not (when.prefixes or when.countries) or _from_there(when, arrival.number))
    )


def _in_time(when: When, at: datetime) -> bool:
    clock = at.strftime("%H:%M")
    if not when.begins or not when.ends:
        return not when.days or at.weekday() in when.days
    if when.begins < when.ends:
        return when.begins <= clock < when.ends and (not when.days or at.weekday() in when.days)
    # a night belongs to the day on which it begins
    if clock >= when.begins:
        return not when.days or at.weekday() in when.days
    return clock < when.ends and (not when.days or (at.weekday() - 1) % 7 in when.days)


def _from_there(when: When, number: str) -> bool:
    """A number of one of these areas or countries; who withholds theirs comes from nowhere."""
    there = bool(number and when.prefixes) and number.startswith(when.prefixes)
    return there or (bool(number and when.countries) and country_of(number) in when.countries)


def country_of(number: str) -> str:
    """The country of a number (ISO 3166); empty when it is of none, as numbers that are toll-free in many."""
    import phonenumbers

    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ""
    return found if found and found != "001" else ""


def prefix(typed: str, country: str) -> str:
    """What somebody types for an area: with its plus sign as it is, else digits after the country's code (ITU-T E.164). ValueError."""
    import phonenumbers

    digits = "".join(letter for letter in typed if letter.isdigit())
    if not digits or len(digits) > 15:
        raise ValueError(_("an area code has digits only, such as 360 or +44 20"))
    if typed.strip().startswith("+"):
        return f"+{digits}"
    code = phonenumbers.country_code_for_region(country)
    if not code:
        raise ValueError(_("write it with a plus sign and its country, such as +44 20"))
    trunk = digits.lstrip("0") if code != 39 else digits  # Italy dials the zero from abroad too
    if not trunk:
        raise ValueError(_("an area code has digits only, such as 360 or +44 20"))
    return f"+{code}{trunk}"


def never(routes: Sequence[Route]) -> list[int]:
    """The ids of routes that come after one that always holds: nothing ever takes them."""
    for n, route in enumerate(routes):
        if not route.when.as_json():
            return [one.id for one in routes[n + 1 :]]
    return []
