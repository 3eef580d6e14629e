"""Requests and answers of SIP as plain values: what passes between the thread of signalling and everybody else.

Bodies are bytes that nothing here looks into. Field names are in lower case and in their long form.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

Fields = tuple[tuple[str, str], ...]
_ENDS = re.compile(r"[\x00-\x1f\x7f]+")  # what would end a field, or hide in one

SHORT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id",
    "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
    "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip
SDP = "application/sdp"
WORDS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 422: "Session Interval Too Small", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported",
    600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """What a request and an answer have in common."""

    fields: Fields = ()
    body: bytes = b""
    body_type: str = SDP
    source: tuple[str, int] = ("", 0)

    def one(self, name: str) -> str:
        """The first field of this name, empty when there is none."""
        return next((text for known, text in self.fields if known == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every field of this name, in order."""
        return tuple(text for known, text in self.fields if known == name)

    def tokens(self, name: str) -> frozenset[str]:
        """The words of fields that list words, in lower case: Supported, Require, Allow."""
        return frozenset(word.strip().lower() for text in self.all(name) for word in text.split(",") if word.strip())


@dataclass(frozen=True)
class Request(Message):
    """One request. ``uri`` is what its first line asks for."""

    method: str = ""
    uri: str = ""

    @property
    def call_id(self) -> str:
        """What all requests of one call share."""
        return self.one("call-id")


@dataclass(frozen=True)
class Answer(Message):
    """One answer. ``code`` is provisional below 200."""

    code: int = 500
    words: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer to be given: what the request itself does not say already."""

    code: int
    words: str = ""
    fields: Fields = ()
    body: bytes = b""
    body_type: str = SDP
    tag: str = field(default_factory=lambda: secrets.token_hex(8))


def words(code: int) -> str:
    """What RFC 3261 calls a code."""
    return WORDS.get(code, "OK" if code < 300 else "Failed")


def clean(text: str) -> str:
    """Text that cannot end the field it is written into."""
    return _ENDS.sub(" ", text)


def written(request: Request, via: str) -> str:
    """A request as text without its body and the fields that tell of the body. ``via`` is the sender's own."""
    lines = [f"{request.method} {clean(request.uri)} SIP/2.0", f"Via: {via}"]
    lines += [f"{shown(name)}: {clean(text)}" for name, text in request.fields]
    return "\r\n".join(lines) + "\r\n\r\n"


def shown(name: str) -> str:
    """A field's name as it is usually written."""
    special = {"call-id": "Call-ID", "cseq": "CSeq", "min-se": "Min-SE", "www-authenticate": "WWW-Authenticate"}
    return special.get(name) or "-".join(part.capitalize() for part in name.split("-"))
