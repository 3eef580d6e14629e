"""Spoken words that are kept as files: found again by what was asked, made anew when a file is broken, swept when nobody asks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
import time
from pathlib import Path

import numpy as np

from everyline.media.g711 import RATE, Samples

FORM = 1  # counted up when sounds are made otherwise: what was kept before is not taken any more
KEPT_SECONDS = 90 * 86_400.0
MOST_BYTES = 2_000_000_000
_TOUCHED_AFTER = 86_400.0  # a file that was asked for is noted as such once a day
_HEAD = 12 + 8 + 16 + 8 + 32 + 8


def key(*parts: str) -> str:
    """What a sound is found by. The order of the parts and where each ends count."""
    digest = hashlib.sha256(f"{FORM}".encode())
    for one in parts:
        encoded = one.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


class Shelf:
    """A folder of WAV files, which several processes may share. All of it reads and writes files: call it in a thread."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes

    def find(self, name: str) -> Samples | None:
        """What was kept; None when it was not, or is broken."""
        path = self._path(name)
        try:
            content = path.read_bytes()
            status = path.stat()
        except OSError:
            return None
        body = content[_HEAD:]
        if content[:_HEAD] != _head(body):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        if time.time() - status.st_mtime > _TOUCHED_AFTER:  # noqa: TID251 -- files are dated by the machine's clock
            with contextlib.suppress(OSError):
                os.utime(path)
        return np.frombuffer(body, "<i2")

    def keep(self, name: str, samples: Samples) -> None:
        """Keep a sound. Whoever reads finds all of it or nothing. OSError when the disk does not take it."""
        path, body = self._path(name), samples.astype("<i2").tobytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=path.parent, suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_head(body) + body)
            os.replace(fresh, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
            raise

    def sweep(self) -> int:
        """Take away what nobody has asked for in months, and the oldest of what is too much; returns how many."""
        now = time.time()  # noqa: TID251 -- files are dated by the machine's clock
        found, total, gone = [], 0, 0
        for path in self._folder.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        for at, size, path in sorted(found, reverse=True):
            total += size
            left_behind = path.suffix == ".new" and now - at > 3600
            if left_behind or now - at > KEPT_SECONDS or total > self._most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()
                    gone += 1
        return gone

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name[2:]}.wav"


def _head(body: bytes) -> bytes:
    """The beginning of a WAV file, with a digest of the sound in a part of its own."""
    return (
        struct.pack("<4sI4s", b"RIFF", _HEAD - 8 + len(body), b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
        + struct.pack("<4sI", b"hash", 32)
        + hashlib.sha256(body).digest()
        + struct.pack("<4sI", b"data", len(body))
    )
