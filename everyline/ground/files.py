"""Files by the hash of their content, each kept once.

A file is on disk, synced, before its hash is given out, so a committed row never names a file that a crash has lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path


class Files:
    """A folder of files named by SHA-256, two levels deep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, content: bytes) -> str:
        """Keep the content; returns its hash (64 hexadecimal digits)."""
        return await asyncio.to_thread(self.put_now, content)

    async def read(self, digest: str) -> bytes:
        """The content of a hash. FileNotFoundError when it is not here."""
        return await asyncio.to_thread(self.path(digest).read_bytes)

    def path(self, digest: str) -> Path:
        """Where a hash stands on disk. ValueError when it is no hash."""
        if len(digest) != 64 or not all(letter in "0123456789abcdef" for letter in digest):
            raise ValueError("not a file hash")
        return self.folder / digest[:2] / digest[2:4] / digest

    def put_now(self, content: bytes) -> str:
        """``put`` for callers that may block."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return digest
