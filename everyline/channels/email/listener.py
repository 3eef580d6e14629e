"""In by SMTP and LMTP (RFC 5321, RFC 2033): the mail host passes on what is for our lines.

The sender hears 250 only when the mail is kept. Trouble of ours is 451, so that the sender keeps it and tries again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from everyline.channel_contract import Door, Line, Raw, Refused
from everyline.channels.email import identity, smtp_data, threads
from everyline.channels.email.settings import InstallSettings, listen_address
from everyline.ground import addresses
from everyline.ground.words import _

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger(__name__)

MOST_RECIPIENTS = 100
LONGEST_LINE = 64 * 1024  # bytes; real mail exceeds the 998 of RFC 5322
SILENT_SECONDS = 300.0
# an address of atoms in its brackets (RFC 5321 section 4.1.2) and the parameters behind it
_PLAIN_PATH = re.compile(
    r"\s*<([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>(.*)", re.ASCII
)
LINES_SECONDS = 1.0  # how long the open lines are believed


class OpenLines:
    """The lines that take mail, by address. Asked for again every second, so a new line needs no restart."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._until = 0.0
        self._lines: dict[str, Line] = {}

    async def of(self, address: str) -> Line | None:
        """The line that an address belongs to, with or without a token in it."""
        if time.monotonic() > self._until:
            found = await self._door.lines("email")
            self._lines = {line.address: line for line in found if line.settings.incoming == "listener"}
            self._until = time.monotonic() + LINES_SECONDS
        try:
            normal = addresses.normal_mailbox(address)
        except ValueError:
            return None
        return self._lines.get(normal) or self._lines.get(threads.plain(normal))

    async def every(self) -> list[Line]:
        """All of them."""
        await self.of("")
        return list(self._lines.values())


