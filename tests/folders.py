"""Where tests keep what they throw away: in memory where there is room, for a database is copied twenty times as fast there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30  # bytes


def fresh_folder(prefix: str) -> Path:
    """A folder of its own, whose maker removes it."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if roomy else None))
