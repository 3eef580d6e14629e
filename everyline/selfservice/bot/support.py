"""Is what a language model wrote in its sources? Pure.

Numbers, amounts, dates, web addresses, mailboxes and names that the sources do not have refuse the whole; so does a sentence of
which too little is in them. It refuses too much rather than too little: the extracted passage is there in its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from everyline.ground.spoken import plain
from everyline.selfservice.bot.passages import content, overlap, stems

LEAST = 0.6  # share of a sentence that the sources must hold
LONGEST = 1200  # characters
TO_THE_POINT = 0.25  # share that an answer has of the question or the passage, and they of it
_URL = re.compile(
    r"(?:https?://|www\.)[^\s)>\]\"']+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|io|info|example|biz|de|fr|es|us|eu)\b(?:/\S*)?",
    re.IGNORECASE,
)
_MAILBOX = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.,;]+")
_NUMBER = re.compile(r"\d+(?:[.,:/\-\s]?\d+)*")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_NAMED = re.compile(r"(?<![.!?:…\n\"“(*-] )(?<!^)(?<=\s)[“\"(]?([A-ZÀ-ÖØ-Þ][\w'’-]+)")
_WORDED = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
    "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000",
    "uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7", "ocho": "8", "nueve": "9", "diez": "10",
    "zwei": "2", "drei": "3", "vier": "4", "funf": "5", "sechs": "6", "sieben": "7", "acht": "8", "neun": "9", "zehn": "10",
    "deux": "2", "trois": "3", "quatre": "4", "cinq": "5", "sept": "7", "huit": "8", "neuf": "9", "dix": "10",
}  # fmt: skip
_FREE = frozenset({"i", "we", "you", "please", "hello", "sorry", "yes", "no", "usted", "sie", "ihr", "ihre", "vous"})


def invented(words: str, sources: Sequence[str]) -> list[str]:
    """Numbers and addresses that the sources do not hold, in whichever language they are; and a length that is none."""
    every = "\n".join(sources)
    found = []
    if not words.strip() or len(words) > LONGEST:
        found.append("length")
    for pattern in (_URL, _MAILBOX):
        found += [one for one in pattern.findall(words) if one.rstrip(".,;:").casefold() not in every.casefold()]
    return found + sorted(_numbers(words) - _numbers(every))


def unsupported(words: str, sources: Sequence[str], language: str = "en", *, least: float = LEAST) -> list[str]:
    """What the sources do not hold, for the log; empty: all of it stands in them. ``least``: the share of a sentence."""
    every = "\n".join(sources)
    known_plain = f" {plain(every)} "
    found = invented(words, sources)
    if language != "de":  # where every noun has a capital it says nothing
        known = set(known_plain.split())
        for name in _NAMED.findall(words):
            if not set(plain(name).split()) <= known | _FREE:
                found.append(name)
    known_stems = set(stems(every))
    for sentence in _SENTENCE.split(words):
        said = stems(sentence)
        if len(content(sentence)) >= 3 and sum(one in known_stems for one in said) / len(said) < least:
            found.append(sentence)
    return found


def to_the_point(words: str, wanted: Sequence[str]) -> bool:
    """Does it speak of what was asked, or of what was found? An order that stands in an article is in the sources as well."""
    return any(overlap(one, [words]) >= TO_THE_POINT for one in wanted) and overlap(words, wanted) >= TO_THE_POINT


def _numbers(words: str) -> set[str]:
    """The numbers of a text in digits, also those that are written as words."""
    found = {re.sub(r"[\s,]", "", one).strip(".:/-") for one in _NUMBER.findall(words)}
    split = {piece for one in found for piece in re.split(r"[.:/\-]", one)}
    return found | split | {_WORDED[word] for word in plain(words).split() if word in _WORDED}


def changed(before: str, after: str) -> list[str]:
    """Numbers and addresses that a rewording or a translation has lost or made up."""
    lost = _exact(before) ^ _exact(after)
    return sorted(lost)


def _exact(words: str) -> set[str]:
    digits = {re.sub(r"\D", "", one) for one in _NUMBER.findall(words)}
    return digits | {one.rstrip(".,;:").casefold() for pattern in (_URL, _MAILBOX) for one in pattern.findall(words)}
