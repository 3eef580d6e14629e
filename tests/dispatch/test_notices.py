"""What is written to one of us arrives with its files."""

from __future__ import annotations

import asyncio

import pytest

from everyline.dispatch import actions as dispatch
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from tests.dispatch.sending import sending
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("Q5", "P2")


async def test_a_notice_arrives_with_its_file(ground: Ground, mail_world: MailWorld) -> None:
    box = mail_world.mailbox("lead@customer.example")
    digest = await ground.files.put(b"queue,offered\r\nTax,12\r\n")
    async with ground.database.transaction() as tx:
        await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="office@house.example",
            settings={"smtp_host": "127.0.0.1", "smtp_port": mail_world.ports["smtp"], "smtp_encryption": "none"},
        )
        await dispatch.notify(
            tx, ground.vault, idempotency_key="report:1:2026-03-02", address=box.address, name="Lead", subject="Morning",
            text="Offered: 12", language="en", files=[(digest, "morning-2026-03-02.csv", "text/csv")],
        )  # fmt: skip
    async with sending(ground):
        came = await asyncio.to_thread(mail_world.wait_for, box, lambda one: one["Subject"] == "Morning")
    (file,) = came.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("morning-2026-03-02.csv", "text/csv")
    assert file.get_payload(decode=True) == b"queue,offered\r\nTax,12\r\n"
