"""The further languages of a line, as they are written in its settings."""

from __future__ import annotations

import re

from everyline.ground.words import _

_LANGUAGE = re.compile(r"([a-z]{2})\s*\|\s*([1-9])\s*\|\s*(\S.{0,300})")


def read(value: str) -> tuple[tuple[str, str, str], ...]:
    """Which, by which key, and what is said of it. ValueError."""
    found: list[tuple[str, str, str]] = []
    for line in value.splitlines():
        if not line.strip():
            continue
        match = _LANGUAGE.fullmatch(line.strip())
        if match is None:
            raise ValueError(
                _("%s cannot be read: it looks like es | 2 | Para español, oprima el dos.") % line.strip()[:80]
            )
        if any(match[2] == key for _language, key, _words in found):
            raise ValueError(_("the key %s is there twice") % match[2])
        found.append((match[1], match[2], match[3]))
    return tuple(found)
