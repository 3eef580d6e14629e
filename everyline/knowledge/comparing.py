"""Two texts beside each other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from everyline.articles.rules import Line, difference
from everyline.articles.wordings import NAMES, WRITTEN
from everyline.ground.words import _


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of the one text and that of the other which stands in its place; none where there is none."""

    before: str | None
    after: str | None
    same: bool


def beside(lines: Sequence[Line]) -> list[Pair]:
    """A comparison by lines as two columns."""
    found: list[Pair] = []
    gone: list[str] = []
    new: list[str] = []

    def close() -> None:
        found.extend(Pair(one, other, same=False) for one, other in zip_longest(gone, new))
        gone.clear()
        new.clear()

    for line in lines:
        if line.mark == "same":
            close()
            found.append(Pair(line.text, line.text, same=True))
        else:
            (gone if line.mark == "gone" else new).append(line.text)
    close()
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an article in two versions."""

    name: str
    label: str
    before: str
    after: str
    lines: tuple[Line, ...]
    pairs: tuple[Pair, ...]

    @property
    def same(self) -> bool:
        """Is it alike in both?"""
        return self.before == self.after


def flat(content: Mapping[str, Any]) -> dict[str, str]:
    """The parts of an article as texts: title, summary, questions (one on a line), text, and each wording by its kind."""
    found = {name: str(content[name]) for name in ("title", "summary") if name in content}
    if "questions" in content:
        found["questions"] = "\n".join(content["questions"])
    if "text" in content:
        found["text"] = str(content["text"])
    if "wordings" in content:
        found |= {f"wording-{kind}": str(content["wordings"].get(kind, "")) for kind in WRITTEN}
    return found


def labels() -> dict[str, str]:
    """What the parts are called."""
    found = {"title": _("Title"), "summary": _("Summary"), "questions": _("Questions it answers"), "text": _("Text")}
    return {**found, **{f"wording-{kind}": _(NAMES[kind]) for kind in WRITTEN}}


def parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Part]:
    """What both have, part by part."""
    old, new, called = flat(before), flat(after), labels()
    found = []
    for name in old:
        if name in new:
            lines = tuple(difference(old[name], new[name]))
            found.append(Part(name, called[name], old[name], new[name], lines, tuple(beside(lines))))
    return found
