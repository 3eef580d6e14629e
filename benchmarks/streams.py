"""Open streams of server-sent events, read as a browser reads them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

AT_ONCE = 64  # connections being made at a time


@dataclass
class Stream:
    """One stream. ``got`` keeps when each event came and its data line; ``last_id`` where the stream goes on."""

    path: str
    header: str  # one line that shows who reads
    got: list[tuple[float, bytes]] = field(default_factory=list)
    last_id: str = ""
    _writer: asyncio.StreamWriter | None = None
    _task: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Begin to read, from where the last reading ended."""
        reader, writer = await asyncio.open_connection(host, port, limit=2**14)
        after = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\n{self.header}\r\n{after}\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode())
        self._writer, self._task = writer, asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"id: "):
                self.last_id = line[4:].decode().strip()
            elif line.startswith(b'data: {"kind":"live.reset"'):
                raise RuntimeError("a stream was told to read everything again")
            elif line.startswith(b"data: {"):
                self.got.append((time.time(), line))

    def close(self) -> None:
        """Go away without a word, as a browser does."""
        if self._task:
            self._task.cancel()
        if self._writer:
            self._writer.transport.abort()


async def open_all(streams: Sequence[Stream], host: str, port: int) -> float:
    """Open all streams; returns the seconds it took."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(stream: Stream) -> None:
        async with gate:
            await stream.open(host, port)

    began = time.monotonic()
    await asyncio.gather(*(one(stream) for stream in streams))
    return time.monotonic() - began
