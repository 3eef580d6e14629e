"""Trunks: the ways in and out, how they stand, and what is refused because they are full or too fast.

A trunk is a provider that is registered with, a peer at an address, or the edge before us. It is told by its networks, or
by digest where calls may come from anywhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from everyline.ground import clock
from everyline.sip.addresses import PORT
from everyline.sip.guard import Network, Rate, network


class TrunkState(StrEnum):
    """How a trunk stands."""

    UNCHECKED = "unchecked"  # neither registered with nor asked
    TRYING = "trying"
    UP = "up"
    REFUSED = "refused"  # it answers, and does not want us
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Trunk:
    """What is arranged with one provider or peer. Times in seconds.

    ``networks`` are where its calls come from, besides ``host`` itself. ``trusted``: what it asserts about callers is
    believed, and it is told who calls. ``challenge``: its callers prove themselves by ``username`` and ``password``, from
    wherever they come. ``plus``: it wants the + of a number.
    """

    name: str
    host: str
    port: int = PORT
    username: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    domain: str = ""
    register: bool = False
    register_seconds: int = 600
    ping_seconds: float = 0
    networks: tuple[str, ...] = ()
    challenge: bool = False
    trusted: bool = False
    region: str = "US"
    plus: bool = True
    most_calls: int = 100
    calls_in_per_minute: float = 600
    calls_out_per_minute: float = 60
    patience: float = 5
    back_off: tuple[float, float] = (15, 900)

    @property
    def realm_host(self) -> str:
        """What stands behind the @ of its addresses."""
        return self.domain or self.host


@dataclass
class TrunkStanding:
    """How a trunk stands at present."""

    trunk: Trunk
    edge: tuple[str, int] | None = None  # by which everything to and from it goes
    state: TrunkState = TrunkState.UNCHECKED
    last_error: str = ""
    since: datetime = field(default_factory=clock.now)
    next_try: datetime | None = None
    registered_until: datetime | None = None
    hosts: tuple[str, ...] = ()
    calls: int = 0
    refused_in: int = 0
    refused_out: int = 0
    _in: Rate = field(init=False)
    _out: Rate = field(init=False)
    _networks: tuple[Network, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._in, self._out = Rate(self.trunk.calls_in_per_minute), Rate(self.trunk.calls_out_per_minute)
        self._networks = tuple(network(one) for one in self.trunk.networks)

    def became(self, state: TrunkState, error: str = "") -> None:
        """It stands otherwise, or still so."""
        if state is not self.state:
            self.state, self.since = state, clock.now()
        self.last_error = error

    @property
    def networks(self) -> tuple[Network, ...]:
        """Where its calls come from."""
        return (*self._networks, *(network(host) for host in self.hosts))

    @property
    def senders(self) -> tuple[Network, ...]:
        """Whose datagrams are looked at because of it: those of the edge, where there is one."""
        return (network(self.edge[0]),) if self.edge else self.networks

    @property
    def target(self) -> tuple[str, int]:
        """Where requests to it are sent."""
        return self.edge or ((self.hosts[0] if self.hosts else self.trunk.host), self.trunk.port)

    def fits(self, source: tuple[str, int]) -> int:
        """How well a sender fits: 2 its very address and port, 1 one of its networks, 0 not at all."""
        if source[0] in self.hosts and source[1] == self.trunk.port:
            return 2
        host = ip_address(source[0])
        return int(any(host.version == one.version and host in one for one in self.networks))

    def why_not_in(self) -> str:
        """Why no call is taken from it now; empty when one is. Counts."""
        why = self._full() or ("" if self._in.take(time.monotonic()) else "too many calls in a minute")
        self.refused_in += bool(why)
        return why

    def why_not_out(self) -> str:
        """Why no call goes out by it now; empty when one does. Counts."""
        why = ""
        if self.state in (TrunkState.REFUSED, TrunkState.UNREACHABLE):
            why = f"the trunk is {self.state.value}: {self.last_error}".rstrip(": ")
        why = why or self._full() or ("" if self._out.take(time.monotonic()) else "too many calls in a minute")
        self.refused_out += bool(why)
        return why

    def _full(self) -> str:
        return "all its calls are taken" if self.calls >= self.trunk.most_calls else ""
