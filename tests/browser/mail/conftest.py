"""An office whose mail comes and goes over real mail hosts."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser
from sqlalchemy import func, insert, select

from everyline.ground.installation import Ground
from everyline.lines.models import Line
from everyline.queues.models import Queue, WrapUpCode
from tests.browser.conftest import a_chromium, a_colleague, an_admin, empty_product, with_ground
from tests.product import RunningProduct
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all."""
    with a_chromium() as browser:
        yield browser


async def staff(ground: Ground) -> None:
    """Two queues, and an agent in each."""
    async with ground.database.transaction() as tx:
        tax = await tx.value(insert(Queue).values(name="Tax").returning(Queue.id))
        await tx.many(insert(WrapUpCode), [{"name": "Answered"}])
        await a_colleague(tx, "Dana", 1)
        await a_colleague(tx, "Tom", tax)


@pytest.fixture(scope="package")
def staffed() -> Iterator[RunningProduct]:
    """Before it has a line."""
    with empty_product() as found:
        with_ground(found, an_admin)
        with_ground(found, staff)
        yield found


async def _lines(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        found: int = await tx.value(select(func.count()).select_from(Line))
    return found


@pytest.fixture
def permits(staffed: RunningProduct, mail_world: MailWorld) -> RunningProduct:
    """With a line that takes and sends on the real mail hosts."""
    host, port = staffed.settings["email_smtp_listen"].split(":")
    smtp = ("smtp_host=127.0.0.1", f"smtp_port={mail_world.ports['smtp']}", "smtp_encryption=none")
    if not with_ground(staffed, _lines):
        told = [word for setting in smtp for word in ("--set", setting)]
        staffed.cli("line", "add", "email", "permits@harbor.example", "--name", "Permits", *told)
    mail_world.route("harbor.example", host, int(port))
    return staffed


def body(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    return part.get_content() if part is not None else ""
