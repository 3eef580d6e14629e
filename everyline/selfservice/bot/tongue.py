"""Which of the house's languages somebody writes in."""

from __future__ import annotations

from collections.abc import Sequence

from everyline.ground.languages import detect, likeliest
from everyline.ground.words import languages as house_languages

FEW_LETTERS = 10  # below that the language of before is as good a guess
FEW_WORDS = 2
SURE = 0.75


def spoken(said: str, before: str, languages: Sequence[str]) -> tuple[str, str]:
    """The language to answer in, and the one it is written in when that is none of ours (else empty). ``before``: that was
    spoken so far; short words say nothing against it."""
    ours = [one for one in (languages or house_languages()) if one in house_languages()] or ["en"]
    before = before.split("-")[0]
    usual = before if before in ours else ours[0]
    letters = sum(map(str.isalpha, said))
    if letters < FEW_LETTERS or len(said.split()) < FEW_WORDS:
        return usual, ""
    language, likely = likeliest(said, ours)
    elsewhere = detect(said)
    if elsewhere and elsewhere not in ours and letters >= 2 * FEW_LETTERS and _foreign(said, elsewhere, ours):
        return usual, elsewhere
    return (language if likely >= SURE else usual), ""


def _foreign(said: str, elsewhere: str, ours: Sequence[str]) -> bool:
    """Is it far likelier in that language than in any of ours?"""
    language, likely = likeliest(said, [*ours, elsewhere])
    return language == elsewhere and likely >= 0.97
