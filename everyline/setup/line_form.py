"""The form of a line, made from the settings of its channel: which fields, what was typed, and what of it is kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args, get_origin

from fastapi import Request
from pydantic.fields import FieldInfo

from everyline.channel_contract import LineSettings
from everyline.ground.database import Row
from everyline.ground.forms import Typed
from everyline.ground.languages import LIKELY
from everyline.ground.words import _
from everyline.lines import queries, rules
from everyline.people.permit import ground_of


def _kind(field: FieldInfo) -> tuple[str, list[str]]:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return "choice", [str(value) for value in get_args(annotation)]
    if annotation is bool:
        return "yes", []
    return ("number" if annotation in (int, float) else "text"), []


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def names_of(kind: type[LineSettings], step: str) -> list[str]:
    """The fields that one step of adding a line asks for; all that belong to none stand on "address"."""
    return [name for name, field in kind.model_fields.items() if (_extra(field).get("step") or "address") == step]


def fields_of(kind: type[LineSettings], names: Collection[str] | None = None) -> list[dict[str, Any]]:
    """These fields of a channel's settings, or all, as the form shows them, by group: ``{title, plain, advanced, rows}``.
    What a field may say of itself stands in the contract."""
    groups: dict[str, dict[str, Any]] = {}
    for name, field in kind.model_fields.items():
        if names is not None and name not in names:
            continue
        extra = _extra(field)
        looks, values = _kind(field)
        words, when = extra.get("choices") or {}, extra.get("when") or {}
        one = {
            "name": name,
            "label": _(field.title or name),
            "help": _(field.description) if field.description else "",
            "looks": looks,
            "options": [(value, _(words[value]) if value in words else value) for value in values],
            "secret": rules.is_secret(kind, name),
            "long": looks == "text" and (bool(extra.get("long")) or "key" in name.split("_")),
            "when": " ".join(f"{other}={value}" for other, value in when.items()),
        }
        title = str(extra.get("group") or "")
        found = groups.setdefault(title, {"title": _(title) if title else "", "plain": [], "advanced": []})
        found["advanced" if extra.get("advanced") else "plain"].append(one)
    for found in groups.values():
        found["rows"] = _rows(found["plain"])
    return list(groups.values())


def _rows(fields: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What belongs together stands in one row: a host and its port, a name and its password."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for field in fields:
        kind, before = field["name"].rpartition("_")[2], rows[-1][1][-1]["name"].rpartition("_")[2] if rows else ""
        if (before, kind) in (("host", "port"), ("user", "password")):
            rows[-1] = ("pair" if kind == "port" else "pair even", [*rows[-1][1], field])
        else:
            rows.append(("", [field]))
    return rows


def given(form: Typed, kind: type[LineSettings], names: Collection[str]) -> dict[str, Any]:
    """These settings as they were typed. A box that is not checked does not come at all; what was left out has its default."""
    found: dict[str, Any] = {}
    for name in names:
        looks, _values = _kind(kind.model_fields[name])
        if looks == "yes":
            found[name] = form.yes(name)
        elif form.text(name) or (looks == "text" and form.came(name)):
            found[name] = form.text(name)
    return found


def with_given(row: Row, form: Typed, kind: type[LineSettings], names: Collection[str]) -> dict[str, Any]:
    """The settings that a line has, with these as they were typed; a secret that is not written anew stays."""
    before = {name: value for name, value in row.settings.items() if name not in names}
    unseen = dict.fromkeys(secret_names(kind), "")
    return {**before, **unseen, **given(form, kind, names)}


def secret_names(kind: type[LineSettings]) -> list[str]:
    """The settings that are kept encrypted and never shown."""
    return [name for name in kind.model_fields if rules.is_secret(kind, name)]


def kept_secrets(request: Request, row: Row | None) -> set[str]:
    """The names of the secrets that a line has; their values stay where they are."""
    if row is None or not row.secrets:
        return set()
    ground = ground_of(request)
    line = queries.as_channel_sees(row, ground.vault, ground.signer)
    return {name for name in secret_names(type(line.settings)) if getattr(line.settings, name)}


def to_write_again(form: Typed, kind: type[LineSettings]) -> set[str]:
    """The secrets that were typed into a form that was not taken."""
    return {name for name in secret_names(kind) if form.text(name)}


def shown_again(form: Typed, kind: type[LineSettings]) -> dict[str, Any]:
    """What was typed, without secrets: they are not sent back, not even to who typed them. A box that did not come is
    not checked."""
    return {
        **dict.fromkeys(kind.model_fields, ""),
        "acknowledges": form.yes("acknowledges"),
        **{
            name: value
            for name, value in form.values.items()
            if name not in kind.model_fields or not rules.is_secret(kind, name)
        },
    }


FACTS: dict[str, Any] = {
    "name": "",
    "address": "",
    "language": "en",
    "queue_id": "",
    "hours_id": "",
    "answer_line_id": "",
    "per_minute": 120,
    "acknowledges": True,
    "flow": "",
}


def values_of(kind: type[LineSettings], row: Row | None) -> dict[str, Any]:
    """What stands in the form of a line, or of a new one: its facts, and its settings without secrets."""
    defaults = {key: field.default for key, field in kind.model_fields.items()}
    if row is None:
        return {**defaults, **FACTS}
    return {**defaults, **row.settings, **{key: "" if (fact := getattr(row, key)) is None else fact for key in FACTS}}


def where_it_goes(form: Typed) -> dict[str, Any]:
    """The facts of a line that say what becomes of what comes in."""
    return {
        "language": form.one_of("language", LIKELY, "en"),
        "queue_id": form.id("queue_id"),
        "hours_id": form.id("hours_id"),
        "answer_line_id": form.id("answer_line_id"),
        "acknowledges": form.yes("acknowledges"),
        "flow": form.text("flow", longest=40),
    }


def said_of(kind: type[LineSettings], values: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a line's plain settings say, as pairs of words under the heading of their group: those that mean something, and
    are neither secret nor empty."""
    found: dict[str, list[tuple[str, str]]] = {}
    for group in fields_of(kind):
        for one in group["plain"]:
            name, _sign, wanted = one["when"].partition("=")
            value = values.get(one["name"])
            if one["secret"] or value in ("", None) or one["looks"] == "yes" or (name and values.get(name) != wanted):
                continue
            words = dict(one["options"]).get(value, str(value))
            found.setdefault(group["title"], []).append((one["label"], words))
    return list(found.items())
