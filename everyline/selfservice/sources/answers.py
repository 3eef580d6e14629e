"""What comes of asking a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from everyline.selfservice.slots import Kind, Value

MOST_SEEN = 1500  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """There is a record; its values by the names of the fields."""

    slots: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is none."""


@dataclass(frozen=True, slots=True)
class Down:
    """Nobody knows whether there is one. ``reason`` is for logs and for those who set up, never for customers."""

    reason: str


Result: TypeAlias = Found | Missing | Down


class Step(StrEnum):
    """How far somebody got."""

    VALUES = "values"  # what it is to be asked with
    REACH = "reach"  # the other side is there, and listens
    ANSWER = "answer"  # it answers what was asked
    FIELDS = "fields"  # the answer has the fields


class Trouble(Exception):
    """It went no further. ``seen``: what came back, if anything did. ``counts``: the source is at fault, and not only what it was
    asked with or has on this one record."""

    def __init__(self, step: Step, reason: str, *, seen: str = "", counts: bool = True) -> None:
        super().__init__(reason)
        self.step, self.reason, self.seen, self.counts = step, reason, seen, counts


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. ``cells``: by field, as they came; None: there is no record."""

    cells: Mapping[str, object] | None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """A source asked by whoever sets it up: what came of it, at which step it ended, what came back, and how long it took."""

    result: Result
    step: Step
    seen: str = ""
    milliseconds: int = 0
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """What came back, without what nobody may see."""
        return masked(self.seen, self.secrets)


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without these."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "••••")
    return text[:MOST_SEEN]


def secret_values(values: Mapping[str, Value]) -> list[str]:
    """Those of the values that nobody may see."""
    return [one.value for one in values.values() if one.kind is Kind.SECRET and one.value]
