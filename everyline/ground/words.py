"""Every string a person reads, in that person's language (GNU gettext).

``_`` translates into the language of the current task (a request, a job, a delivery), set by ``speaking``.
Message ids are the English sentences. Catalogues stand in ``everyline/locale``.
"""

from __future__ import annotations

import contextlib
import gettext
import re
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path

LOCALE = Path(__file__).parent.parent / "locale"
SOURCE_LANGUAGE = "en"
_ACCEPTED = re.compile(r"\s*([a-zA-Z]{1,8})(?:-[a-zA-Z0-9-]{1,40})?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of one language; English where there are none."""
    return gettext.translation("everyline", LOCALE, [language], fallback=True)


@lru_cache(maxsize=1024)
def accepted(header: str) -> tuple[str, ...]:
    """The languages of Accept-Language (RFC 9110 section 12.5.4), best first, without regions and each once."""
    found: list[tuple[float, str]] = []
    for one in header[:500].split(","):
        match = _ACCEPTED.fullmatch(one)
        if match and float(match[2] or 1) > 0:
            found.append((float(match[2] or 1), match[1].lower()))
    return tuple(dict.fromkeys(wanted for _weight, wanted in sorted(found, key=lambda pair: -pair[0])))


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


def later(message: str, value: str = "") -> str:
    """What is kept now and read by people of several languages: a marked message, with the value for its ``%s`` where it has one."""
    return f"{message}\t{value}" if value else message


def read(kept: str) -> str:
    """What ``later`` made, in the current language."""
    message, _tab, value = kept.partition("\t")
    if not message:
        return ""
    return _(message).replace("%s", value, 1)


def mark(message: str) -> str:
    """Mark a message for translation where it is declared; it is translated where it is shown."""
    return message
