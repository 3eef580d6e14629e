"""The form of a customer source: what is kept as it is shown, and what was typed as a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as parts
from typing import Any

from pydantic import ValidationError

from everyline.ground.forms import Typed, said_duration
from everyline.ground.words import _, mark
from everyline.selfservice import slots
from everyline.selfservice.sources.declared import (
    FORMS,
    MOST_COLUMNS,
    Field,
    Http,
    Input,
    Kind,
    Secrets,
    Settings,
    Source,
    Sql,
    Table,
    fields_of,
    inputs_of,
    settings_of,
)

HIDDEN = "••••"  # stands where a secret is, and means that it stays
SPARE = 2  # empty columns under those that there are
KINDS = {
    Kind.HTTP: mark("By HTTP"),
    Kind.SQL: mark("PostgreSQL"),
    Kind.TABLE: mark("A table here"),
}
SLOT_KINDS = {
    slots.Kind.ACCOUNT: mark("Account number"),
    slots.Kind.DIGITS: mark("Digits"),
    slots.Kind.TEXT: mark("Text"),
    slots.Kind.NAME: mark("Name"),
    slots.Kind.DATE: mark("Date"),
    slots.Kind.MONEY: mark("Amount"),
    slots.Kind.YES_NO: mark("Yes or no"),
    slots.Kind.CHOICE: mark("One of a list"),
    slots.Kind.EMAIL: mark("Email address"),
    slots.Kind.PHONE: mark("Telephone number"),
    slots.Kind.ADDRESS: mark("Postal address"),
    slots.Kind.SECRET: mark("Secret"),
}


def pairs(text: str) -> list[tuple[str, str]]:
    """What stands before and after the first colon of each line."""
    cut = (line.partition(":") for line in text.splitlines() if line.strip())
    return [(left.strip(), right.strip()) for left, _colon, right in cut]


def _lines(given: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in given.items())


# --- what is kept, as it is shown


def values_of(source: Source, secrets: Secrets) -> dict[str, Any]:
    """What stands in the fields of the form."""
    found: dict[str, Any] = {
        "name": source.name,
        "seconds": f"{source.seconds:g}",
        "keep_seconds": said_duration(source.keep_seconds),
        "most_failures": source.most_failures,
        "pause_seconds": said_duration(source.pause_seconds),
        "proof": source.proof,
        "revision": source.revision,
    }
    for part in parts(source.settings):
        found[part.name] = getattr(source.settings, part.name)
    if isinstance(source.settings, Http):
        found["headers"] = _lines(source.settings.headers)
        found["missing"] = " ".join(map(str, source.settings.missing))
        found["secret_headers"] = "\n".join(f"{name}: {HIDDEN}" for name in secrets.headers)
    every: dict[str, tuple[Input | Field, ...]] = {"input": source.inputs, "field": source.fields}
    for where, columns in every.items():
        for n, column in enumerate(columns):
            found |= {f"{where}-{n}-{name}": value for name, value in _column(column).items()}
        found[f"{where}s"] = min(len(columns) + SPARE, MOST_COLUMNS)
    return found


def _column(column: Input | Field) -> dict[str, Any]:
    slot = column.slot
    choices = {
        name if language == "en" else f"{name}/{language}": words
        for name, by in slot.choices.items()
        for language, words in by.items()
    }
    common = {
        "name": slot.name,
        "kind": slot.kind.value,
        "at": column.at,
        "least": "" if slot.least is None else slot.least,
        "most": "" if slot.most is None else slot.most,
        "currency": slot.currency,
        "choices": _lines(choices),
    }
    if isinstance(column, Input):
        return {**common, "given": column.given, "asks": _lines(column.asks)}
    return {**common, "optional": not column.needed}


# --- what was typed


def shown_again(form: Typed) -> dict[str, Any]:
    """What was typed, with as many columns as there were, and no secret."""
    found = {**form.values, **{name: form.yes(name) for name in ("proof", "inner")}}
    found.pop("password", None)
    for where in ("input", "field"):
        found[f"{where}s"] = max(sum(form.came(f"{where}-{n}-name") for n in range(MOST_COLUMNS)), 1)
    return found


def source_of(form: Typed, kind: Kind, before: Source | None, kept: Secrets) -> tuple[Source, Secrets]:
    """The source that was typed, and its secrets: those that nobody typed anew stay. What is wrong stands at its field in
    ``form.errors``; Invalid then."""
    settings = _settings(form, kind)
    inputs = _columns(form, "input", inputs_of, "given", "asks")
    fields = _columns(form, "field", fields_of, "optional")
    facts: dict[str, Any] = {
        "name": before.name if before else form.text("name", longest=100, required=True),
        "seconds": _seconds(form),
        "keep_seconds": form.duration("keep_seconds", 0, 86400),
        "most_failures": form.number("most_failures", 1, 100, 5),
        "pause_seconds": form.duration("pause_seconds", 1, 3600, 30),
        "proof": form.yes("proof"),
        "enabled": before.enabled if before else True,
        "id": before.id if before else 0,
        "revision": form.number("revision", 0, 10**9),
    }
    secrets = Secrets(
        headers={
            name: kept.headers.get(name, "") if value == HIDDEN else value
            for name, value in pairs(form.text("secret_headers"))
        },
        password=form.text("password", longest=500) or kept.password,
    )
    form.done()
    assert settings is not None
    return Source(settings=settings, inputs=inputs, fields=fields, **facts), secrets


def _seconds(form: Typed) -> float:
    text = form.text("seconds", longest=10) or "4"
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 30:
        form.errors["seconds"] = _("A number from {least} to {most}.").format(least=0.1, most=30)
        return 4.0
    return found


def _settings(form: Typed, kind: Kind) -> Settings | None:
    given: dict[str, Any] = {}
    for part in parts(FORMS[kind]):
        if part.name == "inner":
            given["inner"] = form.yes("inner")
        elif part.name == "headers":
            given["headers"] = dict(pairs(form.text("headers")))
        elif part.name == "missing":
            words = form.text("missing", longest=100).replace(",", " ").split()
            given["missing"] = [int(word) if word.isdecimal() and word.isascii() else word[:10] for word in words]
        elif part.name == "port":
            given["port"] = form.number("port", 1, 65535, 5432)
        elif form.text(part.name) or kind is not Kind.TABLE:
            given[part.name] = form.text(part.name, longest=20_000)
    try:
        return settings_of(kind, given)
    except ValidationError as error:
        form.errors |= {str(one["loc"][0]): one["msg"] for one in error.errors(include_url=False)}
        return None


def _columns(form: Typed, where: str, read: Callable[[object], tuple[Any, ...]], *own: str) -> tuple[Any, ...]:
    """The columns that were typed; those without a name are none."""
    given, numbers = [], []
    for n in range(MOST_COLUMNS):
        key = f"{where}-{n}-"
        if name := form.text(key + "name", longest=40):
            given.append(_column_form(form, key, name, own))
            numbers.append(n)
    try:
        return read(given)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            place = [str(part) for part in one["loc"]]
            wrong = next((part for part in reversed(place) if part in _NAMED), "name")
            form.errors[f"{where}-{numbers[int(place[0])]}-{wrong}"] = one["msg"]
        return ()


_NAMED = frozenset({"name", "kind", "at", "least", "most", "currency", "choices", "given", "asks"})


def _column_form(form: Typed, key: str, name: str, own: tuple[str, ...]) -> dict[str, Any]:
    choices: dict[str, dict[str, str]] = {}
    for left, words in pairs(form.text(key + "choices")):
        choice, _slash, language = left.partition("/")
        choices.setdefault(choice, {})[language or "en"] = words or choice
    slot: dict[str, Any] = {
        "name": name,
        "kind": form.text(key + "kind") or "text",
        "least": form.maybe_number(key + "least", -40_000, 10**9),
        "most": form.maybe_number(key + "most", -40_000, 10**9),
        "currency": form.text(key + "currency").upper() or "USD",
        "choices": choices,
    }
    found: dict[str, Any] = {"slot": slot, "at": form.text(key + "at")}
    if "given" in own:
        found |= {"given": form.text(key + "given") or "flow", "asks": dict(pairs(form.text(key + "asks")))}
    if "optional" in own:
        found["needed"] = not form.yes(key + "optional")
    return found


def fresh(kind: Kind) -> Source:
    """What a new source begins with."""
    settings: dict[Kind, Settings] = {
        Kind.HTTP: Http(url=""),
        Kind.SQL: Sql(host="", database="", role="", select=""),
        Kind.TABLE: Table(),
    }
    return Source(name="", settings=settings[kind], inputs=(Input(slots.Slot(slots.Kind.ACCOUNT, "account")),))
