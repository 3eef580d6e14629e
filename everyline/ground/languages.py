"""Which language is this written in? (py3langid, a naive Bayes model over byte n-grams.)"""

from __future__ import annotations

from functools import cache
from typing import Any

FEW_LETTERS = 12  # below that a guess is worth nothing
SURE = 0.8  # least probability


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 -- slow import, only where words come in

    return LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)


def detect(text: str) -> str:
    """ISO 639-1 code, or empty when it cannot be told."""
    if sum(map(str.isalpha, text)) < FEW_LETTERS:
        return ""
    language, probability = _identifier().classify(text)
    return str(language) if probability >= SURE else ""
