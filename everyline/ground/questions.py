"""Questions that an admin writes as lines of text: how they are read, and what counts as an answer to each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import blake2b
from typing import Literal

from everyline.ground import addresses
from everyline.ground.words import _

LONGEST_LABEL = 200  # characters

Fault = Literal["missing", "too long", "choice", "yes/no", "date", "number", "mailbox"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, with the words of the admin who asks it."""

    label: str
    kind: str
    required: bool
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its answer is sent under: the same as long as its label is, wherever it stands."""
        if self.kind in ("name", "mailbox"):  # of a person there is one
            return self.kind
        return "q-" + blake2b(self.label.encode(), digest_size=5).hexdigest()

    @property
    def options(self) -> list[tuple[str, str]]:
        """The choices as a control takes them: value and words."""
        return [(choice, choice) for choice in self.choices]


@cache
def read_questions(text: str, kinds: tuple[str, ...], most: int) -> tuple[Question, ...]:
    """At most ``most`` questions of these kinds, one a line: ``label | kind | required | choices``, the last three may be
    left out. The kinds ``name`` and ``mailbox`` ask for who writes, and can be asked for once.

    Raises ValueError with the number of the line that cannot be read.
    """
    found: list[Question] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(_question(line, kinds))
            except ValueError as error:
                raise ValueError(_("line %(number)s: %(reason)s") % {"number": number, "reason": error}) from error
            if found[-1].name in {other.name for other in found[:-1]}:
                raise ValueError(_("line %s: this question is asked twice") % number)
    if len(found) > most:
        raise ValueError(_("more than %s questions") % most)
    return tuple(found)


def _question(line: str, kinds: tuple[str, ...]) -> Question:
    parts = [" ".join(part.split()) for part in line.replace("\0", "").split("|")]
    label, kind, required, choices, *more = [*parts, *[""] * (4 - len(parts))]
    kind, required = kind.lower() or "text", required.lower()
    if not label or len(label) > LONGEST_LABEL:
        raise ValueError(_("the label is missing or too long"))
    if more:
        raise ValueError(_("there are more than four parts"))
    if kind not in kinds:
        raise ValueError(_("%(kind)s is no kind; there are: %(kinds)s") % {"kind": kind, "kinds": ", ".join(kinds)})
    if required not in ("", "required", "optional"):
        raise ValueError(_("the third part is required, optional or empty"))
    offered = tuple(dict.fromkeys(one.strip() for one in choices.split(";") if one.strip()))
    if (kind == "choice") != bool(offered):
        raise ValueError(_("a choice needs choices, separated by semicolons, and nothing else has any"))
    return Question(label, kind, required == "required", offered)


def fault_of(question: Question, answer: str, longest: Mapping[str, int]) -> Fault | None:
    """What is wrong with an answer; None when nothing is. ``longest``: the most characters of an answer to each kind."""
    if not answer:
        return "missing" if question.required else None
    if len(answer) > longest[question.kind]:
        return "too long"
    match question.kind:
        case "choice":
            return None if answer in question.choices else "choice"
        case "yes/no":
            return None if answer in ("yes", "no") else "yes/no"
        case "date":
            return None if _is_date(answer) else "date"
        case "number":
            return None if _is_number(answer) else "number"
        case "mailbox":
            return None if _is_mailbox(answer) else "mailbox"
    return None


def _is_mailbox(answer: str) -> bool:
    try:
        return bool(addresses.normal_mailbox(answer))
    except ValueError:
        return False


def _is_date(answer: str) -> bool:
    try:
        return date.fromisoformat(answer).isoformat() == answer
    except ValueError:
        return False


def _is_number(answer: str) -> bool:
    digits = answer.removeprefix("-").replace("," if "," in answer else ".", "", 1)
    return digits.isascii() and digits.isdecimal()
