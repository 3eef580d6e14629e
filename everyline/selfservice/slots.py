"""What a flow asks for: typed slots, and how an answer in words, digits or keys is read as one. Pure.

``read`` returns a ``Value`` or ``Wrong``, whose words tell the customer what to do about it. Values have a JSON form and are
shown, said and compared by their kind (``putting``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import ConfigDict, Field

from everyline.ground import addresses
from everyline.ground.spoken import chosen, no_words, yes_words
from everyline.ground.words import _, language, ngettext

STRICT = ConfigDict(extra="forbid")
LONGEST_ANSWER = 4000  # characters; who writes more is told so
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Kind(StrEnum):
    """What an answer is."""

    DIGITS = "digits"
    DATE = "date"
    MONEY = "money"
    NAME = "name"
    ADDRESS = "address"
    CHOICE = "choice"
    YES_NO = "yes_no"
    EMAIL = "email"
    PHONE = "phone"
    TEXT = "text"
    ACCOUNT = "account"
    SECRET = "secret"  # noqa: S105 -- the name of a kind


@dataclass(frozen=True, slots=True)
class Slot:
    """What is asked for. ``least`` and ``most`` bound the length (digits, account, secret, name, text: characters), the day
    (date: days from today), or the amount (money). ``choices`` are values with their words by language."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: Kind
    name: Name
    _: KW_ONLY
    least: int | None = None
    most: int | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"  # ISO 4217
    check: Annotated[str, Field(pattern=r"^(luhn)?$")] = ""  # the last digit is made of the others (ISO/IEC 7812-1)
    choices: Mapping[Name, Mapping[str, Annotated[str, Field(max_length=200)]]] = field(default_factory=dict)
    of: Kind | None = None  # what a secret is, where it is to be read as something; kept it is a secret all the same

    @property
    def secret(self) -> bool:
        """It is kept encrypted, shown to nobody, and not asked for where others could read along."""
        return self.kind is Kind.SECRET


@dataclass(frozen=True, slots=True)
class Value:
    """An answer as it was understood. ``value``: text, and for a date ISO 8601, for money a decimal with ``unit`` its currency,
    for yes or no ``yes`` or ``no``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: Kind
    value: str
    unit: str = ""
    words: str = ""  # of a choice, in the language it was made in

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that is none, and what is told about it."""

    words: str


Read: TypeAlias = "Value | Wrong"


def read(slot: Slot, answer: str, today: date) -> Read:
    """The value of an answer, in the language spoken now. ``today`` is the customer's day."""
    if len(answer) > LONGEST_ANSWER:
        return Wrong(_("That is too long: at most %s characters.") % f"{LONGEST_ANSWER:,}")
    if slot.kind is Kind.SECRET and slot.of not in (None, Kind.SECRET):
        found = read(replace(slot, kind=slot.of, of=None), answer, today)
        return found if isinstance(found, Wrong) else Value(Kind.SECRET, found.value)
    text = clean(answer)
    if not text:
        return Wrong(_("I did not get anything."))
    return _date(slot, text, today) if slot.kind is Kind.DATE else _READERS[slot.kind](slot, text)


def clean(answer: str) -> str:
    """An answer without what only looks like something: control characters, wide digits, signs drawn as pictures."""
    folded = unicodedata.normalize("NFKC", answer).replace("\ufe0f", "").replace("\u20e3", "")
    kept = "".join(one if one == "\n" or unicodedata.category(one)[0] != "C" else " " for one in folded)
    return "\n".join(" ".join(line.split()) for line in kept.strip().splitlines())


def _digits(slot: Slot, text: str) -> Read:
    found = "".join(str(unicodedata.digit(one)) for one in text if unicodedata.digit(one, None) is not None)
    if not found or not re.fullmatch(r"[\d\s().,/#-]+", text):
        return Wrong(_("Please give digits only."))
    least, most = slot.least or 1, slot.most or 40
    if not least <= len(found) <= most:
        return Wrong(_length(len(found), least, most))
    if slot.check == "luhn" and not luhn(found):
        return Wrong(_("One of the digits must be wrong: please check them."))
    return Value(slot.kind, found)


def _length(have: int, least: int, most: int) -> str:
    given = ngettext("You gave %d digit.", "You gave %d digits.", have) % have
    if least == most:
        return given + " " + ngettext("It has %d.", "It has %d.", least) % least
    return given + " " + _("It has %(least)d to %(most)d.") % {"least": least, "most": most}


