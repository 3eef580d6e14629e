"""Telephone numbers: one form for all (E.164), and which may be called. Pure, by phonenumbers.

Whoever may make a call costs somebody money, so everything is refused that the line does not allow: numbers of other
countries, premium and shared-cost numbers, emergency numbers, and whatever is no number.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from everyline.ground.words import _

_DIALLED = re.compile(r"\+?[0-9 (][0-9 ().\-/]{0,24}")


class Kind(StrEnum):
    """What a number costs and is, as far as its plan says."""

    ORDINARY = "ordinary"
    TOLL_FREE = "toll_free"
    FOREIGN = "foreign"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    SATELLITE = "satellite"
    EMERGENCY = "emergency"
    SHORT = "short"
    NONE = "none"


@dataclass(frozen=True)
class Number:
    """A number that was read. ``e164`` is empty for short numbers and for what is none."""

    kind: Kind
    e164: str = ""
    region: str = ""
    short: str = ""

    @property
    def dialled(self) -> str:
        """What is asked of the trunk."""
        return self.e164 or self.short


@dataclass(frozen=True)
class NumberRules:
    """What a line may call. ``region`` (ISO 3166-1) is where numbers without a country code belong.

    ``countries`` are foreign regions that are allowed; ``never`` are beginnings of E.164 numbers that never are.
    """

    region: str = "US"
    countries: frozenset[str] = field(default_factory=frozenset)
    premium: bool = False
    shared_cost: bool = False
    emergency: bool = False
    short: frozenset[str] = field(default_factory=frozenset)
    never: tuple[str, ...] = ()


class NotAllowed(Exception):
    """The rules refuse a number. ``words`` are for whoever dialled it."""

    def __init__(self, kind: Kind, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words


def e164(text: str, region: str) -> str | None:
    """A caller's number in one form, or None: what trunks send need not be a number (anonymous, a name, an extension)."""
    found = read(text, region)
    return found.e164 or None


@lru_cache(maxsize=4096)
def read(text: str, region: str) -> Number:
    """What a number is, seen from a region."""
    bare = text.strip()
    if not _DIALLED.fullmatch(bare):
        return Number(Kind.NONE)
    numbers: Any = importlib.import_module("phonenumbers")
    digits = re.sub(r"\D", "", bare)
    if not bare.startswith("+"):
        if len(digits) <= 6:
            helping = numbers.is_emergency_number(digits, region)
            return Number(Kind.EMERGENCY if helping else Kind.SHORT, short=digits, region=region)
        if numbers.connects_to_emergency_number(digits, region):
            return Number(Kind.EMERGENCY, short=digits, region=region)
    try:
        parsed = numbers.parse(bare, region)
    except numbers.NumberParseException:
        return Number(Kind.NONE)
    if not numbers.is_valid_number(parsed):
        return Number(Kind.NONE)
    whole = numbers.format_number(parsed, numbers.PhoneNumberFormat.E164)
    where = numbers.region_code_for_number(parsed) or ""
    return Number(_kind(numbers, numbers.number_type(parsed), where, region), whole, where)


def permitted(text: str, rules: NumberRules) -> Number:
    """The number to call. Raises NotAllowed."""
    found = read(text, rules.region)
    refusal = _refusal(found, rules)
    if refusal:
        raise NotAllowed(found.kind, refusal)
    return found


def _refusal(found: Number, rules: NumberRules) -> str:
    if found.kind is Kind.NONE:
        return _("This is no telephone number.")
    if any(found.e164.startswith(start) for start in rules.never if start):
        return _("Numbers that begin like this are not called.")
    match found.kind:
        case Kind.EMERGENCY:
            return (
                ""
                if rules.emergency
                else _("Emergency numbers cannot be called from here. Use a telephone that shows where you are.")
            )
        case Kind.SHORT:
            return "" if found.short in rules.short else _("This short number is not one of those that may be called.")
        case Kind.PREMIUM:
            return "" if rules.premium and _near(found, rules) else _("Premium-rate numbers are not called.")
        case Kind.SHARED_COST | Kind.PERSONAL:
            return "" if rules.shared_cost and _near(found, rules) else _("Numbers at a special rate are not called.")
        case Kind.SATELLITE:
            return "" if found.region in rules.countries else _("Satellite and worldwide numbers are not called.")
        case _:
            return "" if _near(found, rules) else _("Numbers of this country are not called.")


def _near(found: Number, rules: NumberRules) -> bool:
    return found.region == rules.region or found.region in rules.countries


def _kind(numbers: Any, kind: int, where: str, region: str) -> Kind:
    types = numbers.PhoneNumberType
    if kind == types.PREMIUM_RATE:
        return Kind.PREMIUM
    if kind in (types.SHARED_COST, types.UAN):
        return Kind.SHARED_COST
    if kind == types.PERSONAL_NUMBER:
        return Kind.PERSONAL
    if where in ("001", ""):
        return Kind.SATELLITE
    if where != region:
        return Kind.FOREIGN
    return Kind.TOLL_FREE if kind == types.TOLL_FREE else Kind.ORDINARY
