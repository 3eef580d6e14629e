"""What a way to a browser is, whoever keeps it: this process (``own``) or a Janus beside it (``janus``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from everyline.media.negotiation import Agreement
from everyline.webrtc.offers import Offer

PATIENCE = 20.0  # seconds for a browser to find the way to us


class Way(Protocol):
    """One way to one browser, from its offer to its end: ``answer``, ``connect``, ``lost``, and ``close`` whatever became of them."""

    async def answer(self, agreed: Agreement, source: int, name: str) -> str:
        """Open our side and answer the offer. ``source`` is the SSRC of what is sent, ``name`` what it is called in reports. Raises a
        MediaError when there is no room or nobody to keep it."""
        ...

    async def connect(self) -> bool:
        """Wait for the browser to find us, and agree on keys. False when that did not come to be."""
        ...

    async def lost(self) -> None:
        """Wait until the browser is gone: it said so, or was not heard of for some 30 seconds."""
        ...

    def send(self, data: bytes) -> None:
        """Send a packet of sound, or a report, in the clear; nothing happens when there is no way."""
        ...

    async def close(self) -> None:
        """Tell the browser and give the ports back."""
        ...


Heard: TypeAlias = Callable[[Way, bytes], None]  # gets each packet that comes, in the clear
Opens: TypeAlias = Callable[[Offer, Heard], Way]


def is_report(data: bytes) -> bool:
    """Is a packet a report (RTCP), where both kinds come together (RFC 5761 section 4)?"""
    return 192 <= data[1] <= 223
