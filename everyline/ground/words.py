"""Every string a person reads, in that person's language (GNU gettext).

``_`` translates into the language of the current task (a request, a job, a delivery), set by ``speaking``.
Message ids are the English sentences. Catalogues stand in ``everyline/locale``.
"""

from __future__ import annotations

import contextlib
import gettext
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent.parent / "locale"
SOURCE_LANGUAGE = "en"

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of one language; English where there are none."""
    return gettext.translation("everyline", LOCALE, [language], fallback=True)


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalogue, the source language first (ISO 639-1)."""
    found = {path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/everyline.mo")}
    return (SOURCE_LANGUAGE, *sorted(found - {SOURCE_LANGUAGE}))


def language() -> str:
    """The language spoken in the current task."""
    return _language.get()


def speak(wanted: str) -> None:
    """Speak ``wanted`` for the rest of the current task, or English when there are no words for it."""
    known = wanted if wanted in languages() else wanted.split("-")[0]
    _language.set(known if known in languages() else SOURCE_LANGUAGE)


@contextlib.contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Speak ``wanted`` within the block, or English when there are no words for it."""
    known = wanted if wanted in languages() else wanted.split("-")[0]
    token = _language.set(known if known in languages() else SOURCE_LANGUAGE)
    try:
        yield
    finally:
        _language.reset(token)


def _(message: str) -> str:
    """The message in the current language."""
    return catalogue(_language.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The right plural form in the current language."""
    return catalogue(_language.get()).ngettext(singular, plural, n)


def mark(message: str) -> str:
    """Mark a message for translation where it is declared; it is translated where it is shown."""
    return message
