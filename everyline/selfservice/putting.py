"""Putting slots into words: what is shown, read out, or typed of a value. Pure.

A template names slots in braces and nothing else: ``You owe {bill.due}.`` What a slot holds is never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from everyline.ground import aloud
from everyline.ground.words import _, language
from everyline.selfservice.slots import Kind, Value

_NAMED = re.compile(r"\{([a-z][a-z0-9_.-]{0,80})\}")

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
        return aloud.day(date.fromisoformat(value.value))
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
        return aloud.digits(value.value)
    if value.kind is Kind.PHONE:
        return ", ".join(" ".join(group) for group in re.findall(r"\d+", shown(value)))
    if value.kind is Kind.MONEY:
        return aloud.money(Decimal(value.value), value.unit)
    return shown(value)
