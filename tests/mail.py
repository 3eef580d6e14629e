"""Plain mails for tests that are not about mail."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from sqlalchemy import insert

from everyline.channel_contract import Raw
from everyline.channel_registry import channel
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.queues.models import Queue


def mail(
    text: str = "Hello, how do I renew my dog license this year? Thank you very much.",
    *,
    sender: str = "Jane Doe <jane.doe@example.org>",
    to: str = "help@county.example",
    subject: str = "Dog license",
    message_id: str | None = None,
    **headers: str,
) -> bytes:
    """A mail as bytes. Headers by keyword, with _ for -."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(now())
    message["Message-ID"] = message_id or make_msgid(domain="example.org")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


class MailLine:
    """A mail line with a queue, whose mail is handed in without a wire."""

    def __init__(self, ground: Ground, line_id: int, queue_id: int, address: str) -> None:
        self.ground, self.id, self.queue_id, self.address = ground, line_id, queue_id, address

    @classmethod
    async def add(cls, ground: Ground, address: str = "help@county.example", queue: str = "") -> MailLine:
        """Add the line, and the queue if there is none of that name."""
        async with ground.database.transaction() as tx:
            queue_id = 1 if not queue else await tx.value(insert(Queue).values(name=queue).returning(Queue.id))
            line_id = await lines.add(
                tx,
                ground.vault,
                None,
                channel_name="email",
                address=address,
                name="County help",
                queue_id=queue_id,
                settings={"smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_encryption": "none"},
            )
        return cls(ground, line_id, queue_id, address)

    async def receive(self, *raws: bytes, process: bool = True) -> list[bool]:
        """Hand mails in, all at once, and process them; tells for each whether it was new."""
        door = IntakeDoor(self.ground)
        await door.start()
        try:
            kept = await asyncio.gather(*(door.keep(self.id, _raw(raw)) for raw in raws))
        finally:
            await door.stop()
        if process:
            await self.process()
        return list(kept)

    async def process(self) -> None:
        """Process all that is due."""
        processor = Processor(self.ground)
        while await processor.process_some():
            pass


def _raw(body: bytes) -> Raw:
    return Raw(channel("email").identify(body), body)
