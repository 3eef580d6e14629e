"""What ties a message to what we sent: message ids (RFC 5322 section 3.6.4) and signed reply tokens.

A token stands in two places, both ours: the local part of the answer address, ``permits+TOKEN@harbor.example``, and
the message id of what we send, ``<TOKEN.RANDOM@harbor.example>``, with or without a number between. It is never taken
from a subject or a text.
External ids are message ids without their angle brackets.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from everyline.channel_contract import Line, Signer
from everyline.channels.email import headers

MOST_REFERENCES = 50
LONGEST_ID = 400

_IN_BRACKETS = re.compile(rb"<\s*([^<>\s\x00-\x1f\x7f]{1,400})\s*>")
_BARE = re.compile(rb"[^\s<>@\x00-\x1f\x7f]{1,200}@[^\s<>@\x00-\x1f\x7f]{1,200}")
_OURS = re.compile(r"([A-Za-z0-9]{6,80})(?:\.\d{1,19})?\.[A-Za-z0-9]{4,64}@")
_TOKEN = re.compile(r"[A-Za-z0-9]{6,80}")
_UNSAFE = re.compile(r"[^\x21-\x3b\x3d\x3f-\x7e]")


def ids(value: bytes) -> list[str]:
    """The message ids in a field, in its order, without brackets."""
    found = _IN_BRACKETS.findall(value) or (_BARE.findall(value) if value.count(b"@") == 1 else [])
    return [one.decode("ascii", "replace") for one in found]


def references(fields: headers.Fields) -> tuple[str, ...]:
    """What a message answers, nearest first."""
    nearest = [one for value in fields.every(b"in-reply-to") for one in ids(value)]
    older = [one for value in fields.every(b"references") for one in ids(value)]
    return tuple(dict.fromkeys(nearest + older[::-1]))[:MOST_REFERENCES]


def tokens(line: Line, addresses: Iterable[str], referenced: Iterable[str]) -> tuple[str, ...]:
    """Reply tokens that we made, from addresses the message was sent to and from ids it refers to."""
    seen: dict[str, None] = {}
    for address in addresses:
        candidate = tag(line.address, address)
        if candidate and _TOKEN.fullmatch(candidate):
            seen[candidate] = None
    for one in referenced:
        ours = _OURS.match(one)
        if ours:
            seen[ours[1]] = None
    return tuple(token for token in seen if made_by_us(line.signer, token))


def made_by_us(signer: Signer, token: str) -> bool:
    """Was the token signed here?"""
    return signer.case_of(token) is not None


def tag(own: str, address: str) -> str:
    """What stands after the plus sign when ``address`` is ``own`` with one; empty otherwise.

    >>> tag("permits@harbor.example", "permits+k3x9@harbor.example")
    'k3x9'
    """
    local, _, domain = own.lower().rpartition("@")
    theirs, _, their_domain = address.rpartition("@")
    if their_domain.lower() != domain or not theirs.lower().startswith(local + "+"):
        return ""
    return theirs[len(local) + 1 :]


def plain(address: str) -> str:
    """An address without what stands after its plus sign."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def with_token(own: str, token: str) -> str:
    """The line's address with a token in it, while it still is an address (RFC 5321 section 4.5.3.1.1)."""
    local, _, domain = own.rpartition("@")
    tagged = f"{local}+{token}"
    return f"{tagged}@{domain}" if token and len(tagged) <= 64 else own


def own_id(line: Line, delivery: int, token: str, idempotency_key: str) -> str:
    """The message id of a delivery, the same at every attempt."""
    domain = line.address.rpartition("@")[2]
    part = hashlib.blake2b(f"{line.address}\n{idempotency_key}".encode(), digest_size=10).hexdigest()
    return f"{token or 'none'}.{delivery}.{part}@{domain}"


def normal_id(external_id: str, line: Line) -> str:
    """An external id fit for the wire: no brackets, no blanks, with a domain."""
    bare = _UNSAFE.sub("", external_id)[:LONGEST_ID]
    return bare if "@" in bare or not bare else f"{bare}@{line.address.rpartition('@')[2]}"
