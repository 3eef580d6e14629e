"""The test button: what an admin would otherwise find out one refused mail at a time, in the order it is tried."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from everyline.channel_contract import Address, ChannelError, Check, Door, Line, Outbound, Severity
from everyline.channels.email import identity, records, smtp, threads
from everyline.channels.email.imap_wire import ImapWire, WireError
from everyline.channels.email.overheard import Overheard
from everyline.channels.email.settings import EmailSettings, Host
from everyline.ground import addresses
from everyline.ground.words import _, ngettext

ARRIVES_SECONDS = 30.0
TAGGED_ARRIVES_SECONDS = 10.0
LOOK_SECONDS = 0.5  # between looks into a mailbox that cannot tell by itself


class _Failed(Exception):
    """A step failed. ``fatal``: what comes after needs it."""

    severity = Severity.FAILED

    def __init__(self, detail: str, advice: str, *, fatal: bool = True) -> None:
        super().__init__(detail)
        self.advice = advice
        self.fatal = fatal


class _Noted(_Failed):
    """A step went well enough, and could go better."""

    severity = Severity.NOTE

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail, advice, fatal=False)


async def check(line: Line, door: Door) -> AsyncIterator[Check]:
    """The steps, each with what was said in its course. After one that all others need, nothing more is tried."""
    settings: EmailSettings = line.settings
    ear = Overheard(settings)
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        (_("Mail hosts found"), lambda: _hosts_found(settings)),
        (_("Connections are encrypted"), lambda: _encrypted(settings, ear)),
    ]
    if settings.incoming == "imap":
        steps.append((_("Signed in to read"), lambda: _signed_in_to_read(settings, ear)))
        steps.append((_("Told at once of new mail"), lambda: _told_at_once(settings, ear)))
    steps.append((_("Signed in to send"), lambda: _signed_in_to_send(settings, ear)))
    steps.append((_("Our test message came back"), lambda: _came_back(line, door, ear)))
    if settings.plus_addressing:
        tagged = _("Answers come back to an address with a reference")
        steps.append((tagged, lambda: _tagged_came_back(line, door, ear)))
    for step, tried in steps:
        found, goes_on = await _tried(step, tried)
        yield replace(found, said=ear.taken())
        if not goes_on:
            return
    async for found in records.check(line):
        yield found


async def _tried(step: str, tried: Callable[[], Awaitable[str]]) -> tuple[Check, bool]:
    """What came of a step, and whether what comes after it can be tried."""
    started = time.monotonic()
    try:
        detail = await tried()
    except _Failed as error:
        return Check(step, error.severity, str(error), _since(started), error.advice), not error.fatal
    except (ChannelError, WireError, OSError) as error:
        advice = _("Compare the settings with what your mail provider says.")
        return Check(step, Severity.FAILED, str(error), _since(started), advice), False
    return Check(step, detail=detail, milliseconds=_since(started)), True


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


async def _hosts_found(settings: EmailSettings) -> str:
    names = []
    for host in [settings.imap, settings.smtp] if settings.incoming == "imap" else [settings.smtp]:
        if not host.host:
            raise _Failed(
                _("No mail host for sending is set for this line."), _("Fill in the mail host under Sending.")
            )
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                await asyncio.get_running_loop().getaddrinfo(host.host, host.port)
        except (OSError, TimeoutError) as error:
            raise _Failed(
                f"{host.host}: {error}", _("Compare the mail host's name with what your mail provider says.")
            ) from error
        names.append(host.host)
    return ", ".join(dict.fromkeys(names))


async def _encrypted(settings: EmailSettings, ear: Overheard) -> str:
    """Really connects: a certificate is only good when it is good for that name."""
    try:
        said = []
        if settings.incoming == "imap":
            wire = await ImapWire.open(settings, ear, sign_in=False)
            said.append(_encryption(settings.imap, wire.writer.get_extra_info("ssl_object")))
            wire.drop()
        client = await smtp.connect(settings, ear, sign_in=False)
        said.append(_encryption(settings.smtp, client.get_transport_info("ssl_object")))
        smtp.hang_up(client)
    except (ChannelError, WireError, OSError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            advice = _("The host's certificate is not trusted. Name the file of your own authority under Connections.")
        else:
            advice = _(
                "Compare port and encryption with what your provider says: 993 and 465 are TLS, 143 and 587 STARTTLS."
            )
        raise _Failed(str(error), advice) from error
    if None in said:
        plain = _("Names and passwords can be read on the way. That is fine only on a network of your own.")
        raise _Noted(_("not encrypted"), plain)
    return ", ".join(dict.fromkeys(filter(None, said)))


def _encryption(host: Host, connection: Any) -> str | None:
    return f"{host.host}: {connection.version()}" if connection is not None else None


async def _signed_in_to_read(settings: EmailSettings, ear: Overheard) -> str:
    try:
        wire = await ImapWire.open(settings, ear)
    except (WireError, ChannelError) as error:
        raise _Failed(str(error), _("Write the sign-in name and the password under Receiving anew.")) from error
    try:
        folder = await wire.select(settings.imap_folder)
        unread = len(await wire.search(b"UNSEEN"))
    finally:
        await wire.close()
    found = ngettext("{n} message", "{n} messages", folder.messages).format(n=folder.messages)
    return _("{found}, {unread} unread").format(found=found, unread=unread)


async def _told_at_once(settings: EmailSettings, ear: Overheard) -> str:
    wire = await ImapWire.open(settings, ear)
    await wire.close()
    if "IDLE" in wire.capabilities:
        return _("the host supports IDLE")
    words = _("It looks for new mail every {seconds} seconds instead.").format(seconds=round(settings.poll_seconds))
    raise _Noted(_("the host does not support IDLE"), words)


async def _signed_in_to_send(settings: EmailSettings, ear: Overheard) -> str:
    try:
        client = await smtp.connect(settings, ear)
    except ChannelError as error:
        raise _Failed(str(error), _("Write the sign-in name and the password under Sending anew.")) from error
    size = client.esmtp_extensions.get("size", "")
    smtp.hang_up(client)
    if size.isdecimal() and int(size):
        return _("largest message {size} MB").format(size=round(int(size) / 1_000_000))
    return ""


async def _came_back(line: Line, door: Door, ear: Overheard) -> str:
    probe = _probe(line)
    await _send(line, line.address, probe, ear)
    if not await _arrived(line, door, probe, ARRIVES_SECONDS, ear):
        raise _Failed(
            _("Sent to {address}, but it did not arrive within {seconds} seconds.").format(
                address=line.address, seconds=round(ARRIVES_SECONDS)
            ),
            _("Your mail host took it, so look there: in the spam folder, or where it passes this address on to."),
        )
    where = line.settings.imap_folder if line.settings.incoming == "imap" else _("the listener")
    return _("sent to {address}, found in {where}").format(address=line.address, where=where)


async def _tagged_came_back(line: Line, door: Door, ear: Overheard) -> str:
    token = line.signer.sign(0)
    tagged = threads.with_token(line.address, token)
    probe = _probe(line)
    advice = _(
        "Your mail host does not deliver addresses with a plus sign. Switch the reference in the answer address off."
    )
    try:
        await _send(line, tagged, probe, ear)
    except ChannelError as error:
        raise _Failed(str(error), advice, fatal=False) from error
    if not await _arrived(line, door, probe, TAGGED_ARRIVES_SECONDS, ear):
        raise _Failed(_("A message to {address} did not arrive.").format(address=tagged), advice, fatal=False)
    return tagged


def _probe(line: Line) -> str:
    return f"{line.signer.sign(0)}.{secrets.token_hex(16)}"


async def _send(line: Line, to: str, probe: str, ear: Overheard) -> None:
    outbound = Outbound(
        id=0,
        idempotency_key=probe,
        to=Address(addresses.MAILBOX, to),
        sender_name="",
        subject=_("Test message of Everyline"),
        text=_("This message was sent to find out whether this line works. It can be deleted."),
        language=line.language,
        automatic=True,
    )
    await smtp.send_probe(line, outbound, probe, ear)


async def _arrived(line: Line, door: Door, probe: str, seconds: float, ear: Overheard) -> bool:
    """Did the test message come in? A mailbox is looked into directly, as nobody may be reading it yet."""
    if line.settings.incoming == "listener":
        return await door.arrived(line, identity.probe_id(probe), seconds=seconds)
    wire = await ImapWire.open(line.settings, ear)
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await wire.select(line.settings.imap_folder, writable=True)
            found = await wire.search(b'HEADER %s "%s"' % (identity.PROBE_FIELD, probe.encode("ascii")))
            if found:
                await wire.remove(found[-1])
                return True
            if "IDLE" in wire.capabilities:
                await wire.idle(min(2.0, deadline - time.monotonic()))
            else:
                await asyncio.sleep(LOOK_SECONDS)
        return False
    finally:
        await wire.close()
