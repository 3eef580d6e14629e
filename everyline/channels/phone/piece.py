"""What a call leaves in the case, as it is kept: one JSON document for each thing that the caller did, and how that is read."""

from __future__ import annotations

import base64
import re
from hashlib import blake2b
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from everyline.channel_contract import Address, File, Inbound, InboundKind, Line, Raw, Unreadable
from everyline.ground import addresses, languages
from everyline.ground.words import _, speaking

_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_KEY = re.compile(r"[0-9a-f]{24}")
_PROBE = re.compile(r"([a-z0-9]{16,100})\.[0-9a-f]{32}")
LONGEST_TEXT = 4000


class Piece(BaseModel):
    """One thing that a caller did. ``begin``: they called. ``keyed`` and ``said``: they answered a turn. ``voicemail``: they left
    their words, in ``sound`` (WAV; base64 in the JSON). ``number`` is empty where it is withheld. Holds no time: the same is the
    same bytes."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    version: Literal[1] = 1
    event: Literal["begin", "keyed", "said", "voicemail", "probe"]
    key: str = ""  # of the call
    count: int = Field(0, ge=0, le=100_000)  # of the caller's deeds in this call
    number: str = ""
    name: str = ""
    dialled: str = ""
    diverted_from: str = ""
    language: str = ""
    text: str = ""
    seconds: float = Field(0, ge=0, le=86_400)
    sound: bytes = b""
    probe: str = ""

    def as_bytes(self) -> bytes:
        """The document."""
        return self.model_dump_json(exclude_defaults=False).encode()


def identify(body: bytes) -> str:
    """The call and the count in it. A probe is known by itself."""
    try:
        found = Piece.model_validate_json(body)
    except ValidationError:
        return blake2b(body, digest_size=12).hexdigest()
    if found.event == "probe" and _PROBE.fullmatch(found.probe):
        return probe_id(found.probe)
    if not _KEY.fullmatch(found.key):
        return blake2b(body, digest_size=12).hexdigest()
    return f"{found.key} {found.count}"


def probe_id(probe: str) -> str:
    """The id under which our own test piece comes in."""
    return f"probe {probe}"


def probe(line: Line, random: bytes) -> str:
    """A mark that only we can make."""
    return f"{line.signer.sign(0)}.{base64.b16encode(random).decode().lower()}"


def sender_of(number: str, name: str, key: str) -> Address:
    """Who calls: a number, or somebody for this call alone where it is withheld. ValueError when it is no number."""
    if number:
        return Address(addresses.NUMBER, addresses.normal_number(number), name, key)
    return Address(addresses.VISITOR, f"s-{key}", name, key)


def read(line: Line, raw: Raw) -> list[Inbound]:
    """One document is one piece. Raises Unreadable."""
    try:
        found = Piece.model_validate_json(raw.body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(_("This is not what a call leaves: %s") % f"{where}: {first['msg']}".strip(": ")) from error
    if found.event == "probe":
        match = _PROBE.fullmatch(found.probe)
        if match is None or line.signer.case_of(match[1]) != 0:
            raise Unreadable(_("This says that it is our own test call, and it is not."))
        return [Inbound(InboundKind.PROBE, None)]
    if not _KEY.fullmatch(found.key):
        raise Unreadable(_("It does not say which call it is of."))
    with speaking(line.language):
        return [_inbound(found)]


def _inbound(found: Piece) -> Inbound:
    try:
        sender = sender_of(one_line(found.number)[:40], one_line(found.name)[:200], found.key)
    except ValueError as error:
        raise Unreadable(_("It is of no telephone number: %s") % one_line(found.number)[:40]) from error
    text = one_line(found.text)[:LONGEST_TEXT]
    files: tuple[File, ...] = ()
    fields: dict[str, str] = {}
    if found.event in ("begin", "voicemail"):
        dialled, diverted = one_line(found.dialled)[:40], one_line(found.diverted_from)[:40]
        fields = {label: said for label, said in ((_("Dialled"), dialled), (_("Passed on from"), diverted)) if said}
    if found.event == "voicemail":
        if found.sound[:4] != b"RIFF" or found.sound[8:12] != b"WAVE":
            raise Unreadable(_("The caller's words are no WAV file."))
        files = (File(f"voicemail-{found.key[:8]}.wav", "audio/wav", found.sound),)
        text = text or _("Voicemail, %s seconds") % round(found.seconds)
    return Inbound(
        InboundKind.MESSAGE,
        sender,
        subject=subject_of(sender) if found.event in ("begin", "voicemail") else "",
        text=text,
        language=found.language if found.language in languages.LIKELY else "",
        files=files,
        fields=fields,
        client_id=f"{found.key} {found.count}",
        answerable=True,
        dialled=_first_dialled(found),
        left=found.event == "voicemail",
    )


def _first_dialled(found: Piece) -> str:
    """The number that they called first: that which passed them on, else ours."""
    for number in (found.diverted_from, found.dialled):
        try:
            if number:
                return addresses.normal_number(one_line(number)[:40])
        except ValueError:
            continue
    return ""


def subject_of(sender: Address) -> str:
    """What a case is called that begins with a call."""
    if sender.kind != addresses.NUMBER:
        return _("Call from a withheld number")
    return _("Call from %s") % shown(sender.address)


def shown(number: str) -> str:
    """A number as people write it: with its country and in groups."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)).replace("-", " ")


def one_line(text: str) -> str:
    """In one line and without signs that nobody says."""
    return " ".join(_CONTROLS.sub(" ", text).split())
