"""What can be known about a customer without asking anybody. Pure."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[._\-+]+")


def name_for(name: str, address: str) -> str:
    """What to call a customer of whom only an address is known: ``jane.doe@example.org`` becomes Jane Doe."""
    name = " ".join(name.replace("\x00", "").split())[:200]
    if name and "@" not in name:
        return name
    local = address.partition("@")[0].split("+", 1)[0]
    words = [word for word in _SEPARATORS.split(local) if word and not word.isdigit()]
    return " ".join(word.capitalize() for word in words)[:200] or address[:200]
