"""Who writes, as far as it is counted how often: a network, known by a digest only."""

from __future__ import annotations

import hmac
import ipaddress

from everyline.channel_contract import Line

WINDOW_SECONDS = 3600.0


def writer(line: Line, address: str) -> str:
    """Under which name what comes from a network address is counted on a line. The address cannot be read from it."""
    return hmac.digest(line.signer.sign(-1).encode(), f"writer {network(address)}".encode(), "sha256").hex()[:32]


def network(address: str) -> str:
    """Whom an address belongs to: itself, or its /64 for IPv6, of which every household has at least one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
