"""Values as they are read out: digits in groups, amounts and days in words, in the language spoken now. Pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from everyline.ground.words import _, language

_IN_CENTS = frozenset({"USD", "EUR", "CAD", "AUD"})


def digits(text: str) -> str:
    """Each by itself, in groups, so that they can be compared while they are heard."""
    return ", ".join(" ".join(group) for group in groups(text))


def groups(text: str) -> list[str]:
    """Digits as people say them: in threes, the rest in the last group of two to four."""
    if len(text) <= 4:
        return [text]
    cut = [text[at : at + 3] for at in range(0, len(text), 3)]
    if len(cut[-1]) == 1:
        cut[-2:] = [cut[-2] + cut[-1]]
    return cut


def money(amount: Decimal, unit: str) -> str:
    """An amount with its currency (ISO 4217)."""
    whole, cents = int(abs(amount)), round(abs(amount) % 1 * 100)
    name = _name(unit or "USD", whole)
    words = f"{whole} {name}"
    if cents and unit in _IN_CENTS:
        words = _("%(whole)s and %(cents)s cents") % {"whole": words, "cents": cents}
    elif cents:
        words = f"{abs(amount)} {name}"
    return _("minus %s") % words if amount < 0 else words


def _name(currency: str, n: int) -> str:
    from babel.numbers import get_currency_name

    return str(get_currency_name(currency, n, locale=language()))


def decimals(currency: str) -> int:
    """Digits behind the point of amounts of a currency."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency or "USD"))


def day(one: date) -> str:
    """A day, with its month as a word."""
    from babel.dates import format_date

    return str(format_date(one, "long", locale=language()))


def keyed_day(text: str) -> date | None:
    """The day of eight digits: month, day and year, or the year first; None when it is none."""
    if len(text) != 8:
        return None
    for year, month, in_month in ((text[4:], text[:2], text[2:4]), (text[:4], text[4:6], text[6:])):
        try:
            found = date(int(year), int(month), int(in_month))
        except ValueError:
            continue
        if 1850 <= found.year <= 2200:
            return found
    return None
