"""Which way what begins on a line takes: its routes are tried with what is known of who begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from everyline.ground.addresses import NUMBER
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.intake.queries import statements
from everyline.intake.said import Said
from everyline.lines.conditions import Arrival, Route, chosen
from everyline.queues import queries as queues
from everyline.queues.hours import OpeningHours, holidays


async def route(tx: Tx, said: Sequence[Said]) -> None:
    """Lead what opens a case where the first route that holds says; where none does, it goes as the line says."""
    routed = [one for one in said if one.opens and one.facts.routes]
    if not routed:
        return
    rows = await tx.rows(statements.who_begins, {"customer_ids": sorted({one.known.customer_id for one in routed})})
    known = {row.customer_id: row for row in rows}
    for one in routed:
        who = known[one.known.customer_id]
        taken = chosen(one.facts.routes, arrival(one, who))
        if taken is not None:
            await _take(tx, one, taken, who)


def arrival(one: Said, who: Row) -> Arrival:
    """What is known of who begins."""
    at, holiday, closure = standing(one.facts.hours, now())
    sender = one.read.sender
    return Arrival(
        at=at,
        number=sender.address if sender is not None and sender.kind == NUMBER else "",
        dialled=one.read.dialled,
        language=one.read.language or one.known.language or one.piece.line.language,
        kind=who.kind,
        known=who.known,
        open_case=who.open_case_id is not None,
        holiday=holiday,
        closure=closure,
    )


def standing(hours: OpeningHours | None, at: datetime) -> tuple[datetime, bool, bool]:
    """The clock of the hours, whether it is a holiday of theirs, and whether an emergency closure stands."""
    if hours is None:
        return at, False, False
    there = at.astimezone(ZoneInfo(hours.zone))
    kept = bool(hours.holidays_of) and there.date() in holidays(hours.holidays_of, there.year)
    return there, kept, bool(hours.closed_now)


async def _take(tx: Tx, one: Said, taken: Route, who: Row) -> None:
    queue_id = taken.queue_id
    if taken.follows_case and who.open_queue_id is not None:
        queue_id = who.open_queue_id
    changes: dict[str, Any] = {}
    if queue_id is not None and queue_id != one.facts.queue_id:
        changes |= {"queue_id": queue_id, "due_at": await queues.goal(tx, queue_id, now())}
    if taken.flow is not None:
        changes["flow"] = taken.flow
    one.facts = replace(one.facts, **changes)
    if taken.priority is not None:
        one.priority = taken.priority
    if taken.follows_case:
        one.preferred_agent_id = who.open_owner_id
    if taken.last_agent and one.preferred_agent_id is None:
        one.preferred_agent_id = who.last_agent_id
