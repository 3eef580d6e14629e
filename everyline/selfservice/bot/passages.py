"""The passage of an article that answers a question: sentences compared with what was asked. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from everyline.ground.spoken import plain

LONGEST = 420  # characters of a passage
MOST = 60  # passages of an article that are looked at
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[\"'“(¿¡]?[^\W_a-z])")
_STOP = frozenset(
    plain(
        """
        a an and are as at be by can could do does for from have how i in is it may me my of on or our please should so tell than that
        the their there they this to us was we what when where which who why will with would you your if not no about get got need
        want long much many take takes
        de la el los las un una y o que en es por para con mi su se lo al del como cuando donde cual quien hay puedo debo tengo quiero
        tiempo tarda
        der die das ein eine einen einem und oder ist sind ich sie wir mein meine wie was wann wo wer kann muss darf für von mit zu auf
        im am den dem des es gibt lange dauert viel
        le les une et ou est je mon ma mes comment quand quel quelle peut dois pour avec sur du au combien temps
        toi cua la va co khong the nao gi khi o dau cho voi mot
        """
    ).split()
)
_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|lunes|martes|miércoles|jueves|viernes|sábados?|domingos?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
)
_MONTHS = r"january|february|march|april|may|june|july|august|september|october|november|december"
# what a question wants to know, and how that looks where it is told
_WANTS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked), re.compile(told, re.IGNORECASE))
    for asked, told in (
        (
            r"\b(?:how much|costs?|price|fee|charge|cuanto (?:cuesta|vale|cobran)|precio|costo|was kostet|wie viel|gebuhr|preis|combien|prix)\b",
            r"[$€£]\s?\d|\d\s?(?:dollars?|euros?|€)|\bfree\b|\bgratis\b|kostenlos|gratuit",
        ),
        (
            r"\b(?:when|what time|which day|what day|deadline|hours|open|cuando|a que hora|que dia|horario|wann|uhrzeit|um wie viel uhr|quand"
            r"|quelle heure|saturdays?|sundays?|weekends?)\b",
            rf"\d\s?(?:am|pm|a\.m|p\.m|uhr|h\b)|\b\d{{1,2}}:\d\d|\b(?:{_DAYS}|{_MONTHS})\b|\bdays?\b|\bdías?\b|\btage?\b",
        ),
        (
            r"\b(?:where|which office|what address|donde|direccion|wo|wohin|adresse|ou)\b",
            r"\b\d{1,5} (?:\w+ ){1,3}(?:street|st|road|avenue|way|lane|drive)\b|\b(?:counter|online|office|ventanilla|oficina)\b",
        ),
        (
            r"\b(?:how long|how many|cuanto tiempo|cuantos|cuantas|wie lange|wie viele|combien de)\b",
            r"\d|\b(?:one|two|three|four|five|six|ten|weeks?|days?|hours?|minutes?|semanas?|días?|wochen?|tage)\b",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences that stand together, under their heading. ``share`` is how much of what was asked they hold (0 to 1)."""

    words: str
    heading: str
    share: float = 0.0
    score: float = 0.0


def stems(words: str) -> list[str]:
    """What words say, cut short so that forms of one word are alike."""
    return [word if len(word) <= 4 else word[: max(4, min(6, len(word) - 2))] for word in content(words)]


def content(words: str) -> list[str]:
    """The words that say something."""
    return [
        word
        for word in plain(words).replace("'", " ").split()
        if word not in _STOP and (len(word) > 1 or word.isdigit())
    ]


def split(summary: str, plain_text: str) -> list[Passage]:
    """The passages of an article: its summary, then sentences two by two; a short line without an end is a heading."""
    found = [Passage(summary, "")] if summary else []
    heading = ""
    for line in plain_text.split("\n"):
        text = line.strip()
        if not text:
            continue
        if len(text) <= 70 and text[-1] not in ".!:;…" and len(text.split()) <= 10 and ", " not in text:
            heading = text
            continue
        sentences = _SENTENCE.split(text)
        for at, sentence in enumerate(sentences):
            pair = " ".join(sentences[at : at + 2])
            found.append(Passage((pair if len(pair) <= LONGEST else sentence)[:LONGEST], heading))
    return found[:MOST]


def ranked(asked: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages by how much they say of what was asked, best first."""
    terms = list(dict.fromkeys(stems(asked)))
    held = [set(stems(f"{one.words} {one.heading}")) for one in passages]
    counts = Counter(stem for one in held for stem in one)
    weight = {term: math.log(1 + (len(passages) + 1) / (counts[term] + 0.5)) for term in terms}
    whole = sum(weight.values()) or 1.0
    wants = [told for question, told in _WANTS if question.search(plain(asked))]
    found = []
    for at, (one, mine) in enumerate(zip(passages, held, strict=True)):
        own = set(stems(one.words))
        share = sum(weight[term] * (1.0 if term in own else 0.6) for term in terms if term in mine) / whole
        fits = any(told.search(one.words) for told in wants)
        score = share + (0.25 if fits else 0.0) + (0.08 if at == 0 else 0.0) - (0.15 if len(one.words) < 25 else 0.0)
        found.append(Passage(one.words, one.heading, round(share, 4), round(score, 4)))
    return sorted(found, key=lambda one: -one.score)


def overlap(words: str, others: Iterable[str]) -> float:
    """The share of what words say that stands in others."""
    mine = stems(words)
    known = set(stems(" ".join(others)))
    return sum(stem in known for stem in mine) / len(mine) if mine else 1.0
