"""The telephone: calls in and out over SIP, from the first ring to the last word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

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
    TalkDoor,
)
from everyline.channels.phone import check as line_check
from everyline.channels.phone import examining, piece, saying, trunks
from everyline.channels.phone.receiver import Telephone
from everyline.channels.phone.settings import InstallSettings, PhoneSettings
from everyline.ground import addresses
from everyline.ground.settings import Settings
from everyline.ground.words import _, mark


class Phone:
    """The contract, answered for calls."""

    facts = Facts(
        name="phone",
        label=mark("Telephone"),
        icon="phone",
        media_class=MediaClass.CALL,
        reaches=(addresses.NUMBER,),
        continues=Continues.OPEN_CASE,
        address_label=mark("Number"),
        address_help=mark("As your trunk rings it, with its country: +1 800 555 0199."),
        weight=100,
        offer_seconds=20,
        undo_seconds=0,
        hue=152,
        leads_to="tel:{address}",
        good_for=mark("Talking it over, now."),
        files=False,
        may_start=True,
        acknowledges=False,
        pulled=True,
        writes=False,
        sounds=True,
    )
    settings: type[LineSettings] = PhoneSettings
    shared = trunks.SHARED

    def normal(self, address: str) -> str:
        """E.164 with its plus sign. ValueError when it is no number."""
        return addresses.normal_number(address)

    def share(self, settings: LineSettings) -> str:
        """``channel_contract.Shares``: the trunk."""
        return trunks.named(settings)

    def identify(self, body: bytes) -> str:
        """The call and the count of what the caller did in it."""
        return piece.identify(body)

    def parse(self, line: Line, raw: Raw) -> list[Inbound]:
        """One document is one piece."""
        return piece.read(line, raw)

    def receivers(self, lines: Sequence[Line]) -> list[Receiver]:
        """One for all lines. It looks for lines by itself and must not be begun anew when they change: its calls would end."""
        return [Telephone(InstallSettings())]

    async def deliver(self, line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
        """What a turn says is played while the call lasts; nothing else can be written to a telephone."""
        raise ChannelError(_("Nothing can be written to a telephone. Call, or answer another way."), permanent=True)

    def check(self, line: Line, door: Door) -> AsyncIterator[Check]:
        """What the test button shows."""
        return line_check.check(line, door)

    def examine(self, lines: Sequence[Line], product: Settings, *, running: bool) -> Iterable[Check]:
        """``channel_contract.Examines``: ports and addresses."""
        return examining.examine(lines, product, running=running)

    def says(self, line: Line) -> Iterable[tuple[str, Mapping[str, str]]]:
        """``call_contract.Speaks``."""
        return saying.of_line(line)

    def routes(self, door: TalkDoor) -> Sequence[BaseRoute]:
        """Calls have no pages."""
        return ()


channel: Channel = Phone()
