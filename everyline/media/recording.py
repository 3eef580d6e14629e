"""Recordings: written while the call goes on, in a thread of their own, so that a slow or full disk never stops a tick.

A plain recording is a WAV file (PCM, 16 bits, 8 kHz, mono). A sealed one is a chain of chunks, each passed through a function that
is given in (encryption, with the chunk's number to be bound to it): ``EVERYLINE1\\n``, then for each its length (4 bytes, big-endian)
and its bytes. The last chunk holds the marks; without it the file was cut off and what is there can be read all the same.

While a recording is paused nothing of the sound is kept; silence takes its time, so that seconds in the file are seconds of
the call, and a mark says from when to when and why. In a WAV file marks are cue points with labels.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import queue
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from everyline.media.errors import BadSound
from everyline.media.g711 import RATE, Samples

Seal = Callable[[int, bytes], bytes]  # (number of the chunk, its content) → what is stored
MAGIC = b"EVERYLINE1\n"
CHUNK_FRAMES = 50  # a second
MOST_WAITING = 30  # chunks of one recording that wait for the disk before it is given up
_PATIENCE = 10.0  # seconds
_HEAD = 44
_turns = itertools.count()


@dataclass(frozen=True)
class GapMark:
    """A pause in a recording, in seconds from its beginning. ``end`` is None when it was paused until the end."""

    begin: float
    end: float | None
    reason: str


class Recording:
    """One file. Made by ``Engine.record``; after ``await engine.recorded(recording)`` it is whole on the disk."""

    def __init__(self, path: Path, writer: Writer, failed: Callable[[Recording, str], None], seal: Seal | None) -> None:
        self.path, self.failure = path, ""
        self.marks: list[GapMark] = []
        self.frames = 0
        self.turn = next(_turns)  # so that not all recordings go to the disk in the same tick
        self.ended = False
        self.waiting = 0  # chunks that were handed to the writer and are not on the disk
        self.settled = asyncio.Event()  # nothing is on its way to the disk, and nothing more will be
        self._writer, self._failed, self._seal = writer, failed, seal
        self._paused: tuple[float, str] | None = None
        self._file: IO[bytes] | None = None
        self._chunks = 0
        self._bytes = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames * 0.02

    @property
    def paused(self) -> bool:
        """Whether nothing is kept at the moment."""
        return self._paused is not None

    @property
    def gaps(self) -> list[GapMark]:
        """The pauses so far, also one that goes on."""
        return [
            *self.marks,
            *([GapMark(self._paused[0], None, self._paused[1])] if self._paused and not self.ended else []),
        ]

    def pause(self, reason: str = "") -> None:
        """Keep nothing from now on; nothing happens when it is paused already."""
        self._paused = self._paused or (self.seconds, reason)

    def resume(self) -> None:
        """Keep what is said again, and mark the gap."""
        if self._paused:
            self.marks.append(GapMark(self._paused[0], self.seconds, self._paused[1]))
            self._paused = None

    def note_end(self) -> None:
        """Nothing more will be handed in."""
        if self._paused:
            self.marks.append(GapMark(self._paused[0], None, self._paused[1]))
        self.ended = True

    def hand_over(self, samples: Samples, *, last: bool = False) -> None:
        """Give a piece to the writer; called by the engine, never waits."""
        if self.failure:
            return
        if self.waiting >= MOST_WAITING:
            self.fail("the disk is too slow")
            return
        self.waiting += 1
        self._writer.put(self, samples.tobytes(), last=last)

    def fail(self, reason: str) -> None:
        """Give up: what was written stays."""
        if not self.failure:
            self.failure = reason
            self.settled.set()
            self._failed(self, reason)

    # In the writer's thread:

    def write(self, content: bytes, *, last: bool) -> None:
        """Append to the file."""
        if self._file is None:
            self._file = (
                self.path.open("xb", buffering=0) if not self.path.exists() else self.path.open("wb", buffering=0)
            )
            self._all(MAGIC if self._seal else _wav_head(0xFFFFFFFF - _HEAD))
        if content:
            self._all(self._sealed(content) if self._seal else content)
            self._bytes += len(content)
        if last:
            marks = [asdict(mark) for mark in self.marks]
            if self._seal:
                self._all(self._sealed(json.dumps({"marks": marks, "seconds": self.seconds}).encode(), marks=True))
            else:
                self._all(_cues(self.marks))
                self._size_known()

    def _size_known(self) -> None:
        assert self._file
        if self._file.seekable():
            whole = self._file.tell()
            self._file.seek(0)
            self._all(_wav_head(self._bytes, whole))

    def _sealed(self, content: bytes, *, marks: bool = False) -> bytes:
        assert self._seal
        stored = self._seal(self._chunks, (b"M" if marks else b"S") + content)
        self._chunks += 1
        return struct.pack("!I", len(stored)) + stored

    def _all(self, content: bytes) -> None:
        assert self._file
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()


class Writer:
    """The thread that writes. ``tell`` runs a function in the engine's loop."""

    def __init__(self, tell: Callable[[Callable[[], None]], None]) -> None:
        self._tell = tell
        self._queue: queue.SimpleQueue[tuple[Recording, bytes, bool] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def put(self, recording: Recording, content: bytes, *, last: bool) -> None:
        """Append to a recording when it is its turn."""
        self._queue.put((recording, content, last))

    def close(self) -> None:
        """Write what waits and end; a disk that hangs is left alone after a while."""
        self._queue.put(None)
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            recording, content, last = job
            reason = ""
            try:
                if not recording.failure:
                    recording.write(content, last=last)
                if last or recording.failure:
                    recording.close()
            except Exception as error:  # noqa: BLE001 -- whatever a disk or a given function does, the thread goes on
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
                recording.close()
            self._tell(_done(recording, reason))


def _done(recording: Recording, reason: str) -> Callable[[], None]:
    def note() -> None:
        recording.waiting -= 1
        if recording.ended and not recording.waiting:
            recording.settled.set()
        if reason:
            recording.fail(reason)

    return note


def _wav_head(size: int, whole: int | None = None) -> bytes:
    riff = (whole or size + _HEAD) - 8
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16) + form + struct.pack("<4sI", b"data", size)


