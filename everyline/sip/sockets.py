"""The UDP socket under sippy: a thread that receives and guards, a thread that looks names up, and sending at once.

As ``transactions``, this module is imported in sippy's thread.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import Any, Protocol

from sippy.Core.EventDispatcher import ED2
from sippy.Network_server import Remote_address
from sippy.Time.MonoTime import MonoTime

from everyline.sip.messages import Request

PLAIN_TARGET = "0123456789.:[]abcdefABCDEF"


class Hearer(Protocol):
    """Who is told what came. Called in sippy's thread."""

    def admitted(self, source: tuple[str, int], size: int) -> bool:
        """Whether a datagram from there is looked at. Called in the socket's thread."""
        ...

    def traced(self, call_id: str, data: str, peer: tuple[str, int], *, ours: bool) -> None:
        """A message came or went."""
        ...

    def unreadable(self, source: tuple[str, int], why: str) -> None:
        """A datagram was no message."""
        ...

    def asked(self, request: Request, transaction: Any) -> None:
        """A new request, which is to be answered by ``Transactions.answer``."""
        ...

    def taken_back(self, transaction: Any) -> None:
        """An INVITE was cancelled or ran out; it has been answered with 487."""
        ...

    def acknowledged(self, transaction: Any, request: Request | None) -> None:
        """A final answer to an INVITE was acknowledged, or (None) never was."""
        ...


class _Options:
    """What sippy asks a socket's options."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.laddress = address

    def isWildCard(self) -> bool:  # noqa: N802 -- sippy calls it
        """False: it stands on one address, or on all under one name."""
        return False


class Socket:
    """One UDP socket for sippy: a thread that receives, guards and hands on; sending is at once, names are found beside."""

    transport = "udp"

    def __init__(self, bound: socket.socket, shown_as: tuple[str, int], manager: Any, hearer: Hearer) -> None:
        self.uopts = _Options(shown_as)
        self._socket = bound
        self._hearer = hearer
        self._manager = manager
        self._names: queue.SimpleQueue[tuple[bytes, tuple[str, int]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"sip-{work.__name__}", daemon=True)
            for work in (self._receive, self._find)
        ]
        for thread in self._threads:
            thread.start()

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:  # noqa: N802 -- sippy calls it
        """The address that is written into messages."""
        return self.uopts.laddress, self.transport

    def addr2str(self, address: tuple[str, int]) -> str:
        """An address for people."""
        return f"udp:{address[0]}:{address[1]}"

    def send_to(self, data: str, address: tuple[str, int]) -> None:
        """Send one message; never raises: what is lost is sent again by its transaction."""
        head, end, body = data.partition("\r\n\r\n")
        raw = (head + end).encode("utf-8", "surrogateescape") + body.encode("latin-1")
        if address[0].strip(PLAIN_TARGET):
            self._names.put((raw, address))
        else:
            self._send(raw, (address[0].strip("[]"), int(address[1])))

    def _send(self, raw: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError, OverflowError):
            self._socket.sendto(raw, address)

    def _find(self) -> None:
        while (one := self._names.get()) is not None:
            raw, (host, port) = one
            with contextlib.suppress(OSError, UnicodeError):
                found = socket.getaddrinfo(host, port, self._socket.family, socket.SOCK_DGRAM)
                self._send(raw, (str(found[0][4][0]), port))

    def _receive(self) -> None:
        while True:
            try:
                data, source = self._socket.recvfrom(65_535)
            except OSError:
                return
            if not data:
                return
            if len(data) > 4 and self._hearer.admitted(source[:2], len(data)):
                ED2.callFromThread(
                    self._manager.handleIncoming, data, Remote_address(source[:2], "udp"), self, MonoTime()
                )

    def shutdown(self) -> None:
        """Stop both threads and give the port back."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._names.put(None)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()


class Ways:
    """sippy's choice of a socket for a peer: there is one."""

    def __init__(self, only: Socket) -> None:
        self._only = only

    def getServer(self, _address: object, **_: object) -> Socket:  # noqa: N802 -- sippy calls it
        """The one."""
        return self._only

    def rotateCache(self) -> None:  # noqa: N802 -- sippy calls it
        """Nothing is kept."""

    def shutdown(self) -> None:
        """End the one."""
        self._only.shutdown()
