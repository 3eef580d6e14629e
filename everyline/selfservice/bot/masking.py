"""Words without what must not be kept: numbers of cards and accounts, addresses of mailboxes, passwords that are told. Pure."""

from __future__ import annotations

import re

_MAILBOX = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_NUMBER = re.compile(r"(?<!\w)[+(]?\d(?:[\s().\-/]{0,2}\d){5,}(?!\w)")
_CODE = re.compile(r"(?<!\w)(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8,}(?!\w)")
_TOLD = re.compile(
    r"(?i)\b(password|passcode|pin|code|contraseña|clave|passwort|kennwort|mot de passe|mật khẩu)(\s*(?:is|es|ist|est|là|:|=)\s*)(\S+)"
)
HIDDEN = "•••"


def masked(said: str) -> str:
    """The words with three points for what is secret."""
    said = _TOLD.sub(lambda match: f"{match[1]}{match[2]}{HIDDEN}", said)
    said = _MAILBOX.sub(HIDDEN, said)
    return _CODE.sub(HIDDEN, _NUMBER.sub(HIDDEN, said))
