"""Ways to browsers that this process keeps: found by ICE (RFC 8445), keyed by DTLS (RFC 5764), and packets under SRTP.

aiortc and aioice do all three; what is theirs is taken as it is but for two things. Sockets are opened at the addresses and ports that
we are told, not at every address of the machine. And packets of sound are handed over as they come, neither parsed, queued nor
decoded: that is what makes a browser cheap.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import random
import socket
from collections.abc import Callable, Sequence
from typing import cast

import pylibsrtp
from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters

from everyline.media.errors import NoPorts
from everyline.media.negotiation import Agreement, Place
from everyline.media.sockets import BUFFER
from everyline.webrtc import offers
from everyline.webrtc.offers import Offer, Secured
from everyline.webrtc.ways import PATIENCE, Heard, is_report

for _name in ("aioice", "aiortc"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they tell of every check
_MOST_TRIES = 100


class _Connection(Connection):
    """ICE at addresses of ours. What is sound goes to ``sound`` at once, the rest is DTLS and waits to be received."""

    def __init__(self, addresses: Sequence[str], ports: tuple[int, int]) -> None:
        super().__init__(ice_controlling=False)
        self._addresses, self._ports = addresses, ports
        self.sound: Callable[[bytes], None] | None = None

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],  # noqa: ARG002 -- every address of the machine, in place of which there are ours
        timeout: int = 5,  # noqa: ARG002, ASYNC109 -- for servers that are asked, which there are none of
    ) -> list[Candidate]:
        found = []
        for address in self._addresses:
            opened = _socket(address, self._ports)
            try:
                _transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: StunProtocol(self), sock=opened
                )
            except OSError:
                opened.close()
                raise
            self._protocols.append(protocol)
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", address),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=address,
                port=opened.getsockname()[1],
                type="host",
            )
            found.append(protocol.local_candidate)
        return found

    def data_received(self, data: bytes, component: int) -> None:
        if self.sound and 127 < data[0] < 192:  # RFC 7983
            self.sound(data)
        elif data:
            super().data_received(data, component)

    def send_at_once(self, data: bytes) -> None:
        """Send without waiting for anything; nothing happens when there is no way."""
        if pair := self._nominated.get(1):
            pair.protocol.transport.sendto(data, pair.remote_addr)


def _socket(address: str, ports: tuple[int, int]) -> socket.socket:
    """A socket at one of the ports, both ends included; ports of 0 mean any."""
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(0)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    for _try in range(_MOST_TRIES):
        with contextlib.suppress(OSError):
            opened.bind((address, random.randint(*ports)))
            return opened
    opened.close()
    raise NoPorts(f"no port is left for a browser at {address}")


class _Path:
    """What aiortc's DTLS asks of the way below it."""

    role = "controlled"  # so that it is we who begin

    def __init__(self, connection: _Connection) -> None:
        self._recv, self._send = connection.recv, connection.send


class _Security(RTCDtlsTransport):
    """DTLS whose packets of sound pass by it."""

    def __init__(self, connection: _Connection, certificate: RTCCertificate) -> None:
        super().__init__(cast("RTCIceTransport", _Path(connection)), [certificate])

    def opened(self, data: bytes) -> bytes | None:
        """A packet of sound or a report, in the clear; None when it is not theirs."""
        keys: pylibsrtp.Session | None = self._rx_srtp
        if keys is None:
            return None
        try:
            found: bytes = keys.unprotect_rtcp(data) if is_report(data) else keys.unprotect(data)
        except pylibsrtp.Error:
            return None
        return found

    def closed(self, data: bytes) -> bytes | None:
        """The same the other way; None while there are no keys."""
        keys: pylibsrtp.Session | None = self._tx_srtp
        if keys is None:
            return None
        try:
            found: bytes = keys.protect_rtcp(data) if is_report(data) else keys.protect(data)
        except pylibsrtp.Error:
            return None
        return found


class OwnWay:
    """See ``ways.Way``."""

    def __init__(
        self,
        addresses: Sequence[str],
        advertised: Sequence[str],
        ports: tuple[int, int],
        offer: Offer,
        heard: Heard,
    ) -> None:
        self._offer, self._advertised, self._heard = offer, advertised, heard
        self._certificate = RTCCertificate.generateCertificate()
        self._connection = _Connection(addresses, ports)
        self._security = _Security(self._connection, self._certificate)
        self.connected = False

    async def answer(self, agreed: Agreement, source: int, name: str) -> str:
        """Open our side; raises NoPorts."""
        return offers.write(self._offer, agreed, await self._secured(), source, name)

    async def _secured(self) -> Secured:
        await self._connection.gather_candidates()
        own = self._connection.local_candidates
        shown = [_seen(one, host) for one in own for host in self._seen_as(one.host)]
        certificate = next(f for f in self._certificate.getFingerprints() if f.algorithm == "sha-256")
        first = shown[0]
        return Secured(
            self._connection.local_username,
            self._connection.local_password,
            (certificate.algorithm, certificate.value),
            [one.to_sdp() for one in shown],
            Place(first.host, first.port),
        )

    def _seen_as(self, host: str) -> Sequence[str]:
        """The addresses by which others reach a socket of ours: behind address translation, or bound to all, it is not its own."""
        same_kind = [one for one in self._advertised if (":" in one) == (":" in host)]
        return same_kind or [host]

    async def connect(self) -> bool:
        """Wait for the browser to find us, and agree on keys. False when that did not come to be. We are where it can reach us, so its own
        candidates are not tried: nobody's offer makes us knock at an address."""
        self._connection.remote_username = self._offer.fragment
        self._connection.remote_password = self._offer.password
        try:
            async with asyncio.timeout(PATIENCE):
                await self._connection.connect()
                fingerprints = [RTCDtlsFingerprint(*one) for one in self._offer.fingerprints]
                await self._security.start(RTCDtlsParameters(fingerprints))
        except (ConnectionError, TimeoutError):
            return False
        if self._security.state != "connected":
            return False
        self._connection.sound = self._take
        self.connected = True
        return True

    async def lost(self) -> None:
        """Wait until the browser is gone: it said so, or was not heard of for some 30 seconds."""
        gone = asyncio.Event()

        def changed() -> None:
            if self._security.state != "connected":
                gone.set()

        self._security.on("statechange", changed)
        changed()
        await gone.wait()
        self.connected = False

    def _take(self, data: bytes) -> None:
        if found := self._security.opened(data):
            self._heard(self, found)

    def send(self, data: bytes) -> None:
        """Send a packet of sound, or a report."""
        if self.connected and (sealed := self._security.closed(data)):
            self._connection.send_at_once(sealed)

    async def close(self) -> None:
        """Tell the browser and give the ports back."""
        self.connected = False
        self._connection.sound = None
        await self._security.stop()
        await self._connection.close()


def _seen(candidate: Candidate, host: str) -> Candidate:
    """A candidate as it is reached at another address."""
    found = copy.copy(candidate)
    found.host = host
    return found
