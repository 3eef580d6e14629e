"""Email: in by SMTP, LMTP or IMAP, out by SMTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.routing import BaseRoute

from everyline.channel_contract import (
    Channel,
    Check,
    Continues,
    Door,
    Facts,
    Inbound,
    Line,
    LineSettings,
    MediaClass,
    Outbound,
    Proposal,
    Raw,
    Receipt,
    Receiver,
)
from everyline.channels.email import check as line_check
from everyline.channels.email import identity, imap, listener, lookup, reading, smtp
from everyline.channels.email.settings import EmailSettings, InstallSettings
from everyline.ground import addresses
from everyline.ground.words import _, mark


class Email:
    """The contract, answered for mail."""

    facts = Facts(
        name="email",
        label=mark("Email"),
        icon="email",
        media_class=MediaClass.MAIL,
        reaches=(addresses.MAILBOX,),
        continues=Continues.REFERENCE,
        address_label=mark("Email address"),
        address_help=mark("The address that customers write to, such as permits@harbor.example."),
        weight=20,
        offer_seconds=90,
        undo_seconds=15,
        hue=212,
        leads_to="mailto:{address}",
        good_for=mark("Questions with detail, and a written answer to keep."),
        copies=True,
        formatted=True,
    )
    settings: type[LineSettings] = EmailSettings

    def normal(self, address: str) -> str:
        """Lower case, with the domain in its ASCII form. ValueError for an address that a token cannot be told from."""
        normal = addresses.normal_mailbox(address)
        if "+" in normal.partition("@")[0]:
            raise ValueError(_("a line's address has no plus sign: what stands after it is the case's reference"))
        return normal

    def identify(self, body: bytes) -> str:
        """The Message-ID with a digest of what the sender wrote."""
        return identity.external_id(body)

    def parse(self, line: Line, raw: Raw) -> list[Inbound]:
        """One mail is one piece."""
        return reading.read(line, raw)

    def receivers(self, lines: Sequence[Line]) -> list[Receiver]:
        """The listeners that the installation asks for, and one reader for every mailbox."""
        install = InstallSettings()
        found: list[Receiver] = []
        if install.smtp_listen:
            found.append(listener.Listener(install, lmtp=False))
        if install.lmtp_listen:
            found.append(listener.Listener(install, lmtp=True))
        found += [imap.ImapReceiver(line) for line in lines if line.settings.incoming == "imap"]
        return found

    async def deliver(self, line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
        """Hand it to the line's mail host."""
        return await smtp.deliver(line, outbound, on_wire)

    def check(self, line: Line, door: Door) -> AsyncIterator[Check]:
        """What the test button shows."""
        return line_check.check(line, door)

    async def propose(self, address: str) -> Proposal:
        """The mail hosts of the address's domain."""
        return await lookup.propose(address)

    def routes(self, door: Door) -> Sequence[BaseRoute]:
        """Mail has no pages."""
        return ()


channel: Channel = Email()
