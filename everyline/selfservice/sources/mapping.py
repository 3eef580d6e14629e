"""From what others answer to values: JSON and its pointers (RFC 6901), and cells of any kind. Pure.

Nothing is taken for what it is not: a date that is none, a list where an amount should be, is Nonsense.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, NoReturn

from everyline.ground.words import _, language
from everyline.selfservice import slots
from everyline.selfservice.slots import LONGEST_ANSWER, Kind, Slot, Value, Wrong, clean
from everyline.selfservice.sources.declared import Field

_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}[0-9:.,+Z -]*)?")
_ORDERED = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_YES, _NO = frozenset({"yes", "true", "t", "y", "1"}), frozenset({"no", "false", "f", "n", "0"})
MOST_AMOUNT = Decimal(10) ** 12


class Nonsense(Exception):
    """This is no answer; the message says why."""


class Gone(Enum):
    """What a pointer leads to when it leads to nothing."""

    ABSENT = "absent"  # there is no such place
    EMPTY = "empty"  # the way there ends in null, or in a list or object with nothing in it


@dataclass(frozen=True, slots=True)
class Style:
    """How dates and amounts are written, where they are texts."""

    dates: str = "ymd"  # the order of day, month and year; ISO 8601 is read in any case
    decimal: str = "."


PLAIN: Final = Style()


def is_pointer(text: str) -> bool:
    """Is it a JSON pointer?"""
    return _POINTER.fullmatch(text) is not None


def pointed(document: Any, pointer: str) -> Any:
    """What a JSON pointer leads to (RFC 6901), or Gone. ValueError when it is no pointer."""
    if not is_pointer(pointer):
        raise ValueError("this is no JSON pointer")
    found = document
    for part in pointer.split("/")[1:]:
        if found is None or found == [] or found == {}:
            return Gone.EMPTY
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and _INDEX.fullmatch(part) and int(part) < len(found):
            found = found[int(part)]
        else:
            return Gone.ABSENT
    return Gone.EMPTY if found is None or found == [] or found == {} else found


def loaded(body: bytes) -> Any:
    """JSON as it came, its numbers exact. Nonsense."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refused)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise Nonsense(_("This is not JSON.")) from error


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")  # RFC 8259, section 6


def values(fields: Iterable[Field], cell: Callable[[Field], object], style: Style = PLAIN) -> dict[str, Value]:
    """The values of all fields, or none at all. Nonsense."""
    found: dict[str, Value] = {}
    for field in fields:
        try:
            value = read(field.slot, cell(field), style)
        except Nonsense as error:
            raise Nonsense(f"{field.slot.name}: {error}") from error
        if value is not None:
            found[field.slot.name] = value
        elif field.needed:
            raise Nonsense(_("%s: there is nothing.") % field.slot.name)
    return found


def read(slot: Slot, raw: object, style: Style = PLAIN) -> Value | None:
    """The value of what came, in the form of its kind; None where there is nothing. Nonsense."""
    if raw is None or isinstance(raw, Gone):
        return None
    if isinstance(raw, bool):
        if slot.kind is not Kind.YES_NO:
            raise Nonsense(_("It is yes or no, and should be something else."))
        return Value(slot.kind, "yes" if raw else "no")
    text = _text(raw)
    if not text:
        return None
    if len(text) > min(slot.most or LONGEST_ANSWER, LONGEST_ANSWER) and slot.kind in _BY_SHAPE:
        raise Nonsense(_("It is too long."))
    if slot.kind is Kind.DATE:
        return Value(slot.kind, _date(text, style).isoformat())
    if slot.kind is Kind.MONEY:
        return Value(slot.kind, str(_amount(slot, raw, text, style)), slot.currency)
    if slot.kind is Kind.YES_NO:
        return Value(slot.kind, _yes_no(text))
    if slot.kind is Kind.CHOICE:
        return _choice(slot, text)
    if slot.kind in _BY_SHAPE:
        return Value(slot.kind, text if slot.kind is Kind.ADDRESS else " ".join(text.split(" ")))
    # digits, account, mailbox, number, secret: as a customer would write them; what day it is plays no part
    found = slots.read(slot, text, date.min)
    if isinstance(found, Wrong):
        raise Nonsense(found.words)
    return found


_BY_SHAPE = frozenset({Kind.NAME, Kind.ADDRESS, Kind.TEXT})  # any text will do


def _text(raw: object) -> str:
    if isinstance(raw, Decimal):
        if not raw.is_finite() or not -40 < raw.adjusted() < 40:
            raise Nonsense(_("This number is out of all bounds."))
        return format(raw, "f")
    if isinstance(raw, int):
        if abs(raw) >= 10**40:
            raise Nonsense(_("This number is out of all bounds."))
        return str(raw)
    if not isinstance(raw, str):
        raise Nonsense(_("It is a list or an object, and should be one value."))
    if len(raw) > LONGEST_ANSWER:
        raise Nonsense(_("It is too long."))
    return " ".join(raw.split()) if raw.isascii() and raw.isprintable() else clean(raw)  # most are, and there are many


def _date(text: str, style: Style) -> date:
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if (match := _ORDERED.fullmatch(text)) and style.dates != "ymd":
            first, second, year = map(int, match.groups())
            return date(year, second, first) if style.dates == "dmy" else date(year, first, second)
    except ValueError as error:
        raise Nonsense(_("There is no such day.")) from error
    raise Nonsense(_("This is no date."))


def _amount(slot: Slot, raw: object, text: str, style: Style) -> Decimal:
    bare = re.sub(rf"^(?:{slot.currency}|[$€£])|(?:{slot.currency}|[$€£])$", "", text).replace(" ", "")
    if style.decimal == "," and isinstance(raw, str):
        bare = bare.translate(str.maketrans(",.", ".,"))
    if not _AMOUNT.fullmatch(bare):
        raise Nonsense(_("This is no amount."))
    amount = Decimal(bare.replace(",", ""))
    if abs(amount) >= MOST_AMOUNT:
        raise Nonsense(_("This number is out of all bounds."))
    cents = amount.quantize(Decimal("0.01"))
    if cents != amount:
        raise Nonsense(_("This amount has parts of a cent."))
    return cents


def _yes_no(text: str) -> str:
    if text.lower() in _YES:
        return "yes"
    if text.lower() in _NO:
        return "no"
    raise Nonsense(_("This is neither yes nor no."))


def _choice(slot: Slot, text: str) -> Value:
    for name, by in slot.choices.items():
        if text.casefold() in (name.casefold(), *(words.casefold() for words in by.values())):
            return Value(slot.kind, name, words=by.get(language()) or next(iter(by.values()), name))
    raise Nonsense(_("This is none of the choices."))
