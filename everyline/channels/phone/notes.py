"""What stands beside a sealed recording while it is written: enough to keep it when this process does not live to do so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from everyline.ground import clock

SEALED, NOTE = ".sealed", ".json"
_UNFINISHED = ".new"
HEAD_BYTES = 11  # of a sealed file, before its first piece
MOST_PIECES = 200_000  # of a second each
STILL_SECONDS = 120.0  # a recording that goes on grows every second


def write(path: Path, facts: Mapping[str, Any]) -> None:
    """Put a note beside a recording, in place of the one before. OSError."""
    unfinished = path.with_suffix(_UNFINISHED)
    unfinished.write_text(json.dumps(facts), "utf-8")
    unfinished.replace(path.with_suffix(NOTE))


def read(path: Path) -> dict[str, Any]:
    """The note beside a recording. OSError; ValueError when it is none."""
    found = json.loads(path.with_suffix(NOTE).read_text("utf-8"))
    if isinstance(found, dict):
        return found
    raise ValueError("it is no note of a recording")


def clear(path: Path) -> None:
    """A recording is kept elsewhere, or there is nothing in it: away with it and its note."""
    for suffix in (SEALED, NOTE, _UNFINISHED):
        path.with_suffix(suffix).unlink(missing_ok=True)


def seconds(path: Path) -> float:
    """About how long a sealed recording is: a piece of it is a second."""
    if not path.exists():
        return 0.0
    pieces = 0
    with path.open("rb") as file:
        file.seek(HEAD_BYTES)
        while len(head := file.read(4)) == 4 and pieces < MOST_PIECES:
            file.seek(int.from_bytes(head, "big"), 1)
            pieces += 1
    return float(pieces)


def left(folder: Path) -> Iterator[Path]:
    """Recordings below a folder that nobody writes any more, and that were not kept."""
    latest = clock.now().timestamp() - STILL_SECONDS
    for path in sorted(folder.glob(f"**/*{SEALED}")):
        try:
            if path.stat().st_mtime < latest:
                yield path
        except FileNotFoundError:
            continue
