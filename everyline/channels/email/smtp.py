"""Out by SMTP (RFC 5321, 8BITMIME and SMTPUTF8 where needed). A connection a mail: nothing is shared, nothing hangs."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from everyline.channel_contract import ChannelError, Line, Outbound, Receipt
from everyline.channels.email import compose, oauth, signing
from everyline.channels.email.overheard import Overheard, size_words
from everyline.channels.email.settings import EmailSettings
from everyline.ground import clock
from everyline.ground.words import _

if TYPE_CHECKING:
    from everyline.channels.email.smtp_client import Client

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_DOT = re.compile(rb"(?m)^\.")


async def deliver(line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
    """Send one delivery. Raises ChannelError."""
    mail = await asyncio.to_thread(_mail, line, outbound, "")
    external_id = compose.wire_id(line, outbound)
    sender = compose.answer_address(line, outbound)
    recipients = [outbound.to.address, *(copy.address for copy in outbound.copies)]
    answer = await send(line.settings, sender, recipients, mail, on_wire)
    return Receipt(external_id, answer)


async def send_probe(line: Line, outbound: Outbound, probe: str, overheard: Overheard) -> str:
    """Send the test message, which ``probe`` marks as one. The host's answer; raises ChannelError."""
    mail = await asyncio.to_thread(_mail, line, outbound, probe)

    async def nothing() -> None:
        return None

    return await send(line.settings, line.address, [outbound.to.address], mail, nothing, overheard)


def _mail(line: Line, outbound: Outbound, probe: str) -> bytes:
    return signing.signed(line, compose.message(line, outbound, clock.now(), probe=probe))


async def connect(settings: EmailSettings, overheard: Overheard | None = None, *, sign_in: bool = True) -> Client:
    """A connection that is encrypted and signed in as the line wants. Raises ChannelError."""
    import aiosmtplib

    from everyline.channels.email.smtp_client import Client  # noqa: PLC0415 -- slow import

    host = settings.smtp
    if not host.host:
        raise ChannelError(_("No mail host for sending is set for this line."), permanent=False)
    try:
        client = Client(
            hostname=host.host,
            port=host.port,
            use_tls=host.encryption == "tls",
            start_tls=False,  # done below, so that the greeting is heard before it
            tls_context=settings.tls() if host.encryption != "none" else None,
            timeout=settings.timeout_seconds,
            local_hostname=_own_name(),
        )
        client.ear = overheard.connection(host.host, host.port) if overheard is not None else None
        try:
            await client.connect()
            if host.encryption == "starttls":
                await client.starttls()
        except BaseException:
            hang_up(client)
            raise
    except (aiosmtplib.SMTPException, OSError) as error:
        why = _("{host} could not be reached for sending: {why}").format(host=host.host, why=error)
        raise ChannelError(why, permanent=False, code=_code(error)) from error
    try:
        await client.ehlo()
        if sign_in and settings.oauth:
            token = await oauth.access_token(settings)
            if client.ear is not None:
                client.ear.hide(token, host.user)
            await client.auth_xoauth2(host.user, token)
        elif sign_in and host.user:
            await client.login(host.user, host.password)
    except ChannelError:
        hang_up(client)
        raise
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        hang_up(client)
        oauth.forget(settings)
        # an admin can mend it, so it is tried again and the line shows as not working
        why = _("{host} refused the sign-in for sending: {why}").format(host=host.host, why=error)
        raise ChannelError(why, permanent=False, code=_code(error)) from error
    return client


def _own_name() -> str:
    """By which we greet. The library would ask DNS for it at every mail, which takes long where none answers."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


async def send(
    settings: EmailSettings,
    sender: str,
    recipients: list[str],
    mail: bytes,
    on_wire: Callable[[], Awaitable[None]],
    overheard: Overheard | None = None,
) -> str:
    """Hand one mail to the host; the host's last words. Raises ChannelError: permanent for 5xx, not for 4xx and
    broken connections, unknown when the connection broke after the last byte."""
    import aiosmtplib

    client = await connect(settings, overheard)
    try:
        refused = await _envelope(client, sender, recipients, len(mail))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        hang_up(client)
        raise _problem(error) from error
    except BaseException:
        hang_up(client)
        raise
    try:
        await on_wire()
        answer = await _content(client, mail, settings.timeout_seconds)
    except BaseException:
        hang_up(client)
        raise
    await _quit(client)
    notes = [f"{address}: {why}" for address, why in refused.items()]
    return "\n".join([answer, *notes])


async def _envelope(client: Client, sender: str, recipients: list[str], size: int) -> dict[str, str]:
    """MAIL, RCPT and DATA, up to where the host waits for the mail. The first recipient must be taken; copies that
    are refused are returned."""
    import aiosmtplib

    options = []
    utf8 = not all(address.isascii() for address in (sender, *recipients))
    if client.supports_extension("SIZE"):
        options.append(f"SIZE={size}")
    if utf8:
        if not client.supports_extension("SMTPUTF8"):
            raise ChannelError(
                _("The mail host does not take addresses with these letters."), permanent=True, code="5.6.7"
            )
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    encoding = "utf-8" if utf8 else "ascii"
    await client.mail(sender, options=options, encoding=encoding)
    refused: dict[str, str] = {}
    for number, recipient in enumerate(recipients):
        try:
            await client.rcpt(recipient, encoding=encoding)
        except aiosmtplib.SMTPRecipientRefused as error:
            if number == 0:
                raise
            refused[recipient] = f"{error.code} {error.message}"
    start = await client.execute_command(b"DATA")
    if start.code != 354:
        raise _refusal(start.code, start.message)
    return refused


async def _content(client: Client, mail: bytes, seconds: float) -> str:
    """The mail itself. What goes wrong from here on, short of a clear answer, leaves it unknown what the host has."""
    import aiosmtplib

    stuffed = _DOT.sub(b"..", mail)
    ended = stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
    try:
        if client.protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        client.protocol.write(ended + b".\r\n")
        client.said(size_words(len(mail)))
        client.said(b".")
        response = await client.protocol.read_response(timeout=max(seconds, len(mail) / 100_000))
        client.heard(response)
    except (aiosmtplib.SMTPException, OSError) as error:
        why = _("The mail host fell silent before it said whether it took the mail: {why}").format(why=error)
        raise ChannelError(why, permanent=False, unknown=True) from error
    if response.code != 250:
        raise _refusal(response.code, response.message)
    return f"{response.code} {response.message}"


async def _quit(client: Client) -> None:
    import aiosmtplib

    # the mail is with the host already, whatever it says to a good-bye
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.execute_command(b"QUIT", timeout=5)
    hang_up(client)


def hang_up(client: Client) -> None:
    """Close the connection now: closing an encrypted one politely goes on after its user is gone."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _refusal(code: int, words: str) -> ChannelError:
    found = _ENHANCED.search(words)
    return ChannelError(f"{code} {words}"[:500], permanent=500 <= code < 600, code=found[1] if found else str(code))


def _problem(error: Exception) -> ChannelError:
    code = getattr(error, "code", None)
    words = getattr(error, "message", None)
    if isinstance(code, int) and isinstance(words, str):
        return _refusal(code, words)
    if isinstance(error, ValueError):
        return ChannelError(
            _("The mail host would not understand this address: {why}").format(why=error), permanent=True
        )
    return ChannelError(_("The connection to the mail host broke: {why}").format(why=error), permanent=False)


def _code(error: Exception) -> str:
    found = _ENHANCED.search(str(getattr(error, "message", "")))
    return found[1] if found else str(getattr(error, "code", ""))
