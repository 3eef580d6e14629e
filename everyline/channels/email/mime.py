"""Bytes to pieces (RFC 2045 and 2046), in bounded time whatever the bytes are.

Positions in the one message are kept instead of copies, so that fifty levels of a large message cost a search each.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from everyline.channels.email import headers
from everyline.ground.words import _

DEEPEST = 60
MOST_PARTS = 1000
MOST_SEARCHED = 512 * 1024 * 1024  # bytes looked through for boundaries, over all levels


@dataclass(slots=True)
class Part:
    """One part; the root is the message itself."""

    kind: str  # such as "text/plain"
    parameters: dict[str, str]
    fields: headers.Fields
    data: bytes
    start: int  # of its body in ``data``
    end: int
    parts: list[Part] = field(default_factory=list)

    @property
    def disposition(self) -> tuple[str, dict[str, str]]:
        """``attachment`` or ``inline`` or empty, and the parameters."""
        value = self.fields.raw(b"content-disposition")
        return headers.parameterised(value) if value else ("", {})

    def raw(self) -> bytes:
        """The body as it stands on the wire."""
        return self.data[self.start : self.end]

    def content(self) -> tuple[bytes, bool]:
        """The body without its transfer encoding. The second value is False when it was damaged."""
        encoding = self.fields.raw(b"content-transfer-encoding").lower().strip(b" \"';")
        raw = self.data[self.start : self.end]
        if encoding == b"quoted-printable":
            return binascii.a2b_qp(raw), True
        if encoding == b"base64":
            return headers.base64(raw)
        if encoding in {b"x-uuencode", b"uuencode", b"x-uue"}:
            return _uudecoded(raw)
        return raw, True

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in their order."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class _Work:
    """What may still be spent on one message."""

    parts: int = MOST_PARTS
    searched: int = MOST_SEARCHED
    remarks: list[str] = field(default_factory=list)

    def remark(self, words: str) -> None:
        if words not in self.remarks:
            self.remarks.append(words)


def read(data: bytes) -> tuple[Part, list[str]]:
    """The message in parts, and what was wrong with it."""
    if b"\n" not in data and b"\r" in data:
        data = data.replace(b"\r", b"\n")
    start = 0
    if data.startswith((b"From ", b">From ")):  # the separator line of a mailbox file
        start = data.find(b"\n") + 1
    while data.startswith((b"\r\n", b"\n"), start):
        start += 2 if data.startswith(b"\r\n", start) else 1
    work = _Work()
    root = _part(data, start, len(data), "text/plain", 0, work)
    return root, work.remarks


def _part(data: bytes, start: int, end: int, default: str, depth: int, work: _Work) -> Part:
    fields, whole = headers.read(data, start, end)
    if not whole:
        work.remark(_("It has more header fields than are read."))
    value = fields.raw(b"content-type")
    kind, parameters = headers.parameterised(value) if value else (default, {})
    if kind == "text":
        kind = "text/plain"
    elif kind.count("/") != 1:
        kind = default
    part = Part(kind, parameters, fields, data, fields.end, end)
    work.parts -= 1
    if kind.startswith("multipart/"):
        _divide(part, depth, work)
    return part


def _divide(part: Part, depth: int, work: _Work) -> None:
    boundary = part.parameters.get("boundary", "").encode("latin-1", "replace")
    work.searched -= part.end - part.start
    if depth >= DEEPEST or work.searched < 0:
        part.kind = "application/octet-stream"
        work.remark(_("Its parts are nested deeper than is read; the rest is kept as a file."))
        return
    if not boundary or len(boundary) > 500:
        part.kind = "text/plain"
        work.remark(_("It says that it has parts but not where they begin; it is read as text."))
        return
    delimiter = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
    begin = -1
    closed = False
    # the header before the body ends with a line feed, which a first boundary needs in front of it
    for found in delimiter.finditer(part.data, max(0, part.start - 1), part.end):
        if begin >= 0:
            part.parts.append(_part(part.data, begin, _line_end(part.data, found.start()), default, depth + 1, work))
        if found[1]:
            closed = True
            break
        if work.parts <= 0:
            closed = True
            work.remark(_("It has more parts than are read."))
            break
        begin = part.data.find(b"\n", found.end(), part.end) + 1 or part.end
    if not closed and begin >= 0:
        part.parts.append(_part(part.data, begin, part.end, default, depth + 1, work))
        work.remark(_("It was cut off: the end of its last part is missing."))
    if not part.parts:
        part.kind = "text/plain"
        work.remark(_("It says that it has parts but none was found; it is read as text."))


def _line_end(data: bytes, feed: int) -> int:
    """Where a part ends when the line feed at ``feed`` belongs to the boundary."""
    return feed - 1 if feed > 0 and data[feed - 1] == 13 else feed


def _uudecoded(raw: bytes) -> tuple[bytes, bool]:
    out = []
    whole = True
    for line in raw.splitlines():
        if line.startswith(b"begin ") or line.strip() in {b"", b"`", b"end"}:
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            whole = False
    return b"".join(out), whole
