"""What all renderings share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from everyline.articles.wordings import Wording, made
from everyline.ground.words import speaking
from everyline.selfservice.putting import Put, filled
from everyline.selfservice.walking import Asks, Turn, Utterance


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a turn is given."""

    language: str = "en"
    brand: str = ""  # who speaks, where the wire does not say it
    link: str = ""  # where the run goes on in a browser
    code: str = ""  # voice: the same, typed on the website
    listens: bool = False  # voice: is what is said understood?
    key_first: bool = False  # voice: "press 1 for bills" rather than "for bills, press 1"
    in_turns: bool = True  # typed: each waits for GA; False where both can type at once


class Rendered(Protocol):
    """A turn as it is given."""

    @property
    def patience(self) -> float | None:
        """Seconds until nothing said counts as an answer; None: there is no clock, or nothing is asked."""

    def as_text(self) -> str:
        """What somebody reads or hears, line by line."""


class Rendering(Protocol):
    """A way of giving turns: a module of this package."""

    def render(self, turn: Turn, setting: Setting) -> Rendered:
        """A turn as it is given there."""


def worded(one: Utterance, kinds: Sequence[Wording], put: Put) -> str:
    """An utterance in the first of the wordings that it has, made of the full one when it has none of them."""
    for kind in kinds:
        if text := one.words.get(kind):
            return filled(text, one.slots, put)
    text = filled(one.words.get(Wording.FULL, next(iter(one.words.values()), "")), one.slots, put)
    return made(kinds[0], "", "", text) if kinds and kinds[0] is Wording.SPOKEN else text


def all_worded(turn: Turn, setting: Setting, kinds: Sequence[Wording], put: Put) -> list[str]:
    """All that is told in a turn."""
    with speaking(setting.language):
        return [text for one in turn.told if (text := worded(one, kinds, put).strip())]


def labels(asks: Asks, kinds: Sequence[Wording]) -> list[tuple[str, str]]:
    """The options with their words."""
    return [(one.name, worded(Utterance(asks.step, one.words), kinds, str)) for one in asks.options]


def offering(turn: Turn) -> Utterance | None:
    """The newest of what is told that has answers which need not be typed."""
    return next((one for one in reversed(turn.told) if one.offers), None)


def lines(parts: Iterable[str]) -> str:
    """One under the other."""
    return "\n".join(part for part in parts if part)
