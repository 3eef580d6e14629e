"""Which language is this written in? (py3langid, a naive Bayes model over byte n-grams.)"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

FEW_LETTERS = 12  # below that a guess is worth nothing
SURE = 0.6  # least probability
# those that customers of an office are likely to write in: among all 97 of the model short texts are often mistaken
LIKELY = [
    "ar",
    "bg",
    "bn",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "fa",
    "fi",
    "fr",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "it",
    "ja",
    "ka",
    "km",
    "ko",
    "lo",
    "lt",
    "lv",
    "ne",
    "nl",
    "no",
    "pa",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "so",
    "sq",
    "sr",
    "sv",
    "sw",
    "ta",
    "th",
    "tl",
    "tr",
    "uk",
    "ur",
    "vi",
    "zh",
]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([language for language in LIKELY if language in identifier.nb_classes])
    return identifier


def detect(text: str) -> str:
    """ISO 639-1 code, or empty when it cannot be told."""
    if sum(map(str.isalpha, text)) < FEW_LETTERS:
        return ""
    language, probability = _identifier().classify(text)
    return str(language) if probability >= SURE else ""


def likeliest(text: str, among: Sequence[str]) -> tuple[str, float]:
    """Which of some languages it is likeliest to be, and how likely that is compared with the others."""
    shares = {language: float(share) for language, share in _identifier().rank(text) if language in among}
    whole = sum(shares.values())
    if not whole:
        return (among[0] if among else ""), 0.0
    language = max(shares, key=lambda one: shares[one])
    return language, shares[language] / whole
