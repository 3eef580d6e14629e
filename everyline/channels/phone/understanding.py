"""What spoken words mean as the answer to a turn. Pure, and in the language spoken now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from everyline.channels.phone.asked import Asked
from everyline.ground import aloud
from everyline.ground.spoken import Reserved, chosen, no_words, plain, reserved, yes_words
from everyline.ground.words import language

IN_DIGITS = frozenset({"digits", "account", "phone"})  # what is said digit by digit, and read back
SHORT = 8  # words of a yes or a no with something around it
BARE = 4  # the same where more words are a question
TELLING = 4  # letters of a word that tells one option from others
MOST_LIKELY = 60  # words
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "vi": ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"),
}
# what else is said for a digit, or written by what hears it
_OTHERS: Mapping[str, Mapping[str, str]] = {
    "en": {"oh": "0", "o": "0", "nought": "0", "won": "1", "to": "2", "too": "2", "for": "4", "ate": "8", "niner": "9"},
    "es": {"un": "1", "una": "1"},
    "de": {"ein": "1", "zwo": "2", "fuenf": "5"},
    "fr": {"une": "1"},
    "vi": {"linh": "0", "le": "0", "mốt": "1", "tư": "4", "lăm": "5", "nhăm": "5", "bẩy": "7"},
}
_TWICE = {"en": ("double",), "es": ("doble",), "de": ("doppel",), "fr": ("double",), "vi": ()}


@dataclass(frozen=True, slots=True)
class Key:
    """The same as this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Digits:
    """The same as these, keyed."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """An answer for the flow to read."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is no answer here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A person is wanted, or the same once more."""

    person: bool


Meant: TypeAlias = Key | Digits | Words | Wish | Nothing


def understood(asked: Asked, text: str, *, sure: bool, confirming: bool = False) -> Meant:
    """What is meant. ``sure``: was it heard well? ``confirming``: whether what was understood before is right."""
    wish, bare = reserved(text)
    if wish is Reserved.PERSON and asked.person:
        return Wish(person=True)
    if wish is Reserved.AGAIN and asked.again:
        return Wish(person=False)
    if confirming:
        return _agreed(bare, {"yes": "1", "no": "2"})
    if asked.speech:
        found = _option(asked, bare, sure=sure)
        if not isinstance(found, Nothing) or not asked.listens:
            return found
    return _answer(asked, bare) if sure or asked.listens in IN_DIGITS else Nothing()


def likely(asked: Asked, *, confirming: bool = False) -> tuple[str, ...]:
    """Words that may come: what hears them is more often right when it knows them."""
    numbers = _NUMBERS.get(language(), _NUMBERS["en"])
    found: list[str] = []
    if confirming:
        found += [yes_words()[0], no_words()[0]]
    elif asked.speech:
        found += [label.rstrip(".") for label, _name in asked.speech]
        found += numbers[1 : len(asked.options) + 1]
    elif asked.listens in IN_DIGITS:
        found += numbers
    return tuple(found)[:MOST_LIKELY]


def spoken_digits(text: str) -> str | None:
    """Digits that were said one by one, or written so by what heard them; None when anything else was said."""
    spoken = language() if language() in _NUMBERS else "en"
    values = {plain(word): str(n) for n, word in enumerate(_NUMBERS[spoken])}
    values |= {plain(word): digit for word, digit in _OTHERS[spoken].items()}
    found, times = "", 1
    for word in plain(re.sub(r"(?<=\d)[,.\-/](?=\d)", " ", text)).split():
        if word in _TWICE[spoken]:
            times = 2
            continue
        digits = word if word.isdecimal() else values.get(word)
        if digits is None:
            return None
        found, times = found + digits * times, 1
    return found or None


def _agreed(text: str, means: Mapping[str, str]) -> Meant:
    words = plain(text).split()
    if len(words) > SHORT:
        return Nothing()
    said = f" {' '.join(words)} "
    for name, ways in (("no", no_words()), ("yes", yes_words())):  # "that is not right" is no
        if name in means and any(f" {plain(way)} " in said for way in ways):
            return Key(means[name])
    return Nothing()


def _option(asked: Asked, text: str, *, sure: bool) -> Meant:
    """By the whole label, its key, or a word that stands in this label alone; of what was not heard well only the first."""
    keys = {name: key for key, name in asked.names.items()}
    if set(keys) == {"yes", "no"}:
        return _agreed(text, keys)
    anything = asked.listens == "text"  # what is no option is taken as it is said
    if anything and len(text.split()) <= BARE and (meant := _agreement(keys)):
        agreed = _agreed(text, meant)
        if not isinstance(agreed, Nothing):
            return agreed
    digit = spoken_digits(text) or (None if anything else spoken_digits(text.rpartition(" ")[2]))
    if digit in asked.options:
        return Key(str(digit)) if sure or spoken_digits(text) else Nothing()
    found = _labelled(asked, text) if sure else _whole(asked, text)
    if not found:
        return Nothing()
    key = keys.get(found)
    return Key(key) if key is not None else Words(next(label for label, name in asked.speech if name == found))


def _agreement(keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of yes and no, where the options are these two in whatever words; else nothing."""
    ways = {"yes": {plain(one) for one in yes_words()}, "no": {plain(one) for one in no_words()}}
    found = {name: key for option, key in keys.items() for name, words in ways.items() if plain(option) in words}
    return found if len(found) == len(keys) == len(ways) else {}


def _whole(asked: Asked, text: str) -> str:
    return next((name for label, name in asked.speech if plain(label) == plain(text)), "")


def _labelled(asked: Asked, text: str) -> str:
    options: dict[str, list[str]] = {}
    for label, name in asked.speech:
        options.setdefault(name, []).append(label)
    if not any(map(str.isdecimal, text)) and (found := chosen(text, list(options.items()))) is not None:
        return found
    said = {word for word in plain(text).split() if len(word) >= TELLING}
    hits = {name for name, labels in options.items() if said & set(plain(" ".join(labels)).split())}
    return hits.pop() if len(hits) == 1 else ""


def _answer(asked: Asked, text: str) -> Meant:
    if asked.listens in IN_DIGITS:
        digits = spoken_digits(text)
        return Digits(digits) if digits else Nothing()
    if asked.listens == "money":
        amount = _amount(text, aloud.decimals(asked.unit))
        return Digits(amount) if amount else Nothing()
    if asked.listens and asked.listens not in ("choice", "yes_no", "secret"):
        return Words(text.strip(" .") if asked.listens != "text" else text)
    return Nothing()


def _amount(text: str, decimals: int) -> str:
    """In the smallest unit, as it is keyed: "$12.50", "12 dollars and 50 cents"."""
    numbers: list[str] = re.findall(r"\d+", re.sub(r"(?<=\d)[,.](?=\d{3}\b)", "", text)) or [spoken_digits(text) or ""]
    if not numbers or len(numbers) > 1 + bool(decimals) or (len(numbers) == 2 and len(numbers[1]) != decimals):
        return ""
    return (numbers[0] + (numbers[1] if len(numbers) == 2 else "0" * decimals)).lstrip("0")
