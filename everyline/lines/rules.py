"""What belongs in the open and what under lock. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from everyline.channel_contract import LineSettings


def is_secret(settings: type[LineSettings], name: str) -> bool:
    """Is this field kept encrypted and never shown?"""
    extra = settings.model_fields[name].json_schema_extra
    return isinstance(extra, Mapping) and bool(extra.get("secret"))


def split(values: LineSettings) -> tuple[dict[str, Any], str]:
    """The settings that may be seen, and the JSON of those that must be locked."""
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for name, value in values.model_dump(mode="json").items():
        (secret if is_secret(type(values), name) else plain)[name] = value
    return plain, json.dumps({name: value for name, value in secret.items() if value})


def keep_unseen(kind: type[LineSettings], given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A form never shows a secret: one left empty stays as it was."""
    return {
        name: before.get(name, value) if is_secret(kind, name) and value in ("", None) else value
        for name, value in given.items()
        if name in kind.model_fields
    }
