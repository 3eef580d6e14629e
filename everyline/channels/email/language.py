"""Which language a text is written in, when nobody says. Not called while reading mail: it costs more than that."""

from __future__ import annotations

ENOUGH = 20  # letters; of less nothing can be told
MOST = 2000  # characters; more does not make it surer


def language_of(text: str) -> str:
    """ISO 639-1, empty when there is too little to tell."""
    sample = text[:MOST]
    if sum(1 for character in sample if character.isalpha()) < ENOUGH:
        return ""
    import py3langid

    found, _score = py3langid.classify(sample)
    return str(found)
