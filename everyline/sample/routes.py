"""The page "try it" of the demonstration: write to the sample company by mail, and see what comes back."""

from __future__ import annotations

import asyncio
import re
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.ground.addresses import normal_mailbox
from everyline.ground.clock import now
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.permit import public
from everyline.sample import calling, ports, telephone
from everyline.sample import letters as mailboxes

router = APIRouter(dependencies=[public()])
router.routes.extend(calling.router.routes)

WRITER = "Robin Sample"
MAILBOX = "robin@sample.example"
_SAFE_HEADER = re.compile(r"[\r\n\x00]")


def _known(request: Request) -> tuple[Ground, dict[str, Any]]:
    """NotFound where this is no demonstration."""
    ground: Ground = request.app.state.ground
    found = ports.known(ground.settings.data)
    if not found:
        raise NotFound(_("There is nothing at this address."))
    return ground, found


async def _context(ground: Ground, mailbox: str) -> dict[str, Any]:
    async with ground.database.transaction() as tx:
        lines = await tx.rows(
            select(Line.address, Line.name)
            .where(Line.open, Line.retired_at.is_(None), Line.address.contains("@"))
            .order_by(Line.id)
        )
        telephones = await tx.rows(
            select(Line.address, Line.name).where(
                Line.open, Line.retired_at.is_(None), Line.channel == telephone.CHANNEL
            )
        )
    found = await asyncio.to_thread(mailboxes.letters, ground.settings.data / "letters", mailbox)
    letters = [
        {"letter": letter, "at": datetime.fromtimestamp(letter.at, UTC), "again": _again(letter, mailbox)}
        for letter in found
    ]
    options = [(line.address, f"{line.name} · {line.address}") for line in lines]
    return {
        "lines": options,
        "letters": letters,
        "mailbox": mailbox,
        "organisation": "Harbor County",
        "telephones": [(line.address, f"{line.name} · {line.address}") for line in telephones],
        "numbers": calling.NUMBERS,
    }


def _again(letter: mailboxes.Letter, mailbox: str) -> str:
    """The address of the form, filled in for an answer to this letter."""
    to = parseaddr(letter.reply_to)[1]
    return "/try?" + urlencode(
        {"mailbox": mailbox, "to": to, "subject": letter.subject, "in_reply_to": letter.message_id}
    )


@router.get("/try")
async def try_it(
    request: Request,
    mailbox: Annotated[str, Query()] = MAILBOX,
    to: Annotated[str, Query()] = "",
    subject: Annotated[str, Query()] = "",
    in_reply_to: Annotated[str, Query()] = "",
) -> Response:
    """The form, and the mailbox of whoever writes."""
    ground, _found = _known(request)
    typed = {"name": WRITER, "mailbox": mailbox, "to": to, "subject": subject, "text": "", "in_reply_to": in_reply_to}
    return page("sample/try.html", typed=typed, errors={}, sent="", **await _context(ground, mailbox))


@router.get("/try/letters")
async def letters(request: Request, mailbox: Annotated[str, Query()] = MAILBOX) -> Response:
    """The mailbox alone, read again every few seconds."""
    ground, _found = _known(request)
    return page("sample/letters.html", **await _context(ground, mailbox))


@router.post("/try")
async def write(
    request: Request,
    name: Annotated[str, Form()] = WRITER,
    mailbox: Annotated[str, Form()] = MAILBOX,
    to: Annotated[str, Form()] = "",
    subject: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    in_reply_to: Annotated[str, Form()] = "",
) -> Response:
    """Send a mail to the company's SMTP listener."""
    ground, found = _known(request)
    typed = {"name": name, "mailbox": mailbox, "to": to, "subject": subject, "text": text, "in_reply_to": in_reply_to}
    errors = _errors(typed)
    sent = ""
    if not errors:
        message = _message(typed)
        try:
            await asyncio.to_thread(_send, found["smtp"], normal_mailbox(mailbox), to, message)
            sent = _("Sent to %s. What comes back is shown here.") % to
            typed = {**typed, "subject": "", "text": "", "in_reply_to": ""}
        except (OSError, smtplib.SMTPException) as error:
            errors = {
                "text": _("The company's mail host did not take it: %s. What you typed was kept; please send it again.")
                % error
            }
    context = await _context(ground, normal_mailbox(mailbox) if "mailbox" not in errors else MAILBOX)
    return page("sample/try.html", status=422 if errors else 200, typed=typed, errors=errors, sent=sent, **context)


def _errors(typed: dict[str, str]) -> dict[str, str]:
    errors = {}
    for field in ("mailbox", "to"):
        try:
            normal_mailbox(typed[field])
        except ValueError:
            errors[field] = _("Write an email address, such as name@example.org.")
    if not typed["text"].strip():
        errors["text"] = _("Write something.")
    return errors


def _message(typed: dict[str, str]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"{_SAFE_HEADER.sub(' ', typed['name'])[:100]} <{normal_mailbox(typed['mailbox'])}>"
    message["To"] = normal_mailbox(typed["to"])
    message["Subject"] = _SAFE_HEADER.sub(" ", typed["subject"])[:200] or _("A question")
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain="sample.example")
    quoted = typed["in_reply_to"][:300]
    if quoted and not _SAFE_HEADER.search(quoted):
        message["In-Reply-To"] = message["References"] = quoted
    message.set_content(typed["text"])
    return message


def _send(host: dict[str, Any], sender: str, to: str, message: EmailMessage) -> None:
    with smtplib.SMTP(host["host"], host["port"], timeout=20) as smtp:
        smtp.send_message(message, sender, [to])
