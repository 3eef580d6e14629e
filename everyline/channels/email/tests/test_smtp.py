"""Out by SMTP: through a real Postfix into a real mailbox, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from everyline.channel_contract import Address, ChannelError, File, InboundKind, Line, Outbound, Receipt
from everyline.channels.email import channel, records
from everyline.channels.email.tests.doubles import MemoryDoor, Signer, a_line, an_answer, read
from everyline.channels.email.tests.test_imap import a_box, a_reader
from tests.world.mail import Mailbox, MailWorld
from tests.world.processes import free_ports

_numbers = itertools.count(1)


def a_sender(world: MailWorld, box: Mailbox, **settings: Any) -> Line:
    """A line that sends by submission with its mailbox's password, unless told otherwise."""
    values: dict[str, Any] = {
        "smtp_host": "localhost",
        "smtp_port": world.ports["submission"],
        "smtp_user": box.address,
        "smtp_password": box.password,
        "ca_file": str(world.ca_file),
        "timeout_seconds": 10,
    }
    return a_line(box.address, **{**values, **settings})


class Wire:
    """Counts when the wire could have taken it."""

    def __init__(self) -> None:
        self.reached = 0

    async def __call__(self) -> None:
        self.reached += 1


async def sent(line: Line, outbound: Outbound) -> Receipt:
    wire = Wire()
    receipt = await channel.deliver(line, outbound, wire)
    assert wire.reached == 1
    return receipt


def the_raw(world: MailWorld, box: Mailbox, subject: str) -> bytes:
    with world.imap(box) as client:
        client.select("INBOX", readonly=True)
        for number in client.search(None, "ALL")[1][0].split():
            part = client.fetch(number, "(BODY.PEEK[])")[1][0]
            assert isinstance(part, tuple)
            if subject.encode() in part[1]:
                return part[1]
    raise AssertionError(subject)


@pytest.mark.req("E1")
async def test_an_answer_arrives_threaded(mail_world: MailWorld) -> None:
    ann, box = mail_world.mailbox("ann@customer.example"), a_box(mail_world)
    line = a_sender(mail_world, box)
    token = Signer().sign(5)
    answer = an_answer(
        ann.address,
        subject="Re: Ihre Anfrage: Grüße aus dem Büro, und zwar so lang, dass die Zeile gefaltet werden muss",
        html='<p>Dear Ann, <b>you may</b>.</p><img src="cid:plan@1">',
        files=(
            File("Plan für Ann.png", "image/png", b"\x89PNG\r\n", "plan@1", inline=True),
            File("Bescheid – endgültig.pdf", "application/pdf", b"%PDF-1.7\n"),
        ),
        references=("first@customer.example", "<second@customer.example>"),
        copies=(Address("mailbox", "bob@customer.example", "Bob, the Builder"),),
        language="de",
    )
    mail_world.mailbox("bob@customer.example")
    receipt = await sent(line, answer)
    mail = await asyncio.to_thread(mail_world.wait_for, ann, lambda one: one["subject"] == answer.subject)
    assert receipt.answer.startswith("250")
    assert mail["Message-ID"] == f"<{receipt.external_id}>"
    assert receipt.external_id.startswith(f"{token}.7.")
    assert mail["From"] == f"Dana at Harbor County <{line.address}>"
    assert mail["To"] == f"Ann Example <{ann.address}>"
    assert mail["Cc"].addresses[0].display_name == "Bob, the Builder"
    assert mail["Reply-To"].addresses[0].addr_spec == f"{box.address.partition('@')[0]}+{token}@harbor.example"
    assert mail["In-Reply-To"] == "<second@customer.example>"
    assert mail["References"] == "<first@customer.example> <second@customer.example>"
    assert mail["Content-Language"] == "de"
    assert mail["Auto-Submitted"] is None
    assert mail["X-Spamd-Result"]
    assert "bounce" not in str(mail["Return-Path"])
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    assert body.get_content().replace("\r\n", "\n") == answer.text
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Bescheid – endgültig.pdf"]
    assert [part.get_filename() for part in mail.walk() if part["Content-ID"] == "<plan@1>"] == ["Plan für Ann.png"]
    assert not mail.defects


