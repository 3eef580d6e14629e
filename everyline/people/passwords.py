"""Passwords (argon2id, RFC 9106) and tokens. Pure but for randomness."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # the first choice of OWASP's cheat sheet


def hash_password(password: str) -> str:
    """The hash to keep. ValueError when the password is too short, or a row of the same letters."""
    if len(password) < SHORTEST:
        raise ValueError(f"use at least {SHORTEST} characters")
    if len(set(password)) < 4:
        raise ValueError("use more different characters")
    return _hasher.hash(password)


@cache
def _nobodys() -> str:
    """Checked when there is no such agent, so that both take the same time."""
    return _hasher.hash(secrets.token_hex(16))


def matches(kept: str | None, password: str) -> bool:
    """Is this the password? Takes as long when there is nothing to compare with."""
    nobodys = _nobodys()  # whoever comes first waits for it, known or not
    try:
        _hasher.verify(kept or nobodys, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def fresh_token() -> tuple[str, bytes]:
    """A token to hand out, and the hash of it to keep."""
    token = secrets.token_urlsafe(32)
    return token, token_hash(token)


def token_hash(token: str) -> bytes:
    """What is kept of a token: it has 256 bits of chance, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()
