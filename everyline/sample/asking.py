"""Asking the telephone network of a demonstration, through its socket in the data folder: one JSON object a line, one back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

SOCKET = "network.sock"
LONGEST = 200_000  # bytes of a question


async def ask(folder: Path, **asked: Any) -> dict[str, Any]:
    """What it answers. OSError when it is not there."""
    reader, writer = await asyncio.open_unix_connection(folder / SOCKET, limit=LONGEST)
    try:
        writer.write(json.dumps(asked).encode() + b"\n")
        await writer.drain()
        found: dict[str, Any] = json.loads(await reader.readline() or b'{"state": "gone"}')
    finally:
        writer.close()
    return found