def _cues(marks: list[GapMark]) -> bytes:
    """Cue points with lengths and labels ("gap: reason"), as audio editors read them."""
    if not marks:
        return b""
    points, lists = struct.pack("<I", len(marks)), b"adtl"
    for number, mark in enumerate(marks, 1):
        begin, end = round(mark.begin * RATE), round((mark.begin if mark.end is None else mark.end) * RATE)
        points += struct.pack("<II4sIII", number, begin, b"data", 0, 0, begin)
        lists += _chunk(b"ltxt", struct.pack("<II4sHHHH", number, end - begin, b"gap ", 0, 0, 0, 0))
        lists += _chunk(b"labl", struct.pack("<I", number) + f"gap: {mark.reason}".encode() + b"\0")
    return _chunk(b"cue ", points) + _chunk(b"LIST", lists)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


@dataclass(frozen=True)
class Kept:
    """A sealed recording that was opened. ``whole`` is false when its end is missing."""

    samples: bytes
    marks: tuple[GapMark, ...]
    whole: bool

    def wav(self) -> bytes:
        """The same as a WAV file."""
        return _wav_head(len(self.samples)) + self.samples


def unsealed(path: Path, unseal: Seal) -> Kept:
    """Read a sealed recording; raises BadSound when it is none, and whatever ``unseal`` raises for what was changed."""
    samples, marks, whole = bytearray(), [], False
    for number, stored in enumerate(_stored(path)):
        content = unseal(number, stored)
        if content[:1] == b"M":
            marks = [GapMark(**mark) for mark in json.loads(content[1:])["marks"]]
            whole = True
        else:
            samples += content[1:]
    return Kept(bytes(samples), tuple(marks), whole)


def _stored(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise BadSound(f"{path.name} is no sealed recording")
        while len(head := file.read(4)) == 4:
            stored = file.read(struct.unpack("!I", head)[0])
            if len(stored) < struct.unpack("!I", head)[0]:
                return
            yield stored
