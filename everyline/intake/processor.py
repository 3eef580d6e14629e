"""The processor: claims what came in, reads it, settles it in batches, and answers at once.

One bad row never holds up the others: a batch that fails is settled row by row, and a row that was claimed before
without coming to an end (it may have taken its process down) is read alone.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from everyline.cases.models import Message
from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Row, Tx, is_away
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.intake import actions
from everyline.intake.acknowledgements import Promise, acknowledgement
from everyline.intake.actions import LineFacts, Said, Settled
from everyline.intake.reading import Batch, Piece, Stumbled, read
from everyline.lines.queries import as_channel_sees, by_ids
from everyline.people.queries import organisation_name
from everyline.queues import actions as queues
from everyline.queues import queries as queue_queries

log = logging.getLogger(__name__)

BATCH = 100
BATCH_BYTES = 32 * 1024 * 1024
CLAIM = timedelta(seconds=30)
REMEMBERED_SECONDS = 30.0  # how long a queue's goal and usual answer time are taken as they were


class Processor:
    """Processes for one process of the worker role."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._promises: dict[int, tuple[float, Promise]] = {}

    async def run(self) -> None:
        """For ever; woken by the bus."""
        with self._ground.bus.subscribed() as wakes:
            while True:
                wakes.clear()
                try:
                    busy = await self.process_some() > 0
                    pause = 0.0 if busy else await self._until_next()
                except (DatabaseError, OSError) as error:
                    log.warning("intake pauses: %s", error)
                    busy, pause = False, 0.5
                if not busy:
                    await wakes.wait(pause)

    async def process_some(self) -> int:
        """One batch; returns how many rows were claimed."""
        rows = await self._claim()
        suspects = [row for row in rows if row.attempts > 1]
        for group in (*_groups([row for row in rows if row.attempts == 1]), *([row] for row in suspects)):
            await self._process(group)
        return len(rows)

    async def _claim(self) -> list[Row]:
        async with self._ground.database.transaction() as tx:
            return list(await tx.rows(actions.statements.claim, {"at": now(), "until": now() + CLAIM, "most": BATCH}))

    async def _process(self, rows: list[Row]) -> None:
        async with self._ground.database.transaction() as tx:
            line_rows = await by_ids(tx, sorted({row.line_id for row in rows}))
        lines = {
            line_id: as_channel_sees(row, self._ground.vault, self._ground.signer) for line_id, row in line_rows.items()
        }
        batch = await read(rows, lines, self._ground.files)
        await self._stumble(batch)
        attempts = {row.id: row.attempts for row in rows}
        await self._settle(batch.pieces, line_rows, attempts)

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
                facts = {line_id: await self._line_facts(tx, row) for line_id, row in line_rows.items()}
                settled = await actions.settle(tx, self._ground.signer, pieces, facts)
                await self._acknowledge(tx, settled, facts)
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

    async def _line_facts(self, tx: Tx, line: Row) -> LineFacts:
        queue_id = line.queue_id or await queue_queries.default_queue(tx)
        due_at = await queues.goal(tx, queue_id, now()) if queue_id else None
        return LineFacts(queue_id, due_at, line.acknowledges)

    async def _promise(self, tx: Tx, queue_id: int) -> Promise:
        known = self._promises.get(queue_id)
        if known is None or time.monotonic() - known[0] > REMEMBERED_SECONDS:
            queue = await queue_queries.get(tx, queue_id)
            hours = await queue_queries.opening_hours(tx, queue.hours_id)
            usual = await queue_queries.usual_answer_seconds(tx, queue_id, hours.zone)
            known = (time.monotonic(), Promise(hours, timedelta(seconds=queue.goal_seconds), usual))
            self._promises[queue_id] = known
        return known[1]

    async def _acknowledge(self, tx: Tx, settled: Settled, facts: dict[int, LineFacts]) -> None:
        chosen = await actions.to_acknowledge(tx, settled)
        if not chosen:
            return
        organisation = await organisation_name(tx)
        messages: list[dict[str, Any]] = []
        deliveries: list[dict[str, Any]] = []
        answer_lines: dict[tuple[int, str], Row] = {}
        for one, number in chosen:
            assert one.read.sender is not None
            queue_id = facts[one.piece.line.id].queue_id
            if queue_id is None or not facts[one.piece.line.id].acknowledges:
                continue
            key = (one.piece.line.id, one.read.sender.kind)
            if key not in answer_lines:
                try:
                    answer_lines[key] = await dispatch.answer_line(tx, *key)
                except Conflict:
                    continue
            line = answer_lines[key]
            language = one.read.language or one.known.language or one.piece.line.language
            words = acknowledgement(
                await self._promise(tx, queue_id),
                number=number,
                subject=one.subject,
                organisation=organisation,
                spoken=language,
                at=one.piece.received_at,
            )
            external_id = dispatch.wire_id(self._ground.signer.sign(one.case_id), line.address.partition("@")[2])
            messages.append(_message(one, words.subject, words.text, external_id))
            deliveries.append(
                {
                    "idempotency_key": f"acknowledgement:{one.case_id}",
                    "line_id": line.id,
                    "case_id": one.case_id,
                    "contact_point_id": one.known.point_id,
                    "kind": "acknowledgement",
                    "address_kind": one.read.sender.kind,
                    "address": one.read.sender.address,
                    "address_name": one.read.sender.name[:200],
                    "sender_name": line.name,
                    "subject": words.subject,
                    "text": words.text,
                    "language": language,
                    "automatic": True,
                    "references": [one.read.external_id] if one.read.external_id else [],
                    "external_id": external_id,
                }
            )
        if messages:
            ids = [row.id for row in await tx.many(insert(Message).returning(Message.id), messages)]
            await dispatch.write_all(
                tx,
                [delivery | {"message_id": message_id} for delivery, message_id in zip(deliveries, ids, strict=True)],
            )

    async def _until_next(self) -> float:
        async with self._ground.database.transaction() as tx:
            soonest = await tx.value(actions.statements.soonest, {"at": now()})
        catch_up = self._ground.bus.CATCH_UP_SECONDS
        return catch_up if soonest is None else min(max((soonest - now()).total_seconds(), 0.0) + 0.005, catch_up)


def _message(one: Said, subject: str, text: str, external_id: str) -> dict[str, Any]:
    return {
        "case_id": one.case_id,
        "interaction_id": one.interaction_id,
        "direction": "out",
        "contact_point_id": one.known.point_id,
        "external_id": external_id,
        "subject": subject,
        "text": text,
        "at": now(),
        "kind": "acknowledgement",
    }


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
