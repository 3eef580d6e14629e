"""Who is listened to: networks that are known, and how much is taken from those that are not. Pure but for its counts.

Scanners look for trunks that let them call for somebody's money. A stranger's datagram costs a look into a table and is
dropped; where strangers are answered at all, all get the same, few times a minute, so that nothing can be learned from it.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_STRANGERS = 4096


def network(text: str) -> Network:
    """A network or one address, as people write it. Raises ValueError."""
    return ipaddress.ip_network(text.strip(), strict=False)


class Rate:
    """So many in a minute, and as many at once (a token bucket)."""

    __slots__ = ("_at", "_left", "per_minute")

    def __init__(self, per_minute: float) -> None:
        self.per_minute = per_minute
        self._left = per_minute
        self._at: float | None = None

    def take(self, moment: float) -> bool:
        """Whether one more is within the rate; ``moment`` in seconds of a clock that never goes back."""
        passed = 0.0 if self._at is None else moment - self._at
        self._at = moment
        self._left = min(self.per_minute, self._left + passed * self.per_minute / 60)
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class Counts:
    """What the guard saw. Datagrams, since it began."""

    known: int = 0
    strangers: int = 0
    answered_strangers: int = 0
    unreadable: int = 0


class Guard:
    """The table of networks. ``admits`` may be called in any thread."""

    def __init__(self, *, strangers_per_minute: float = 0) -> None:
        """``strangers_per_minute``: datagrams of one strange address that are let through; 0 drops them all."""
        self.counts = Counts()
        self._per_minute = strangers_per_minute
        self._networks: tuple[Network, ...] = ()
        self._known: dict[str, bool] = {}
        self._rates: OrderedDict[str, Rate] = OrderedDict()
        self._lock = threading.Lock()

    def know(self, networks: Iterable[Network]) -> None:
        """These are known from now on, and no others."""
        with self._lock:
            self._networks = tuple(networks)
            self._known = {}

    def knows(self, host: str) -> bool:
        """Whether an address is in a known network."""
        found = self._known.get(host)
        if found is None:
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                return False
            with self._lock:
                found = any(address in one for one in self._networks if one.version == address.version)
                if len(self._known) >= MOST_STRANGERS:
                    self._known = {}
                self._known[host] = found
        return found

    def admits(self, host: str, moment: float) -> bool:
        """Whether a datagram from there is looked at; counts it."""
        if self.knows(host):
            self.counts.known += 1
            return True
        with self._lock:
            self.counts.strangers += 1
            if self._per_minute <= 0:
                return False
            rate = self._rates.pop(host, None) or Rate(self._per_minute)
            self._rates[host] = rate
            if len(self._rates) > MOST_STRANGERS:
                self._rates.popitem(last=False)
            if not rate.take(moment):
                return False
            self.counts.answered_strangers += 1
            return True

    def unreadable(self) -> None:
        """One more datagram was no message."""
        with self._lock:
            self.counts.unreadable += 1
