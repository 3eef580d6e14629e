"""Recordings are sealed while they are written: AES-256-GCM (NIST SP 800-38D) under a key of each call's own, made from the
installation's, each piece bound to its number so that none can be left out, doubled or moved unseen."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes
Sealing = Callable[[int, bytes], bytes]


class Broken(ValueError):
    """A piece is not what was sealed: another key, or somebody changed the file."""


def _cipher(key: bytes, call_key: str) -> AESGCM:
    return AESGCM(hmac.digest(key, f"everyline recording {call_key}".encode(), "sha256"))


def seal(key: bytes, call_key: str) -> Sealing:
    """What seals the pieces of a call's recording: (number, content) → nonce and sealed content."""
    cipher = _cipher(key, call_key)

    def sealed(number: int, content: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + cipher.encrypt(nonce, content, str(number).encode())

    return sealed


def unseal(key: bytes, call_key: str) -> Sealing:
    """What opens them again. Broken."""
    cipher = _cipher(key, call_key)

    def opened(number: int, content: bytes) -> bytes:
        try:
            return cipher.decrypt(content[:NONCE], content[NONCE:], str(number).encode())
        except InvalidTag as error:
            raise Broken("a piece of a recording is not what was sealed") from error

    return opened
