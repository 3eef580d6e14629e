"""Where the demonstration takes mail in and calls; read before anything heavy is loaded, because the supervisor stays for long."""

from __future__ import annotations

import importlib.util
import json
import socket
from pathlib import Path
from typing import Any

NAME = "demo.json"


def free_port(wanted: int | None = None, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """``wanted`` when it is free on loopback, else one that is."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket(type=kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free on 127.0.0.1")


def known(data: Path) -> dict[str, Any]:
    """What an earlier start wrote; empty at the first."""
    try:
        found: dict[str, Any] = json.loads((data / NAME).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found


def choose_ports(before: dict[str, Any]) -> dict[str, Any]:
    """Where the company takes mail in and calls, and where its sample customers do; as before where that is still free."""
    return {
        name: {"host": "127.0.0.1", "port": free_port(before.get(name, {}).get("port"), kind)}
        for name, kind in (
            ("smtp", socket.SOCK_STREAM),
            ("mail_host", socket.SOCK_STREAM),
            ("sip", socket.SOCK_DGRAM),
            ("network", socket.SOCK_DGRAM),
        )
    }


def has_telephones() -> bool:
    """Is what calls need installed?"""
    return all(importlib.util.find_spec(name) is not None for name in ("sippy", "aiortc"))
