"""How a line is doing: what the lines page says while its mail host is away, and when it is back."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import until
from everyline.ground.events import follow, newest
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.lines.models import LineHealth
from everyline.roles.receivers import Receivers
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("E1", "P3")


class Way:
    """The way to a mail host, which can be cut."""

    def __init__(self, to: int) -> None:
        self._to, self.port = to, 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        """Let through; on the same port as before."""
        server = self._server = await asyncio.start_server(self._through, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Nothing answers any more, and what was open breaks."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, far_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.transport.abort()


@pytest.mark.timeout(300)
async def test_a_mail_host_that_goes_away_and_comes_back(
    admin: httpx.AsyncClient, ground: Ground, mail_world: MailWorld
) -> None:
    box = mail_world.mailbox("health@harbor.example")
    way = Way(mail_world.ports["imap"])
    await way.mend()
    async with ground.database.transaction() as tx:
        line_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address=box.address,
            name="Health",
            settings={
                "incoming": "imap",
                "imap_host": "127.0.0.1",
                "imap_port": way.port,
                "imap_encryption": "none",
                "imap_user": box.address,
                "imap_password": box.password,
            },
        )
        position = await newest(tx)

    async def health() -> Any:
        async with ground.database.transaction() as tx:
            return await tx.first(select(LineHealth.__table__).where(LineHealth.line_id == line_id))

    async def works() -> bool:
        row = await health()
        return row is not None and row.healthy_at is not None and row.failing_since is None

    async def fails() -> bool:
        row = await health()
        return row is not None and row.failing_since is not None

    processor = Processor(ground)

    async def received() -> bool:
        await processor.process_some()
        return (await health()).received_at is not None

    assert "Not tested yet" in (await admin.get("/setup/lines")).text
    door = IntakeDoor(ground)
    await door.start()
    running = asyncio.create_task(Receivers(ground, door).run())
    try:
        await until(works)
        page = (await admin.get("/setup/lines")).text
        assert "Works" in page
        assert "Nothing is lost" not in page

        await way.cut()
        await until(fails)
        page = (await admin.get("/setup/lines")).text
        assert re.search(r"Fails.*since", page, re.DOTALL)
        assert "Nothing is lost: it is tried again by itself." in page
        assert f'href="/setup/lines/{line_id}?test=1"' in page, "what to do"
        error = (await health()).error
        assert error
        assert error[:40] in page
        one = (await admin.get(f"/setup/lines/{line_id}")).text
        assert "Fails since" in one

        await asyncio.to_thread(
            mail_world.send,
            "ann@customer.example",
            box.address,
            "From: ann@customer.example\nSubject: Still there?\n\nHello?\n",
        )
        await way.mend()
        await until(works, seconds=20)
        try:
            await until(received, seconds=40)
        except TimeoutError:
            where = await asyncio.to_thread(lambda: [len(mail_world.mails(box)), mail_world.queued()])
            pytest.fail(f"in the mailbox and at Postfix: {where}, line: {await health()}\n{mail_world.log()[-3000:]}")
        page = (await admin.get("/setup/lines")).text
        assert "Works" in page
        assert "over since" in page, "the last error stays with its time"
        assert "Nothing is lost" not in page
        assert "The last error is over:" in (await admin.get(f"/setup/lines/{line_id}/health")).text
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await way.cut()
        await door.stop()
    kinds = []
    async for batch in follow(ground.database, ground.bus, position):
        kinds += [event.kind for event in batch if event.kind in ("line.failed", "line.recovered")]
        if "line.recovered" in kinds:
            break
    assert kinds == ["line.failed", "line.recovered"], "the page is told of both, once"
