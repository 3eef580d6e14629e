"""What was typed into a form, as it is kept: one JSON document with its files in it, and how that is read."""

from __future__ import annotations

import base64
import re
from hashlib import blake2b
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from everyline.channel_contract import Address, File, Inbound, InboundKind, Line, Raw, Unreadable
from everyline.ground import addresses, languages
from everyline.ground.words import _, speaking

LONGEST_SUBJECT = 120  # characters, when it is the first line of the message

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_PROBE = re.compile(r"([a-z0-9]{16,100})\.[0-9a-f]{32}")


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class KeptAnswer(_Kept):
    """The answer to one question, under the label it had then."""

    label: str
    answer: str


class KeptFile(_Kept):
    """One file. ``content`` is base64 in the JSON."""

    name: str
    content_type: str = ""
    content: bytes


class Submission(_Kept):
    """One form as it was sent. Holds no time: the same form sent twice is the same bytes."""

    version: Literal[1] = 1
    submission: str
    name: str = ""
    mailbox: str = ""
    number: str = ""
    subject: str = ""
    text: str = ""
    language: str = ""
    answers: tuple[KeptAnswer, ...] = ()
    files: tuple[KeptFile, ...] = ()
    probe: str = ""

    def as_bytes(self) -> bytes:
        """The document."""
        return self.model_dump_json().encode()


def identify(body: bytes) -> str:
    """The form's own id with a digest of what was typed: sent twice it is one, sent again with other words it is
    another, so that nothing is lost. A probe is known by itself."""
    digest = blake2b(body, digest_size=12).hexdigest()
    try:
        found = Submission.model_validate_json(body)
    except ValidationError:
        return digest
    if _PROBE.fullmatch(found.probe):
        return probe_id(found.probe)
    return f"{one_line(found.submission)[:64]} {digest}".strip()


def probe_id(probe: str) -> str:
    """The id under which our own test message comes in."""
    return f"probe {probe}"


def reference(external_id: str) -> str:
    """Eight letters and digits to name a piece by before it has a case with a number."""
    code = base64.b32encode(blake2b(external_id.encode(), digest_size=5).digest()).decode()
    return f"{code[:4]}-{code[4:]}"


def read(line: Line, raw: Raw) -> list[Inbound]:
    """One form is one message. Raises Unreadable."""
    try:
        found = Submission.model_validate_json(raw.body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(_("This is not what a web form sends: %s") % f"{where}: {first['msg']}".strip(": ")) from error
    if found.probe:
        return [_probe(line, found.probe)]
    with speaking(line.language):
        return [_message(found, raw.external_id)]


def _probe(line: Line, probe: str) -> Inbound:
    match = _PROBE.fullmatch(probe)
    if match is None or line.signer.case_of(match[1]) != 0:
        raise Unreadable(_("This says that it is our own test message, and it is not."))
    return Inbound(InboundKind.PROBE, None)


def _message(found: Submission, external_id: str) -> Inbound:
    text = plain(found.text)
    subject = one_line(found.subject) or one_line(text.strip().partition("\n")[0])[:LONGEST_SUBJECT]
    fields: dict[str, str] = {}
    for kept in found.answers:
        if kept.answer:
            fields[_free(one_line(kept.label), fields)] = plain(kept.answer)
    if found.number:
        fields[_free(_("Phone"), fields)] = one_line(found.number)
    fields[_free(_("Reference of the form"), fields)] = reference(external_id)
    sender, remarks = _sender(found)
    files = tuple(File(file_name(kept.name), _media_type(kept.content_type), kept.content) for kept in found.files)
    return Inbound(
        InboundKind.MESSAGE,
        sender,
        subject=subject,
        text=text,
        language=languages.detect(text[:1000]) or _language(found.language),
        files=files,
        fields=fields,
        answerable=sender is not None,
        remarks=remarks,
    )


def _sender(found: Submission) -> tuple[Address | None, tuple[str, ...]]:
    name = one_line(found.name)[:200]
    for kind, given in ((addresses.MAILBOX, found.mailbox), (addresses.NUMBER, found.number)):
        try:
            return Address(kind, addresses.normal(kind, one_line(given)), name), ()
        except ValueError:
            continue
    remark = _("Nobody can be answered: neither the email address nor the phone number is one.")
    return None, (" ".join(filter(None, (remark, name, one_line(found.mailbox)))),)


def _language(given: str) -> str:
    return given if given in languages.LIKELY else ""


def _media_type(given: str) -> str:
    found = given.partition(";")[0].strip().lower()
    return found if _MEDIA_TYPE.fullmatch(found) else "application/octet-stream"


def _free(label: str, taken: dict[str, str]) -> str:
    """The label, with a number after it when there is one like it already."""
    free, n = label, 2
    while free in taken:
        free, n = f"{label} ({n})", n + 1
    return free


def plain(text: str) -> str:
    """Words as typed, without control characters, with line feeds between lines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """In one line: what stands in a header later can bring no header of its own."""
    return " ".join(_CONTROLS.sub("", text).split())


def file_name(name: str) -> str:
    """The last part of a path, on whichever system; never empty."""
    return one_line(re.split(r"[/\\]", name)[-1])[-200:] or "file"
