"""Forms of pages: what was typed, read field by field; what is wrong, collected, with nothing typed lost; and the way on."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from everyline.ground.errors import Invalid, ProductError
from everyline.ground.words import _

LONGEST = 20_000
UNITS = {"d": 86_400, "h": 3600, "min": 60, "s": 1}  # signs of the SI, the same in every language
_PIECE = re.compile(r"(\d{1,9})\s*(d|h|min|m|s|)(?=[\s\d]|$)")


def said_duration(seconds: float | None) -> str:
    """A time as it is typed into a form: ``90 s``, ``4 h``, ``1 h 30 min``; empty for none."""
    left, parts = int(seconds or 0), []
    if 60 < left < 600 and left % 60:
        return f"{left} s"
    for sign, size in UNITS.items():
        if left >= size:
            parts.append(f"{left // size} {sign}")
            left %= size
    return " ".join(parts)


def read_duration(text: str) -> int | None:
    """The seconds of a time that was typed; a number alone is seconds. None when it cannot be read."""
    text, found, at = text.strip().lower(), 0, 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            return None
        number, sign = piece.groups()
        found += int(number) * (60 if sign == "m" else UNITS.get(sign, 1))
        at = piece.end()
        at += len(text[at:]) - len(text[at:].lstrip())
    return found if text else None


class Typed:
    """One form."""

    def __init__(self, form: FormData) -> None:
        self._form = form
        self.errors: dict[str, str] = {}

    @property
    def values(self) -> dict[str, Any]:
        """What to show in the form again: text of each field; lists for those that came more than once."""
        found: dict[str, Any] = {}
        for name in self._form:
            every = [value for value in self._form.getlist(name) if isinstance(value, str)]
            found[name] = every[0] if len(every) == 1 else every
        return found

    def text(self, name: str, *, longest: int = LONGEST, required: bool = False) -> str:
        """A text, without blanks round it."""
        value = self._form.get(name, "")
        text = value.strip() if isinstance(value, str) else ""
        if required and not text:
            self.errors[name] = _("This is needed.")
        if len(text) > longest:
            self.errors[name] = _("At most %s characters.") % longest
        return text.replace("\x00", "")

    def number(self, name: str, least: int, most: int, otherwise: int = 0) -> int:
        """A whole number within bounds."""
        text = self.text(name)
        if not text:
            return otherwise
        if not (text.lstrip("-").isdecimal() and text.isascii() and len(text) < 12 and least <= int(text) <= most):
            self.errors[name] = _("A number from {least} to {most}.").format(least=least, most=most)
            return otherwise
        return int(text)

    def duration(self, name: str, least: int, most: int, otherwise: int = 0) -> int:
        """A time in seconds, such as ``90 s`` or ``1 h 30 min``; nothing typed is ``otherwise``."""
        text = self.text(name, longest=40)
        if not text:
            return otherwise
        seconds = read_duration(text)
        if seconds is None:
            self.errors[name] = _("Write a time such as 90 s, 5 min or 4 h.")
        elif not least <= seconds <= most:
            self.errors[name] = _("A time from {least} to {most}.").format(
                least=said_duration(least) or "0 s", most=said_duration(most)
            )
        else:
            return seconds
        return otherwise

    def maybe_number(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds; None when nothing was typed."""
        return self.number(name, least, most) if self.text(name) else None

    def came(self, name: str) -> bool:
        """Was there such a field at all?"""
        return name in self._form

    def yes(self, name: str) -> bool:
        """Was a box checked?"""
        return name in self._form

    def one_of(self, name: str, known: Collection[str], otherwise: str = "") -> str:
        """One of a list; empty is ``otherwise``."""
        text = self.text(name) or otherwise
        if text not in known:
            self.errors[name] = _("Choose one of the list.")
        return text

    def id(self, name: str) -> int | None:
        """The number of something that was chosen; None when nothing was."""
        text = self.text(name)
        if not text:
            return None
        if not (text.isdecimal() and text.isascii() and len(text) < 19):
            self.errors[name] = _("Choose one of the list.")
            return None
        return int(text)

    def ids(self, name: str) -> list[int]:
        """The numbers of all that were chosen."""
        every = [value for value in self._form.getlist(name) if isinstance(value, str)]
        return [int(value) for value in every if value.isdecimal() and value.isascii() and len(value) < 19]

    def texts(self, name: str) -> list[str]:
        """All that were chosen."""
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def done(self) -> None:
        """Raise Invalid when anything is wrong."""
        if self.errors:
            raise Invalid(_("Please look at this again."), self.errors)


async def typed(request: Request) -> Typed:
    """The form that a request carries."""
    return Typed(await request.form())


def wrong(error: ProductError) -> dict[str, Any]:
    """What a form says about an error: ``trouble`` in words, ``errors`` by field, each as a sentence of its own."""
    fields = error.fields if isinstance(error, Invalid) else {}
    return {"trouble": error.message, "errors": {name: text[:1].upper() + text[1:] for name, text in fields.items()}}


def filled(*parts: dict[str, Any]) -> dict[str, Any]:
    """The context of a form: later parts replace earlier ones, and ``values`` are laid over each other, so that what was
    typed stands over what is kept and a field that did not come at all has its usual value."""
    found: dict[str, Any] = {}
    for part in parts:
        values = {**found.get("values", {}), **part.get("values", {})}
        found = {**found, **part, "values": values}
    return found


def back(path: str, done: str) -> Response:
    """Go on after something was done, and say so there."""
    path, sharp, place = path.partition("#")
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}done={done}{sharp}{place}", 303)
