"""Bad mail on its real way: by the listener or handed in over the API, to a case or to quarantine with a reason; and the
mail after it is not held up."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import os
import smtplib
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import SignInAs, until
from everyline.cases.models import Attachment, Case, Message
from everyline.channel_registry import channel
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.models import Inbound
from everyline.intake.processor import Processor
from tests.mail import MailLine, mail
from tests.product import free_port

pytestmark = pytest.mark.req("P2", "E1")

SOON_SECONDS = 10  # on a busy machine; what is held up waits for half a minute or for ever


def _mime(content_type: str, body: bytes, **headers: str) -> bytes:
    named = {"From": "Jane Doe <jane@example.org>", "Subject": "Bad", "MIME-Version": "1.0"} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"{head}Content-Type: {content_type}\r\n".encode() + body


def _nested(levels: int) -> bytes:
    body = b"Content-Type: text/plain\r\n\r\nat the bottom\r\n"
    for level in range(levels):
        edge = f"b{level}".encode()
        body = b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n--%b\r\n%b\r\n--%b--\r\n' % (
            edge,
            edge,
            body,
            edge,
        )
    return b"From: jane@example.org\r\nSubject: Deep\r\nMIME-Version: 1.0\r\n" + body


def _zip_of_zips() -> bytes:
    inner = b"0" * 1_000_000
    for _level in range(5):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for copy in range(4):
                archive.writestr(f"{copy}.zip", inner)
        inner = packed.getvalue()
    return _file("application/zip", "bomb.zip", inner)


def _file(content_type: str, name: str, content: bytes) -> bytes:
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return _mime(
        f'{content_type}; name="{name}"',
        b"Content-Transfer-Encoding: base64\r\n\r\n" + body,
        Content_Disposition=f'attachment; filename="{name}"',
    )


PLAIN = b"\r\n\r\nHello, may I build a shed?\r\n"
BAD: dict[str, tuple[bytes, str]] = {  # what is sent, and words of its case, or after a minus sign of its reason
    "no Message-ID": (
        b"From: jane@example.org\r\nDate: Mon, 16 Mar 2026 08:00:00 +0000\r\nSubject: No id" + PLAIN,
        "No id",
    ),
    "no From": (b"Subject: No from\r\nMessage-ID: <nofrom@example.org>" + PLAIN, "No from"),
    "no Date": (b"From: jane@example.org\r\nSubject: No date\r\nMessage-ID: <nodate@example.org>" + PLAIN, "No date"),
    "nothing but words": (b"\r\n\r\nHello out there\r\n", "Hello out there"),
    "three of each": (
        b"".join(
            b"Message-ID: <t%d@example.org>\r\nFrom: t%d@example.org\r\nDate: Mon, 1%d Mar 2026 08:00:00 +0000\r\n"
            % (n, n, n)
            for n in range(3)
        )
        + b"Subject: Three"
        + PLAIN,
        "Three",
    ),
    "unknown charset": (
        _mime("text/plain; charset=klingon-8", b"\r\nnuqneH \xff\xfe\r\n", Subject="Klingon"),
        "Klingon",
    ),
    "broken base64": (
        _mime("text/plain", b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8*gd29=ybGQ\r\n=\r\n", Subject="Base"),
        "Base",
    ),
    "fifty levels": (_nested(50), "Deep"),
    "a thousand levels": (_nested(1000), "Deep"),
    "forty megabytes": (_file("application/octet-stream", "large.bin", os.urandom(28_500_000)), "Bad"),
    "zero bytes of words": (_mime("text/plain", b"\r\n", Subject="Silence"), "Silence"),
    "zero bytes": (b"", "-"),
    "NUL bytes": (_mime("text/plain", b"\r\nnu\0ll\r\n", Subject="Nu\0ll"), "Nu ll"),
    "header injection": (
        _mime("text/plain", PLAIN, Subject="=?utf-8?q?Hi=0D=0ABcc:_all@example.org?="),
        "Bcc: all@example.org",
    ),
    "zip of zips": (_zip_of_zips(), "Bad"),
    "no mail at all": (bytes(range(256)) * 40, "-"),
}


@dataclass
class Way:
    """A running intake, with a way in."""

    ground: Ground
    line: MailLine
    port: int
    browser: httpx.AsyncClient
    token: dict[str, str]
    by: str

    async def send(self, raw: bytes, *to: MailLine) -> int:
        """Hand it in; returns what was answered."""
        lines = to or (self.line,)
        if self.by == "http":
            url = f"/api/v1/lines/{lines[0].id}/inbound"
            return (await self.browser.post(url, content=raw, headers=self.token)).status_code
        return await asyncio.to_thread(self._by_smtp, raw, [line.address for line in lines])

    def _by_smtp(self, raw: bytes, to: list[str]) -> int:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as smtp:
                smtp.sendmail("jane@example.org", to, raw)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
        return 250

    async def rows(self, statement: Any) -> list[Any]:
        async with self.ground.database.transaction() as tx:
            return list(await tx.rows(statement))

    async def settled(self) -> list[Any]:
        """Wait until nothing is new any more; what came in."""

        async def done() -> list[Any]:
            found = await self.rows(
                select(Inbound.state, Inbound.cause, Inbound.case_id, Inbound.line_id).order_by(Inbound.id)
            )
            return found if found and all(row.state in ("done", "quarantined") for row in found) else []

        found: Any = await until(done, seconds=60)
        return list(found)


@pytest.fixture(params=["smtp", "http"])
async def way(
    ground: Ground, client: httpx.AsyncClient, sign_in: SignInAs, request: pytest.FixtureRequest
) -> AsyncIterator[Way]:
    line, port = await MailLine.add(ground), free_port()
    admin = await sign_in("admin", all_queues=True)
    os.environ["EVERYLINE_EMAIL_SMTP_LISTEN"] = f"127.0.0.1:{port}"
    try:
        [listener] = channel("email").receivers([])
    finally:
        del os.environ["EVERYLINE_EMAIL_SMTP_LISTEN"]
    door = IntakeDoor(ground)
    await door.start()
    running = [asyncio.create_task(listener.run(door)), asyncio.create_task(Processor(ground).run())]

    async def listening() -> bool:
        with contextlib.suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    await until(listening)
    yield Way(ground, line, port, client, admin.bearer, request.param)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await door.stop()


@pytest.mark.parametrize("name", BAD)
async def test_bad_mail_ends_as_a_case_or_in_quarantine_with_a_reason(way: Way, name: str) -> None:
    raw, words = BAD[name]
    answered = await way.send(raw)
    began = time.monotonic()
    assert await way.send(mail("I am the next one.", subject="The next one")) in (202, 250)

    async def next_one() -> list[Any]:
        return await way.rows(select(Case.id).where(Case.subject == "The next one"))

    await until(next_one, seconds=SOON_SECONDS)
    assert time.monotonic() - began < SOON_SECONDS
    if answered not in (202, 250):
        assert (way.by, name, answered) == ("http", "zero bytes", 422), "only an empty request is no mail"
        return
    found = await way.settled()
    assert len(found) == 2
    assert all(row.cause for row in found if row.state == "quarantined")
    bad = found[0]
    if bad.state == "done":
        messages = await way.rows(select(Message.id).where(Message.case_id == bad.case_id, Message.direction == "in"))
        [case] = await way.rows(select(Case.subject).where(Case.id == bad.case_id))
        assert len(messages) == 1
        assert words.lstrip("-") in case.subject
        assert "\n" not in case.subject
    else:
        assert words == "-" or (way.by, name) in {("http", "no From"), ("http", "nothing but words")}, bad.cause


async def test_what_is_too_large_is_refused_and_the_next_is_taken(way: Way) -> None:
    assert await way.send(b"Subject: Huge\r\n\r\n" + b"x" * way.ground.settings.largest_message) in (413, 552)
    assert await way.send(mail(subject="Small")) in (202, 250)
    assert [row.state for row in await way.settled()] == ["done"]


async def test_five_times_at_once_and_to_two_lines(way: Way) -> None:
    other = await MailLine.add(way.ground, "tax@county.example", "Tax")
    await asyncio.sleep(1.1 if way.by == "smtp" else 0)  # the listener asks for new lines every second
    raw = mail(subject="Again", message_id="<again@example.org>")
    answers = await asyncio.gather(*(way.send(raw) for _ in range(5)), *(way.send(raw, other) for _ in range(5)))
    assert set(answers) <= {200, 202, 250}
    if way.by == "smtp":
        assert await way.send(raw, way.line, other) == 250
    found = await way.settled()
    assert sorted(row.line_id for row in found) == sorted([way.line.id, other.id])
    assert {row.state for row in found} == {"done"}
    assert len(await way.rows(select(Case.id))) == 2
    assert len(await way.rows(select(Message.id).where(Message.direction == "in"))) == 2


async def test_files_of_bad_mail_are_whole(way: Way) -> None:
    await way.send(BAD["zip of zips"][0])
    await way.send(BAD["forty megabytes"][0])
    await way.settled()
    files = await way.rows(select(Attachment.name, Attachment.size).order_by(Attachment.size))
    assert [row.name for row in files] == ["bomb.zip", "large.bin"]
    assert files[1].size == 28_500_000
