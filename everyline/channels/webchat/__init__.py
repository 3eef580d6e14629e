"""Web chat: a widget on any page, live text over posts and one stream."""

from __future__ import annotations

import re
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
    Raw,
    Receipt,
    Receiver,
    TalkDoor,
)
from everyline.channels.webchat import check as line_check
from everyline.channels.webchat import piece
from everyline.channels.webchat.settings import WebchatSettings
from everyline.channels.webchat.widget import Widget
from everyline.ground.words import _, mark

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Webchat:
    """The contract, answered for widgets."""

    facts = Facts(
        name="webchat",
        label=mark("Web chat"),
        icon="webchat",
        media_class=MediaClass.CHAT,
        reaches=("visitor",),
        continues=Continues.OPEN_CASE,
        address_label=mark("Name in the widget's address"),
        address_help=mark(
            "Letters, digits and hyphens, such as help: the script then stands at /in/webchat/help/widget.js."
        ),
        weight=25,
        offer_seconds=30,
        undo_seconds=0,
        hue=262,
        leads_to="/in/webchat/{address}",
        good_for=mark("A quick question, answered while you wait."),
        longest_text=None,
        formatted=False,
        may_start=False,
        acknowledges=False,
        pulled=True,
    )
    settings: type[LineSettings] = WebchatSettings

    def normal(self, address: str) -> str:
        """Lower case. ValueError when it cannot stand in an address."""
        slug = address.strip().lower()
        if not _SLUG.fullmatch(slug):
            raise ValueError(_("it has letters, digits and hyphens only, such as help"))
        return slug

    def identify(self, body: bytes) -> str:
        """The visitor and what their program calls the message."""
        return piece.identify(body)

    def parse(self, line: Line, raw: Raw) -> list[Inbound]:
        """One document is one message."""
        return piece.read(line, raw)

    def receivers(self, lines: Sequence[Line]) -> list[Receiver]:
        """Messages come in by the web role."""
        return []

    async def deliver(self, line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
        """Nothing to do: what is written is fetched by the visitor's stream, and goes by mail when it is not."""
        return Receipt(outbound.external_id)

    def check(self, line: Line, door: Door) -> AsyncIterator[Check]:
        """What the test button shows."""
        return line_check.check(line, door)

    def routes(self, door: TalkDoor) -> Sequence[BaseRoute]:
        """What the widget asks."""
        return Widget(door, self.facts.name).routes()


channel: Channel = Webchat()
