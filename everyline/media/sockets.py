"""The sockets of legs, and who may speak to them.

An even port for RTP and the next for RTCP (RFC 3550 section 11), each a socket of its own. All stand in one epoll, which is emptied
every few milliseconds: as cheap as a callback a packet in uvloop, and the moment of a tick is ours.
"""

from __future__ import annotations

import errno
import random
import resource
import socket
from dataclasses import dataclass
from enum import Enum

from everyline.media.errors import NoPorts

BUFFER = 64 * 1024  # bytes that the kernel keeps for a leg: a second and more
_MOST_TRIES = 200


class Latch(Enum):
    """From where a leg takes sound. Until the first packet that is right (RTP of the agreed payload type) no address is fixed;
    from then on it is that one alone, until a new agreement or until it was silent for five seconds."""

    ADDRESS = "address"  # the first packet must come from the host that was agreed on, from any port: trunks
    FIRST = "first"  # it may come from anywhere, and answers go there: phones behind address translation


@dataclass(frozen=True)
class Pair:
    """The two sockets of a leg."""

    rtp: socket.socket
    rtcp: socket.socket
    port: int

    def close(self) -> None:
        """Give the ports back."""
        self.rtp.close()
        self.rtcp.close()


class Ports:
    """Hands out pairs of ports from a range (both ends included), starting anywhere, so that old packets meet nobody."""

    def __init__(self, host: str, first: int, last: int) -> None:
        self._host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._first, self._pairs = first + first % 2, (last + 1 - first - first % 2) // 2
        if self._pairs < 1:
            raise NoPorts(f"there is no pair of ports from {first} to {last}")
        self._next = random.randrange(self._pairs)
        _allow_many_files(self._pairs * 2)

    def take(self) -> Pair:
        """Two sockets that do not block; raises NoPorts."""
        for _ in range(min(self._pairs, _MOST_TRIES)):
            self._next = (self._next + 1) % self._pairs
            port = self._first + self._next * 2
            opened: list[socket.socket] = []
            try:
                for number in (port, port + 1):
                    opened.append(socket.socket(self._family, socket.SOCK_DGRAM))
                    opened[-1].settimeout(0)
                    opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                    opened[-1].bind((self._host, number))
                return Pair(opened[0], opened[1], port)
            except OSError as error:
                for one in opened:
                    one.close()
                if error.errno != errno.EADDRINUSE:
                    raise NoPorts(f"no socket for another leg: {error.strerror}") from error
        raise NoPorts("the ports for legs are taken")


def _allow_many_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it may be, when the range needs more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 1024
    if soft < needed and soft != resource.RLIM_INFINITY:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