def luhn(digits: str) -> bool:
    """Does the last digit fit the others (ISO/IEC 7812-1, annex B)?"""
    total = 0
    for n, one in enumerate(reversed(digits)):
        doubled = int(one) * (1 + n % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _date(slot: Slot, text: str, today: date) -> Read:
    found = _day(text, today)
    if found is None:
        return Wrong(_("I did not understand the date. Please write it like %s.") % example_day(today))
    if slot.least is not None and found < today + timedelta(days=slot.least):
        return Wrong(_("That day is too early."))
    if slot.most is not None and found > today + timedelta(days=slot.most):
        return Wrong(_("That day is too late."))
    return Value(slot.kind, found.isoformat())


def example_day(today: date) -> str:
    """A day as one would write it."""
    from babel.dates import format_date

    return str(format_date(today, "long", locale=language()))


def _day(text: str, today: date) -> date | None:
    if re.fullmatch(r"\d{8}", text):  # keyed on a telephone: month, day, year, or year first
        parts = [(text[4:], text[:2], text[2:4]), (text[:4], text[4:6], text[6:])]
        return next((found for one in parts if (found := _made(*one)) and abs(found.year - today.year) <= 130), None)
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        return _made(*match.groups())
    if len(text) > 60:
        return None
    from dateparser import parse

    settings = {
        "RELATIVE_BASE": datetime.combine(today, time(12)),  # in no zone: a day that the customer names
        "DATE_ORDER": "MDY" if language() == "en" else "DMY",
        "REQUIRE_PARTS": ["day", "month"],
        "PREFER_DATES_FROM": "future",
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    found = parse(text, languages=list(dict.fromkeys([language(), "en"])), settings=settings)
    return found.date() if found is not None else None


def _made(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _money(slot: Slot, text: str) -> Read:
    from babel.numbers import NumberFormatError, parse_decimal

    bare = re.sub(r"[^\d.,'\s-]|(?<=\d)\s(?=\d{3})", "", text).strip()
    if re.search(r"\d[^\W\d_]+\d", text):  # a number with letters in it is another one
        return Wrong(_("Please give an amount, such as %s.") % "12.50")
    try:
        amount = Decimal(parse_decimal(bare, locale=language(), strict=True))
    except (NumberFormatError, InvalidOperation, ValueError):
        try:
            amount = Decimal(bare)  # a point, whatever the language
        except InvalidOperation:
            return Wrong(_("Please give an amount, such as %s.") % "12.50")
    if not amount.is_finite() or abs(amount) >= 10**12 or amount != amount.quantize(Decimal("0.01")):
        return Wrong(_("Please give an amount, such as %s.") % "12.50")
    if slot.least is not None and amount < slot.least:
        return Wrong(_("That is too little: at least %s.") % slot.least)
    if slot.most is not None and amount > slot.most:
        return Wrong(_("That is too much: at most %s.") % slot.most)
    return Value(slot.kind, str(amount.quantize(Decimal("0.01"))), slot.currency)


def _name(slot: Slot, text: str) -> Read:
    name = " ".join(text.split())
    if not any(map(str.isalpha, name)) or len(name) > (slot.most or 120) or re.search(r"[<>{}\\|^~\[\]]|://", name):
        return Wrong(_("Please give a name."))
    return Value(slot.kind, name)


def _address(slot: Slot, text: str) -> Read:
    if not any(map(str.isalpha, text)) or len(text) < 6 or len(text) > (slot.most or 400):
        return Wrong(_("Please give the whole address: street, number, place and postal code."))
    lines = [part.strip() for part in (text.split("\n") if "\n" in text else text.split(",")) if part.strip()]
    return Value(slot.kind, addresses.normal_postal("\n".join(lines)))


def _choice(slot: Slot, text: str) -> Read:
    options = [(name, [by.get(language()) or next(iter(by.values()), name)]) for name, by in slot.choices.items()]
    found = chosen(text, options)
    if found is None:
        return Wrong(_("Please choose one of these."))
    return Value(slot.kind, found, words=dict(options)[found][0])


def _yes_no(slot: Slot, text: str) -> Read:
    found = chosen(text, [("yes", list(yes_words())), ("no", list(no_words()))])
    return Value(slot.kind, found) if found is not None else Wrong(_("Please answer yes or no."))


def _email(slot: Slot, text: str) -> Read:
    bare = re.sub(r"\s+(?:at|arroba|chez)\s+|\s*@\s*", "@", text.strip(" <>.;,"), flags=re.IGNORECASE)
    bare = re.sub(r"\s+(?:dot|punto|punkt|point)\s+", ".", bare, flags=re.IGNORECASE)
    try:
        return Value(slot.kind, addresses.normal_mailbox(bare))
    except ValueError:
        return Wrong(_("An email address looks like name@example.org."))


def _phone(slot: Slot, text: str) -> Read:
    try:
        return Value(slot.kind, addresses.normal_number(text[:60]))
    except ValueError:
        return Wrong(_("That is no telephone number. Please give it with its area code."))


def _text(slot: Slot, text: str) -> Read:
    most = slot.most or 2000
    if len(text) > most:
        return Wrong(_("That is too long: at most %s characters.") % f"{most:,}")
    if len(text) < (slot.least or 1) or not any(map(str.isalnum, text)):
        return Wrong(_("Please say it in words."))
    return Value(slot.kind, text)


def _account(slot: Slot, text: str) -> Read:
    bare = re.sub(r"[\s.\-/#]", "", text).upper()
    if not re.fullmatch(r"[A-Z0-9]+", bare) or not any(map(str.isdigit, bare)):
        return Wrong(_("An account number has digits, and perhaps letters."))
    if not (slot.least or 1) <= len(bare) <= (slot.most or 40):
        return Wrong(_length(len(bare), slot.least or 1, slot.most or 40))
    if slot.check == "luhn" and not luhn("".join(filter(str.isdigit, bare))):
        return Wrong(_("One of the digits must be wrong: please check them."))
    return Value(slot.kind, bare)


def _secret(slot: Slot, text: str) -> Read:
    bare = re.sub(r"[\s-]", "", text)
    if not (slot.least or 1) <= len(bare) <= (slot.most or 100):
        return Wrong(_("That does not have the right length."))  # how long it was is nobody's business
    return Value(slot.kind, bare)


_READERS: Mapping[Kind, Callable[[Slot, str], Read]] = {
    Kind.DIGITS: _digits,
    Kind.MONEY: _money,
    Kind.NAME: _name,
    Kind.ADDRESS: _address,
    Kind.CHOICE: _choice,
    Kind.YES_NO: _yes_no,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.TEXT: _text,
    Kind.ACCOUNT: _account,
    Kind.SECRET: _secret,
}
