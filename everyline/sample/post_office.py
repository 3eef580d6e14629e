"""The sample customers' mail host: takes what the sample company sends them, and keeps it for the page "try it".

A real SMTP server (aiosmtpd) on loopback; each mail is a file, named by when it came.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import re
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger(__name__)

MOST = 500  # mails kept

_UNSAFE = re.compile(r"[^a-z0-9@._+-]")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to a sample customer."""

    message_id: str
    sender: str
    reply_to: str
    subject: str
    text: str
    at: float  # seconds since the epoch


class _Handler:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- the name that aiosmtpd calls
        content = envelope.content
        for recipient in envelope.rcpt_tos:
            box = box_of(self._folder, recipient)
            box.mkdir(parents=True, exist_ok=True)
            (box / f"{time.time_ns()}.eml").write_bytes(
                content if isinstance(content, bytes) else str(content).encode()
            )
        return "250 2.0.0 Ok"


def box_of(folder: Path, address: str) -> Path:
    """The folder of one customer's mails."""
    return folder / (_UNSAFE.sub("_", address.lower())[:200] or "_")


def letters(folder: Path, address: str) -> list[Letter]:
    """What came for a customer, newest first."""
    found: list[Letter] = []
    for path in sorted(box_of(folder, address).glob("*.eml"), reverse=True)[:20]:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain",))
        found.append(
            Letter(
                str(message["Message-ID"] or ""),
                str(message["From"] or ""),
                str(message["Reply-To"] or message["From"] or ""),
                str(message["Subject"] or ""),
                body.get_content() if body else "",
                int(path.stem) / 1e9,
            )
        )
    return found


async def run(folder: Path, host: str, port: int) -> None:
    """Take mail until cancelled."""
    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(_Handler(folder), enable_SMTPUTF8=True, hostname="mail.example", loop=loop), host, port
    )
    log.info("the sample customers' mail host listens on %s:%s", host, port)
    async with server:
        await server.serve_forever()
