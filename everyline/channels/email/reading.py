"""From the bytes of one mail to one piece. Pure: no I/O, no clock; raises nothing but Unreadable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from everyline.channel_contract import Address, Inbound, InboundKind, Line, Raw, Unreadable
from everyline.channels.email import automatic, body, bounces, charsets, clean, headers, identity, mime, quoted, threads
from everyline.channels.email.automatic import Author
from everyline.ground import addresses
from everyline.ground.words import _

MOST_RECIPIENTS = 100
LONGEST_SUBJECT = 500
_LANGUAGE = re.compile(r"\s*([a-zA-Z]{2})\b")
_TO_FIELDS = (b"to", b"cc")
_ARRIVED_AT_FIELDS = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to", b"x-delivered-to")


def read(line: Line, raw: Raw) -> list[Inbound]:
    """The piece that these bytes are. Raises Unreadable, in words for an admin."""
    if not raw.body.strip(b"\r\n\t \0"):
        raise Unreadable(_("The mail is empty."))
    try:
        root, remarks = mime.read(raw.body)
        return [_piece(line, raw, root, remarks)]
    except (RecursionError, MemoryError) as error:
        raise Unreadable(_("The mail is built in a way that cannot be read.")) from error


def _piece(line: Line, raw: Raw, root: mime.Part, remarks: list[str]) -> Inbound:
    fields = root.fields
    external_id = _own_id(fields)
    if _is_probe(line, fields):
        return Inbound(InboundKind.PROBE, None, external_id=external_id, answerable=False)
    return_path = _return_path(raw, fields)
    sender, reply_to = _sender(line, fields, return_path, remarks)
    subject = charsets.tidy(fields.text(b"subject"))[:LONGEST_SUBJECT]
    address = sender.address if sender else ""
    report = bounces.read(root, address, subject, return_path)
    author = automatic.author(fields, address, subject, return_path, line.address)
    kind = _kind(report, author)
    if sender is None and kind is InboundKind.MESSAGE:
        raise Unreadable(_("Nobody is named as its sender, so it cannot be told whose case it is."))
    bodies = body.collect(root)
    text, history, html = _texts(bodies, subject)
    remarks += [remark for remark in bodies.remarks if remark not in remarks]
    if raw.envelope.get("too_large"):
        remarks.append(
            _("It is larger than this line takes: only its header was fetched, the mail is still in the mailbox.")
        )
    referenced = (*threads.references(fields), *(report.references if report else ()))
    recipients = _recipients(fields)
    reached = [*_strings(raw.envelope.get("recipients")), *(one.address for one in recipients), *_arrived_at(fields)]
    return Inbound(
        kind=kind,
        sender=sender,
        external_id=external_id,
        subject=subject,
        text=text,
        quoted=history,
        html=html,
        language=_language(fields),
        sent_at=_sent_at(fields),
        recipients=recipients,
        reply_to=reply_to,
        references=tuple(dict.fromkeys(referenced)),
        tokens=threads.tokens(line, reached, referenced),
        files=tuple(bodies.files),
        failures=report.failures if report and kind is InboundKind.BOUNCE else (),
        answerable=kind is InboundKind.MESSAGE and author is Author.PERSON and not raw.envelope.get("backfill"),
        remarks=tuple(remarks),
    )


def _kind(report: bounces.Report | None, author: Author) -> InboundKind:
    if report and report.failures:
        return InboundKind.BOUNCE
    if report and report.arrived:
        return InboundKind.RECEIPT
    if report or author is Author.MACHINE:
        return InboundKind.AUTOMATIC
    return InboundKind.MESSAGE


def _own_id(fields: headers.Fields) -> str:
    found = fields.every(b"message-id")
    if len(found) != 1:
        return ""  # nobody could refer to it without doubt
    known = threads.ids(found[0])
    return known[0][: threads.LONGEST_ID] if known else ""


def _is_probe(line: Line, fields: headers.Fields) -> bool:
    """Our own test message: its token was signed for no case."""
    probe = fields.raw(identity.PROBE_FIELD.lower()).decode("ascii", "replace")
    return bool(probe) and line.signer.case_of(probe.partition(".")[0]) == 0


def _return_path(raw: Raw, fields: headers.Fields) -> str | None:
    told = raw.envelope.get("sender")
    if isinstance(told, str):
        return told
    written = fields.every(b"return-path")
    return written[0].strip(b"<> ").decode("utf-8", "replace") if written else None


def _sender(
    line: Line, fields: headers.Fields, return_path: str | None, remarks: list[str]
) -> tuple[Address | None, Address | None]:
    """Who wrote it, and where they ask answers to go when that is elsewhere (Reply-To, RFC 5322 section 3.6.2).

    The sender is who stands in From, whatever Reply-To says, for a case belongs to who writes. Only where nobody reads
    From, as forms write it, the address in Reply-To is the sender's. A Reply-To that leads back to this line, or to a
    list that the mail came over, is none: the answer is meant for one person.
    """
    written = fields.every(b"from")
    if len(written) > 1:
        remarks.append(_("It names its sender more than once; the first is taken."))
    found = headers.mailboxes(written[0]) if written else []
    answers = headers.mailboxes(fields.raw(b"reply-to"))[:1]
    if answers and (threads.plain(answers[0][1]) == line.address or _is_list(fields, answers[0][1])):
        answers = []
    elsewhere: list[tuple[str, str]] = []
    if found and answers and answers[0][1] != found[0][1]:
        if automatic.is_no_reply(found[0][1]) or found[0][1] == line.address:
            remarks.append(_("It was sent for somebody else by {address}.").format(address=found[0][1]))
            found = answers
        else:
            elsewhere = answers
    if not found:
        found = answers or headers.mailboxes(fields.raw(b"sender")) or _as_mailbox(return_path)
        if found:
            remarks.append(_("It does not say who wrote it; the address that it came from is taken."))
    return _address(found), _address(elsewhere)


def _address(found: list[tuple[str, str]]) -> Address | None:
    return Address(addresses.MAILBOX, found[0][1], found[0][0]) if found else None


def _is_list(fields: headers.Fields, address: str) -> bool:
    return address.encode("utf-8") in fields.raw(b"list-post").lower()


def _as_mailbox(address: str | None) -> list[tuple[str, str]]:
    try:
        return [("", addresses.normal_mailbox(address))] if address else []
    except ValueError:
        return []


def _texts(bodies: body.Bodies, subject: str) -> tuple[str, str, str]:
    """New text, history, and clean HTML of what is new."""
    forwarded = quoted.is_forward(subject)
    new: list[str] = []
    history: list[str] = []
    rich: list[str] = []
    with_html = any(segment.html is not None for segment in bodies.segments)
    for segment in bodies.segments:
        html = below = ""
        if segment.html is not None:
            html, below = clean.fold(segment.html, forwarded=forwarded)
        if segment.text is not None and (segment.text.strip() or segment.html is None):
            text, older = quoted.fold(segment.text, forwarded=forwarded)
        elif below:
            text, older = clean.text(html), clean.text(below)
        else:
            text, older = quoted.fold(clean.text(html), forwarded=forwarded)
        new.append(text)
        history.append(older)
        if with_html:
            rich.append(html if segment.html is not None else clean.from_text(text))
    return (
        "\n\n".join(filter(None, new))[: body.LONGEST_TEXT],
        "\n\n".join(filter(None, history))[: body.LONGEST_TEXT],
        "".join(rich),
    )


def _language(fields: headers.Fields) -> str:
    found = _LANGUAGE.match(fields.text(b"content-language"))
    return found[1].lower() if found else ""


def _sent_at(fields: headers.Fields) -> datetime | None:
    written = fields.raw(b"date")
    if not written:
        return None
    try:
        moment = parsedate_to_datetime(written[:100].decode("ascii", "replace"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 9000 else None


def _recipients(fields: headers.Fields) -> tuple[Address, ...]:
    seen: dict[str, Address] = {}
    for name in _TO_FIELDS:
        for value in fields.every(name)[:3]:
            for shown, address in headers.mailboxes(value):
                seen.setdefault(address, Address(addresses.MAILBOX, address, shown))
    return tuple(seen.values())[:MOST_RECIPIENTS]


def _arrived_at(fields: headers.Fields) -> list[str]:
    values = [value for name in _ARRIVED_AT_FIELDS for value in fields.every(name)]
    return [value.strip(b"<> ").decode("ascii", "replace") for value in values[:MOST_RECIPIENTS]]


def _strings(value: object) -> list[str]:
    return (
        [one for one in value if isinstance(one, str)]
        if isinstance(value, Iterable) and not isinstance(value, str)
        else []
    )
