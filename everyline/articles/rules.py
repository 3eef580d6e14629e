"""What may happen to an article, and how good a set of articles is. Pure."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

LONGEST_TITLE = 200  # characters
LONGEST_SUMMARY = 500
LONGEST_TEXT = 100_000
LONGEST_WORDS = 300  # of a search
LONGEST_REMARK = 2000
MOST_QUESTIONS = 40
MANY_LINES = 2000  # beyond, lines that come often do not anchor a comparison: it would take minutes
LARGEST_FILE = 100 * 1024 * 1024  # bytes; a clip of some minutes


class Kind(StrEnum):
    """What form an article has."""

    ANSWER = "answer"
    GUIDE = "guide"  # asks and branches, see guides
    NEWS = "news"


class Audience(StrEnum):
    """Who may read it. Each sees what those before it see."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    AGENTS = "agents"


class State(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    IN_REVIEW = "in review"
    PUBLISHED = "published"
    PAST = "past"


# the stemmers that PostgreSQL has, by language (ISO 639-1); what has none is searched by whole words
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def configuration(language: str) -> str:
    """The text search configuration of a language."""
    return f"article_{STEMMERS.get(language.split('-')[0], 'simple')}"


OPEN = (State.DRAFT, State.IN_REVIEW)


def seen_by(audience: str) -> list[str]:
    """The audiences whose articles one of this audience may read."""
    order = list(Audience)
    return [str(one) for one in order[: order.index(Audience(audience)) + 1]]


def slug(title: str, fallback: str = "article") -> str:
    """A title as a part of an address: letters and digits without accents, in lower case; at most 80 characters."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", title) if not unicodedata.combining(one))
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", bare).lower())
    kept = ""
    for word in words:
        if len(kept) + len(word) >= 80:
            break
        kept = f"{kept}-{word}" if kept else word
    return kept or (words[0][:80] if words else fallback)


def tidy(words: Iterable[str]) -> list[str]:
    """Tags and products as they are kept: trimmed, in lower case, each once."""
    return sorted({" ".join(word.split()).lower()[:50] for word in words if word.strip()})


def under_itself(category_id: int, parent_id: int | None, parents: Mapping[int, int | None]) -> bool:
    """Would a category stand in itself, were it moved below ``parent_id``?"""
    seen: set[int] = set()
    while parent_id is not None and parent_id not in seen:
        if parent_id == category_id:
            return True
        seen.add(parent_id)
        parent_id = parents.get(parent_id)
    return False


class Translation(StrEnum):
    """How a language of an article stands to the one it was written in."""

    SOURCE = "source"
    CURRENT = "current"
    BEHIND = "behind"  # the source has moved on since
    BEGUN = "begun"  # there is only a draft
    MISSING = "missing"


def translation(
    language: str, source: str, source_number: int | None, translates: int | None, *, published: bool, begun: bool
) -> Translation:
    """The status of one language. ``source_number``: the source's published version; ``translates``: the one it was made of."""
    if language == source:
        return Translation.SOURCE
    if published:
        behind = source_number is not None and (translates or 0) < source_number
        return Translation.BEHIND if behind else Translation.CURRENT
    return Translation.BEGUN if begun else Translation.MISSING


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: ``same``, ``gone`` or ``new``."""

    mark: str
    text: str


def difference(before: str, after: str) -> list[Line]:
    """Two texts compared by lines."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > MANY_LINES)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found += [Line("same", line) for line in old[i1:i2]]
            continue
        found += [Line("gone", line) for line in old[i1:i2]]
        found += [Line("new", line) for line in new[j1:j2]]
    return found


_NUMBER = re.compile(r"[$€£]?\d[\d.,:/-]*\d|[$€£]?\d")
_NEGATION = re.compile(
    r"\b(?:not|no|never|cannot|can't|don't|doesn't|isn't|won't|nunca|no|nicht|kein\w*|ne|pas|jamais)\b", re.IGNORECASE
)


def contradicts(one: str, other: str) -> bool:
    """Whether two texts about the same thing may say different things: other figures in them, or one says no."""
    first, second = set(_NUMBER.findall(one)), set(_NUMBER.findall(other))
    if first and second and first != second:
        return True
    return bool(_NEGATION.search(one)) != bool(_NEGATION.search(other))


@dataclass(frozen=True, slots=True)
class Stale:
    """Why an article should be looked at again."""

    review_was_on: date | None = None  # its date has passed
    not_helped: int = 0  # of ``voted``
    voted: int = 0


STALE_VOTES = 5
STALE_SHARE = 0.5


def stale(today: date, review_on: date | None, helped: int, not_helped: int) -> Stale | None:
    """None when nothing speaks against it: its review is not overdue, and it helped half of those who said."""
    overdue = review_on if review_on is not None and review_on < today else None
    voted = helped + not_helped
    poor = voted >= STALE_VOTES and not_helped / voted > STALE_SHARE
    return Stale(overdue, not_helped, voted) if overdue or poor else None


FLAT = 20  # how little the first ranks differ; the constant of reciprocal rank fusion


def fused(rankings: Sequence[tuple[float, Sequence[tuple[int, float]]]]) -> dict[int, float]:
    """Several rankings of the same things as one: reciprocal rank fusion (Cormack, Clarke, Büttcher 2009). Each ranking has a
    weight, and each thing in it the evidence for it (0 to 1), so that a poor first place counts for less than a good one."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, (one, evidence) in enumerate(ranking, 1):
            scores[one] = scores.get(one, 0.0) + weight * evidence / (FLAT + rank)
    return scores


def rarity(articles: int, of: int) -> float:
    """How much a word says that so many articles hold: its inverse document frequency (Robertson, Spärck Jones)."""
    most = max(articles, of)
    return math.log(1 + (most - articles + 0.5) / (articles + 0.5))
