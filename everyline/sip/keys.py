"""Keys by signalling: the bodies of INFO in the two forms that are met. Pure."""

from __future__ import annotations

import re

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
KEYS = frozenset("0123456789*#ABCD")
_SIGNAL = re.compile(r"^\s*signal\s*=\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(r"^\s*duration\s*=\s*(\d{1,5})", re.IGNORECASE | re.MULTILINE)
_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}


def read(body: bytes, body_type: str) -> tuple[str, int] | None:
    """Key and milliseconds, or None when the body tells of none."""
    kind, text = body_type.partition(";")[0].strip().lower(), body[:512].decode("ascii", "replace")
    if kind == RELAY:
        found, held = _SIGNAL.search(text), _DURATION.search(text)
        key = found[1].upper() if found else ""
        milliseconds = int(held[1]) if held else 0
    elif kind == PLAIN:
        key, milliseconds = text.strip().upper(), 0
    else:
        return None
    key = _NUMBERED.get(key, key)
    return (key, milliseconds) if key in KEYS else None


def write(key: str, milliseconds: int) -> bytes:
    """The body that presses a key."""
    if key not in KEYS:
        raise ValueError(key)
    return f"Signal={key}\r\nDuration={milliseconds}\r\n".encode()
