"""One agent's browser: a leg of the engine that stays while the page is loaded anew, and the way to the page that is there now."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable

from everyline.ground.errors import Conflict
from everyline.ground.words import _
from everyline.media.engine import Engine
from everyline.media.legs import Leg
from everyline.media.negotiation import Agreement
from everyline.media.sockets import BUFFER, Latch
from everyline.webrtc import offers
from everyline.webrtc.offers import Offer
from everyline.webrtc.ways import Way

QUIET = 3.0  # seconds without a packet after which no sound flows: browsers send silence too
ECHO_FRAMES = 40  # how much later one hears oneself, in packets of 20 ms
_HEADER = 12
_BOTH_KINDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- read from a socket, nothing is bound to it here


class Browser:
    """An agent's browser as a leg (``call_contract.AgentLeg``).

    The leg has its sockets as every leg has. Beside it stands the bridge, a socket that knows nothing but the leg: what the browser
    says comes out of it in the clear, what the leg sends goes into it and on to the browser.
    """

    def __init__(self, engine: Engine, agent_id: int, woken: Callable[[Browser], None]) -> None:
        self.agent_id = agent_id
        self._engine, self._woken = engine, woken
        self._leg = engine.open(f"browser {agent_id}", latch=Latch.ADDRESS)
        host, port = self._leg.pair.rtp.getsockname()[:2]
        host = _BOTH_KINDS.get(host, host)
        self._bridge = socket.socket(self._leg.pair.rtp.family, socket.SOCK_DGRAM)
        self._bridge.settimeout(0)
        self._bridge.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._bridge.bind((host, 0))
        self._bridge.connect((host, port))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._bridge, self._from_leg)
        self._way: Way | None = None
        self._heard_at = -QUIET
        self._echo: deque[bytes] | None = None
        self.left_at = time.monotonic()  # since when there is no way

    @property
    def leg(self) -> Leg:
        """Its leg of the engine. Never close it."""
        return self._leg

    @property
    def ready(self) -> bool:
        """Does sound flow both ways now? A page that is loaded anew is back before this says no."""
        return time.monotonic() - self._heard_at < QUIET

    @property
    def in_call(self) -> bool:
        """Is the leg in use?"""
        return self._leg.mix is not None

    def agree(self, offer: Offer) -> Agreement:
        """What the leg is to speak with whoever made the offer."""
        bridge: tuple[str, int] = self._bridge.getsockname()[:2]
        return offers.agree(offer, self._leg.place, bridge)

    @property
    def source(self) -> int:
        """The SSRC of what it is sent."""
        return int(self._engine.departing.source[self._leg.row])

    def take_over(self, way: Way, agreed: Agreement) -> Way | None:
        """From now on this is the way; returns the one before."""
        before, self._way = self._way, way
        self._leg.agree(agreed)
        return before

    def leave(self, way: Way) -> None:
        """A way is gone; nothing happens when it was not in use any more."""
        if self._way is way:
            self._way, self._echo = None, None
            self.left_at = time.monotonic()

    def echo(self, *, on: bool) -> None:
        """Let an agent hear themselves, a little later; raises Conflict while they are in a call."""
        if on and self.in_call:
            raise Conflict(_("You are in a call. Try it when the call has ended."))
        if on and self._way is None:
            raise Conflict(_("Your browser is not connected. Turn the phone on first."))
        self._echo = deque(maxlen=ECHO_FRAMES) if on else None

    def hear(self, way: Way, data: bytes) -> None:
        """A packet of the browser, in the clear."""
        if way is not self._way:
            return
        at = time.monotonic()
        was_quiet, self._heard_at = at - self._heard_at >= QUIET, at
        if was_quiet:
            self._woken(self)
        if self._echo is not None and _is_sound(data):
            self._echo.append(data[_HEADER:])
        try:
            self._bridge.send(data)
        except OSError:
            self._engine.unsent += 1

    def _from_leg(self) -> None:
        while True:
            try:
                data = self._bridge.recv(2048)
            except OSError:  # nothing more for now
                return
            if self._way is None:
                continue
            if self._echo is not None and _is_sound(data):
                data = self._echoed(data)
            self._way.send(data)

    def _echoed(self, data: bytes) -> bytes:
        """What was said before in place of what the leg sends; over when a call begins."""
        if self.in_call or self._echo is None:
            self._echo = None
            return data
        later = self._echo.popleft() if len(self._echo) == ECHO_FRAMES else b""
        return data[:_HEADER] + later if len(later) == len(data) - _HEADER else data

    def close(self) -> Way | None:
        """Give all back; returns the way, which is to be closed yet."""
        self._loop.remove_reader(self._bridge)
        self._bridge.close()
        self._leg.close()
        way, self._way = self._way, None
        return way


def _is_sound(data: bytes) -> bool:
    """20 ms of G.711 with nothing special about it?"""
    return len(data) == _HEADER + 160 and data[0] == 0x80
