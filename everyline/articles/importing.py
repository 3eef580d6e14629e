"""Imports that were asked for, done by a worker piece by piece.

How far one is stands in the transaction that did it: whoever is killed on the way, the next goes on where it was, and nothing
is done twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from everyline.articles import imports, queries
from everyline.articles.imports import Piece, Refused
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.installation import Ground
from everyline.ground.jobs import ask_for
from everyline.ground.words import _, speaking

log = logging.getLogger(__name__)
statements = queries.statements

JOB = "everyline.articles.tasks.take_in"
AT_ONCE = 25  # pieces of one transaction
TURN_SECONDS = 5.0  # then other jobs have their turn
MOST_TRIES = 5  # turns in a row that do not get one transaction done
_read: dict[
    str, list[Piece]
] = {}  # the pieces of the file that is being taken in, by its hash and name: turns are many


@dataclass(frozen=True, slots=True)
class Going:
    """How far an import is."""

    row: Row
    refused: tuple[Refused, ...]

    @property
    def ended(self) -> bool:
        """Is nothing more to come of it?"""
        return self.row.ended_at is not None


async def ask(
    tx: Tx,
    by: int,
    asked: str,
    *,
    file_hash: str,
    name: str,
    pieces: int,
    language: str = "",
    category_id: int | None = None,
    publish: bool = False,
) -> int:
    """Have a file that is kept taken in; returns the import's id. ``asked`` is the same for the same question: it is done once,
    however often it is asked. ``pieces``: how many there are."""
    row = await tx.one(
        statements.ask_import,
        {
            "asked": hashlib.sha256(asked.encode()).hexdigest(),
            "by": by,
            "file_hash": file_hash,
            "name": name,
            "language": language,
            "category_id": category_id,
            "publish": publish,
            "pieces": pieces,
        },
    )
    if row.new:
        await events.record(tx, "article_import.begun", actor_id=by, import_id=row.id, pieces=pieces)
        await ask_for(tx, JOB)
    return int(row.id)


async def get(tx: Tx, import_id: int) -> Going:
    """How far one is. NotFound."""
    found = await latest(tx, import_id=import_id)
    if not found:
        raise NotFound(_("There is no such import."))
    return found[0]


async def latest(tx: Tx, *, import_id: int | None = None, most: int = 10) -> list[Going]:
    """How far all are, the newest first."""
    rows = await tx.rows(statements.imports, {"id": import_id, "most": most})
    return [Going(row, tuple(Refused(**one) for one in row.refused)) for row in rows]


async def take_turn(ground: Ground) -> None:
    """Go on with the oldest import for some seconds, and ask for the next turn when there is more to do."""
    async with ground.database.transaction() as tx:
        row = await tx.first(statements.next_import)
        if row is None:
            return
        await tx.execute(statements.try_import, {"id": row.id})
    with speaking(row.spoken):
        if row.tries >= MOST_TRIES:
            await _end(
                ground, row, _("It could not be taken in: something went wrong each time. What is in the log says why.")
            )
        else:
            await _go_on(ground, row)
    async with ground.database.transaction() as tx:
        if await tx.first(statements.next_import) is not None:
            await ask_for(tx, JOB)


async def _go_on(ground: Ground, row: Row) -> None:
    try:
        pieces = await _pieces(ground, row)
    except (ProductError, FileNotFoundError) as error:
        log.warning("import %s could not be read: %s", row.id, error)
        await _end(
            ground, row, error.message if isinstance(error, ProductError) else _("The file is not here any more.")
        )
        return
    until = time.monotonic() + TURN_SECONDS
    more = True
    while more and time.monotonic() < until:
        more = await _some(ground, row.id, pieces)


async def _pieces(ground: Ground, row: Row) -> list[Piece]:
    key = f"{row.file_hash}/{row.name}"
    if key not in _read:
        content = await ground.files.read(row.file_hash)
        pieces = await asyncio.to_thread(lambda: list(imports.from_upload(content, row.name)))
        _read.clear()
        _read[key] = pieces
    return _read[key]


async def _some(ground: Ground, import_id: int, pieces: Sequence[Piece]) -> bool:
    """Take some pieces in; returns whether it goes on here."""
    async with ground.database.transaction() as tx:
        row = await tx.first(statements.next_import)
        if row is None or row.id != import_id:
            return False  # another process has it in hand, or has done it
        some = pieces[row.done : row.done + AT_ONCE]
        if some:
            done = await imports.take_in(
                tx, row.asked_by, some, language=row.language, category_id=row.category_id, publish=row.publish
            )
            counted = {"done": len(some), "added": done.added, "changed": done.changed, "same": done.same}
            refused = json.dumps([asdict(one) for one in done.refused])
            await tx.execute(statements.count_import, {"id": row.id, **counted, "refused": refused})
        else:
            await imports.count_words(tx)
            await tx.execute(statements.end_import, {"id": row.id, "at": now(), "fault": ""})
            _read.clear()
        kind = "article_import.continued" if some else "article_import.ended"
        await events.record(tx, kind, actor_id=row.asked_by, import_id=row.id, done=row.done + len(some))
    return bool(some)


async def _end(ground: Ground, row: Row, fault: str) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(statements.end_import, {"id": row.id, "at": now(), "fault": fault})
        await events.record(tx, "article_import.ended", actor_id=row.asked_by, import_id=row.id, done=row.done)
