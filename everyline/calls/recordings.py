"""Recordings of calls: kept sealed at their case, read again for who may hear them, deleted when their time is over."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from everyline.call_contract import Recorded
from everyline.calls import sealing
from everyline.calls.models import Recording
from everyline.calls.queries import statements
from everyline.cases import queries as case_queries
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Forbidden, NotFound
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.people.rules import Me, Role

if TYPE_CHECKING:
    from pathlib import Path

    from everyline.media.g711 import Samples
    from everyline.media.recording import Kept

PEAK_SECONDS = 0.1  # of sound for each byte of the waveform
AT_ONCE = 100


def peaks(samples: Samples, rate: int = 8000) -> bytes:
    """The waveform as it is drawn: for each tenth of a second the largest amplitude, 0 to 255, on a scale on which what is half as loud
    in decibels is half as high (60 dB in all)."""
    import numpy as np

    step = int(rate * PEAK_SECONDS)
    padded = np.zeros(-(-len(samples) // step) * step, np.float32)
    padded[: len(samples)] = np.abs(np.asarray(samples, np.float32))
    highest = padded.reshape(-1, step).max(axis=1) / 32768
    decibels = 20 * np.log10(np.maximum(highest, 1e-3))
    return bytes(np.clip(np.round((decibels + 60) / 60 * 255), 0, 255).astype(np.uint8))


async def keep(ground: Ground, key: str, recorded: Recorded) -> None:
    """Keep what was recorded of a call; its file goes once it is kept. A call of which no case came has no recording: it goes as well.
    OSError when it cannot be kept now."""
    content = await asyncio.to_thread(recorded.path.read_bytes)
    drawn = await asyncio.to_thread(_drawn, ground.key, key, recorded.path)
    digest = await ground.files.put(content)
    async with ground.database.transaction() as tx:
        row = await tx.first(
            statements.keep_recording,
            {
                "key": key,
                "file_hash": digest,
                "seconds": recorded.seconds,
                "began_at": recorded.began_at,
                "marks": json.dumps(recorded.marks),
                "peaks": drawn,
                "failure": recorded.failure,
                "kept_until": now() + timedelta(days=recorded.keep_days) if recorded.keep_days else None,
            },
        )
        if row is not None:
            await events.record(
                tx,
                "recording.kept",
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                recording_id=row.id,
                seconds=round(recorded.seconds, 1),
            )
    if row is None:
        await asyncio.to_thread(_forget, ground.files.path(digest))
    await asyncio.to_thread(_forget, recorded.path)


def _forget(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _drawn(key: bytes, call_key: str, path: Path) -> bytes:
    import numpy as np

    return peaks(np.frombuffer(_opened(key, call_key, path).samples, np.int16))


def _opened(key: bytes, call_key: str, path: Path) -> Kept:
    from everyline.media.recording import unsealed  # noqa: PLC0415 -- arrays, which pages do without

    return unsealed(path, sealing.unseal(key, call_key))


async def get(tx: Tx, me: Me, recording_id: int) -> Row:
    """A recording that one may hear. NotFound: also when it is of a case that one does not see. Forbidden: it is, and one took no part
    in its call."""
    row = await tx.first(statements.recording, {"id": recording_id, "agent_id": me.id})
    if row is None:
        raise NotFound(_("There is no such recording."))
    await case_queries.get(tx, me, row.case_id)
    if me.role is Role.AGENT and not row.took_part:
        raise Forbidden(_("You took no part in this call."))
    return row


async def hold(tx: Tx, by: int, row: Row, *, held: bool) -> None:
    """Keep a recording whatever its date says, or no longer. Conflict when it is deleted."""
    await _change(tx, row, held=held)
    await _recorded(tx, "recording.held" if held else "recording.released", row, actor_id=by)


async def keep_until(tx: Tx, by: int, row: Row, at: datetime | None) -> None:
    """Keep a recording until then; None: for ever. Conflict when it is deleted."""
    await _change(tx, row, kept_until=at)
    await _recorded(tx, "recording.dated", row, actor_id=by)


async def _change(tx: Tx, row: Row, **values: Any) -> None:
    changed = update(Recording).where(Recording.id == row.id, Recording.deleted_at.is_(None)).values(**values)
    if await tx.value(changed.returning(Recording.id)) is None:
        raise Conflict(_("This recording was deleted."))


async def _recorded(tx: Tx, name: str, row: Row, **facts: Any) -> None:
    await events.record(tx, name, case_id=row.case_id, interaction_id=row.interaction_id, recording_id=row.id, **facts)


async def open_one(ground: Ground, row: Row) -> Kept:
    """A recording (columns call_key, file_hash) as plain samples with its marks. ``sealing.Broken`` when it was changed, FileNotFoundError when
    it is not there any more."""
    return await asyncio.to_thread(_opened, ground.key, row.call_key, ground.files.path(row.file_hash))


async def sweep(ground: Ground) -> int:
    """Delete recordings whose time is over; returns how many. The row stays and says that it was deleted."""
    async with ground.database.transaction() as tx:
        rows = await tx.rows(statements.overdue_recordings, {"at": now(), "most": AT_ONCE})
        for row in rows:
            await events.record(
                tx, "recording.deleted", case_id=row.case_id, interaction_id=row.interaction_id, recording_id=row.id
            )
    for row in rows:
        await asyncio.to_thread(_forget, ground.files.path(row.file_hash))
    return len(rows)
