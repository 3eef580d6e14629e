"""Web origins that an admin names: scheme, host and port as browsers send them (RFC 6454 section 7) and as a
Content-Security-Policy takes them (CSP level 3, host-source); the host may begin with ``*.``."""

from __future__ import annotations

import re

from everyline.ground.words import _

_ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")


def read_origins(text: str) -> list[str]:
    """Origins separated by blanks, lines or commas, in lower case, each once. Raises ValueError with words for people."""
    origins = [origin.lower().rstrip("/") for origin in re.split(r"[\s,]+", text) if origin]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(_("%s is no site: it looks like https://www.harbor.example") % origin)
    return list(dict.fromkeys(origins))
