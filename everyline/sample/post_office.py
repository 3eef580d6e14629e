"""The sample customers' mail host: takes what the sample company sends them, and keeps it for the page "try it".

A real SMTP server (aiosmtpd) on loopback; each mail is a file, named by when it came.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session  # noqa: TID253 -- this process is nothing but a mail host

from everyline.sample.letters import box_of

log = logging.getLogger(__name__)


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


async def run(folder: Path, host: str, port: int) -> None:
    """Take mail until cancelled."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(_Handler(folder), enable_SMTPUTF8=True, hostname="mail.example", loop=loop), host, port
    )
    log.info("the sample customers' mail host listens on %s:%s", host, port)
    async with server:
        await server.serve_forever()
