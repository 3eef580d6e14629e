"""Words that mean the same to every flow, in the languages there are catalogues for: yes and no, and those that are never an
answer, because they ask for a person or belong to the wire. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache

from everyline.ground.words import language

SHORT = 100  # characters


class Reserved(StrEnum):
    """What a flow never takes for an answer."""

    PERSON = "person"  # somebody is wanted
    AGAIN = "again"  # the same once more
    STOP = "stop"  # nothing is wanted from us any more (CTIA Messaging Principles: the words that end a subscription)
    HELP = "help"
    TURN = "turn"  # it is our turn (TTY: GA)
    ENDS = "ends"  # they hang up (TTY: SK)


_YES = {
    "en": ("yes", "y", "yeah", "yep", "correct", "right", "ok", "okay", "sure", "true"),
    "es": ("sí", "si", "s", "claro", "correcto", "vale", "de acuerdo"),
    "de": ("ja", "j", "jawohl", "richtig", "stimmt", "genau"),
    "fr": ("oui", "o", "correct", "exact", "d'accord"),
    "vi": ("có", "vâng", "dạ", "đúng", "phải"),
}
_NO = {
    "en": ("no", "n", "nope", "not", "wrong", "false"),
    "es": ("no", "n", "incorrecto"),
    "de": ("nein", "n", "falsch", "nee"),
    "fr": ("non", "n", "faux"),
    "vi": ("không", "sai", "chưa"),
}
_PERSON = {
    "en": ("agent", "person", "human", "operator", "representative", "real person", "somebody", "speak to someone"),
    "es": ("agente", "persona", "operador", "operadora", "humano", "representante"),
    "de": ("mensch", "mitarbeiter", "mitarbeiterin", "person", "berater", "beraterin", "agent"),
    "fr": ("agent", "personne", "conseiller", "conseillère", "opérateur", "humain"),
    "vi": ("nhân viên", "người thật", "tổng đài viên", "tư vấn viên"),
}
_AGAIN = {
    "en": ("repeat", "again"),
    "es": ("repetir", "repita", "otra vez"),
    "de": ("wiederholen", "nochmal", "noch einmal"),
    "fr": ("répéter", "répétez", "encore une fois"),
    "vi": ("lặp lại", "nhắc lại"),
}
_STOP = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "alto", "parar", "baja", "arret", "arrêt")
_HELP = ("help", "info", "ayuda", "hilfe", "aide", "trợ giúp")
_POLITE = re.compile(
    r"^(?:(?:please|i (?:want|need|would like)(?: to)?|(?:talk|speak) (?:to|with)|can i|get me|give me|an?|the|real"
    r"|por favor|quiero(?: hablar con)?|un|una|bitte|ich (?:möchte|will)(?: mit)?|einen|einem|einer|ein|mit"
    r"|je (?:veux|voudrais)(?: parler à)?|parler à|une|s'il vous plaît|tôi muốn(?: gặp| nói chuyện với)?|gặp)\s+)+"
    r"|\s+(?:please|por favor|bitte|sprechen|s'il vous plaît)$"
)


def plain(text: str) -> str:
    """Words for comparing: without case, accents and signs."""
    return _plain(text) if len(text) <= SHORT else _plain.__wrapped__(text)


@lru_cache(maxsize=8192)  # names of ways on, and answers, are the same few words
def _plain(text: str) -> str:
    folded = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(re.sub(r"[^\w']+", " ", folded.replace("đ", "d").replace("’", "'")).split())


def yes_words() -> tuple[str, ...]:
    """Words for yes in the language spoken now, and in English."""
    return _in(_YES)


def no_words() -> tuple[str, ...]:
    """Words for no."""
    return _in(_NO)


def person_word() -> str:
    """A word by which a person is asked for, in the language spoken now."""
    return _PERSON.get(language(), _PERSON["en"])[0].capitalize()


def _in(words: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*words.get(language(), ()), *(words["en"] if language() not in words else ()))))


def reserved(text: str, *, text_messages: bool = False, typed: bool = False) -> tuple[Reserved | None, str]:
    """Whether words are reserved, and what is left of them for the flow. ``text_messages``: the words that end or explain a
    subscription belong to the wire. ``typed``: GA and SK are said by hand, at the end (ITU-T V.18, TTY etiquette)."""
    bare = text.strip()
    if typed:
        match = re.search(r"(?:^|\s)(GA|SK|SKSK|GA\s+(?:TO\s+)?SK)\s*$", bare, re.IGNORECASE)
        if match:
            ends = "sk" in match[1].casefold()
            bare = bare[: match.start()].strip()
            if not bare or ends:
                return (Reserved.ENDS if ends else Reserved.TURN), bare
    if bare == "0":
        return Reserved.PERSON, bare
    if bare == "*":
        return Reserved.AGAIN, bare
    said = plain(bare)
    if text_messages and said in _STOP:
        return Reserved.STOP, bare
    if text_messages and said in _HELP:
        return Reserved.HELP, bare
    wanted = plain(_POLITE.sub("", _POLITE.sub("", " ".join(bare.casefold().split()).strip(" .!?¡¿"))))
    if wanted in _person(language()):
        return Reserved.PERSON, bare
    if said in _again(language()):
        return Reserved.AGAIN, bare
    return None, bare


@cache
def _person(spoken: str) -> frozenset[str]:
    return frozenset(plain(one) for one in (*_PERSON.get(spoken, ()), *_PERSON["en"]))


@cache
def _again(spoken: str) -> frozenset[str]:
    return frozenset(plain(one) for one in _AGAIN.get(spoken, _AGAIN["en"]))


def chosen(text: str, options: list[tuple[str, list[str]]]) -> str | None:
    """Which of the options is meant, each with its words: by its number, a word of it, or the only one that begins so."""
    said = plain(text)
    number = re.fullmatch(r"(?:\w+ )?(\d{1,2})", said)
    if number and 1 <= int(number[1]) <= len(options):
        return options[int(number[1]) - 1][0]
    if not said:
        return None
    spoken = [(name, [plain(name), *map(plain, words)]) for name, words in options]
    for fits in (
        lambda word: word == said,
        lambda word: len(said) >= 3 and word.startswith(said),
        lambda word: len(word) >= 3 and re.search(rf"\b{re.escape(word)}\b", said) is not None,
    ):
        found = {name for name, words in spoken if any(fits(word) for word in words if word)}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None
