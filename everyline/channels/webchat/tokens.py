"""Who a visitor is between two requests: a token that we signed for one line, kept by the widget, exchanged for a fresh one
whenever it is shown. Nobody is written down before they say something.

The key is the line's signature under a number that no case has, so that a token can never be taken for a reference.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

from everyline.channel_contract import Address, Line, Signer, Verification
from everyline.ground.addresses import VISITOR

FRESH_SECONDS = 3600.0  # older than that, it is exchanged over the stream too
LONGEST = 3000  # characters
_AHEAD = 300  # seconds that the clocks of two machines of ours may differ

_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,2800})\.([0-9a-f]{64})")
_VISITOR = re.compile(r"[vsm]-[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever talks to us."""

    id: str  # also the address that answers go to
    verification: Verification = Verification.NONE
    mailbox: str = ""  # that they were shown to own
    name: str = ""
    given_at: float = 0.0  # seconds since 1970

    @property
    def address(self) -> Address:
        """As a sender."""
        return Address(VISITOR, self.id, self.name)


def stranger(at: float) -> Visitor:
    """Somebody whom nobody knows."""
    return Visitor(f"v-{secrets.token_hex(12)}", given_at=at)


def known(line: Line, verification: Verification, who: str) -> str:
    """The id of somebody who was verified: the same on every device, and of no use on another line."""
    kind = "s" if verification is Verification.SITE else "m"
    return f"{kind}-{hmac.digest(_key(line.signer), f'known {kind} {line.id} {who}'.encode(), 'sha256').hex()[:24]}"


def make(line: Line, visitor: Visitor) -> str:
    """The token of a visitor on a line."""
    said = {
        "l": line.id,
        "v": visitor.id,
        "k": str(visitor.verification),
        "m": visitor.mailbox,
        "n": visitor.name[:200],
        "t": int(visitor.given_at),
    }
    kept = base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{kept}.{_signature(line, kept)}"


def read(line: Line, token: str, at: float, days: int) -> Visitor | None:
    """Whose token this is; None when we did not make it for this line, or its time is over."""
    match = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
    if match is None or not hmac.compare_digest(_signature(line, match[1]), match[2]):
        return None
    said = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    given_at = float(said["t"])
    if said["l"] != line.id or not at - days * 86_400 <= given_at <= at + _AHEAD or not _VISITOR.fullmatch(said["v"]):
        return None
    return Visitor(said["v"], Verification(said["k"]), said["m"], said["n"], given_at)


def _signature(line: Line, kept: str) -> str:
    return hmac.digest(_key(line.signer), f"visitor {line.id} {kept}".encode(), "sha256").hex()


@lru_cache(maxsize=256)
def _key(signer: Signer) -> bytes:
    return signer.sign(-2).encode()
