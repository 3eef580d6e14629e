"""What a visitor said, as it is kept: one JSON document a message, with its files in it, and how that is read."""

from __future__ import annotations

import base64
import re
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from everyline.channel_contract import (
    Address,
    File,
    Inbound,
    InboundKind,
    Line,
    Page,
    Raw,
    Unreadable,
    Verification,
)
from everyline.channels.webchat import kinds
from everyline.ground import addresses, languages
from everyline.ground.words import _, speaking

LONGEST_SUBJECT = 120  # characters: the first line of the first message
LONGEST_URL = 1000

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # in a name they make an ending look like another
_PROBE = re.compile(r"([a-z0-9]{16,100})\.[0-9a-f]{32}")
_VISITOR = re.compile(r"[vsm]-[0-9a-f]{24}")


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class KeptFile(_Kept):
    """One file. ``content`` is base64 in the JSON; ``content_type`` was seen from it."""

    name: str
    content_type: str = ""
    content: bytes


class KeptPage(_Kept):
    """Where the visitor was."""

    url: str
    title: str = ""


class Utterance(_Kept):
    """One message as it was sent. Holds no time: the same sent twice is the same bytes."""

    version: Literal[1] = 1
    visitor: str = ""
    client_id: str = ""
    text: str = ""
    language: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # label and answer
    page: KeptPage | None = None
    begins: bool = False
    mailbox: str = ""  # that they say is theirs
    verification: Verification = Verification.NONE
    verified: str = ""  # the mailbox that they were shown to own
    name: str = ""
    files: tuple[KeptFile, ...] = ()
    probe: str = ""

    def as_bytes(self) -> bytes:
        """The document."""
        return self.model_dump_json().encode()


def external_id(visitor: str, client_id: str) -> str:
    """What makes a message one, however often it is sent."""
    return f"{visitor} {client_id}"


def identify(body: bytes) -> str:
    """The visitor and what their program calls the message. A probe is known by itself."""
    try:
        found = Utterance.model_validate_json(body)
    except ValidationError:
        return blake2b(body, digest_size=12).hexdigest()
    if _PROBE.fullmatch(found.probe):
        return probe_id(found.probe)
    return external_id(one_line(found.visitor)[:64], one_line(found.client_id)[:64])


def probe_id(probe: str) -> str:
    """The id under which our own test message comes in."""
    return f"probe {probe}"


def read(line: Line, raw: Raw) -> list[Inbound]:
    """One document is one message. Raises Unreadable."""
    try:
        found = Utterance.model_validate_json(raw.body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(_("This is not what a chat sends: %s") % f"{where}: {first['msg']}".strip(": ")) from error
    if found.probe:
        match = _PROBE.fullmatch(found.probe)
        if match is None or line.signer.case_of(match[1]) != 0:
            raise Unreadable(_("This says that it is our own test message, and it is not."))
        return [Inbound(InboundKind.PROBE, None)]
    if not _VISITOR.fullmatch(found.visitor):
        raise Unreadable(_("It does not say which visitor wrote it."))
    with speaking(line.language):
        return [_message(found)]


def _message(found: Utterance) -> Inbound:
    text = plain(found.text).strip()
    files = tuple(_file(kept) for kept in found.files)
    name = one_line(found.name)[:200] or addresses.shown(addresses.VISITOR, found.visitor)
    fields: dict[str, str] = {}
    for label, answer in found.fields:
        if answer:
            fields[one_line(label)[:200]] = plain(answer)
    verified = _mailbox(found.verified) if found.verification is not Verification.NONE else None
    claimed = _mailbox(found.mailbox)
    return Inbound(
        InboundKind.MESSAGE,
        Address(addresses.VISITOR, found.visitor, name),
        subject=one_line(text.partition("\n")[0])[:LONGEST_SUBJECT] or (files[0].name if files else ""),
        text=text,
        language=_language(text, found.language),
        files=files,
        fields=fields,
        client_id=found.client_id[:64],
        begins=found.begins,
        verification=found.verification,
        proven=verified,
        claimed=claimed if claimed != verified else None,
        page=page(found.page.url, found.page.title) if found.page is not None else None,
    )


def _file(kept: KeptFile) -> File:
    kind = kinds.kind_of(kept.content)
    return File(file_name(kept.name, kind), kind, kept.content)


def _mailbox(given: str) -> Address | None:
    try:
        return Address(addresses.MAILBOX, addresses.normal_mailbox(one_line(given))) if given else None
    except ValueError:
        return None


def _language(text: str, told: str) -> str:
    """Short words are no sign of a language: what the widget speaks counts for more than them."""
    seen = languages.detect(text[:1000]) if len(text) > 80 else ""
    told = told.partition("-")[0].lower()
    return seen or (told if told in languages.LIKELY else "")


def page(url: Any, title: Any) -> Page | None:
    """A page that somebody says they look at; None when it is none of the web."""
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return None
    return Page(one_line(url)[:LONGEST_URL], one_line(title)[:200] if isinstance(title, str) else "")


def plain(text: str) -> str:
    """Words as typed, without control characters, with line feeds between lines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """In one line: what stands in a header later can bring no header of its own."""
    return " ".join(_CONTROLS.sub("", text).split())


def file_name(name: str, kind: str) -> str:
    """The last part of a path, on whichever system, with an ending that fits the content; never empty."""
    last = _DIRECTIONS.sub("", one_line(re.split(r"[/\\]", name)[-1]))[-180:]
    return kinds.name_for(last or "file", kind)


def probe(line: Line, random: bytes) -> str:
    """A mark that only we can make."""
    return f"{line.signer.sign(0)}.{base64.b16encode(random).decode().lower()}"
