"""What is said to the bot and what it replies: the shapes that every channel shares. Pure.

A ``Reply`` never did anything: ``BEGIN`` and ``ERRAND`` name what whoever talks to the customer is to begin, with what was read
out of their words. ``context`` is handed back with the next ``Heard`` as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Slot, Value


class Outcome(StrEnum):
    """What a reply is."""

    ANSWER = "answer"  # words out of an article, and which one it is
    CLARIFY = "clarify"  # two or three choices
    BEGIN = "begin"  # a flow
    ERRAND = "errand"  # an errand
    SMALL_TALK = "small talk"
    UNSURE = "unsure"  # it does not know, and offers a person
    PERSON = "person"  # they asked for one
    DISTRESS = "distress"  # somebody may be in danger: a person first


class Target(StrEnum):
    """What an intent leads to."""

    ARTICLE = "article"
    FLOW = "flow"
    ERRAND = "errand"
    SMALL_TALK = "small talk"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the ways in which something may have been meant. ``target`` and ``name`` say what it is, as an intent does."""

    words: str
    target: Target
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """The article that an answer is out of, and the passage of it."""

    article_id: int
    slug: str
    title: str
    path: str  # where it stands in the portal, without brand or host
    language: str
    passage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Where something is said, and by whom.

    ``languages`` are those of the brand, its usual one first; empty: all of the house. ``category_ids``: the categories of the
    brand (``articles.queries.Reader``). ``flows`` and ``errands`` are what may be begun here, errands with their inputs; ``page``
    and ``product`` say what they look at, ``talk`` which talk it is.
    """

    who: Who = field(default_factory=Who)
    languages: tuple[str, ...] = ()
    category_ids: tuple[int, ...] = ()
    flows: frozenset[str] | None = None  # None: every one that is published
    errands: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    page: str = ""
    product: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    talk: str = ""
    trial: bool = False  # nothing of it is kept

    @property
    def audience(self) -> str:
        """Whose articles they may read: never more than what they have shown."""
        return "signed in" if self.who.shows(Level.SIGNED_IN) else "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot replies. ``words`` are for the customer, in ``language``. ``name`` is the flow or errand to begin, with
    ``slots``; ``phone`` is a number to show beside words of distress."""

    outcome: Outcome
    words: str
    language: str
    sources: tuple[Source, ...] = ()
    choices: tuple[Choice, ...] = ()
    name: str = ""
    slots: Mapping[str, Value] = field(default_factory=dict)
    phone: str = ""
    intent: str = ""
    score: float = 0.0
    worded: bool = False  # by the language model, out of the same sources
    context: Mapping[str, Any] = field(default_factory=dict)
    question_id: int | None = None  # for ``quality.verdict``
    tokens: tuple[int, int] = (0, 0)  # that a language model read and wrote for it
