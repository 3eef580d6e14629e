"""What a test says was said on its wires: by whom, in order, short, and never anything that lets a reader sign in."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import pytest

from everyline.channel_contract import ChannelError, Check, Line
from everyline.channels.email import channel, smtp
from everyline.channels.email.overheard import HIDDEN, LONGEST_LINE, MOST_LINES, Overheard
from everyline.channels.email.settings import EmailSettings
from everyline.channels.email.tests.doubles import MemoryDoor, a_line
from everyline.channels.email.tests.test_imap import a_box, a_reader
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("E1", "P3")


async def checked(line: Line) -> dict[str, Check]:
    return {step.step: step async for step in channel.check(line, MemoryDoor(line))}


def words_of(steps: dict[str, Check]) -> str:
    return "\n".join(f"{said.by}: {said.words}" for step in steps.values() for said in step.said)


def revealed(words: str, *secrets: str) -> list[str]:
    """The secrets that stand in there, bare or in any base64 that is longer than a word."""
    coded = [
        base64.b64decode(f"{piece}{'=' * (-len(piece) % 4)}").decode("latin-1")
        for piece in re.findall(r"[A-Za-z0-9+/]{8,}", words)
        if len(piece) % 4 != 1
    ]
    return [secret for secret in secrets if secret in words or any(secret in one for one in coded)]


def test_it_would_be_seen_if_a_password_stood_there() -> None:
    assert revealed("a LOGIN x open sesame", "open sesame")
    assert revealed(f"AUTH PLAIN {base64.b64encode(b'%cme%copen sesame' % (0, 0)).decode()}", "open sesame")
    assert not revealed("EHLO a.harbor.example SIZE 1024", "open sesame")


async def test_both_wires_are_heard_and_no_password(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_reader(mail_world, box, smtp_host="localhost", smtp_port=mail_world.ports["submission"])
    steps = await checked(line)
    words = words_of(steps)
    imap, out = f"localhost:{mail_world.ports['imap']}", f"localhost:{mail_world.ports['submission']}"
    assert revealed(words, box.password) == []
    assert str(len(box.password)) not in re.findall(r"\{(\d+)\}", words), "not even how long it is"
    for expected in (
        r"^Everyline: EHLO ",
        rf"^{out}: 250-SIZE ",
        r"^Everyline: STARTTLS$",
        rf"^Everyline: AUTH \w+ {HIDDEN}$",
        rf"^{out}: 235 ",
        rf"^Everyline: RCPT TO:<{box.address}>$",
        r"^Everyline: \(a message of \d+ bytes\)$",
        rf"^{out}: 250 2.0.0 Ok: queued",
        rf"^{imap}: \* OK ",
        rf"^Everyline: \w+ LOGIN {{{HIDDEN}}}$",
        r"^Everyline: \w+ EXAMINE \{5\}$",
        rf"^{imap}: \* 0 EXISTS$",
        r"^Everyline: \w+ UID SEARCH HEADER ",
    ):
        assert re.search(expected, words, re.MULTILINE), (expected, words)
    assert "Test message of Everyline" not in words, "of a mail only its size"
    assert all(len(step.said) <= MOST_LINES + 1 for step in steps.values())
    said = steps["Signed in to read"].said
    assert [one.ours for one in said if "EXAMINE" in one.words and one.by == "Everyline"] == [True]
    assert steps["Mail hosts found"].said == ()


@pytest.mark.parametrize("refreshed", [False, True])
async def test_no_token_is_heard(mail_world: MailWorld, refreshed: bool) -> None:
    box = a_box(mail_world)
    if refreshed:
        given: dict[str, Any] = {
            "oauth_token_url": f"http://127.0.0.1:{mail_world.ports['tokens']}/token",
            "oauth_client_id": "everyline",
            "oauth_client_secret": "the secret of the client",
            "oauth_refresh_token": mail_world.refresh_token(box),
        }
    else:
        given = {"oauth_access_token": mail_world.token(box)}
    line = a_reader(
        mail_world, box, imap_password="", smtp_host="localhost", smtp_port=mail_world.ports["submission"], **given
    )
    steps = await checked(line)
    words = words_of(steps)
    assert steps["Signed in to send"].ok, words
    assert re.search(rf"^Everyline: AUTH XOAUTH2 {HIDDEN}$", words, re.MULTILINE)
    assert re.search(rf"^Everyline: \w+ AUTHENTICATE XOAUTH2 {HIDDEN}$", words, re.MULTILINE)
    tokens = [token for token, user in mail_world.tokens.access.items() if user == box.address]
    assert tokens
    assert revealed(words, *tokens, mail_world.refresh_token(box), "the secret of the client", "auth=Bearer") == []


async def test_what_a_refused_sign_in_says_is_heard_without_its_password(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    sends = {"smtp_host": "localhost", "smtp_port": mail_world.ports["submission"]}
    words = words_of(await checked(a_reader(mail_world, box, imap_password="a wrong one", **sends)))
    assert "AUTHENTICATIONFAILED" in words
    assert revealed(words, "a wrong one") == []


async def test_what_a_host_repeats_of_a_sign_in_is_left_out() -> None:
    """A host that asks name by name (AUTH LOGIN) and says the password back in its refusal, in every way it can."""
    password = "open sesame"
    coded = base64.b64encode(password.encode()).decode()

    async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(words: str) -> None:
            writer.write(f"{words}\r\n".encode())

        try:
            say("220 hello")
            while line := (await reader.readline()).decode().strip():
                if line.startswith("EHLO"):
                    say("250-host\r\n250-AUTH LOGIN\r\n250 SIZE 1024")
                elif line.startswith("AUTH"):
                    say(f"334 {coded}")
                else:
                    say(f"535 no: {password} {coded.rstrip('=')} \x1b[2J" + "x" * 400)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(host, "127.0.0.1", 0)
    settings = EmailSettings(
        smtp_host="127.0.0.1",
        smtp_port=server.sockets[0].getsockname()[1],
        smtp_encryption="none",
        smtp_user="permits",
        smtp_password=password,
    )
    overheard = Overheard(settings)
    try:
        with pytest.raises(ChannelError):
            await smtp.connect(settings, overheard)
    finally:
        server.close()
    said = overheard.taken()
    words = [one.words for one in said]
    assert f"AUTH LOGIN {HIDDEN}" in words
    assert [one for one in words if one.startswith("334")] == [f"334 {HIDDEN}"]
    assert words[-1].startswith(f"535 no: {HIDDEN} {HIDDEN} \N{REPLACEMENT CHARACTER}[2J")
    assert len(words[-1]) == LONGEST_LINE + 1
    assert revealed("\n".join(words), password) == []
    assert overheard.taken() == ()


def test_of_a_long_talk_its_beginning_and_its_end_are_kept() -> None:
    overheard = Overheard(a_line().settings)
    ear = overheard.connection("imap.harbor.example", 993)
    for number in range(1000):
        ear.theirs(b"* %d EXISTS" % number)
    said = overheard.taken()
    assert len(said) == MOST_LINES + 1
    assert said[1].words == "* 0 EXISTS"
    assert said[-1].words == "* 999 EXISTS"
    assert said[MOST_LINES // 2].words == f"{1001 - MOST_LINES} lines are left out here."