class Handler:
    """What the wire protocol asks. The names are aiosmtpd's."""

    def __init__(self, door: Door, settings: InstallSettings, *, lmtp: bool) -> None:
        self.door = door
        self.lines = OpenLines(door)
        self.largest = settings.largest_message
        self.lmtp = lmtp

    def __dir__(self) -> Iterable[str]:
        """What aiosmtpd looks for in a handler; it looks for each connection."""
        return ("handle_RCPT", "handle_DATA")

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only what belongs to an open line is taken."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            line = await self.lines.of(address)
        except Exception:
            log.exception("the open lines could not be read")
            return "451 4.3.0 Try again later"
        if line is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keep it, once for every line that it is for. LMTP wants an answer for every recipient, SMTP one for all."""
        body = envelope.original_content or b""
        external_id = identity.external_id(body)
        told = {
            "sender": envelope.mail_from or "",
            "helo": str(session.host_name or ""),
            "peer": str(session.peer[0]) if session.peer else "",
            "tls": session.ssl is not None,
        }
        answers: dict[str, str] = {}
        kept: dict[int, str] = {}
        for address in envelope.rcpt_tos:
            try:
                line = await self.lines.of(address)
                if line is None:
                    answers[address] = "550 5.1.1 No such mailbox here"
                    continue
                if line.id not in kept:
                    mine = [one for one in envelope.rcpt_tos if await self.lines.of(one) == line]
                    kept[line.id] = await self._keep(line, Raw(external_id, body, {**told, "recipients": mine}))
                answers[address] = kept[line.id]
            except Exception:
                log.exception("a mail could not be kept")
                answers[address] = "451 4.3.0 It could not be kept, try again later"
        said = [answers[address] for address in envelope.rcpt_tos]
        return "\r\n".join(said) if self.lmtp else _worst(said)

    async def _keep(self, line: Line, raw: Raw) -> str:
        try:
            new = await self.door.accept(line, raw)
        except Refused as error:
            return "550 5.7.1 " + " ".join(str(error).encode("ascii", "replace").decode().split())[:200]
        return "250 2.0.0 Kept" if new else "250 2.0.0 Kept already"


def _worst(said: list[str]) -> str:
    """One answer for all: try again when any needs it (what is kept already is known by its id), else no only when
    all said no."""
    for first in ("4", "2"):
        for answer in said:
            if answer.startswith(first):
                return answer
    return said[0] if said else "554 5.5.1 No valid recipients"


class Listener:
    """Listens on one address as long as it runs."""

    exclusive = True

    def __init__(self, settings: InstallSettings, *, lmtp: bool) -> None:
        self.settings = settings
        self.lmtp = lmtp
        self.address = settings.lmtp_listen if lmtp else settings.smtp_listen
        self.name = f"{'lmtp' if lmtp else 'smtp'} {self.address}"
        self._open: Counter[str] = Counter()

    async def run(self, door: Door) -> None:
        """Until cancelled. An address that cannot be had is tried again."""
        pause = 1.0
        while True:
            handler = Handler(door, self.settings, lmtp=self.lmtp)
            try:
                server = await self._listen(handler)
            except OSError as error:
                why = _("Nothing can listen on {address}: {why}").format(address=self.address, why=error)
                log.error(why)  # noqa: TRY400 -- the address is taken or wrong; where in the code tells nothing
                await _tell(handler, why)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60.0)
                continue
            try:
                await _tell(handler, "")
                await server.serve_forever()
            finally:
                server.close()

    async def _listen(self, handler: Handler) -> asyncio.Server:
        host, port = listen_address(self.address)
        tls = None
        if self.settings.tls_certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(self.settings.tls_certificate, self.settings.tls_key)
        hostname = self.settings.hostname or socket.gethostname()
        protocol = _protocol_class(lmtp=self.lmtp)

        def connected() -> asyncio.Protocol:
            made: asyncio.Protocol = protocol(
                handler,
                counted=self,
                data_size_limit=self.settings.largest_message,
                enable_SMTPUTF8=True,
                hostname=hostname,
                ident="Everyline",
                tls_context=tls,
                timeout=SILENT_SECONDS,
                loop=asyncio.get_running_loop(),
            )
            return made

        return await asyncio.get_running_loop().create_server(connected, host, port, backlog=512)

    def enter(self, peer: str) -> bool:
        """Count a connection in; False when there are too many."""
        if self._open.total() >= self.settings.connections or self._open[peer] >= self.settings.connections_of_one_host:
            return False
        self._open[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        """Count it out."""
        self._open[peer] -= 1
        if self._open[peer] <= 0:
            del self._open[peer]


async def _tell(handler: Handler, trouble: str) -> None:
    """Say of every line that takes its mail here how its wire is."""
    try:
        for line in await handler.lines.every():
            if trouble:
                await handler.door.failed(line, trouble)
            else:
                await handler.door.healthy(line)
    except Exception:
        log.exception("the lines could not be told about the listener")


def _protocol_class(*, lmtp: bool) -> Any:
    """aiosmtpd's protocol, made to take what real senders send."""
    from aiosmtpd.lmtp import LMTP
    from aiosmtpd.smtp import SMTP

    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it logs every line of every mail otherwise

    base = LMTP if lmtp else SMTP
    commands = tuple(name for name in dir(base) if name.startswith("smtp_"))

    class Protocol(base):  # type: ignore[misc, valid-type]  # -- which of the two is known only now
        line_length_limit = LONGEST_LINE

        def __dir__(self) -> Iterable[str]:
            """The commands alone: aiosmtpd looks through all names for each connection, which costs more than a mail."""
            return commands

        def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
            """As aiosmtpd does it, which takes a parser for whole headers; nearly every address is a plain one."""
            plain = _PLAIN_PATH.fullmatch(arg)
            if plain is None:
                found: tuple[str | None, str | None] = super()._getaddr(arg)
                return found
            return f"{plain[1]}@{plain[2]}", plain[3].lstrip()

        def __init__(self, handler: Handler, *, counted: Listener, **rest: Any) -> None:
            super().__init__(handler, **rest)
            self.counted = counted
            self.counted_as: str | None = None

        def connection_made(self, transport: Any) -> None:
            if self.counted_as is None:  # STARTTLS calls this a second time
                peer = transport.get_extra_info("peername")
                name = str(peer[0]) if isinstance(peer, Sequence) and peer else ""
                if not self.counted.enter(name):
                    transport.write(b"421 4.7.0 Too many connections, try again later\r\n")
                    transport.close()
                    return
                self.counted_as = name
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            if self.counted_as is not None:
                self.counted.leave(self.counted_as)
                super().connection_lost(error)

        async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
            """As aiosmtpd does it, but in large pieces."""
            if await self.check_helo_needed():
                return
            if not self.envelope.rcpt_tos:
                await self.push("503 5.5.1 Need RCPT first")
                return
            if arg:
                await self.push("501 5.5.4 Syntax: DATA")
                return
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            body = await smtp_data.read_mail(self._reader, self.data_size_limit, self._reset_timeout)
            if body is None:
                answer = "552 5.3.4 It is larger than is taken here"
            else:
                self.envelope.content = self.envelope.original_content = body
                answer = await self._call_handler_hook("DATA")
            self._set_post_data_state()
            await self.push(answer)

        async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
            """Nobody signs in here: it takes mail for our own lines only."""
            await self.push("502 5.5.1 Not needed here")

    return Protocol
