"""The questions before a talk: read from the lines that an admin writes, and what counts as an answer to each kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import blake2b
from typing import Literal, get_args

from everyline.ground import addresses
from everyline.ground.words import _

Kind = Literal["text", "long text", "choice", "date", "number", "yes/no", "name", "mailbox"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_QUESTIONS = 20
LONGEST_LABEL = 200  # characters
LONGEST: dict[Kind, int] = {
    "text": 1000, "long text": 4000, "choice": 1000, "date": 10, "number": 40, "yes/no": 3, "name": 200, "mailbox": 320,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """One question, with the words of the admin who asks it."""

    label: str
    kind: Kind
    required: bool
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its answer is sent under: the same as long as its label is, wherever it stands."""
        if self.kind in ("name", "mailbox"):
            return self.kind
        return "q-" + blake2b(self.label.encode(), digest_size=5).hexdigest()


@cache
def read_questions(text: str) -> tuple[Question, ...]:
    """One question a line: ``label | kind | required | choices``, the last three may be left out.

    Raises ValueError with the number of the line that cannot be read.
    """
    found: list[Question] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(_question(line))
            except ValueError as error:
                raise ValueError(_("line %(number)s: %(reason)s") % {"number": number, "reason": error}) from error
            if found[-1].name in {other.name for other in found[:-1]}:
                raise ValueError(_("line %s: this question is asked twice") % number)
    if len(found) > MOST_QUESTIONS:
        raise ValueError(_("more than %s questions") % MOST_QUESTIONS)
    return tuple(found)


def _question(line: str) -> Question:
    parts = [" ".join(part.split()) for part in line.replace("\0", "").split("|")]
    label, kind, required, choices, *more = [*parts, *[""] * (4 - len(parts))]
    kind, required = kind.lower() or "text", required.lower()
    if not label or len(label) > LONGEST_LABEL:
        raise ValueError(_("the label is missing or too long"))
    if more:
        raise ValueError(_("there are more than four parts"))
    if kind not in KINDS:
        raise ValueError(_("%(kind)s is no kind; there are: %(kinds)s") % {"kind": kind, "kinds": ", ".join(KINDS)})
    if required not in ("", "required", "optional"):
        raise ValueError(_("the third part is required, optional or empty"))
    offered = tuple(dict.fromkeys(one.strip() for one in choices.split(";") if one.strip()))
    if (kind == "choice") != bool(offered):
        raise ValueError(_("a choice needs choices, separated by semicolons, and nothing else has any"))
    return Question(label, kind, required == "required", offered)


def fault_of(question: Question, answer: str) -> str:
    """What is wrong with an answer, in words for who gave it; empty when nothing is."""
    if not answer:
        return _("Please fill this in") if question.required else ""
    if len(answer) > LONGEST[question.kind]:
        return _("Please use at most %s characters") % LONGEST[question.kind]
    if question.kind == "choice" and answer not in question.choices:
        return _("Please choose one of those offered")
    if question.kind == "yes/no" and answer not in ("yes", "no"):
        return _("Please choose yes or no")
    if question.kind == "date" and not _is_date(answer):
        return _("A date looks like 2026-03-31")
    if question.kind == "number" and not _is_number(answer):
        return _("A number looks like 12 or 12.5")
    if question.kind == "mailbox" and not _is_mailbox(answer):
        return _("Please check your email address: it looks like name@example.org")
    return ""


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
