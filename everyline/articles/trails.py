"""The way somebody has gone through a guide: which choice at each step, as an address carries it (``0.2.1``). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from everyline.articles.rendering import Step
from everyline.ground.errors import NotFound
from everyline.ground.words import _

LONGEST = 40  # steps; a guide may lead back to where one was
LONGEST_WORDS = 300  # characters of what is carried along
_WAY = re.compile(r"\d{1,2}(?:\.\d{1,2})*")


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was answered: with which words, and the way that leads back to it."""

    title: str
    words: str
    back: str


@dataclass(frozen=True, slots=True)
class Trail:
    """How far somebody has come."""

    taken: tuple[Taken, ...]
    step: Step | None  # where they stand; none in an article that is no guide
    way: str

    def on(self, number: int) -> str:
        """The way with a further choice."""
        return f"{self.way}.{number}" if self.way else str(number)


def walked(steps: Sequence[Step], way: str) -> Trail:
    """The trail of a way. NotFound when the guide does not lead along it."""
    if not steps:
        if way:
            raise NotFound(_("There is nothing at this address."))
        return Trail((), None, "")
    if way and (len(way) > 3 * LONGEST or not _WAY.fullmatch(way)):
        raise NotFound(_("There is nothing at this address."))
    by_name = {step.name: step for step in steps}
    numbers = [int(one) for one in way.split(".")] if way else []
    step, taken = steps[0], []
    for at, number in enumerate(numbers[:LONGEST]):
        following = by_name.get(step.choices[number].to) if number < len(step.choices) else None
        if following is None:
            raise NotFound(_("There is nothing at this address."))
        taken.append(Taken(step.title, step.choices[number].words, ".".join(map(str, numbers[:at]))))
        step = following
    return Trail(tuple(taken), step, ".".join(map(str, numbers[:LONGEST])))


def in_words(title: str, trail: Trail) -> str:
    """What somebody has read and answered, for those whom they ask next."""
    said = [title, *(f"{one.title} {one.words}" for one in trail.taken)]
    return " · ".join(said)[:LONGEST_WORDS]
