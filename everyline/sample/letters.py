"""What came for the sample customers: one file a mail, in a folder for each mailbox."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

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
