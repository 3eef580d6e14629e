"""Answering at once: who is told that a case was opened, and in which words."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from everyline.cases.models import Message
from everyline.channel_registry import channel
from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict
from everyline.ground.keys import CaseSigner
from everyline.intake.acknowledgements import Promise, acknowledgement
from everyline.intake.rules import acknowledges
from everyline.intake.said import Said, Settled
from everyline.people.queries import organisation_name
from everyline.queues import queries as queue_queries

REMEMBERED_SECONDS = 30.0  # how long a queue's goal and usual answer time are taken as they were


class Answering:
    """For one process, which remembers for a while what its queues can promise."""

    def __init__(self, signer: CaseSigner) -> None:
        self._signer = signer
        self._promises: dict[int, tuple[float, Promise]] = {}

    async def acknowledge(self, tx: Tx, settled: Settled) -> None:
        """Write to those whose piece opened a case, as far as they are answered at once."""
        chosen = await _chosen(tx, settled)
        if not chosen:
            return
        organisation = await organisation_name(tx)
        messages: list[dict[str, Any]] = []
        deliveries: list[dict[str, Any]] = []
        answer_lines: dict[tuple[int, str], Row] = {}
        for one, number in chosen:
            assert one.read.sender is not None
            queue_id = one.facts.queue_id
            if queue_id is None or not one.facts.acknowledges:
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
                channel=one.piece.line.channel,
            )
            external_id = dispatch.wire_id(self._signer.sign(one.case_id), line.address.partition("@")[2])
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

    async def _promise(self, tx: Tx, queue_id: int) -> Promise:
        known = self._promises.get(queue_id)
        if known is None or time.monotonic() - known[0] > REMEMBERED_SECONDS:
            queue = await queue_queries.get(tx, queue_id)
            hours = await queue_queries.opening_hours(tx, queue.hours_id)
            usual = await queue_queries.usual_answer_seconds(tx, queue_id, hours.zone)
            known = (time.monotonic(), Promise(hours, timedelta(seconds=queue.goal_seconds), usual))
            self._promises[queue_id] = known
        return known[1]


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


async def _chosen(tx: Tx, settled: Settled) -> list[tuple[Said, int]]:
    """Of the cases that were opened, those whose writer is answered at once, with the case's number."""
    addresses = sorted({one.read.sender.address for one, _number in settled.opened if one.read.sender})
    if not addresses:
        return []
    lately = {
        row.address: row.n
        for row in await tx.rows(dispatch.statements.recent_automatic, {"addresses": addresses, "at": now()})
    }
    chosen: list[tuple[Said, int]] = []
    for one, number in settled.opened:
        if one.read.sender is None:
            continue
        address = one.read.sender.address
        does = channel(one.piece.line.channel).facts.acknowledges
        if acknowledges(one.read, one.place, channel_does=does, point_bad=one.known.bad, lately=lately.get(address, 0)):
            lately[address] = lately.get(address, 0) + 1
            chosen.append((one, number))
    return chosen
