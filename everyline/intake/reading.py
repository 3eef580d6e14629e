"""From raw bytes to pieces that can be placed: parsed by their channel, their files kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from everyline.channel_contract import Inbound, InboundKind, Line, MediaClass, Raw, Unreadable
from everyline.channel_registry import channel
from everyline.ground import languages
from everyline.ground.database import Row
from everyline.ground.files import Files
from everyline.ground.words import _
from everyline.intake import written

log = logging.getLogger(__name__)

QUICK_BYTES = 4096  # no file to speak of is in it
LONGEST_TEXT = 500_000  # characters kept as words; the rest stays in the raw piece


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a piece, in the store."""

    file_hash: str
    name: str
    content_type: str
    size: int
    content_id: str
    inline: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One inbound row, read."""

    inbound_id: int
    line: Line
    received_at: datetime
    read: tuple[Inbound, ...]
    files: tuple[tuple[KeptFile, ...], ...] = ()  # for each of ``read``


@dataclass(frozen=True, slots=True)
class Stumbled:
    """One inbound row that could not be read. ``hopeless``: trying again cannot help."""

    inbound_id: int
    attempts: int
    cause: str
    hopeless: bool


@dataclass(slots=True)
class Batch:
    """What was claimed, read."""

    pieces: list[Piece] = field(default_factory=list)
    stumbled: list[Stumbled] = field(default_factory=list)


async def read(rows: list[Row], lines: Mapping[int, Line], files: Files) -> Batch:
    """Read claimed rows, beside the event loop: parsing takes the processor, and files take the disk. What is said in a talk is
    a line or two, and somebody waits for it: it is read at once."""
    if all(is_quick(row, lines[row.line_id].channel) for row in rows):
        return _read_all(rows, lines, files)
    return await asyncio.to_thread(_read_all, rows, lines, files)


def is_quick(row: Row, channel_name: str) -> bool:
    """Is it read in no time?"""
    return bool(row.size < QUICK_BYTES) and channel(channel_name).facts.media_class is not MediaClass.MAIL


def _read_all(rows: list[Row], lines: Mapping[int, Line], files: Files) -> Batch:
    batch = Batch()
    for row in rows:
        try:
            body = row.body if row.body is not None else files.path(row.file_hash).read_bytes()
            line = lines[row.line_id]
            raw = Raw(row.external_id, bytes(body), row.envelope)
            found = written.read(raw) if written.ENVELOPE in row.envelope else channel(line.channel).parse(line, raw)
            pieces = tuple(_bounded(piece) for piece in found)
            kept = tuple(_keep_files(piece, files) for piece in pieces)
            batch.pieces.append(
                Piece(row.id, line, row.received_at, tuple(_lightened(piece) for piece in pieces), kept)
            )
        except Unreadable as error:
            batch.stumbled.append(Stumbled(row.id, row.attempts, str(error), hopeless=True))
        except FileNotFoundError:
            batch.stumbled.append(
                Stumbled(row.id, row.attempts, _("Its file is missing from the file store."), hopeless=False)
            )
        except Exception as error:
            log.exception("inbound %s could not be read", row.id)
            batch.stumbled.append(Stumbled(row.id, row.attempts, f"{type(error).__name__}: {error}", hopeless=False))
    return batch


def _bounded(piece: Inbound) -> Inbound:
    """Text that the database takes, of a length that a screen takes, with its language where that can be told."""
    text = piece.text.replace("\x00", "")[:LONGEST_TEXT]
    language = piece.language
    if not language and piece.kind is InboundKind.MESSAGE:
        language = languages.detect(f"{piece.subject} {text[:300]}")
    return replace(
        piece,
        subject=piece.subject.replace("\x00", "")[:998],
        text=text,
        quoted=piece.quoted.replace("\x00", "")[:LONGEST_TEXT],
        html=piece.html.replace("\x00", "")[: 2 * LONGEST_TEXT],
        external_id=piece.external_id.replace("\x00", "")[:998],
        language=language,
    )


def _keep_files(piece: Inbound, files: Files) -> tuple[KeptFile, ...]:
    return tuple(
        KeptFile(
            files.put_now(file.content),
            file.name.replace("\x00", "")[:255],
            file.content_type.replace("\x00", "")[:255],
            len(file.content),
            file.content_id.replace("\x00", "")[:255],
            file.inline,
        )
        for file in piece.files
    )


def _lightened(piece: Inbound) -> Inbound:
    """Without its files, which are in the store by now."""
    return replace(piece, files=()) if piece.files else piece
