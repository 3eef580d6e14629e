"""Who the organisation's own site says a visitor is: a signed JSON Web Token (RFC 7519, signed as RFC 7515 says).

The algorithm follows from the line's keys and never from the token: what the token says of it must be the same (RFC 8725,
sections 3.1 and 3.2). What it claims is text of strangers like any other.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from everyline.ground import addresses
from everyline.ground.words import _

SHORTEST_SECRET = 32  # characters (RFC 7518 section 3.2 asks for 256 bits)
SHORTEST_KEY = 2048  # bits (RFC 7518 section 3.3)
LONGEST = 8192  # characters of a token
LONGEST_LIFE = 3600  # seconds from now to its end
LEEWAY = 60  # seconds that clocks may differ


class NotAccepted(Exception):
    """This says nothing of anybody; the message says why, for who builds the site."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a visitor is, as the site says."""

    subject: str  # what the site calls them; empty: it only says the mailbox
    mailbox: str  # in normal form, or empty
    name: str
    nonce: str  # each is used once
    ends_at: float  # seconds since 1970


@lru_cache(maxsize=64)
def public_key(pem: str) -> RSAPublicKey:
    """The key. ValueError with words for an admin."""
    try:
        found = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(_("this is no public key; it begins with -----BEGIN PUBLIC KEY-----")) from error
    if not isinstance(found, RSAPublicKey) or found.key_size < SHORTEST_KEY:
        raise ValueError(_("it must be an RSA key of 2048 bits or more"))
    return found


def read(token: str, *, secret: str, key: str, audience: str, at: float) -> Identity:
    """What a token says at a moment. Raises NotAccepted."""
    if not secret and not key:
        raise NotAccepted(_("This line knows no secret or key of your site."))
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise NotAccepted(_("This is no signed token."))
    signed, _dot, signature_text = token.rpartition(".")
    head_text, _dot, claims_text = signed.partition(".")
    head, signature = _object(head_text), _bytes(signature_text)
    if head.get("crit") is not None:
        raise NotAccepted(_("It asks for what is not understood here."))
    if not _fits(head.get("alg"), signed.encode(), signature, secret, key):
        raise NotAccepted(_("It is not signed with the secret or key of this line."))
    return _identity(_object(claims_text), audience, at)


def _fits(algorithm: object, signed: bytes, signature: bytes, secret: str, key: str) -> bool:
    if algorithm == "HS256" and secret:
        return hmac.compare_digest(hmac.digest(secret.encode(), signed, "sha256"), signature)
    if algorithm == "RS256" and key:
        try:
            public_key(key).verify(signature, signed, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True
    return False


def _identity(claims: dict[str, Any], audience: str, at: float) -> Identity:
    ends_at, begins_at = claims.get("exp"), claims.get("nbf", claims.get("iat", 0))
    if not isinstance(ends_at, int | float) or not _is_time(ends_at):
        raise NotAccepted(_("It does not say when it ends (exp)."))
    if ends_at <= at - LEEWAY:
        raise NotAccepted(_("Its time is over."))
    if ends_at > at + LONGEST_LIFE + LEEWAY:
        raise NotAccepted(_("It may be good for an hour at most."))
    if not isinstance(begins_at, int | float) or not _is_time(begins_at) or begins_at > at + LEEWAY:
        raise NotAccepted(_("Its time has not come yet."))
    wanted = claims.get("aud")
    if wanted is not None and audience not in (wanted if isinstance(wanted, list) else [wanted]):
        raise NotAccepted(_("It is for somebody else (aud)."))
    nonce = claims.get("jti")
    if not isinstance(nonce, str) or not 8 <= len(nonce) <= 200:
        raise NotAccepted(_("It has no number of its own (jti) of 8 to 200 characters."))
    subject = str(claims["sub"])[:200] if isinstance(claims.get("sub"), str | int) else ""
    mailbox = _mailbox(claims.get("email"))
    if not subject and not mailbox:
        raise NotAccepted(_("It says neither who it is (sub) nor their mailbox (email)."))
    name = claims.get("name")
    return Identity(subject, mailbox, name if isinstance(name, str) else "", nonce, float(ends_at))


def _is_time(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) < 1e12


def _mailbox(given: object) -> str:
    try:
        return addresses.normal_mailbox(given) if isinstance(given, str) else ""
    except ValueError:
        return ""


def _bytes(text: str) -> bytes:
    if "=" in text or "+" in text or "/" in text:
        raise NotAccepted(_("This is no signed token."))
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAccepted(_("This is no signed token.")) from error


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(text))
    except (ValueError, RecursionError) as error:
        raise NotAccepted(_("This is no signed token.")) from error
    if not isinstance(found, dict):
        raise NotAccepted(_("This is no signed token."))
    return found
