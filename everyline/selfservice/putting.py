"""Putting slots into words: what is shown, read out, or typed of a value. Pure.

A template names slots in braces and nothing else: ``You owe {bill.due}.`` What a slot holds is never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from everyline.ground.words import _, language
from everyline.selfservice.slots import Kind, Value

_NAMED = re.compile(r"\{([a-z][a-z0-9_.-]{0,80})\}")

_IN_CENTS = frozenset({"USD", "EUR", "CAD", "AUD"})

Put: TypeAlias = Callable[[Value], str]


def named(template: str) -> Iterator[str]:
    """The slots that a template names."""
    return (match[1] for match in _NAMED.finditer(template))


def filled(template: str, slots: Mapping[str, Value], put: Put) -> str:
    """The template with its slots; what is not there is left out. Secrets are never put."""

    def one(match: re.Match[str]) -> str:
        value = slots.get(match[1])
        return put(value) if value is not None and value.kind is not Kind.SECRET else ""

    return _NAMED.sub(one, template)


def one_value(template: str, slots: Mapping[str, Value]) -> Value:
    """What a template means for a machine: the slot itself when it names one and nothing else, or else a text."""
    match = _NAMED.fullmatch(template.strip())
    if match is not None:
        return slots.get(match[1], Value(Kind.TEXT, ""))
    return Value(Kind.TEXT, filled(template, slots, str))


def shown(value: Value) -> str:
    """A value as it is read on a screen, in the language spoken now."""
    if value.kind is Kind.DATE:
        from babel.dates import format_date

        return str(format_date(date.fromisoformat(value.value), "long", locale=language()))
    if value.kind is Kind.MONEY:
        from babel.numbers import format_currency

        return str(format_currency(Decimal(value.value), value.unit or "USD", locale=language())).replace("\u00a0", " ")
    if value.kind is Kind.YES_NO:
        return _("yes") if value.value == "yes" else _("no")
    if value.kind is Kind.PHONE:
        import phonenumbers

        try:
            parsed = phonenumbers.parse(value.value, None)
        except phonenumbers.NumberParseException:
            return value.value
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    if value.kind is Kind.ADDRESS:
        return ", ".join(value.value.splitlines())
    if value.kind is Kind.SECRET:
        return "•" * 4
    return value.words or value.value


def said(value: Value) -> str:
    """A value as it is read out: digits in groups, so that they can be compared while they are heard."""
    if value.kind in (Kind.DIGITS, Kind.ACCOUNT):
        return ", ".join(" ".join(group) for group in groups(value.value))
    if value.kind is Kind.PHONE:
        return ", ".join(" ".join(group) for group in re.findall(r"\d+", shown(value)))
    if value.kind is Kind.MONEY:
        amount = Decimal(value.value)
        whole, cents = int(abs(amount)), round(abs(amount) % 1 * 100)
        unit = _unit(value.unit or "USD", whole)
        words = f"{whole} {unit}"
        if cents and value.unit in _IN_CENTS:
            words = _("%(whole)s and %(cents)s cents") % {"whole": words, "cents": cents}
        elif cents:
            words = f"{abs(amount)} {unit}"
        return _("minus %s") % words if amount < 0 else words
    return shown(value)


def _unit(currency: str, n: int) -> str:
    from babel.numbers import get_currency_name

    return str(get_currency_name(currency, n, locale=language()))


def groups(digits: str) -> list[str]:
    """Digits as people say them: in threes, the rest in the last group of two to four."""
    if len(digits) <= 4:
        return [digits]
    cut = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    if len(cut[-1]) == 1:
        cut[-2:] = [cut[-2] + cut[-1]]
    return cut