async def test_what_a_machine_wrote_says_so(mail_world: MailWorld) -> None:
    ann, box = mail_world.mailbox("ann@customer.example"), a_box(mail_world)
    line = a_sender(mail_world, box)
    await sent(line, an_answer(ann.address, subject="We have it 1", automatic=True, references=("q@customer.example",)))
    mail = await asyncio.to_thread(mail_world.wait_for, ann, lambda one: one["subject"] == "We have it 1")
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    raw = await asyncio.to_thread(the_raw, mail_world, ann, "We have it 1")
    assert read(raw, line).kind is InboundKind.AUTOMATIC, "our own mail came back"
    assert read(raw, a_line("desk@other.example")).kind is InboundKind.AUTOMATIC, "another desk's acknowledgement"


@pytest.mark.req("E1")
async def test_the_answer_to_an_answer_finds_its_case(mail_world: MailWorld) -> None:
    ann, box = mail_world.mailbox("ann@customer.example"), a_box(mail_world)
    line = a_sender(mail_world, box)
    receipt = await sent(line, an_answer(ann.address, subject="Re: plus and id"))
    mail = await asyncio.to_thread(mail_world.wait_for, ann, lambda one: one["subject"] == "Re: plus and id")
    reply = "From: ann@customer.example\nSubject: Re: plus and id\nMessage-ID: <r@customer.example>\n{}\nThank you.\n"
    to = str(mail["Reply-To"].addresses[0].addr_spec)
    await asyncio.to_thread(mail_world.send, ann.address, to, reply.format(f"To: {to}\n"))
    arrived = await asyncio.to_thread(mail_world.wait_for, box)
    assert read(arrived.as_bytes(), line).tokens == (Signer().sign(5),)
    by_id = read(reply.format(f"In-Reply-To: {mail['Message-ID']}\n").encode(), line)
    assert by_id.tokens == (Signer().sign(5),)
    assert by_id.references == (receipt.external_id,)
    forged = reply.format("In-Reply-To: <5z0123456789abcdef.7.abcdefgh@harbor.example>\n").encode()
    assert read(forged, line).tokens == ()


@pytest.mark.req("E1")
async def test_signs_for_its_domain(mail_world: MailWorld) -> None:
    ann, box = mail_world.mailbox("ann@customer.example"), a_box(mail_world)
    import dkim

    old, new = (
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        for key in (rsa.generate_private_key(65537, 1024), ed25519.Ed25519PrivateKey.generate())
    )
    keys = {"dkim_selector": "every", "dkim_key": old, "dkim_second_selector": "new", "dkim_second_key": new}
    line = a_sender(mail_world, box, **keys)
    await sent(line, an_answer(ann.address, subject="Signed 1", html="<p>Grüße</p>", text="Grüße\n.dot\n"))
    await asyncio.to_thread(mail_world.wait_for, ann, lambda one: one["subject"] == "Signed 1")
    raw = await asyncio.to_thread(the_raw, mail_world, ann, "Signed 1")

    def text_record(name: bytes, timeout: int = 5) -> bytes:
        selector, _, domain = name.partition(b".")
        assert domain == b"_domainkey.harbor.example."
        kind, key = records.public_key({b"every": old, b"new": new}[selector])
        return f"v=DKIM1; k={kind}; p={key}".encode()

    for number, algorithm in enumerate((b"rsa-sha256", b"ed25519-sha256")):
        check = dkim.DKIM(raw, minkey=1024)
        assert check.verify(number, dnsfunc=text_record)
        assert check.signature_fields[b"a"] == algorithm
        assert not dkim.DKIM(raw.replace(b"Signed 1", b"Signed 2"), minkey=1024).verify(number, dnsfunc=text_record)


