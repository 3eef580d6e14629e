"""The processor: claims what came in, reads it, settles it in batches, and answers at once.

One bad row never holds up the others: a batch that fails is settled row by row. A row that was claimed before without
coming to an end may have taken its process down: it is claimed, read and settled alone, when all others of its time are
settled, and set aside in quarantine when that has happened too often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from everyline.channel_contract import Line
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Row, Tx, is_away
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.intake import actions
from everyline.intake.answering import Answering
from everyline.intake.reading import Batch, Piece, Stumbled, is_quick, read
from everyline.intake.rules import MOST_ATTEMPTS, Flood
from everyline.intake.said import LineFacts
from everyline.intake.self_service import SelfService
from everyline.lines import queries as line_queries
from everyline.lines.conditions import Route
from everyline.lines.queries import as_channel_sees, by_ids
from everyline.queues import attendance
from everyline.queues import queries as queue_queries
from everyline.queues.hours import OpeningHours

log = logging.getLogger(__name__)

BATCH = 100
ROUND_SECONDS = 0.015  # from one batch to the next while they are not full
BATCH_BYTES = 32 * 1024 * 1024
CLAIM = timedelta(seconds=30)
REMEMBERED_SECONDS = 1.0  # how long a line's queue and its goal are taken as they were


@dataclass(frozen=True, slots=True)
class _Ready:
    """Claimed rows, in groups that are each read and settled at once; the first group is read."""

    rows: list[Row]
    lines: dict[int, Row]
    groups: list[list[Row]]
    first: Batch
    quick: bool = False  # all of it is read in no time


class Processor:
    """Processes for one process of the worker role."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._answering = Answering(ground.signer)
        self._self_service = SelfService(ground)
        chosen = ground.settings
        self._flood = Flood(chosen.flood_cases, timedelta(seconds=chosen.flood_seconds))
        self._ahead: asyncio.Task[_Ready] | None = None
        self._in_hand: dict[int, int] = {}  # inbound id to its attempts
        self._lines: dict[int, Row] = {}
        self._lines_read_at = float("-inf")
        self._seen: dict[int, tuple[Row, Line]] = {}
        self._facts: dict[int, tuple[Row, float, LineFacts]] = {}  # by line: what it was when, and what followed

    async def run(self) -> None:
        """For ever; woken by the bus."""
        try:
            with self._ground.bus.subscribed(pieces=True) as wakes:
                while True:
                    wakes.clear()
                    began = time.monotonic()
                    try:
                        found = await self.process_some()
                        busy = found > 0
                        if 0 < found < BATCH:  # a batch costs much the same for one and for ten
                            await asyncio.sleep(max(began + ROUND_SECONDS - time.monotonic(), 0))
                        pause = 0.0 if busy else await self._until_next()
                    except (DatabaseError, OSError) as error:
                        log.warning("intake pauses: %s", error)
                        busy, pause = False, 0.5
                    if not busy:
                        await wakes.wait(pause)
        finally:
            await self._let_go()

    async def process_some(self) -> int:
        """One batch; returns how many rows were claimed. While it is written the next one is read already, unless reading takes no
        time: what is claimed waits until then, and more comes meanwhile."""
        ready: _Ready | None = None
        if self._ahead is not None:
            await asyncio.wait({self._ahead})  # and not the task itself: it must outlive a cancellation
            ahead, self._ahead = self._ahead, None
            ready = ahead.result()
        if ready is None or not ready.rows:  # what was seen ahead as nothing may be something by now
            ready = await self._read_some()
        if ready.rows and not ready.quick and not any(_is_suspect(row) for row in ready.rows):
            self._ahead = asyncio.create_task(self._read_some(), name="read ahead")
        self._in_hand = attempts = {row.id: row.attempts for row in ready.rows}
        for number, group in enumerate(ready.groups):
            batch = ready.first if number == 0 else await self._read(group, ready.lines)
            await self._stumble(batch)
            await self._settle(batch.pieces, ready.lines, attempts)
        self._in_hand = {}
        return len(ready.rows)

    async def _read_some(self) -> _Ready:
        async with self._ground.database.transaction() as tx, tx.pipeline():
            # a claim that a crash has lost is a row that is due: nothing waits for the disk
            await tx.execute(actions.statements.lightly)
            values = {"at": now(), "until": now() + CLAIM, "most": BATCH}
            rows = sorted(await tx.rows(actions.statements.claim, values), key=lambda row: int(row.id))
            line_rows = await self._line_rows(tx, {row.line_id for row in rows})
        groups = _groups([row for row in rows if not _is_suspect(row)])
        groups += [[row] for row in rows if _is_suspect(row)]
        first = await self._read(groups[0], line_rows) if groups else Batch()
        quick = all(is_quick(row, line_rows[row.line_id].channel) for row in rows)
        return _Ready(rows, line_rows, groups, first, quick)

    async def _line_rows(self, tx: Tx, ids: set[int]) -> dict[int, Row]:
        """Lines by id, taken as they were a moment ago."""
        at = time.monotonic()
        if at - self._lines_read_at > REMEMBERED_SECONDS or not ids <= self._lines.keys():
            self._lines = await by_ids(tx, sorted(ids | self._lines.keys())) if ids else {}
            self._lines_read_at = at
        return {line_id: self._lines[line_id] for line_id in ids}

    async def _read(self, rows: list[Row], line_rows: dict[int, Row]) -> Batch:
        over = [row for row in rows if row.attempts > MOST_ATTEMPTS]
        if over:  # always alone
            cause = _("It was begun %s times and never came to an end.") % (over[0].attempts - 1)
            return Batch(stumbled=[Stumbled(over[0].id, over[0].attempts, cause, hopeless=True)])
        lines = {line_id: self._as_channel_sees(row) for line_id, row in line_rows.items()}
        return await read(rows, lines, self._ground.files)

    def _as_channel_sees(self, row: Row) -> Line:
        """The line with its settings, which are read once."""
        kept = self._seen.get(row.id)
        if kept is None or kept[0] != row:
            kept = self._seen[row.id] = (row, as_channel_sees(row, self._ground.vault, self._ground.signer))
        return kept[1]

    async def _let_go(self) -> None:
        """What was claimed and will not be settled here is free for others at once."""
        try:
            ready = await self._ahead if self._ahead is not None else None
            ids = [*self._in_hand, *(row.id for row in ready.rows)] if ready is not None else [*self._in_hand]
            if ids:
                async with self._ground.database.transaction() as tx:
                    await tx.execute(actions.statements.let_go, {"at": now(), "ids": ids})
        except (DatabaseError, OSError):
            log.warning("what was claimed stays so for a while: the database is away")

    async def _stumble(self, batch: Batch) -> None:
        if batch.stumbled:
            async with self._ground.database.transaction() as tx:
                for stumbled in batch.stumbled:
                    await actions.stumble(tx, stumbled)

    async def _settle(self, pieces: list[Piece], line_rows: dict[int, Row], attempts: dict[int, int]) -> None:
        if not pieces:
            return
        try:
            async with self._ground.database.transaction() as tx:
                lines = {piece.line.id: piece.line for piece in pieces}
                facts = {
                    line_id: await self._line_facts(tx, line_rows[line_id], line) for line_id, line in lines.items()
                }
                attend = partial(self._attend, line_rows, lines)
                settled = await actions.settle(tx, self._ground.signer, pieces, facts, self._flood, attend)
                await self._self_service.answer(tx, settled)
                await self._answering.acknowledge(tx, settled)
        except DatabaseError as error:
            if is_away(error):
                raise
            await self._one_by_one(pieces, line_rows, attempts, str(error))
        except Exception as error:
            log.exception("a batch of %s could not be settled", len(pieces))
            await self._one_by_one(pieces, line_rows, attempts, f"{type(error).__name__}: {error}")

    async def _one_by_one(
        self, pieces: list[Piece], line_rows: dict[int, Row], attempts: dict[int, int], cause: str
    ) -> None:
        if len(pieces) > 1:
            for piece in pieces:
                await self._settle([piece], line_rows, attempts)
            return
        async with self._ground.database.transaction() as tx:
            await actions.stumble(
                tx, Stumbled(pieces[0].inbound_id, attempts[pieces[0].inbound_id], cause, hopeless=False)
            )

    async def _line_facts(self, tx: Tx, row: Row, line: Line) -> LineFacts:
        kept = self._facts.get(row.id)
        if kept is None or kept[0] != row or time.monotonic() - kept[1] > REMEMBERED_SECONDS:
            queue_id = row.queue_id or await queue_queries.default_queue(tx)
            due_at = await queue_queries.goal(tx, queue_id, now()) if queue_id else None
            flow = row.flow if row.flow and await self._self_service.answers(tx, row.flow) else ""
            talks = line.settings.talks
            routes = tuple([await self._with_flow(tx, one) for one in await line_queries.routes(tx, row.id)])
            hours = await self._hours(tx, row, queue_id) if routes else None
            facts = LineFacts(queue_id, due_at, row.acknowledges, talks=talks, flow=flow, routes=routes, hours=hours)
            kept = (row, time.monotonic(), facts)
            self._facts[row.id] = kept
        return kept[2]

    async def _with_flow(self, tx: Tx, route: Route) -> Route:
        """A route to a flow that is not there any more leads to the line's own."""
        gone = bool(route.flow) and not await self._self_service.answers(tx, route.flow or "")
        return replace(route, flow=None) if gone else route

    async def _hours(self, tx: Tx, row: Row, queue_id: int | None) -> OpeningHours | None:
        if row.hours_id is not None or queue_id is None:
            return await queue_queries.opening_hours(tx, row.hours_id)
        return await queue_queries.opening_hours(tx, (await queue_queries.get(tx, queue_id)).hours_id)

    async def _attend(
        self, rows: dict[int, Row], lines: dict[int, Line], tx: Tx, places: frozenset[tuple[int, int]]
    ) -> dict[tuple[int, int], bool]:
        """Of lines on which talks begin, each with the queue that it leads to: whether somebody is there."""
        found: dict[tuple[int, int], bool] = {}
        for line_id, queue_id in sorted(places):
            there = await attendance.of(tx, rows[line_id].hours_id, queue_id, lines[line_id].settings.talks)
            found[line_id, queue_id] = there.attended
        return found

    async def _until_next(self) -> float:
        async with self._ground.database.transaction() as tx:
            soonest = await tx.value(actions.statements.soonest, {"at": now()})
        catch_up = self._ground.bus.CATCH_UP_SECONDS
        return catch_up if soonest is None else min(max((soonest - now()).total_seconds(), 0.0) + 0.005, catch_up)


def _is_suspect(row: Row) -> bool:
    """Was it claimed before, and did not come to an end?"""
    return bool(row.attempts > 1)


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Rows together as long as their bytes fit into memory comfortably."""
    groups: list[list[Row]] = []
    weight = 0
    for row in rows:
        weight += row.size
        if not groups or weight > BATCH_BYTES:
            groups.append([])
            weight = row.size
        groups[-1].append(row)
    return groups
