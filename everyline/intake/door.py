"""The door: keeps what came in, durably, before the sender is told yes.

Pieces that come in at the same time share one insert and one commit (group commit). A piece that is there already, by
(line, external id), is not kept twice. Large pieces stand in the file store, small ones in the row.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import TextClause, select

from everyline.channel_contract import Line, Raw, Refused
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.ground.words import _
from everyline.intake.queries import statements
from everyline.intake.talk_door import LATER, TalkDoor
from everyline.intake.talking import Surveys
from everyline.lines import actions as lines
from everyline.lines import queries as line_queries
from everyline.lines.models import LineCursor

log = logging.getLogger(__name__)

IN_ROW = 256 * 1024  # bytes; what is larger goes to the file store
GROUP = 200  # pieces of one commit
GROUP_BYTES = 8 * 1024 * 1024
GATHER_SECONDS = 0.012  # from one commit to the next while they come faster than they are written
ENOUGH = 16  # pieces that are not gathered any longer

_INSERT = """
insert into inbound (line_id, external_id, body, file_hash, size, envelope, writer)
select * from unnest(%b::bigint[], %b::text[], %b::bytea[], %b::text[], %b::bigint[], %b::jsonb[], %b::text[])
on conflict (line_id, external_id) do nothing returning line_id, external_id
"""
_CURSOR = """
insert into line_cursor (line_id, cursor, moved_at) values (%s, %s, now())
on conflict (line_id) do update set cursor = excluded.cursor, moved_at = excluded.moved_at
"""


@dataclass(slots=True)
class _Piece:
    line_id: int
    external_id: str
    body: bytes | None
    file_hash: str | None
    size: int
    envelope: Mapping[str, Any]
    writer: str
    cursor: Mapping[str, Any] | None
    kept: asyncio.Future[bool]


class IntakeDoor(TalkDoor):
    """The door of one process (``channel_contract.TalkDoor``). Talks are followed where it is given the hub."""

    def __init__(self, ground: Ground, hub: Hub | None = None, surveys: Surveys | None = None) -> None:
        super().__init__(ground, hub, surveys)
        self._pieces: asyncio.Queue[_Piece] = asyncio.Queue()
        self._enough = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to commit."""
        self._task = asyncio.create_task(self._commit_for_ever(), name="door")
        if self._followers is not None:
            self._followers.start()

    async def stop(self) -> None:
        """End; who still waits is told no."""
        if self._followers is not None:
            await self._followers.stop()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def accept(self, line: Line, raw: Raw, *, cursor: Mapping[str, Any] | None = None) -> bool:
        """See the contract. Refused when the piece is too large; OSError when it cannot be kept now."""
        return await self.keep(line.id, raw, cursor=cursor)

    async def keep(self, line_id: int, raw: Raw, *, cursor: Mapping[str, Any] | None = None) -> bool:
        """``accept`` for callers that only know the line's number."""
        size = len(raw.body)
        if size > self._ground.settings.largest_message:
            raise Refused(_("The message is larger than this installation takes."))
        large = size > IN_ROW
        file_hash = await self._ground.files.put(raw.body) if large else None
        piece = _Piece(
            line_id,
            raw.external_id,
            None if large else raw.body,
            file_hash,
            size,
            raw.envelope,
            raw.writer,
            cursor,
            asyncio.get_running_loop().create_future(),
        )
        self._pieces.put_nowait(piece)
        if self._pieces.qsize() >= ENOUGH:
            self._enough.set()
        return await piece.kept

    async def _commit_for_ever(self) -> None:
        connection: psycopg.AsyncConnection | None = None
        group: list[_Piece] = []
        loop = asyncio.get_running_loop()
        next_at = 0.0
        try:
            while True:
                if not self._pieces.empty():  # a commit costs the same for one and for ten
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout_at(next_at):
                            await self._enough.wait()
                self._enough.clear()
                group = await self._next_group()
                next_at = loop.time() + GATHER_SECONDS
                try:
                    if connection is None or connection.closed:
                        connection = await psycopg.AsyncConnection.connect(self._ground.database.url, autocommit=True)
                    await self._commit(connection, group)
                except (psycopg.Error, OSError) as error:
                    log.warning("%s pieces were not kept, and their senders are told so: %s", len(group), error)
                    _tell_no(group)
                    if connection is not None:
                        await connection.close()
        finally:
            while not self._pieces.empty():
                group.append(self._pieces.get_nowait())
            _tell_no(group)
            if connection is not None:
                await connection.close()

    async def _next_group(self) -> list[_Piece]:
        """Whoever waits by now shares a commit."""
        group = [await self._pieces.get()]
        weight = group[0].size
        while len(group) < GROUP and weight < GROUP_BYTES and not self._pieces.empty():
            group.append(self._pieces.get_nowait())
            weight += group[-1].size
        return group

    async def _commit(self, connection: psycopg.AsyncConnection, group: list[_Piece]) -> None:
        cursors = [piece for piece in group if piece.cursor is not None]
        # one statement is a transaction of its own: two ways to the database and back less
        whole = connection.transaction() if cursors else contextlib.nullcontext()
        async with whole, connection.cursor(binary=False) as cursor:
            await cursor.execute(
                _INSERT,
                (
                    [piece.line_id for piece in group],
                    [piece.external_id for piece in group],
                    [piece.body for piece in group],
                    [piece.file_hash for piece in group],
                    [piece.size for piece in group],
                    [Jsonb(dict(piece.envelope)) for piece in group],
                    [piece.writer for piece in group],
                ),
                binary=True,
            )
            fresh = {(row[0], row[1]) for row in await cursor.fetchall()}
            for piece in cursors:
                await cursor.execute(_CURSOR, (piece.line_id, json.dumps(dict(piece.cursor or {}))))
        for piece in group:
            key = (piece.line_id, piece.external_id)
            if not piece.kept.done():
                piece.kept.set_result(key in fresh)
            fresh.discard(key)
        self._ground.bus.tell_of_pieces()

    async def give_turn_back(self, line: Line, writer: str) -> None:
        with contextlib.suppress(DatabaseError):  # then there is one turn less for an hour
            async with self._ground.database.transaction() as tx:
                await tx.execute(statements.give_turn_back, {"line_id": line.id, "writer": writer})

    async def cursor(self, line: Line) -> Mapping[str, Any]:
        async with self._ground.database.transaction() as tx:
            found: Mapping[str, Any] | None = await tx.value(
                select(LineCursor.cursor).where(LineCursor.line_id == line.id)
            )
        return found or {}

    async def remember(self, line: Line, cursor: Mapping[str, Any]) -> None:
        async with self._ground.database.transaction() as tx:
            await lines.move_cursor(tx, line.id, cursor)

    async def lines(self, channel: str) -> Sequence[Line]:
        async with self._ground.database.transaction() as tx:
            rows = await line_queries.open_lines(tx, channel)
        return [line_queries.as_channel_sees(row, self._ground.vault, self._ground.signer) for row in rows]

    async def healthy(self, line: Line) -> None:
        async with self._ground.database.transaction() as tx:
            await lines.note_healthy(tx, line.id)

    async def failed(self, line: Line, error: str) -> None:
        async with self._ground.database.transaction() as tx:
            await lines.note_failed(tx, line.id, error)

    async def arrived(self, line: Line, external_id: str, *, seconds: float) -> bool:
        return bool(await self._awaited(statements.has_arrived, line, external_id, seconds, pieces=True))

    async def case_number(self, line: Line, external_id: str, *, seconds: float) -> int | None:
        number: int | None = await self._awaited(statements.case_number, line, external_id, seconds)
        return number

    async def _awaited(
        self, statement: TextClause, line: Line, external_id: str, seconds: float, *, pieces: bool = False
    ) -> Any:
        """Ask until the answer is something, whenever something happened or came in; what the last answer was when time is up."""
        with self._ground.bus.subscribed(pieces=pieces) as wakes:
            deadline = asyncio.get_running_loop().time() + seconds
            while True:
                wakes.clear()
                async with self._ground.database.transaction() as tx:
                    found = await tx.value(statement, {"line_id": line.id, "external_id": external_id})
                left = deadline - asyncio.get_running_loop().time()
                if found or left <= 0:
                    return found
                await wakes.wait(min(left, 1.0))


def _tell_no(group: Sequence[_Piece]) -> None:
    for piece in group:
        if not piece.kept.done():
            piece.kept.set_exception(OSError(_(LATER)))
