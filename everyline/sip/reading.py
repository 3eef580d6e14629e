"""Datagrams made safe for the parser: one form of line end, a body of the length that was promised, nothing hidden.

Pure. What cannot be a message of SIP raises Unreadable, with the code that says so (RFC 3261, 18.3 and 20.14).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from everyline.sip.messages import SHORT

LARGEST_HEAD = 16_384
LARGEST_BODY = 48_000
MOST_FIELDS = 120
ONCE = frozenset({"call-id", "cseq", "from", "to", "max-forwards"})
_BREAKS = re.compile("[\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")  # str.splitlines would break a field at these
_FIRST = re.compile(r"(SIP/2\.0 [1-6]\d\d( .*)?|[A-Za-z0-9.!%*_+`'~-]{1,32} \S+ SIP/\d\.\d)$")
_VERSION = re.compile(r" SIP/2\.0$|^SIP/2\.0 ")
_METHOD = re.compile(r"^\s*\d+\s+(\S+)\s*$")


class Unreadable(Exception):
    """No message. ``code`` is what a sender may be told, ``head`` what could be read for telling it, if anything."""

    def __init__(self, why: str, code: int = 400, head: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.head = head


@dataclass(frozen=True)
class Datagram:
    """A message apart: ``head`` with its line ends and without length and type of the body."""

    head: str
    body: bytes
    body_type: str
    call_id: str


def read(data: bytes) -> Datagram:
    """Take a datagram apart. Raises Unreadable."""
    raw, _, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if len(raw) > LARGEST_HEAD:
        raise Unreadable("the head is too long", 413)
    text = raw.decode("utf-8", "surrogateescape")
    lines = [
        _BREAKS.sub("?", line) for line in re.sub(r"\r?\n[ \t]+|\r[ \t]+", " ", text).replace("\r\n", "\n").split("\n")
    ]
    first, fields = lines[0].strip(), [line for line in lines[1:] if line.strip()]
    if not _FIRST.match(first):
        raise Unreadable("the first line is none of SIP")
    lengths, once, kind, call_id, kept, method = set(), set(), "", "", [first], ""
    if len(fields) > MOST_FIELDS:
        raise Unreadable("there are too many fields", 413)
    for line in fields:
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or not re.fullmatch(r"[a-z0-9.!%*_+`'~-]+", name):
            raise Unreadable("a field has no name")
        if name in ("content-length", "l"):
            lengths.add(value)
            continue
        if name in ("content-type", "c"):
            kind = value
            continue
        name = SHORT.get(name, name)
        if name in ONCE and name in once:
            raise Unreadable("a field is there twice that may be there once")
        once.add(name)
        if name == "call-id":
            call_id = value
        if name == "cseq":
            found = _METHOD.match(value)
            method = found[1] if found else ""
        kept.append(f"{name}: {value}")
    head = "\r\n".join(kept) + "\r\n\r\n"
    if not call_id:
        raise Unreadable("there is no Call-ID")
    if not _VERSION.search(first):
        raise Unreadable("this is another version of SIP", 505, head)
    if not first.startswith("SIP/2.0 ") and method != first.split(" ")[0]:
        raise Unreadable("CSeq names another method", 400, head)
    return Datagram(head, _body(rest, lengths, head), kind.lower() or "application/sdp", call_id)


def _body(rest: bytes, lengths: set[str], head: str) -> bytes:
    if not lengths:
        size = len(rest)  # over UDP the datagram's end is the body's end
    elif len(lengths) > 1 or not (only := next(iter(lengths))).isdecimal() or len(only) > 9:
        raise Unreadable("the length of the body is no number, or two", 400, head)
    else:
        size = int(only)
    if size > len(rest):
        raise Unreadable("the body is shorter than was said", 400, head)
    if size > LARGEST_BODY:
        raise Unreadable("the body is too long", 413, head)
    return rest[:size]
