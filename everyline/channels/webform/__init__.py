"""Web forms: hosted pages, also shown within pages of others. They only take in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.routing import BaseRoute

from everyline.channel_contract import (
    Channel,
    ChannelError,
    Check,
    Continues,
    Door,
    Facts,
    Inbound,
    Line,
    LineSettings,
    MediaClass,
    Outbound,
    Raw,
    Receipt,
    Receiver,
)
from everyline.channels.webform import check as line_check
from everyline.channels.webform import pages, piece
from everyline.channels.webform.settings import WebformSettings
from everyline.ground.words import _, mark

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Webform:
    """The contract, answered for forms."""

    facts = Facts(
        name="webform",
        label=mark("Web form"),
        icon="webform",
        media_class=MediaClass.MAIL,
        reaches=(),
        continues=Continues.REFERENCE,
        address_label=mark("Name in the form's address"),
        address_help=mark("Letters, digits and hyphens, such as permits: the form then stands at /in/webform/permits."),
        weight=20,
        offer_seconds=90,
        undo_seconds=15,
        hue=285,
        leads_to="/in/webform/{address}",
        good_for=mark("Photos and papers with your question. You need no account."),
        may_start=False,
    )
    settings: type[LineSettings] = WebformSettings

    def normal(self, address: str) -> str:
        """Lower case. ValueError when it cannot stand in an address."""
        slug = address.strip().lower()
        if not _SLUG.fullmatch(slug):
            raise ValueError(_("it has letters, digits and hyphens only, such as permits"))
        return slug

    def identify(self, body: bytes) -> str:
        """The form's own id with a digest of what was typed."""
        return piece.identify(body)

    def parse(self, line: Line, raw: Raw) -> list[Inbound]:
        """One form is one piece."""
        return piece.read(line, raw)

    def receivers(self, lines: Sequence[Line]) -> list[Receiver]:
        """Forms come in by the web role's pages."""
        return []

    async def deliver(self, line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
        """A form reaches nobody."""
        raise ChannelError(_("A web form only takes in: the answer goes out on a line that sends."), permanent=True)

    def check(self, line: Line, door: Door) -> AsyncIterator[Check]:
        """What the test button shows."""
        return line_check.check(line, door)

    def routes(self, door: Door) -> Sequence[BaseRoute]:
        """The forms."""
        return pages.Pages(door, self.facts.name).routes()


channel: Channel = Webform()
