"""Digest both ways (RFC 3261, 22; RFC 8760): proving who we are, and asking others to, by sippy's arithmetic.

Nothing is said of whether a name is known: an unknown name and a wrong password get the same answer after the same work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from sippy.SipAuthorization import SipAuthorization
from sippy.SipProxyAuthenticate import SipProxyAuthenticate
from sippy.SipWWWAuthenticate import SipWWWAuthenticate

from everyline.sip.messages import Answer, Request

STRENGTHS = ("SHA-256", "MD5")
MOST_NONCES = 2048


def proof(answer: Answer, request: Request, name: str, password: str, realm: str = "") -> tuple[str, str] | None:
    """The field that answers a 401 or 407, or None when nothing that it asks for can be given.

    ``realm``: when given, no other is answered, so that a server that is not the trunk's learns nothing to try words on.
    """
    asked, kind, given = (
        ("www-authenticate", SipWWWAuthenticate, "authorization")
        if answer.code == 401
        else ("proxy-authenticate", SipProxyAuthenticate, "proxy-authorization")
    )
    if request.one(given) or not (name and password):
        return None  # what was proved once and is asked again is wrong
    for challenge in sorted(_challenges(answer.all(asked), kind), key=_strength):
        supported, qop = challenge.supportedAlgorithm()
        if supported and challenge.nonce and (not realm or challenge.realm == realm):
            body = request.body.decode("latin-1")
            return given, str(challenge.genAuthHF(name, password, request.method, request.uri, body, qop))
    return None


def _challenges(texts: tuple[str, ...], kind: Any) -> list[Any]:
    found = []
    for text in texts:
        try:
            challenge = kind(text)
            challenge.parse()
        except (ValueError, IndexError, AttributeError):
            continue
        found.append(challenge)
    return found


def _strength(challenge: Any) -> int:
    name = challenge.algorithm or "MD5"
    return STRENGTHS.index(name) if name in STRENGTHS else len(STRENGTHS)


class Gate:
    """Asks callers to prove who they are. A proof is good once (nonce and count), and for half a minute."""

    def __init__(self, digests: tuple[str, ...] = STRENGTHS, realm: str = "everyline") -> None:
        """``digests`` are asked for in this order; old telephones read the first only and know only MD5."""
        self._digests = digests
        self._realm = realm
        self._spent: OrderedDict[tuple[str, str], None] = OrderedDict()

    def challenge(self) -> tuple[tuple[str, str], ...]:
        """The fields of a 401."""
        fields = []
        for algorithm in self._digests:
            asked = SipWWWAuthenticate(realm=self._realm, algorithm=algorithm)
            fields.append(("www-authenticate", str(asked)))
        return tuple(fields)

    def opened(self, request: Request, password_of: Callable[[str], str | None]) -> str | None:
        """The name that a request proves, or None."""
        text = request.one("authorization")
        if not text.lower().startswith("digest "):
            return None
        shown = SipAuthorization(text)
        try:
            shown.parse()
        except (ValueError, IndexError):
            return None
        if (
            shown.realm != self._realm
            or shown.uri is None
            or shown.qop != "auth"
            or not (shown.nc and shown.cnonce and shown.nonce)
        ):
            return None
        password = password_of(shown.username or "")
        try:
            right = shown.verify(password or "no password is this", request.method)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        spent = (shown.nonce, shown.nc)
        if not right or password is None or spent in self._spent:
            return None
        self._spent[spent] = None
        if len(self._spent) > MOST_NONCES:
            self._spent.popitem(last=False)
        return str(shown.username)
