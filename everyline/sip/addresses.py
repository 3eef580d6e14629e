"""Addresses as SIP writes them: URIs (RFC 3261, 19.1; ``tel:`` by RFC 3966) and header fields that hold one.

Read leniently, for what trunks really send; whatever cannot be read is None and never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*')
PORT = 5060


@dataclass(frozen=True)
class Uri:
    """``scheme:name@host:port;parameters?headers``. Parameters' names are in lower case; ``tel:`` has no host."""

    scheme: str
    name: str
    host: str = ""
    port: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when it is none of sip, sips and tel, or is broken."""
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or scheme not in ("sip", "sips", "tel"):
            return None
        rest, _, asked = rest.partition("?")
        if scheme == "tel":
            name, parameters = _parameters(rest)
            return cls(scheme, unquote(name), parameters=parameters) if name else None
        name, at, where = rest.rpartition("@")
        where, parameters = _parameters(where)
        found = _HOST.match(where)
        if found is None or (found[2] and not 0 < int(found[2]) < 65536):
            return None
        named = unquote(name.partition(";")[0].partition(":")[0]) if at else ""
        headers = {
            unquote(k).lower(): unquote(v) for k, _, v in (pair.partition("=") for pair in asked.split("&") if pair)
        }
        return cls(scheme, named, found[1], int(found[2]) if found[2] else None, parameters, headers)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it leads to, without what a name server would add (RFC 3263)."""
        return self.host, self.port or PORT

    def __str__(self) -> str:
        name = quote(self.name, safe="&=+$,/-_.!~*'()")
        text = (
            f"{self.scheme}:{name}"
            if self.scheme == "tel"
            else f"{self.scheme}:{name + '@' if name else ''}{self.host}"
        )
        text += f":{self.port}" if self.port else ""
        text += "".join(f";{k}={v}" if v else f";{k}" for k, v in self.parameters.items())
        return text + (
            "?" + "&".join(f"{k}={quote(v, safe='')}" for k, v in self.headers.items()) if self.headers else ""
        )


@dataclass(frozen=True)
class Named:
    """A URI with the name shown for it and the field's own parameters: From, To, Contact, Refer-To, Diversion."""

    uri: Uri
    shown: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when there is no URI in it."""
        shown, rest = "", text.strip()
        quoted = _QUOTED.match(rest)
        if quoted:
            shown, rest = re.sub(r"\\(.)", r"\1", quoted[1]), rest[quoted.end() :]
        if "<" in rest:
            before, _, rest = rest.partition("<")
            written, _, after = rest.partition(">")
            shown = shown or before.strip()
            parameters = _parameters(after)[1]
        else:  # without brackets the parameters are the field's (RFC 3261, 20.10)
            written, parameters = _parameters(rest)
        uri = Uri.read(written)
        return cls(uri, shown, parameters) if uri else None

    @property
    def tag(self) -> str:
        """The tag of a party of a dialog; empty when there is none."""
        return self.parameters.get("tag", "")

    def __str__(self) -> str:
        shown = (
            '"' + re.sub(r"[\x00-\x1f\x7f]", " ", self.shown).replace("\\", "\\\\").replace('"', '\\"') + '" '
            if self.shown
            else ""
        )
        return f"{shown}<{self.uri}>" + "".join(f";{k}={v}" if v else f";{k}" for k, v in self.parameters.items())


def many(fields: tuple[str, ...]) -> tuple[Named, ...]:
    """The addresses of fields that may hold several each, separated by commas; what cannot be read is left out."""
    found = [Named.read(part) for text in fields for part in _split(text)]
    return tuple(one for one in found if one)


def _parameters(text: str) -> tuple[str, dict[str, str]]:
    head, *pairs = text.split(";")
    found = (pair.partition("=") for pair in pairs if pair.strip())
    return head.strip(), {k.strip().lower(): v.strip().strip('"') for k, _, v in found}


def _split(text: str) -> list[str]:
    parts, start, quoted, bracketed = [], 0, False, False
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif sign in "<>" and not quoted:
            bracketed = sign == "<"
        elif sign == "," and not (quoted or bracketed):
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
