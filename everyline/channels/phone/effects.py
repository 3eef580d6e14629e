"""What is to be done in a turn by ear (``dialogue``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Play:
    """Say these, one after the other, instead of what is played now."""

    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """A key was pressed: what is played is cut off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. A secret one stands nowhere where it can be read."""

    text: str = field(repr=False)
    secret: bool = False
    said: bool = False  # and not keyed


@dataclass(frozen=True, slots=True)
class Person:
    """A person is wanted, or needed."""


@dataclass(frozen=True, slots=True)
class Record:
    """They speak now, after a tone, for as long at most; what they say is kept as it sounds, and is the answer."""

    seconds: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing led on, and nobody can help: all was said, the call can end."""


Effect: TypeAlias = Play | StopPlaying | Answer | Person | Record | GiveUp
