"""The little of IMAP (RFC 3501 and 9051, IDLE RFC 2177, UIDPLUS RFC 4315) that taking in mail needs.

One command at a time over one connection. Answers are read by their stated lengths, so neither the size of a literal
nor what stands in one matters, and a connection that breaks breaks the command that waits on it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import secrets
from dataclasses import dataclass, field

from everyline.channels.email import oauth
from everyline.channels.email.overheard import HIDDEN, Ear, Overheard
from everyline.channels.email.settings import EmailSettings
from everyline.ground.words import _

LONGEST_LINE = 8 * 1024 * 1024  # bytes; a search in a very large mailbox answers in one line
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}$")
_NUMBER = re.compile(rb"\d+")
_CODE = {name: re.compile(rb"\[" + name + rb" (\d+)\]", re.IGNORECASE) for name in (b"UIDVALIDITY", b"UIDNEXT")}
_FETCHED = re.compile(rb"(\d+) FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)


class WireError(Exception):
    """The mail host cannot be used as it is; the message says why, in words for an admin."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One untagged answer: its line without literals, and the literals in their order."""

    line: bytes
    literals: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened folder."""

    validity: int
    next_uid: int
    messages: int


@dataclass(slots=True)
class ImapWire:
    """A connection to a mail host, signed in."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seconds: float
    capabilities: set[str] = field(default_factory=set)
    ear: Ear | None = None  # hears what is said, for a test
    news: bool = False  # the host told of new mail, in whatever answer; whoever looks for it sets it back before
    _tag: int = 0
    _signing_in: bool = False  # nothing of it is heard
    # no answer can be prepared before the connection is encrypted (STARTTLS) for a tag that cannot be guessed
    _mark: bytes = field(default_factory=lambda: secrets.token_hex(4).encode())

    @classmethod
    async def open(
        cls, settings: EmailSettings, overheard: Overheard | None = None, *, sign_in: bool = True
    ) -> ImapWire:
        """Connect, encrypt and sign in. Raises WireError, OSError and, for want of a token, ChannelError."""
        host = settings.imap
        ear = overheard.connection(host.host, host.port) if overheard is not None else None
        tls = settings.tls() if host.encryption != "none" else None
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                reader, writer = await asyncio.open_connection(
                    host.host, host.port, ssl=tls if host.encryption == "tls" else None, limit=LONGEST_LINE
                )
        except TimeoutError as error:
            raise WireError(_("{host} did not answer.").format(host=host.host)) from error
        except OSError as error:
            raise WireError(_("{host} could not be reached: {why}").format(host=host.host, why=error)) from error
        wire = cls(reader, writer, settings.timeout_seconds, ear=ear)
        try:
            await wire._greeted()
            if host.encryption == "starttls":
                await wire.command(b"STARTTLS")
                async with asyncio.timeout(wire.seconds):
                    await writer.start_tls(settings.tls(), server_hostname=host.host)
            if sign_in:
                await wire._sign_in(settings)
        except BaseException:
            wire.drop()
            raise
        return wire

    async def _greeted(self) -> None:
        greeting = await self._answer()
        if not greeting.line.upper().startswith((b"OK", b"PREAUTH")):
            raise WireError(_("The mail host refused the connection: {why}").format(why=_words(greeting.line)))

    async def _sign_in(self, settings: EmailSettings) -> None:
        await self._ask_capabilities()
        if not settings.oauth and "LOGINDISABLED" in self.capabilities:
            raise WireError(_("The mail host takes passwords only over an encrypted connection."))
        try:
            self._signing_in = True
            if settings.oauth:
                token = await oauth.access_token(settings)
                if self.ear is not None:
                    self.ear.hide(token, settings.imap.user)
                secret = f"user={settings.imap.user}\x01auth=Bearer {token}\x01\x01".encode()
                await self.command(
                    b"AUTHENTICATE XOAUTH2", reply=base64.b64encode(secret), initial="SASL-IR" in self.capabilities
                )
            else:
                await self.command(b"LOGIN", literals=(settings.imap.user.encode(), settings.imap.password.encode()))
        except WireError as error:
            oauth.forget(settings)
            raise WireError(_("The mail host refused the sign-in: {why}").format(why=error)) from error
        finally:
            self._signing_in = False
        await self._ask_capabilities()

    async def _ask_capabilities(self) -> None:
        for answer in await self.command(b"CAPABILITY"):
            if answer.line.upper().startswith(b"CAPABILITY "):
                self.capabilities = set(answer.line.decode("ascii", "replace").upper().split()[1:])

    async def select(self, folder: str, *, writable: bool = False) -> Folder:
        """Open a folder; unless ``writable`` nothing in it can be changed by this connection."""
        answers = await self.command(b"SELECT" if writable else b"EXAMINE", literals=(_modified_utf7(folder),))
        validity = next_uid = messages = 0
        for answer in answers:
            found = _CODE[b"UIDVALIDITY"].search(answer.line)
            validity = int(found[1]) if found else validity
            found = _CODE[b"UIDNEXT"].search(answer.line)
            next_uid = int(found[1]) if found else next_uid
            if answer.line.upper().endswith(b" EXISTS"):
                messages = int(answer.line.split()[0])
        if not validity:
            raise WireError(_("The mail host does not number its mail lastingly (UIDVALIDITY)."))
        if not next_uid:  # old hosts do not say
            next_uid = max(await self.search(b"UID 1:*"), default=0) + 1
        self.news = False
        return Folder(validity, next_uid, messages)

    async def search(self, criteria: bytes) -> list[int]:
        """The UIDs that match, rising."""
        found: set[int] = set()
        for answer in await self.command(b"UID SEARCH " + criteria):
            if answer.line.upper().startswith(b"SEARCH"):
                found.update(int(number) for number in _NUMBER.findall(answer.line[6:]))
        return sorted(found)

    async def sizes(self, uids: list[int]) -> dict[int, int]:
        """Size in bytes of each message that is still there."""
        sizes = {}
        wanted = b",".join(b"%d" % uid for uid in uids)
        for answer in await self.command(b"UID FETCH " + wanted + b" (UID RFC822.SIZE)"):
            uid, size = _UID.search(answer.line), _SIZE.search(answer.line)
            if _FETCHED.match(answer.line) and uid and size:
                sizes[int(uid[1])] = int(size[1])
        return sizes

    async def fetch(self, uid: int, *, header_only: bool = False) -> bytes | None:
        """A message without marking it as read; None when it is gone."""
        what = b"BODY.PEEK[HEADER]" if header_only else b"BODY.PEEK[]"
        for answer in await self.command(b"UID FETCH %d (UID %s)" % (uid, what)):
            found = _UID.search(answer.line)
            if _FETCHED.match(answer.line) and found and int(found[1]) == uid:
                if answer.literals:
                    return answer.literals[-1]
                if b'""' in answer.line:
                    return b""
        return None

    async def mark_seen(self, uid: int) -> None:
        """Mark a message as read."""
        await self.command(b"UID STORE %d +FLAGS.SILENT (\\Seen)" % uid)

    async def remove(self, uid: int) -> None:
        """Delete one message and no other; does nothing on hosts that cannot do that."""
        if "UIDPLUS" in self.capabilities:
            await self.command(b"UID STORE %d +FLAGS.SILENT (\\Deleted)" % uid)
            await self.command(b"UID EXPUNGE %d" % uid)

    async def idle(self, seconds: float) -> bool:
        """Wait until the host tells of new mail, at most ``seconds``. True when it did, be it with an earlier answer:
        what a host has told it does not tell again."""
        if self.news:
            return True
        tag = self._next_tag()
        await self._write(tag + b" IDLE\r\n")
        await self._continued(tag)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.news:
                    await self._read()
        await self._write(b"DONE\r\n")
        while not (await self._answer()).line.startswith(tag):
            pass
        return self.news

    async def command(
        self, command: bytes, *, literals: tuple[bytes, ...] = (), reply: bytes = b"", initial: bool = False
    ) -> list[Answer]:
        """Run one command; its untagged answers. Values that may hold anything go as ``literals``; ``reply`` answers
        a challenge, at once when ``initial``. Raises WireError when the host says no."""
        tag = self._next_tag()
        await self._write(tag + b" " + command)
        if initial:
            await self._write(b" ")
            await self._write_hidden(reply)
        for literal in literals:
            await self._write(b" {")
            await self._write_hidden(b"%d" % len(literal))  # how long a password is, is nobody's business either
            await self._write(b"}\r\n")
            await self._continued(tag)
            await self._write_hidden(literal)
        await self._write(b"\r\n")
        if reply and not initial:
            await self._continued(tag)
            await self._write_hidden(reply)
            await self._write(b"\r\n")
        answers: list[Answer] = []
        while True:
            answer = await self._answer()
            if answer.line.startswith(tag + b" "):
                status = answer.line[len(tag) + 1 :]
                if status.upper().startswith(b"OK"):
                    return [*answers, Answer(status)]
                raise WireError(_words(status))
            if answer.line == b"+":
                await self._write(b"\r\n")  # a refused token is explained in a challenge that wants an empty answer
            else:
                answers.append(answer)

    async def _continued(self, tag: bytes) -> None:
        while True:
            answer = await self._answer()
            if answer.line == b"+":
                return
            if answer.line.startswith(tag + b" "):
                raise WireError(_words(answer.line[len(tag) + 1 :]))

    def _next_tag(self) -> bytes:
        self._tag += 1
        return b"%b%d" % (self._mark, self._tag)

    async def _write_hidden(self, data: bytes) -> None:
        """As ``_write``, and not heard while we sign in."""
        await self._write(data, HIDDEN.encode() if self._signing_in else data)

    async def _write(self, data: bytes, heard: bytes | None = None) -> None:
        """``heard``: what is overheard in its place."""
        if self.ear is not None:
            self.ear.ours(data if heard is None else heard)
        self.writer.write(data)
        async with asyncio.timeout(self.seconds):
            await self.writer.drain()

    async def _answer(self) -> Answer:
        try:
            async with asyncio.timeout(self.seconds):
                return await self._read()
        except TimeoutError as error:
            raise WireError(_("The mail host fell silent.")) from error

    async def _read(self) -> Answer:
        """One answer. A continuation is the line ``+``; a tagged one keeps its tag. Cancelling it between two answers
        loses nothing."""
        try:
            whole = b""
            literals = []
            line = await self.reader.readuntil(b"\n")
            while True:
                line = line.rstrip(b"\r\n")
                whole += line
                literal = _LITERAL.search(line)
                if literal is None:
                    break
                literals.append(await self._literal(int(literal[1])))
                line = await self.reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise WireError(_("The mail host closed the connection.")) from error
        except asyncio.LimitOverrunError as error:
            raise WireError(_("The mail host sent a line that is too long.")) from error
        if self.ear is not None:
            self.ear.theirs(b"+ " + HIDDEN.encode() if self._signing_in and whole.startswith(b"+") else whole)
        if whole.startswith(b"+"):
            return Answer(b"+")
        self.news = self.news or (whole.startswith(b"* ") and whole.upper().endswith(b" EXISTS"))
        return Answer(whole[2:] if whole.startswith(b"* ") else whole, tuple(literals))

    async def _literal(self, size: int) -> bytes:
        """So many bytes; the time runs anew with every piece, as a large mail may take long."""
        pieces = []
        while size:
            async with asyncio.timeout(self.seconds):
                piece = await self.reader.read(min(size, 1024 * 1024))
            if not piece:
                raise WireError(_("The mail host closed the connection."))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """Say good-bye when that is still possible."""
        with contextlib.suppress(OSError, WireError, TimeoutError):
            await self.command(b"LOGOUT")
        self.drop()

    def drop(self) -> None:
        """Hang up without a word."""
        self.writer.transport.abort()


def _words(status: bytes) -> str:
    text = status.decode("utf-8", "replace")
    return re.sub(r"^(?:\S+ )?(?:NO|BAD|BYE) ", "", text)[:300]


def _modified_utf7(folder: str) -> bytes:
    """A folder's name as IMAP writes it (RFC 3501 section 5.1.3)."""
    out = b""
    for plain, other in re.findall(r"([\x20-\x7e]+)|([^\x20-\x7e]+)", folder):
        if plain:
            out += plain.replace("&", "&-").encode("ascii")
        else:
            coded = base64.b64encode(other.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
            out += b"&" + coded + b"-"
    return out
