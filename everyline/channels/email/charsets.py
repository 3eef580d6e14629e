"""Bytes to text, for charsets as they are declared in real mail."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# What is declared is often a subset of what is meant (the WHATWG encoding standard does the same).
_MEANT = {
    "ansi_x3.4-1968": "cp1252",
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso8859-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "latin1": "cp1252",
    "macintosh": "mac_roman",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "us-ascii": "cp1252",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac_roman",
    "x-sjis": "cp932",
}
# Python codecs that are no charset of mail: slow, or able to make characters that cannot be stored.
_NO_CHARSET = frozenset(
    {"unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "mbcs", "oem", "unicode-escape"}
)
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w:.-]{2,40})""", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ufffe\uffff]")
_ESCAPED_JAPANESE = re.compile(rb"\x1b(?:\$[@B]|\(J)")


@lru_cache(maxsize=256)
def codec(charset: str) -> str | None:
    """The Python codec for a declared charset, None when there is none."""
    name = charset.strip().strip("\"'").lower()
    name = _MEANT.get(name, name)
    if not name or name in _NO_CHARSET or len(name) > 40:
        return None
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    # codecs such as base64 or zlib are no text encodings
    if found.name in _NO_CHARSET or not getattr(found, "_is_text_encoding", True):
        return None
    return found.name


def guess(content: bytes) -> str:
    """Text whose charset nobody told: UTF-8 when it is valid, else Windows-1252, which reads anything."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def decode(content: bytes, charset: str = "") -> tuple[str, bool]:
    """Text, and whether it could be read as declared. Never fails.

    Nothing declared, or ASCII declared with other bytes in it, is guessed without complaint.
    """
    if (
        content.isascii()
        and b"\x1b" not in content
        and charset.lower() not in {"utf-7", "hz-gb-2312", "unicode-1-1-utf-7"}
    ):
        found = codec(charset) if charset else "ascii"
        # UTF-16 and its like are ASCII bytes without being ASCII text
        if found is None or not found.startswith(("utf-16", "utf-32", "cp037", "cp500", "cp1140")):
            return content.decode("ascii"), charset == "" or found is not None
    if not charset or charset.lower() in {"us-ascii", "ascii", "ansi_x3.4-1968"}:
        if _ESCAPED_JAPANESE.search(content):
            return content.decode("iso2022_jp_ext", "replace"), True
        inner = _META.search(content, 0, 2048)
        named = codec(inner[1].decode("ascii", "replace")) if inner else None
        if named:
            return content.decode(named, "replace"), True
        return guess(content), True
    found = codec(charset)
    if found is None:
        return guess(content), False
    if found in {"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2"}:
        found = "iso2022_jp_ext"
    try:
        return content.decode(found), True
    except UnicodeError:
        pass
    if found == "utf-8":
        # a character cut in two is one thing, text that never was UTF-8 another
        text = content.decode(found, "replace")
        foreign = [character for character in text if character > "\x7f"]
        return (text if foreign.count("\ufffd") * 2 < len(foreign) else content.decode("cp1252", "replace")), False
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode(found, "replace"), False


def tidy(text: str) -> str:
    """Line feeds only, no NUL and no other control characters, no half characters: what a database can keep."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text
