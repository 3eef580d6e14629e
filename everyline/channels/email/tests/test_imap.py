"""In by IMAP from a real Dovecot, and from hosts that can less or misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from everyline.channel_contract import Line
from everyline.channels.email.imap import ImapReceiver
from everyline.channels.email.imap_wire import ImapWire, WireError
from everyline.channels.email.tests.doubles import MemoryDoor, a_line, read
from tests.world.mail import Mailbox, MailWorld

_numbers = itertools.count(1)


def a_box(world: MailWorld) -> Mailbox:
    """A mailbox that no other test uses."""
    return world.mailbox(f"line{next(_numbers)}@harbor.example")


def a_reader(world: MailWorld, box: Mailbox, **settings: Any) -> Line:
    """A line that reads this mailbox over STARTTLS with its password, unless told otherwise."""
    values: dict[str, Any] = {
        "incoming": "imap",
        "imap_host": "localhost",
        "imap_port": world.ports["imap"],
        "imap_encryption": "starttls",
        "imap_user": box.address,
        "imap_password": box.password,
        "ca_file": str(world.ca_file),
        "backfill": "all",
        "timeout_seconds": 10,
    }
    return a_line(box.address, **{**values, **settings})


@contextlib.asynccontextmanager
async def reading(line: Line, door: MemoryDoor) -> AsyncIterator[None]:
    """The mailbox is being read for the length of the block."""
    running = asyncio.create_task(ImapReceiver(line).run(door))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def some_mail(number: int = 1) -> str:
    head = f"From: ann@customer.example\nSubject: Question {number}\nMessage-ID: <q{number}@customer.example>\n"
    return f"{head}\nMay I, {number}?\n"


def put(world: MailWorld, box: Mailbox, *mails: str, folder: str = "INBOX") -> None:
    """Put mails straight into a folder."""
    with world.imap(box) as client:
        client.create(folder)
        for mail in mails:
            assert client.append(folder, "", "", mail.replace("\n", "\r\n").encode())[0] == "OK"


def flags(world: MailWorld, box: Mailbox) -> str:
    with world.imap(box) as client:
        client.select("INBOX", readonly=True)
        return str(client.fetch("1:*", "(FLAGS)")[1])


@pytest.mark.req("E1")
async def test_is_told_of_new_mail_and_leaves_it_unread(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box)
    door = MemoryDoor(line)
    async with reading(line, door):
        assert await door.until(lambda: bool(door.well))
        await asyncio.to_thread(mail_world.send, "ann@customer.example", box.address, some_mail())
        assert await door.until(lambda: bool(door.raws(line)))
    [raw] = door.raws(line)
    assert read(raw.body, line, **raw.envelope).answerable
    assert b"X-Spamd-Result:" in raw.body
    assert "Seen" not in await asyncio.to_thread(flags, mail_world, box)
    assert not door.errors


@pytest.mark.req("E1")
@pytest.mark.parametrize("kind", ["tls", "token", "refresh"])
async def test_signs_in_by_token_and_over_tls(mail_world: MailWorld, kind: str) -> None:
    box = a_box(mail_world)
    await asyncio.to_thread(put, mail_world, box, some_mail())
    ways: dict[str, dict[str, Any]] = {
        "tls": {"imap_port": mail_world.ports["imaps"], "imap_encryption": "tls"},
        "token": {"imap_password": "", "oauth_access_token": mail_world.token(box)},
        "refresh": {
            "imap_password": "",
            "oauth_token_url": f"http://127.0.0.1:{mail_world.ports['tokens']}/token",
            "oauth_client_id": "everyline",
            "oauth_refresh_token": mail_world.refresh_token(box),
        },
    }
    line = a_reader(mail_world, box, **ways[kind])
    door = MemoryDoor(line)
    async with reading(line, door):
        assert await door.until(lambda: bool(door.raws(line)))


@pytest.mark.parametrize("changes", [{"imap_password": "wrong"}, {"imap_password": "", "oauth_access_token": "stale"}])
async def test_says_that_the_sign_in_was_refused(mail_world: MailWorld, changes: dict[str, Any]) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, **changes)
    door = MemoryDoor(line)
    async with reading(line, door):
        assert await door.until(lambda: bool(door.errors))
    assert "refused the sign-in" in door.errors[0]


@pytest.mark.req("P2")
async def test_goes_on_where_it_stopped(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box)
    door = MemoryDoor(line)
    await asyncio.to_thread(put, mail_world, box, some_mail(1), some_mail(2))
    async with reading(line, door):
        assert await door.until(lambda: len(door.raws(line)) == 2)
    await asyncio.to_thread(put, mail_world, box, some_mail(3))
    door.well.clear()
    async with reading(line, door):
        assert await door.until(lambda: bool(door.well))
    assert len(door.raws(line)) == 3
    assert door.repeats == 0
    assert door.cursors[line.id]["uid"] == 3


@pytest.mark.req("P2")
async def test_a_mail_that_could_not_be_kept_is_fetched_again(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, mark_seen=True)
    door = MemoryDoor(line)
    door.broken = ConnectionError("no database")
    await asyncio.to_thread(put, mail_world, box, some_mail(1))
    async with reading(line, door):
        assert await door.until(lambda: bool(door.errors))
        assert "Seen" not in await asyncio.to_thread(flags, mail_world, box)
        door.broken = None
        assert await door.until(lambda: bool(door.raws(line)) and bool(door.well))
    assert "Seen" in await asyncio.to_thread(flags, mail_world, box)


@pytest.mark.req("P2")
async def test_numbers_given_anew_double_nothing(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, imap_folder="Anträge & mehr")
    door = MemoryDoor(line)
    folder = '"Antr&AOQ-ge &- mehr"'
    await asyncio.to_thread(put, mail_world, box, some_mail(1), some_mail(2), folder=folder)
    async with reading(line, door):
        assert await door.until(lambda: len(door.raws(line)) == 2)
    first = door.cursors[line.id]["validity"]

    def start_over() -> None:
        with mail_world.imap(box) as client:
            client.delete(folder)
        put(mail_world, box, some_mail(3), some_mail(2), some_mail(1), some_mail(4), folder=folder)

    await asyncio.to_thread(start_over)
    async with reading(line, door):
        assert await door.until(lambda: len(door.raws(line)) == 4)
    assert door.cursors[line.id]["validity"] != first
    assert door.repeats == 2


@pytest.mark.parametrize(("choice", "taken"), [("new", 1), ("month", 3), ("all", 3)])
async def test_what_is_there_already(mail_world: MailWorld, choice: str, taken: int) -> None:
    box = a_box(mail_world)
    await asyncio.to_thread(put, mail_world, box, some_mail(1), some_mail(2))
    line = a_reader(mail_world, box, backfill=choice)
    door = MemoryDoor(line)
    async with reading(line, door):
        assert await door.until(lambda: bool(door.well))
        await asyncio.to_thread(put, mail_world, box, some_mail(3))
        assert await door.until(lambda: len(door.raws(line)) == taken)
    pieces = [read(raw.body, line, **raw.envelope) for raw in door.raws(line)]
    assert [piece.answerable for piece in pieces] == [False] * (taken - 1) + [True]


async def test_of_a_mail_that_is_too_large_the_header_is_taken(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, largest_message=64 * 1024)
    door = MemoryDoor(line)
    await asyncio.to_thread(put, mail_world, box, some_mail(1) + "x" * 70_000, some_mail(2))
    async with reading(line, door):
        assert await door.until(lambda: len(door.raws(line)) == 2)
    large, small = (read(raw.body, line, **raw.envelope) for raw in door.raws(line))
    assert large.subject == "Question 1"
    assert any("larger than this line takes" in remark for remark in large.remarks)
    assert not small.remarks


async def test_comes_back_when_the_host_hangs_up(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box)
    door = MemoryDoor(line)
    async with reading(line, door):
        assert await door.until(lambda: bool(door.well))
        kick = ["doveadm", "-c", str(mail_world.dir / "dovecot.conf"), "kick", box.address]
        await asyncio.to_thread(subprocess.run, kick, check=True, capture_output=True)
        assert await door.until(lambda: bool(door.errors))
        await asyncio.to_thread(put, mail_world, box, some_mail(1))
        assert await door.until(lambda: bool(door.raws(line)))


class PlainHost:
    """An IMAP host that can nothing beyond RFC 3501, answers as told and breaks when told."""

    def __init__(self, mails: list[bytes], changes: Callable[[bytes, bytes], bytes | None] = lambda *_: None) -> None:
        self.mails = mails
        self.changes = changes
        self.looks = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"* OK ready\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                tag, _, command = line.strip().partition(b" ")
                while command.endswith(b"}"):
                    writer.write(b"+ go on\r\n")
                    size = int(command.rpartition(b"{")[2][:-1])
                    await reader.readexactly(size)
                    command = (await reader.readline()).strip() or b"LOGIN"
                answer = self.changes(command, tag)
                writer.write(self.answer(command, tag) if answer is None else answer)
                if answer == b"":
                    break
        writer.close()

    def answer(self, command: bytes, tag: bytes) -> bytes:
        done = tag + b" OK done\r\n"
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + done
        if command.startswith(b"EXAMINE") or (command == b"LOGIN" and not self.looks):
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] so\r\n" % len(self.mails) + done
        if command.startswith(b"UID SEARCH"):
            self.looks += 1
            return b"* SEARCH " + b" ".join(b"%d" % (n + 1) for n in range(len(self.mails))) + b"\r\n" + done
        if b"RFC822.SIZE" in command:
            lines = [
                b"* %d FETCH (RFC822.SIZE %d UID %d)\r\n" % (n + 1, len(m), n + 1) for n, m in enumerate(self.mails)
            ]
            return b"".join(lines) + done
        if b"BODY.PEEK" in command:
            uid = int(command.split()[2])
            mail = self.mails[uid - 1]
            return (
                b"* 9 FETCH (FLAGS ())\r\n* %d FETCH (BODY[] {%d}\r\n%b UID %d)\r\n" % (uid, len(mail), mail, uid)
                + done
            )
        return b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] so\r\n" + done


@contextlib.asynccontextmanager
async def plain_host(host: PlainHost) -> AsyncIterator[Line]:
    server = await asyncio.start_server(host.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield a_line(
            incoming="imap", imap_host="127.0.0.1", imap_port=port, imap_encryption="none", imap_user="u",
            imap_password="p", backfill="all", poll_seconds=1, timeout_seconds=2,
        )  # fmt: skip
    finally:
        server.close()
        for writer in host.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def test_polls_a_host_without_idle() -> None:
    host = PlainHost([b"Subject: one\r\n\r\n1) (it {3}\r\nis\r\n"])
    async with plain_host(host) as line:
        door = MemoryDoor(line)
        async with reading(line, door):
            assert await door.until(lambda: len(door.raws(line)) == 1)
            host.mails.append(b"Subject: two\r\n\r\n2\r\n")
            assert await door.until(lambda: len(door.raws(line)) == 2)
    assert [raw.body for raw in door.raws(line)] == host.mails


async def test_what_is_told_of_beside_another_answer_is_not_waited_for() -> None:
    host = PlainHost([b"Subject: one\r\n\r\n1\r\n"])

    def with_idle(command: bytes, tag: bytes) -> bytes | None:
        if command == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK\r\n"
        if command == b"IDLE":
            return b"+ idling\r\n"
        if b"BODY.PEEK" in command and len(host.mails) == 1:
            answer = host.answer(command, tag)
            host.mails.append(b"Subject: two\r\n\r\n2\r\n")
            return b"* 2 EXISTS\r\n" + answer
        return None

    host.changes = with_idle
    async with plain_host(host) as line:
        door = MemoryDoor(line)
        async with reading(line, door):
            assert await door.until(lambda: len(door.raws(line)) == 2)


@pytest.mark.parametrize("answer", [b"", b"* garbage {999999}\r\nx", b"x NO\r\n* BYE gone\r\n"])
async def test_a_host_that_breaks_off_is_reported_in_time(answer: bytes) -> None:
    host = PlainHost([b"Subject: one\r\n\r\n1\r\n"], lambda command, _: answer if b"BODY.PEEK" in command else None)
    async with plain_host(host) as line:
        door = MemoryDoor(line)
        async with reading(line, door):
            assert await door.until(lambda: bool(door.errors))
    assert not door.kept


async def test_no_password_over_an_open_line_that_forbids_it() -> None:
    host = PlainHost(
        [],
        lambda command, tag: (
            b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n" + tag + b" OK\r\n" if command == b"CAPABILITY" else None
        ),
    )
    async with plain_host(host) as line:
        with pytest.raises(WireError, match="only over an encrypted connection"):
            await ImapWire.open(line.settings)
