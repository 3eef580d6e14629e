"""Where somebody comes from whom we do not know: their browser, who they are in a chat, their network. What strangers do is counted
by it. Networks and addresses are kept as digests that lead back to nobody without the installation's key. Pure."""

from __future__ import annotations

import hmac

from everyline.ground import addresses

BROWSER, VISITOR, NETWORK, ADDRESS = "browser", "visitor", "network", "address"


def of_browser(holder: bytes) -> str:
    """``holder``: the digest of what the browser shows."""
    return f"{BROWSER}:{holder.hex()[:32]}"


def of_visitor(point_id: int) -> str:
    """Who talks with us under a contact point, whether that shows who they are or not."""
    return f"{VISITOR}:{point_id}"


def of_network(key: bytes, address: str) -> str:
    """``address``: the one that a request came from."""
    return _digest(key, NETWORK, addresses.network(address))


def of_address(key: bytes, kind: str, address: str) -> str:
    """An address in its normal form that somebody says is theirs."""
    return _digest(key, ADDRESS, f"{kind} {address}")


def kind_of(origin: str) -> str:
    """Which of the four it is."""
    return origin.partition(":")[0]


def _digest(key: bytes, kind: str, text: str) -> str:
    return f"{kind}:{hmac.digest(key, f'origin {kind} {text}'.encode(), 'sha256').hex()[:32]}"
