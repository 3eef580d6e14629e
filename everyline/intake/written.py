"""Messages that signed-in customers write on pages of ours, about a case of theirs: how one is kept, and how it is read.

Such a piece comes in on the line that the case is answered over, beside what comes over that line's own wire; its envelope tells the two
apart. Who wrote it was proved before it was kept, and the case is named by its signed token, as a letter names it.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from everyline.channel_contract import Address, File, Inbound, InboundKind, Raw, Unreadable
from everyline.ground import languages
from everyline.ground.words import _

ENVELOPE = "written"  # the key that says so

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class WrittenFile(_Kept):
    """One file. ``content`` is base64 in the JSON."""

    name: str
    content_type: str = ""
    content: bytes


class Written(_Kept):
    """One message. Holds no time: the same sent twice is the same bytes."""

    version: Literal[1] = 1
    key: str  # of the form it was typed into
    token: str  # the signed reference to the case
    kind: str
    address: str
    name: str = ""
    text: str = ""
    language: str = ""
    files: tuple[WrittenFile, ...] = ()

    def raw(self) -> Raw:
        """The piece as the door takes it."""
        return Raw(f"written {self.key}", self.model_dump_json().encode(), {ENVELOPE: 1})


def read(raw: Raw) -> list[Inbound]:
    """The message. Raises Unreadable."""
    try:
        found = Written.model_validate_json(raw.body)
    except ValidationError as error:
        raise Unreadable(_("This is not what a page of ours sends.")) from error
    text = plain(found.text)
    return [
        Inbound(
            InboundKind.MESSAGE,
            Address(found.kind, found.address, " ".join(plain(found.name).split())[:200]),
            text=text,
            language=languages.detect(text[:1000]) or found.language,
            tokens=(found.token,),
            files=tuple(File(file_name(one.name), _media_type(one.content_type), one.content) for one in found.files),
            remarks=(_("Written on our website, signed in."),),
        )
    ]


def plain(text: str) -> str:
    """Words as typed, without control characters, with line feeds between lines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def file_name(name: str) -> str:
    """The last part of a path, on whichever system, in one line; never empty."""
    return " ".join(plain(re.split(r"[/\\]", name)[-1]).split())[-200:] or "file"


def _media_type(given: str) -> str:
    found = given.partition(";")[0].strip().lower()
    return found if _MEDIA_TYPE.fullmatch(found) else "application/octet-stream"
