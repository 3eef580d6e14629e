"""In by SMTP and LMTP, from swaks and from a real Postfix."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.channel_contract import InboundKind, Raw, Refused
from everyline.channels.email.listener import Listener, _protocol_class
from everyline.channels.email.settings import InstallSettings
from everyline.channels.email.smtp_data import read_mail
from everyline.channels.email.tests.doubles import MemoryDoor, Signer, a_line, read
from tests.world.mail import MailWorld
from tests.world.processes import free_ports, listening, wait_until

MAIL = """\
From: Ann Example <ann@customer.example>
To: permits@harbor.example
Subject: My permit
Message-ID: <one@customer.example>
Date: Tue, 17 Nov 2026 10:00:00 +0000

May I build a shed?
"""


@contextlib.asynccontextmanager
async def listening_for(door: MemoryDoor, *, lmtp: bool = False, **settings: Any) -> AsyncIterator[int]:
    """A listener for the length of the block; its port."""
    port = free_ports(1)[0]
    name = "lmtp_listen" if lmtp else "smtp_listen"
    listener = Listener(InstallSettings(**{name: f"127.0.0.1:{port}", **settings}), lmtp=lmtp)
    running = asyncio.create_task(listener.run(door))
    try:
        await asyncio.to_thread(wait_until, lambda: listening(port), "the listener", seconds=5)
        yield port
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.req("E1")
async def test_swaks_hands_in_a_mail(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port:
        said = await asyncio.to_thread(mail_world.send, "ann@customer.example", line.address, MAIL, port=port)
    assert "250 2.0.0 Kept" in said
    [raw] = door.raws(line)
    assert raw.envelope["sender"] == "ann@customer.example"
    assert raw.envelope["recipients"] == [line.address]
    piece = read(raw.body, line, **raw.envelope)
    assert piece.kind is InboundKind.MESSAGE
    assert piece.sender is not None
    assert (piece.sender.name, piece.sender.address) == ("Ann Example", "ann@customer.example")
    assert (piece.subject, piece.text) == ("My permit", "May I build a shed?")
    assert piece.answerable
    assert door.well == [line.id]


@pytest.mark.req("E1")
@pytest.mark.parametrize("lmtp", [False, True])
async def test_postfix_passes_mail_on(mail_world: MailWorld, lmtp: bool) -> None:
    domain = f"relay{lmtp:d}.example"
    line = a_line(f"permits@{domain}")
    door = MemoryDoor(line)
    token = Signer().sign(12)
    async with listening_for(door, lmtp=lmtp) as port:
        mail_world.route(domain, "127.0.0.1", port, lmtp=lmtp)
        await asyncio.to_thread(mail_world.send, "ann@customer.example", f"permits+{token}@{domain}", MAIL)
        assert await door.until(lambda: bool(door.raws(line)))
    [raw] = door.raws(line)
    assert b"by mx.world.example (Postfix)" in raw.body
    assert b"X-Spamd-Result:" in raw.body
    assert read(raw.body, line, **raw.envelope).tokens == (token,)


async def test_one_mail_to_two_lines_is_kept_for_each(mail_world: MailWorld) -> None:
    one, other, closed = a_line(), a_line("parks@harbor.example", 2), a_line("closed@harbor.example", 3)
    door = MemoryDoor(one, other)
    async with listening_for(door) as port:
        to = [one.address, f"permits+{Signer().sign(1)}@harbor.example", other.address]
        await asyncio.to_thread(mail_world.send, "ann@customer.example", to, MAIL, port=port)
        said = await asyncio.to_thread(
            mail_world.send, "ann@customer.example", closed.address, MAIL, port=port, check=False
        )
    assert [len(door.raws(line)) for line in (one, other, closed)] == [1, 1, 0]
    assert door.raws(one)[0].envelope["recipients"] == to[:2]
    assert door.raws(other)[0].envelope["recipients"] == to[2:]
    assert "550 5.1.1" in said


@pytest.mark.req("P2")
async def test_five_times_at_once_is_one(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port, asyncio.TaskGroup() as group:
        for number in range(5):
            mail = f"Received: by way {number}\n{MAIL}"
            group.create_task(asyncio.to_thread(mail_world.send, "ann@customer.example", line.address, mail, port=port))
    assert len(door.raws(line)) == 1
    assert door.repeats == 4


async def test_another_mail_that_claims_the_same_id_is_another(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port:
        for words in ("May I build a shed?", "I never asked that."):
            mail = MAIL.replace("May I build a shed?", words)
            await asyncio.to_thread(mail_world.send, "ann@customer.example", line.address, mail, port=port)
    assert len(door.raws(line)) == 2


@pytest.mark.req("P2")
async def test_postfix_keeps_the_mail_while_the_database_is_away(mail_world: MailWorld) -> None:
    line = a_line("permits@away.example")
    door = MemoryDoor(line)
    refused = asyncio.Event()

    async def away(raw: Raw) -> None:
        refused.set()
        raise ConnectionError

    door.before = away
    async with listening_for(door) as port:
        mail_world.route("away.example", "127.0.0.1", port)
        await asyncio.to_thread(mail_world.send, "ann@customer.example", line.address, MAIL)
        async with asyncio.timeout(40):
            await refused.wait()
        assert not door.raws(line)
        door.before = None
        while not await door.until(lambda: bool(door.raws(line)), seconds=1):
            await asyncio.to_thread(mail_world.flush)
    assert len(door.raws(line)) == 1


async def test_says_why_a_mail_is_not_taken(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door, largest_message=70_000) as port:

        def said(mail: str) -> str:
            return mail_world.send("ann@customer.example", line.address, mail, port=port, check=False)

        assert "552" in await asyncio.to_thread(said, MAIL + "x" * 60 + "\n" + ("y" * 70 + "\n") * 2000)
        door.broken = ConnectionError("no database")
        await asyncio.sleep(1.05)  # so that the open lines are asked for again
        assert "451" in await asyncio.to_thread(said, MAIL)
        door.broken = None

        async def refuse(raw: Raw) -> None:
            raise Refused("this line is closed\r\n250 injected")

        door.before = refuse
        answer = await asyncio.to_thread(said, MAIL)
        assert "550 5.7.1 this line is closed 250 injected" in answer
    assert not door.kept


async def test_starttls_is_offered_with_a_certificate(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    files: dict[str, Any] = {"tls_certificate": str(mail_world.ca_file), "tls_key": str(mail_world.dir / "host.pem")}
    async with listening_for(door, **files) as port:

        def hand_in() -> None:
            with smtplib.SMTP("localhost", port, timeout=10) as client:
                client.starttls(context=ssl.create_default_context(cafile=str(mail_world.ca_file)))
                client.sendmail("ann@customer.example", line.address, MAIL)

        await asyncio.to_thread(hand_in)
    assert door.raws(line)[0].envelope["tls"] is True


async def test_takes_any_bytes_as_they_are() -> None:
    line = a_line()
    door = MemoryDoor(line)
    odd = [
        MAIL.replace("\n", "\r\n").encode().replace(b"shed", b"sh\0ed"),
        MAIL.replace("\n", "\r\n").encode().replace(b"shed?", b"bare\nfeed"),
        MAIL.replace("\n", "\r\n").encode().replace(b"shed", "schöne Hütte".encode("latin-1")),
        MAIL.replace("\n", "\r\n").encode().replace(b"shed", b"x" * 20_000),
        b"no header at all\r\n.leading dot\r\n",
    ]
    async with listening_for(door) as port:

        def hand_in() -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.ehlo()
                for mail in odd:
                    client.mail("ann@customer.example")
                    client.rcpt(line.address)
                    client.docmd("DATA")
                    client.send(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                    assert client.getreply()[0] == 250

        await asyncio.to_thread(hand_in)
    assert [raw.body for raw in door.raws(line)] == odd


async def test_addresses_in_other_letters(mail_world: MailWorld) -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port:

        def hand_in() -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.ehlo()
                client.mail("jürgen@kunde.example", ["SMTPUTF8"])
                client.rcpt(line.address)
                client.data("From: Jürgen <jürgen@kunde.example>\nSubject: Grüße\n\nhallo\n".encode())

        await asyncio.to_thread(hand_in)
    [raw] = door.raws(line)
    piece = read(raw.body, line, **raw.envelope)
    assert piece.sender is not None
    assert piece.sender.address == "jürgen@kunde.example"
    assert piece.subject == "Grüße"


async def test_too_many_connections_are_put_off() -> None:
    door = MemoryDoor(a_line())
    async with listening_for(door, connections_of_one_host=2) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        greetings = [(await reader.readline())[:3] for reader, _ in opened]
        assert sorted(greetings) == [b"220", b"220", b"421"]
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert (await reader.readline())[:3] == b"220"
        writer.close()


async def test_says_when_it_cannot_listen(tmp_path: Path) -> None:
    line = a_line()
    door, second = MemoryDoor(line), MemoryDoor(line)
    async with listening_for(door) as port:
        other = Listener(InstallSettings(smtp_listen=f"127.0.0.1:{port}"), lmtp=False)
        running = asyncio.create_task(other.run(second))
        assert await second.until(lambda: bool(second.errors))
        running.cancel()
    assert f"127.0.0.1:{port}" in second.errors[0]


@given(
    st.lists(
        st.sampled_from([b".", b"..", b"\r\n", b"\n", b"\r", b"a", b".\r\n", b"\n.\n", b"\r\n.\n", b"\0"]), max_size=30
    ),
    st.lists(st.integers(1, 7), min_size=1, max_size=8),
)
async def test_a_mail_is_read_whole_in_whatever_pieces_it_comes(pieces: list[bytes], sizes: list[int]) -> None:
    mail = b"".join(pieces) + b"\r\n"
    wire = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\nQUIT\r\n"
    reader = asyncio.StreamReader()

    async def feed() -> None:
        position = 0
        for size in itertools.cycle(sizes):
            if position >= len(wire):
                return
            reader.feed_data(wire[position : position + size])
            position += size
            await asyncio.sleep(0)

    feeding = asyncio.create_task(feed())
    assert await read_mail(reader, 10_000, lambda: None) == mail
    assert await reader.readline() == b"QUIT\r\n"
    await feeding


async def test_a_sender_that_hangs_up_within_a_mail_has_sent_nothing() -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for command in (
            b"EHLO x\r\n",
            b"MAIL FROM:<a@b.example>\r\n",
            b"RCPT TO:<permits@harbor.example>\r\n",
            b"DATA\r\n",
        ):
            writer.write(command)
        writer.write(MAIL.encode())
        writer.write_eof()
        await reader.read()
        writer.close()
    assert not door.kept


async def test_an_empty_mail_is_kept_too() -> None:
    line = a_line()
    door = MemoryDoor(line)
    async with listening_for(door) as port:

        def hand_in() -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.sendmail("ann@customer.example", line.address, b"")
                client.docmd("MAIL FROM:<a@b.example>")
                client.docmd(f"RCPT TO:<{line.address}>")
                client.docmd("DATA")
                assert client.docmd(".")[0] == 250

        await asyncio.to_thread(hand_in)
    assert [raw.body for raw in door.raws(line)] == [b"\r\n"]
    assert door.repeats == 1, "to a sender both are nothing"


@pytest.mark.req("E1")
@pytest.mark.parametrize(
    "said",
    [
        "<ann@customer.example>",
        "<ann@customer.example>  SIZE=3 BODY=8BITMIME",
        "  <a.b+c='x'@mail.customer.example> SMTPUTF8",
        "<>",
        "<ann@customer.example",
        "ann@customer.example SIZE=3",
        '<"ann example"@customer.example>',
        "<@relay.example:ann@customer.example>",
        "<ann@[192.0.2.1]>",
        "<ann..b@customer.example>",
        "<ann @customer.example>",
        "<änn@customer.example>",
        f"<{'a' * 64}@customer.example>",
        f"<{'a' * 65}@customer.example>",
        "<ann@customer_x.example>",
        "",
    ],
)
def test_an_address_is_understood_as_the_library_understands_it(said: str) -> None:
    from aiosmtpd.smtp import SMTP

    ours = _protocol_class(lmtp=False)
    quick, slow = ours.__new__(ours), SMTP.__new__(SMTP)
    assert quick._getaddr(said) == slow._getaddr(said)
