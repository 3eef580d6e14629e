"""An answer without the person it was given to, so that it can become an article. Pure.

What is known of the customer goes: names, addresses, numbers; so does whatever looks like an address or a number of somebody. What
only a reader can see (a street that is told in words, a story) stays: whoever writes the article reads it before others do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from everyline.ground.words import _

_MAILBOX = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w/.,-])\+?\d(?:[\d ()./-]{5,18})\d(?![\w/])")
_CODE = re.compile(r"(?<![\w/])(?=[A-Z\d-]*\d{4})[A-Z]{0,4}-?\d[\d-]{4,20}(?![\w/])")
_ADDRESS = re.compile(r"https?://\S+")
_GREETING = re.compile(r"\A(?:hello|hi|dear|good (?:morning|day|afternoon|evening)|hola|hallo|guten tag|bonjour)\b[^\n]{0,60}?[,!.:]\s*", re.IGNORECASE)  # fmt: skip
_SIGNS = dict.fromkeys((0xE000, 0xE001))  # stand for what is put aside
SHORTEST_NAME = 3  # letters of a part of a name that is looked for by itself


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with words in place of what told of a person, and how much that was."""

    text: str
    replaced: int


def without_person(
    text: str, name: str, addresses: Iterable[str], numbers: Sequence[str], *, guesses: bool = True
) -> Redacted:
    """The text of an answer for everybody. ``addresses``: the customer's contact points; ``numbers``: of their case.
    ``guesses``: also what only looks like somebody's; without them whoever looked it through has the last word on that."""
    text, replaced = text.translate(_SIGNS), 0
    kept: list[str] = []

    def out(pattern: str | re.Pattern[str], words: str) -> None:
        nonlocal text, replaced
        text, found = re.subn(pattern, words, text)
        replaced += found

    def put_aside(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\ue000{len(kept) - 1}\ue001"

    greeting = _GREETING.match(text) if guesses else None
    if greeting is not None:
        text, replaced = text[greeting.end() :], replaced + 1
    for address in sorted({one for one in addresses if len(one) >= SHORTEST_NAME}, key=len, reverse=True):
        out(re.compile(re.escape(address), re.IGNORECASE), _("(address)"))
    text = _ADDRESS.sub(put_aside, text)  # pages of the web tell of nobody, and hold digits
    if guesses:
        out(_MAILBOX, _("(address)"))
    for number in numbers:
        out(rf"(?<!\w){re.escape(number)}(?!\w)", _("(number)"))
    if guesses:
        out(_NUMBER, _("(number)"))
        out(_CODE, _("(number)"))
    whole = " ".join(name.split())
    parts = [whole, *(part for part in whole.split() if len(part) >= SHORTEST_NAME)] if whole else []
    for part in sorted(set(parts), key=len, reverse=True):
        out(re.compile(rf"(?<!\w){re.escape(part)}(?!\w)", re.IGNORECASE), _("(name)"))
    text = re.sub("\ue000(\\d+)\ue001", lambda match: kept[int(match[1])], text.strip())
    return Redacted(text[:1].upper() + text[1:], replaced)
