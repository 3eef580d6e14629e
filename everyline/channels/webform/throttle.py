"""How often one network address may write. In memory: it is forgotten at a restart, which lets through a few more."""

from __future__ import annotations

import ipaddress
from collections import deque

WINDOW_SECONDS = 3600.0
MOST_REMEMBERED = 20_000  # addresses; then those that wrote longest ago are forgotten


class Throttle:
    """Counts what was taken, by line and address. Moments are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._taken: dict[tuple[int, str], deque[float]] = {}

    def take(self, line_id: int, address: str, most: int, at: float) -> float:
        """Count one more. Returns 0, or the seconds after which there is room again when it is one too many."""
        key = (line_id, network(address))
        taken = self._taken.pop(key, None) or deque()
        while taken and taken[0] <= at - WINDOW_SECONDS:
            taken.popleft()
        self._taken[key] = taken  # now the youngest
        if len(taken) >= most:
            return taken[0] + WINDOW_SECONDS - at
        taken.append(at)
        while len(self._taken) > MOST_REMEMBERED:
            self._taken.pop(next(iter(self._taken)))
        return 0.0

    def give_back(self, line_id: int, address: str) -> None:
        """The last one did not count after all."""
        taken = self._taken.get((line_id, network(address)))
        if taken:
            taken.pop()


def network(address: str) -> str:
    """Whom an address belongs to: itself, or its /64 for IPv6, of which every household has at least one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
