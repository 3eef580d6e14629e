"""The chat lines as this process knows them: read again every other second, for what is asked is asked by the hundred."""

from __future__ import annotations

import time

from everyline.channel_contract import Door, Line

FRESH_SECONDS = 2.0


class LineBook:
    """Open lines by their address."""

    def __init__(self, door: Door, channel: str) -> None:
        self._door, self._channel = door, channel
        self._lines: dict[str, Line] = {}
        self._read_at = float("-inf")

    async def line(self, address: str) -> Line | None:
        """The line of an address; None when there is none that is open."""
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS or (address not in self._lines and age > FRESH_SECONDS / 20):
            self._lines = {line.address: line for line in await self._door.lines(self._channel)}
            self._read_at = time.monotonic()
        return self._lines.get(address)
