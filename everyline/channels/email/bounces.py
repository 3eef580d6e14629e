"""Reports about mail of ours: not delivered (RFC 3464), delivered, read (RFC 8098), complained about (RFC 5965)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from everyline.channel_contract import Failure
from everyline.channels.email import headers, threads
from everyline.channels.email.mime import Part

MOST_FAILURES = 100
_LOOKED_AT = 256 * 1024  # bytes of a report; the rest is the returned mail

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-])")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"]{1,64}@[^\s<>()\[\],;:\"]{1,255}")
_QUOTED_ID = re.compile(rb"^[> \t]*message-id:[ \t]*(?:\r?\n[> \t]*)?<([^<>\s]{1,400})>", re.IGNORECASE | re.MULTILINE)
_OUR_ID = re.compile(rb"<([A-Za-z0-9]{6,80}(?:\.\d{1,19})?\.[A-Za-z0-9]{4,64}@[^<>\s]{1,255})>")
_FAILED_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|problem)|returned (?:mail|to sender)|mail delivery"
    r"|failure notice|"
    r"could not be delivered|message not delivered|unzustellbar|nicht zugestellt|zustellung|non (?:remis|distribu)|"
    r"échec de la remise|no se pudo entregar|no entregado|mancata consegna|impossibile recapitare|не доставлено"
    r"|недоставлен|"
    r"onbestelbaar|niet bezorgd|niedostarczon|配信不能|退信",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"(?:mailer-?daemon|mail-?daemon|postmaster|mailer|mail\.?system)(?:\+[^@]*)?@", re.IGNORECASE)
_PERMANENT_WORDS = re.compile(
    r"user unknown|no such user|does(?:n't| not) exist|unknown user|mailbox (?:unavailable|not found)", re.IGNORECASE
)
_DELAYED_WORDS = re.compile(r"delayed|will (?:be retried|keep trying)|not yet been delivered|warning", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says about mail of ours."""

    failures: tuple[Failure, ...]
    references: tuple[str, ...]  # external ids of the mail it is about
    arrived: bool = False  # it says that the mail arrived, or was read
    complaint: bool = False


def read(root: Part, sender: str, subject: str, return_path: str | None) -> Report | None:
    """The report that this message is; None when it is something else."""
    if root.kind == "multipart/report":
        kind = root.parameters.get("report-type", "").lower()
        if kind == "feedback-report":
            return Report((), _originals(root), complaint=True)
        for part in root.parts:
            if part.kind in {"message/delivery-status", "message/global-delivery-status"}:
                return _delivery_status(root, part)
            if part.kind in {"message/disposition-notification", "message/global-disposition-notification"}:
                return Report((), _read_notice(part), arrived=True)
    if root.kind.startswith("multipart/"):
        for part in root.walk():  # a host that forgot to say that it is a report
            if part.kind == "message/delivery-status":
                return _delivery_status(root, part)
    return _unmarked(root, sender, subject, return_path)


def _delivery_status(root: Part, status: Part) -> Report:
    """RFC 3464: a group of fields about the message, then one for each recipient."""
    content, _whole = status.content()
    originals = _originals(root)
    about = originals[0] if originals else ""
    failures: list[Failure] = []
    arrived = False
    for group in re.split(rb"(?:\r?\n){2,}", content[:_LOOKED_AT].strip()):
        fields, _whole = headers.read(group + b"\n", 0, len(group) + 1)
        recipient = _typed(fields.text(b"final-recipient")) or _typed(fields.text(b"original-recipient"))
        action = fields.text(b"action").lower().strip()
        if not recipient and not action:
            continue
        diagnostic = fields.text(b"diagnostic-code")
        reason = _typed(diagnostic)
        found = _STATUS.search(fields.text(b"status"))
        code = found[1] if found else ""
        if action in {"delivered", "relayed", "expanded"}:
            arrived = True
        elif len(failures) < MOST_FAILURES:
            permanent = action != "delayed" and not code.startswith("4")
            # "failed" with a temporary code: the host has given up, nothing comes after it
            permanent = permanent or action == "failed"
            failures.append(Failure(about, recipient.lower(), permanent, code, reason[:500]))
    return Report(tuple(failures), originals, arrived=arrived and not failures)


def _typed(value: str) -> str:
    """The part after "rfc822;" or "smtp;"."""
    _, semicolon, rest = value.partition(";")
    return (rest if semicolon else value).strip().strip("<>")


def _originals(root: Part) -> tuple[str, ...]:
    """Message ids of the returned message, wherever the report keeps it."""
    found: list[str] = []
    for part in root.walk():
        if part is not root and part.kind in {
            "message/rfc822",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global",
            "message/global-headers",
        }:
            content, _whole = part.content()
            inner, _whole = headers.read(content, 0, min(len(content), _LOOKED_AT))
            found += threads.ids(inner.raw(b"message-id"))
    if not found:
        found = [
            one.decode("ascii", "replace")
            for one in _QUOTED_ID.findall(root.data, root.start, min(root.end, root.start + _LOOKED_AT))
        ]
    return tuple(dict.fromkeys(found))


def _read_notice(part: Part) -> tuple[str, ...]:
    content, _whole = part.content()
    fields, _whole = headers.read(content, 0, len(content))
    return tuple(threads.ids(fields.raw(b"original-message-id")))


def _unmarked(root: Part, sender: str, subject: str, return_path: str | None) -> Report | None:
    """Bounces in a form of their own (qmail, Exim, old Exchange): from a daemon, quoting the mail."""
    failed = [address.lower() for address in _ADDRESS.findall(root.fields.text(b"x-failed-recipients"))]
    daemon = return_path == "" or _DAEMON.match(sender) is not None
    if not failed and not (daemon and (_FAILED_SUBJECT.search(subject) or b"auto-submitted" not in root.fields)):
        return None
    quoted = root.data[root.start : min(root.end, root.start + _LOOKED_AT)]
    originals = [one.decode("ascii", "replace") for one in (*_OUR_ID.findall(quoted), *_QUOTED_ID.findall(quoted))]
    if not failed and not originals and not _FAILED_SUBJECT.search(subject):
        return None
    said = quoted[:4000].decode("utf-8", "replace")
    if not failed:
        own_part = said.lower().partition("message-id:")[0]
        failed = [found for found in _ADDRESS.findall(own_part) if found != sender][:1]
    if not failed and not originals:
        return None
    code = _STATUS.search(said)
    reply = _REPLY_CODE.search(said)
    number = code[1] if code else (reply[1] if reply else "")
    temporary = number.startswith("4") or (not number and _DELAYED_WORDS.search(subject) is not None)
    reason = next(
        (line.strip() for line in said.splitlines() if (number and number in line) or _PERMANENT_WORDS.search(line)), ""
    )
    about = originals[0] if originals else ""
    return Report(
        tuple(
            Failure(about, recipient, not temporary, number, reason[:500])
            for recipient in (failed or [""])[:MOST_FAILURES]
        ),
        tuple(dict.fromkeys(originals)),
    )
