"""What was said before, as far as the next words need it: small, and kept by whoever talks to the customer. Pure.

A context that comes back is theirs to have changed: what it names is looked up with the rights of who asks, like anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from everyline.ground.spoken import no_words, plain, yes_words
from everyline.ground.words import _
from everyline.selfservice.bot.passages import content
from everyline.selfservice.bot.replies import Choice, Target

FORM = 1
LONGEST = 200  # characters of what was asked
_GOES_ON = re.compile(
    r"^(?:and|also|or|but|so|what about|how about|what if|y|pero|o|que hay de|que pasa con|und|oder|aber|auch|was ist mit|wie ist es mit"
    r"|et|ou|mais|qu'en est il|con|the con|vay con)(?:\s|$)"
)
_REFERS = re.compile(
    r"(?<!\S)(?:it|that|this|there|they|them|those|one|eso|esto|ello|alli|das|dies|dort|es|davon|dafur|ca|cela|y|do|no|cai do)(?!\S)"
)


@dataclass(frozen=True, slots=True)
class Before:
    """The turn before. ``article_id`` is what was talked about; ``offered``: a person was."""

    article_id: int | None = None
    title: str = ""
    asked: str = ""
    offered: bool = False
    unsure: int = 0  # times in a row
    choices: tuple[Choice, ...] = ()
    language: str = ""
    question_id: int | None = None  # the answer of which it was asked whether it helped

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "form": FORM,
            "article_id": self.article_id,
            "title": self.title[:LONGEST],
            "asked": self.asked[:LONGEST],
            "offered": self.offered,
            "unsure": self.unsure,
            "choices": [[one.words[:LONGEST], str(one.target), one.name] for one in self.choices],
            "language": self.language,
            "question_id": self.question_id,
        }


def read(context: Mapping[str, Any]) -> Before:
    """What came back; nothing when it is not of our making."""
    try:
        if context.get("form") != FORM:
            return Before()
        article_id = context.get("article_id")
        return Before(
            _id(article_id),
            str(context.get("title", ""))[:LONGEST],
            str(context.get("asked", ""))[:LONGEST],
            context.get("offered") is True,
            min(max(int(context.get("unsure", 0)), 0), 9),
            tuple(
                Choice(str(words)[:LONGEST], Target(target), str(name)[:LONGEST])
                for words, target, name in list(context.get("choices", ()))[:5]
            ),
            str(context.get("language", ""))[:12],
            _id(context.get("question_id")),
        )
    except (TypeError, ValueError, AttributeError):
        return Before()


def _id(found: Any) -> int | None:
    return found if isinstance(found, int) and 0 < found < 2**62 else None


def helped(said: str, before: Before) -> bool | None:
    """The answer to whether the answer before helped; None when it was not asked, or more is said than yes or no."""
    if before.question_id is None:
        return None
    words = plain(said)
    if words in {plain(one) for one in (*yes_words(), _("Yes"))}:
        return True
    return False if words in {plain(one) for one in (*no_words(), _("No"))} else None


def goes_on(said: str) -> bool:
    """Do these words need those before them: "and on Saturdays?", "how much is it?" """
    words = plain(said)
    many = len(words.split())
    if _GOES_ON.match(words):
        return many <= 9
    told = content(said)
    return many <= 7 and (not told or (len(told) <= 2 and _REFERS.search(words) is not None))


def without_lead(said: str) -> str:
    """The words without "and what about"."""
    return _GOES_ON.sub("", plain(said)).strip()


def options(choices: Sequence[Choice]) -> list[tuple[str, list[str]]]:
    """Choices as ``slots.chosen`` takes them."""
    return [(str(at), [one.words]) for at, one in enumerate(choices)]
