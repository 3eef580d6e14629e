"""Header fields of mail as they come, not as they should be (RFC 5322, RFC 2047, RFC 2231)."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from everyline.channels.email import charsets
from everyline.ground import addresses

LONGEST_VALUE = 32 * 1024  # bytes of one field that are looked at
MOST_FIELDS = 1000

_FIELD = re.compile(rb"([!-9;-~]{1,256})[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_FOLD = re.compile(rb"\r*\n[ \t]*")
_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_PARAMETER = re.compile(rb';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
_TOKEN = re.compile(
    r"""=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=     # an encoded word, whatever is in it
    |"((?:[^"\\]|\\.)*)\\?(?:"|\Z)             # in quotes
    |<([^<>]*)>                              # in brackets
    |[,;:()]
    |(?:(?!=\?)[^",;:<>()])+|.""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_MAILBOX = re.compile(r'(?:"([^"<>@,;:()\\=]*)"\s*|([^"<>@,;:()\\=]*))<([^<>@\s,;:"]+@[^<>@\s,;:"]+)>')


class Fields:
    """The header of a message or part. Names are lower case."""

    __slots__ = ("_values", "end")

    def __init__(self, values: dict[bytes, list[bytes]], end: int) -> None:
        self._values = values
        self.end = end  # where the body begins

    def __contains__(self, name: bytes) -> bool:
        return name in self._values

    def raw(self, name: bytes) -> bytes:
        """The first field of this name, unfolded, as it stands; empty when there is none."""
        values = self._values.get(name)
        return unfold(values[0]) if values else b""

    def every(self, name: bytes) -> list[bytes]:
        """All fields of this name, unfolded, in their order."""
        return [unfold(value) for value in self._values.get(name, ())]

    def text(self, name: bytes) -> str:
        """The first field of this name as people read it."""
        values = self._values.get(name)
        return text(unfold(values[0])) if values else ""


def read(data: bytes, start: int, end: int) -> tuple[Fields, bool]:
    """The fields from ``start`` on, and whether these are all. The first line that is no field ends them, as if a
    blank line stood before it."""
    values: dict[bytes, list[bytes]] = {}
    position = start
    match = _FIELD.match
    whole = False
    for _ in range(MOST_FIELDS):
        found = match(data, position, end)
        if found is None:
            whole = True
            break
        name, value = found.groups()
        values.setdefault(name.lower(), []).append(value)
        position = found.end()
    if not whole:
        places = [data.find(blank, position - 1, end) for blank in (b"\n\r\n", b"\n\n")]
        position = min((place + 1 for place in places if place >= 0), default=end)
    if data.startswith(b"\r\n", position):
        position += 2
    elif data.startswith(b"\n", position):
        position += 1
    return Fields(values, min(position, end)), whole


def unfold(value: bytes) -> bytes:
    """One line, at most ``LONGEST_VALUE`` bytes of it."""
    value = value[:LONGEST_VALUE]
    if b"\n" in value:
        value = _FOLD.sub(b" ", value)
    return value.strip()


def text(value: bytes) -> str:
    """A field as people read it: encoded words decoded, control characters gone."""
    plain = value.decode("ascii") if value.isascii() else charsets.guess(value)
    if b"=?" in value:
        plain = words(plain)
    elif b"\x1b" in value:
        plain = charsets.decode(value)[0]
    plain = _CONTROL.sub(" ", plain).strip()
    return plain if plain.isascii() else charsets.tidy(plain)


def words(value: str) -> str:
    """Decode encoded words (RFC 2047). Neighbours of one charset are joined before decoding, because many
    programs cut a character in two."""
    out: list[str] = []
    pending = bytearray()
    pending_charset = ""
    position = 0

    def flush() -> None:
        out.append(charsets.decode(bytes(pending), pending_charset)[0] if pending else "")
        pending.clear()

    for word in _WORD.finditer(value):
        between = value[position : word.start()]
        if not position or between.strip():  # blanks between two words stand for nothing (section 6.2)
            flush()
            out.append(between)
        position = word.end()
        charset = word[1].lower()
        if charset != pending_charset:
            flush()
            pending_charset = charset
        pending += _word_bytes(word[2].lower(), word[3])
    flush()
    out.append(value[position:])
    return "".join(out)


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding == "b":
        return base64(raw)[0]
    return binascii.a2b_qp(raw, header=True)


def base64(content: bytes) -> tuple[bytes, bool]:
    """Decode as much as there is. The second value is False when it was damaged."""
    try:
        return binascii.a2b_base64(content), True
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        if len(kept) % 4 == 1:
            kept = kept[:-1]
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)), False


@lru_cache(maxsize=512)
def parameterised(value: bytes) -> tuple[str, dict[str, str]]:
    """A value such as Content-Type: the value in lower case and its parameters, RFC 2231 and encoded words decoded.

    The result is shared: do not change it.
    """
    head, semicolon, _ = value.partition(b";")
    first = head.strip().lower().decode("ascii", "replace")
    if not semicolon:
        return first, {}
    plain: dict[str, bytes] = {}
    for name, in_quotes, bare in _PARAMETER.findall(value[len(head) :]):
        key = name.lower().decode("ascii", "replace")
        plain.setdefault(key, re.sub(rb"\\(.)", rb"\1", in_quotes) if in_quotes else bare.strip())
    result: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for key, content in plain.items():
        base, star, rest = key.partition("*")
        if not star:
            result[base] = text(content)
            continue
        number, _, flag = rest.partition("*")
        order = int(number) if number.isdecimal() and len(number) < 5 else 0
        pieces.setdefault(base, {})[order] = (key.endswith("*") or flag == "*", content)
    for base, numbered in pieces.items():
        result[base] = _continued([numbered[order] for order in sorted(numbered)])
    return first, result


def _continued(pieces: list[tuple[bool, bytes]]) -> str:
    """Join the pieces of one parameter (RFC 2231 section 3 and 4)."""
    charset = ""
    whole = b""
    for number, (encoded, content) in enumerate(pieces):
        if not encoded:
            whole += content
            continue
        if number == 0 and content.count(b"'") >= 2:
            declared, _, content = content.split(b"'", 2)
            charset = declared.decode("ascii", "replace")
        whole += unquote_to_bytes(content)
    return _CONTROL.sub(" ", charsets.decode(whole, charset)[0]).strip()


def mailboxes(value: bytes) -> list[tuple[str, str]]:
    """Name and address, in normal form, of everyone named in an address field. What is no address is left out.

    Encoded words are decoded after the field is taken apart, so that no name can pose as an address.
    """
    plain = value.decode("ascii") if value.isascii() else charsets.guess(value)
    simple = _PLAIN_MAILBOX.fullmatch(plain)
    if simple:
        found = _mailbox(simple[1] or simple[2] or "", simple[3])
        return [found] if found else []
    everyone: list[tuple[str, str]] = []
    name: list[str] = []
    comment: list[str] = []
    address = ""
    depth = 0

    def flush() -> None:
        nonlocal address
        bare = "".join(name).strip()
        found = _mailbox(bare if address else "".join(comment), address or bare)
        if found:
            everyone.append(found)
        name.clear()
        comment.clear()
        address = ""

    for token in _TOKEN.finditer(plain):
        what = token[0]
        if what == "(":
            depth += 1
        elif what == ")":
            depth = max(0, depth - 1)
        elif depth:
            comment.append(what)
        elif token[1] is not None:
            name.append(_ESCAPED.sub(r"\1", token[1]))
        elif token[2] is not None:
            address = "".join(token[2].split())
        elif what == ":":
            name.clear()
        elif what in {",", ";"}:
            if what == "," and not address and "@" not in "".join(name) and name:
                name.append(",")  # "Doe, John <john@example.org>" without quotes
            else:
                flush()
        else:
            name.append(what)
    flush()
    return everyone


def _mailbox(name: str, address: str) -> tuple[str, str] | None:
    try:
        normal = addresses.normal_mailbox(address.strip().strip("'"))
    except ValueError:
        return None
    shown = text(name.strip().strip("'").encode("utf-8", "replace"))[:200]
    return ("" if shown.lower() == normal else shown), normal
