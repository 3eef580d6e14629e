"""What can be known about a customer without asking anybody. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from everyline.ground.words import mark

_SEPARATORS = re.compile(r"[._\-+]+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# a host name (RFC 1123, section 2.1), in lower case and ASCII
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")

CODE_HOLDS = timedelta(minutes=10)
MOST_TRIES = 5  # of one code; then another is to be asked for

PURPOSES = {  # what we may write for, in the order of the page
    "service": mark("About my cases"),
    "surveys": mark("How we did"),
    "alerts": mark("Alerts"),
    "news": mark("News"),
}
ALWAYS = frozenset({"service", "surveys"})  # granted until somebody says no


@dataclass(frozen=True, slots=True)
class SignedInCustomer:
    """A customer who proved in this browser that they read what is sent to one of their addresses."""

    customer_id: int
    name: str
    language: str
    zone: str
    point_id: int  # the contact point that they proved
    kind: str
    address: str

    @property
    def first_name(self) -> str:
        """What stands where there is little room."""
        return self.name.split()[0] if self.name.split() else self.name


def name_for(name: str, address: str) -> str:
    """What to call a customer of whom only an address is known: ``jane.doe@example.org`` becomes Jane Doe."""
    name = " ".join(name.replace("\x00", "").split())[:200]
    if name and "@" not in name:
        return name
    local = address.partition("@")[0].split("+", 1)[0]
    words = [word for word in _SEPARATORS.split(local) if word and not word.isdigit()]
    return " ".join(word.capitalize() for word in words)[:200] or address[:200]


def is_clock(text: str) -> bool:
    """Is this a time of the day, ``HH:MM``?"""
    return _CLOCK.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """Is this the name of a host, with a dot in it?"""
    return _DOMAIN.fullmatch(text) is not None


def digits(typed: str) -> str:
    """A code as it was typed, without the blanks and hyphens that people put in."""
    return re.sub(r"[\s\-–]", "", typed)[:20]


def granted(purpose: str, *, kept: bool | None) -> bool:
    """May we write for this purpose? ``kept`` is what was said, None when nothing was."""
    return purpose in ALWAYS if kept is None else kept
