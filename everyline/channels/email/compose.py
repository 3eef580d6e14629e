"""One delivery to bytes (RFC 5322, 2045 to 2047, 2231, 3834, 6532). Whatever is in it, no header can be injected."""

from __future__ import annotations

import re
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from everyline.channel_contract import File, Line, Outbound
from everyline.channels.email import automatic, clean, identity, threads

LONGEST_LINE = 76
MOST_REFERENCES = 20  # the first and the latest, as RFC 5322 section 3.6.4 lets one shorten

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_METHOD = re.compile(rb"(?m)^METHOD:([A-Z]{1,20})\r?$")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_CONTENT_ID = re.compile(r"[^\x21-\x3b\x3d\x3f-\x7e]")
_WITHOUT_7BIT = 5  # one in so many characters not ASCII makes base64 shorter than quoted-printable


def message(line: Line, outbound: Outbound, moment: datetime, *, probe: str = "") -> bytes:
    """The mail as it goes on the wire, lines ended by CRLF, only ASCII unless an address needs more."""
    own = line.address
    external_id = wire_id(line, outbound)
    name = outbound.sender_name or line.settings.sender_name or line.name
    answers = answer_address(line, outbound)
    head = [
        _field("From", [_mailbox(name, own)]),
        _field("To", [_mailbox(outbound.to.name, outbound.to.address)]),
    ]
    if outbound.copies:
        head.append(_field("Cc", [_mailbox(copy.name, copy.address) for copy in outbound.copies], ","))
    if answers != own:
        head.append(_field("Reply-To", [_mailbox(name, answers)]))
    head.append(_text_field("Subject", outbound.subject))
    head.append(_field("Date", [format_datetime(moment)]))
    head.append(_field("Message-ID", [f"<{external_id}>"]))
    references = _references(line, outbound)
    if references:
        head.append(_field("In-Reply-To", [f"<{references[-1]}>"]))
        head.append(_field("References", [f"<{one}>" for one in references]))
    if _LANGUAGE.fullmatch(outbound.language):
        head.append(_field("Content-Language", [outbound.language]))
    if outbound.automatic:
        head.append(_field("Auto-Submitted", ["auto-replied" if references else "auto-generated"]))
        head.append(_field("X-Auto-Response-Suppress", ["All"]))
    head.append(_field(automatic.LOOP_FIELD.decode(), [automatic.loop_digest(own).decode()]))
    if probe:
        head.append(_field(identity.PROBE_FIELD.decode(), [probe]))
    return "".join(head).encode("utf-8") + _body(outbound)


def wire_id(line: Line, outbound: Outbound) -> str:
    """The message id: as told, or made of the token and the idempotency key, the same at every attempt."""
    told = threads.normal_id(outbound.external_id, line)
    return told or threads.own_id(line, outbound.id, outbound.token, outbound.idempotency_key)


def answer_address(line: Line, outbound: Outbound) -> str:
    """Where answers and bounces go: the line's address, with the case's token when the host delivers such."""
    return threads.with_token(line.address, outbound.token) if line.settings.plus_addressing else line.address


def _references(line: Line, outbound: Outbound) -> list[str]:
    known = [threads.normal_id(one, line) for one in outbound.references]
    known = list(dict.fromkeys(one for one in known if one))
    return known if len(known) <= MOST_REFERENCES else [known[0], *known[-(MOST_REFERENCES - 1) :]]


def _clean(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()


def _field(name: str, items: list[str], separator: str = "") -> str:
    """A field folded between its items, which stay whole."""
    out = f"{name}:"
    width = len(out)
    for number, item in enumerate(items):
        piece = item + (separator if number + 1 < len(items) else "")
        first_line = piece.split("\r\n", 1)[0]
        if width + 1 + len(first_line) > LONGEST_LINE and number:
            out += "\r\n"
            width = 0
        out += f" {piece}"
        width = len(out) - out.rfind("\n") - 1
    return f"{out}\r\n"


def _text_field(name: str, value: str) -> str:
    value = _clean(value)
    header = Header(value, "us-ascii" if value.isascii() else "utf-8", LONGEST_LINE, header_name=name)
    if value.isascii() and ("=?" in value or any(len(word) > LONGEST_LINE for word in value.split())):
        header = Header(value, "utf-8", LONGEST_LINE, header_name=name)  # else it could be read as an encoded word
    return f"{name}: {header.encode(linesep=chr(13) + chr(10))}\r\n"


def _mailbox(name: str, address: str) -> str:
    name = _clean(name)
    address = "".join(_clean(address).split())
    if not name:
        return f"<{address}>" if not address.isascii() else address
    if not name.isascii() or "=?" in name:
        return f"{Header(name, 'utf-8', LONGEST_LINE - 10).encode(linesep=chr(13) + chr(10))} <{address}>"
    if not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def _body(outbound: Outbound) -> bytes:
    inline = [file for file in outbound.files if outbound.html and file.inline and file.content_id]
    attached = [file for file in outbound.files if file not in inline]
    mail = EmailMessage(policy=SMTP)
    _set(mail, outbound.text, "plain")
    if outbound.html:
        rich = EmailMessage(policy=SMTP)
        _set(rich, clean.clean(outbound.html), "html")
        for file in inline:
            maintype, subtype = _kind(file)
            content_id = _CONTENT_ID.sub("", file.content_id)[:200]
            rich.add_related(
                file.content,
                maintype,
                subtype,
                cid=f"<{content_id}>",
                filename=_clean(file.name) or None,
                disposition="inline",
            )
        mail.make_alternative()
        mail.attach(rich)
    for file in attached:
        maintype, subtype = _kind(file)
        mail.add_attachment(file.content, maintype, subtype, filename=_clean(file.name) or "file", params=_params(file))
    return mail.as_bytes()


def _set(mail: EmailMessage, content: str, subtype: str) -> None:
    content = (
        content.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    )
    foreign = sum(1 for character in content if ord(character) > 127)
    encoding = "base64" if foreign * _WITHOUT_7BIT > len(content) else "quoted-printable"
    mail.set_content(content, subtype, "utf-8", cte=encoding)


def _params(file: File) -> dict[str, str] | None:
    """A calendar says in its type what is to be done with it (RFC 6047, section 2.4)."""
    method = _METHOD.search(file.content) if file.content_type.lower() == "text/calendar" else None
    return {"charset": "utf-8", "method": method[1].decode("ascii")} if method else None


def _kind(file: File) -> tuple[str, str]:
    kind = file.content_type.lower()
    if not _CONTENT_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    maintype, _, subtype = kind.partition("/")
    return maintype, subtype
