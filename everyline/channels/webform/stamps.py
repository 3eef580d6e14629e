"""What a form carries hidden: its own id and when it was given out, signed, so that neither can be made up.

The key is the line's signature under a number that no case has, so that a stamp can never be taken for a reference.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass

from everyline.channel_contract import Line

SOONEST_SECONDS = 2  # nobody fills in a form faster
LATEST_SECONDS = 86_400

_STAMP = re.compile(r"(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Stamp:
    """One form that was given out."""

    given_at: int  # seconds since 1970
    submission: str  # what the piece will be known by


def make(line: Line, at: float) -> str:
    """A stamp for a form that is given out at ``at``, seconds since 1970."""
    given = f"{int(at)}.{secrets.token_hex(16)}"
    return f"{given}.{_signature(line, given)}"


def read(line: Line, stamp: str) -> Stamp | None:
    """What a stamp says; None when it was not made for this line by us."""
    match = _STAMP.fullmatch(stamp)
    if match is None or not stamp.isascii():
        return None
    if not hmac.compare_digest(_signature(line, f"{match[1]}.{match[2]}"), match[3]):
        return None
    return Stamp(int(match[1]), match[2])


def _signature(line: Line, given: str) -> str:
    key = line.signer.sign(-1).encode()
    return hmac.digest(key, f"form {line.id} {given}".encode(), "sha256").hex()[:32]