@pytest.mark.parametrize("how", ["tls", "token"])
async def test_signs_in_to_send(mail_world: MailWorld, how: str) -> None:
    ann, box = mail_world.mailbox("ann@customer.example"), a_box(mail_world)
    ways: dict[str, dict[str, Any]] = {
        "tls": {"smtp_port": mail_world.ports["submissions"], "smtp_encryption": "tls"},
        "token": {"smtp_password": "", "oauth_access_token": mail_world.token(box)},
    }
    receipt = await sent(a_sender(mail_world, box, **ways[how]), an_answer(ann.address))
    assert receipt.answer.startswith("250")


async def test_a_refused_sign_in_is_tried_again(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_sender(mail_world, box, smtp_password="wrong")
    with pytest.raises(ChannelError, match="refused the sign-in") as error:
        await channel.deliver(line, an_answer(), Wire())
    assert not error.value.permanent
    assert not error.value.unknown


@pytest.mark.req("E1")
async def test_a_bounce_tells_which_delivery_failed(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_sender(mail_world, box)
    receipt = await sent(line, an_answer(f"nobody{next(_numbers)}@customer.example"))
    report = await asyncio.to_thread(mail_world.wait_for, box)
    piece = read(report.as_bytes(), line)
    assert piece.kind is InboundKind.BOUNCE
    assert not piece.answerable
    [failure] = piece.failures
    assert failure.external_id == receipt.external_id
    assert failure.recipient.startswith("nobody")
    assert failure.permanent
    assert failure.code == "5.1.1"
    assert "User doesn't exist" in failure.reason
    assert piece.tokens == (Signer().sign(5),)


class Host:
    """A mail host that answers as told at one step: text, or nothing (hangs up), or silence."""

    def __init__(self, step: str, answer: str | None) -> None:
        self.step = step
        self.answer = answer
        self.mails: list[bytes] = []
        self.done = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)

        async def say(step: str, usual: str) -> bool:
            answer = self.answer if step == self.step else usual
            if answer is None:
                writer.close()
                return False
            if answer == "silence":
                await self.done.wait()
                return False
            writer.write(f"{answer}\r\n".encode())
            return True

        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            going = await say("connect", "220 ready")
            while going and (line := (await reader.readline()).decode().strip()):
                verb = line.split()[0].upper()
                if verb == "DATA":
                    going = await say("DATA", "354 go on")
                    if going and (self.step != "DATA" or (self.answer or "").startswith("354")):
                        self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                        going = await say("end", "250 2.0.0 taken")
                elif verb == "RCPT" and "copy" in line:
                    going = await say("copy", "250 ok")
                else:
                    going = await say(verb, "250 ok")
        writer.close()


@contextlib.asynccontextmanager
async def a_host(step: str, answer: str | None) -> AsyncIterator[tuple[Host, Line]]:
    host = Host(step, answer)
    server = await asyncio.start_server(host.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield host, a_line(smtp_host="127.0.0.1", smtp_port=port, smtp_encryption="none", timeout_seconds=0.5)
    finally:
        host.done.set()
        server.close()
        for writer in host.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.req("P2")
@pytest.mark.parametrize(
    ("step", "answer", "reached", "permanent", "unknown", "code"),
    [
        ("connect", None, 0, False, False, None),
        ("connect", "silence", 0, False, False, None),
        ("connect", "421 4.3.2 too busy", 0, False, False, "4.3.2"),
        ("MAIL", "421 4.7.0 slow down", 0, False, False, "4.7.0"),
        ("MAIL", "552 5.3.4 too big", 0, True, False, "5.3.4"),
        ("RCPT", "550 5.1.1 unknown", 0, True, False, "5.1.1"),
        ("RCPT", "450 try later", 0, False, False, "450"),
        ("RCPT", None, 0, False, False, None),
        ("DATA", "554 no", 0, True, False, "554"),
        ("DATA", "silence", 0, False, False, None),
        ("end", "552 5.2.2 full", 1, True, False, "5.2.2"),
        ("end", "451 4.3.0 greylisted", 1, False, False, "4.3.0"),
        ("end", "421 4.3.2 closing", 1, False, False, "4.3.2"),
        ("end", None, 1, False, True, None),
        ("end", "silence", 1, False, True, None),
    ],
)
async def test_what_can_go_wrong(
    step: str, answer: str | None, reached: int, permanent: bool, unknown: bool, code: str | None
) -> None:
    wire = Wire()
    async with a_host(step, answer) as (_, line):
        with pytest.raises(ChannelError) as caught:
            await channel.deliver(line, an_answer(), wire)
    error = caught.value
    assert (wire.reached, error.permanent, error.unknown) == (reached, permanent, unknown)
    assert code is None or error.code == code


async def test_nobody_answers_the_door() -> None:
    wire = Wire()
    line = a_line(smtp_host="127.0.0.1", smtp_port=free_ports(1)[0], smtp_encryption="none")
    with pytest.raises(ChannelError) as caught:
        await channel.deliver(line, an_answer(), wire)
    assert (wire.reached, caught.value.permanent) == (0, False)


async def test_nothing_goes_out_when_the_moment_before_it_fails() -> None:
    async def lost_claim() -> None:
        raise LookupError

    async with a_host("none", "") as (host, line):
        with pytest.raises(LookupError):
            await channel.deliver(line, an_answer(), lost_claim)
        assert not host.mails


async def test_the_same_delivery_again_has_the_same_id() -> None:
    async with a_host("none", "") as (host, line):
        first = await channel.deliver(line, an_answer(), Wire())
        second = await channel.deliver(line, an_answer(), Wire())
        named = await channel.deliver(line, an_answer(external_id="<told@harbor.example>"), Wire())
    assert first.external_id == second.external_id
    assert named.external_id == "told@harbor.example"
    assert [mail.count(f"<{named.external_id}>".encode()) for mail in host.mails] == [0, 0, 1]


async def test_a_refused_copy_does_not_hold_up_the_rest() -> None:
    async with a_host("copy", "550 no such copy") as (host, line):
        copies = (Address("mailbox", "copy@customer.example"),)
        receipt = await channel.deliver(line, an_answer(copies=copies), Wire())
    assert len(host.mails) == 1
    assert "copy@customer.example: 550 no such copy" in receipt.answer


@pytest.mark.req("E1")
async def test_the_test_button_on_a_mailbox(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, smtp_host="localhost", smtp_port=mail_world.ports["submission"])
    steps = [step async for step in channel.check(line, MemoryDoor(line))]
    assert [step.ok for step in steps[:7]] == [True] * 7, steps
    assert [step.step for step in steps[:7]] == [
        "Mail hosts found",
        "Connections are encrypted",
        "Signed in to read",
        "Told at once of new mail",
        "Signed in to send",
        "Our test message came back",
        "Answers come back to an address with a reference",
    ]
    assert not await asyncio.to_thread(mail_world.mails, box), "the test messages are gone again"


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"imap_host": "no-such-host.invalid"}, "Mail hosts found"),
        ({"ca_file": ""}, "Connections are encrypted"),
        ({"imap_password": "wrong"}, "Signed in to read"),
        ({"imap_folder": "Nowhere"}, "Signed in to read"),
        ({"smtp_user": "somebody@harbor.example", "smtp_password": "wrong"}, "Signed in to send"),
    ],
)
async def test_the_test_button_says_which_step_failed(
    mail_world: MailWorld, changes: dict[str, Any], failed: str
) -> None:
    box = a_box(mail_world)
    settings = {"smtp_host": "localhost", "smtp_port": mail_world.ports["submission"], **changes}
    line = a_reader(mail_world, box, **settings)
    steps = [step async for step in channel.check(line, MemoryDoor(line))]
    assert steps[-1].step == failed
    assert not steps[-1].ok
    assert steps[-1].detail
    assert steps[-1].advice
    assert all(step.ok for step in steps[:-1])
