"""Would somebody answer live what comes now? By the hours, by who is there, and by how many wait already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from everyline.channel_contract import TalkRules
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.queues import queries
from everyline.queues.hours import OpeningHours, is_open


@dataclass(frozen=True, slots=True)
class Attendance:
    """How it stands with a queue, for somebody who comes on a line."""

    hours: OpeningHours
    open: bool
    agents: int  # of the queue, who are available: busy ones too, for they will be free again
    waiting: int
    attended: bool


async def of(tx: Tx, line_hours_id: int | None, queue_id: int, rules: TalkRules) -> Attendance:
    """The hours of a line go before those of its queue."""
    row = await tx.one(queries.statements.attendance, {"queue_id": queue_id, "line_hours_id": line_hours_id})
    hours = await queries.opening_hours(tx, row.hours_id)
    is_on = is_open(hours, now())
    room = rules.most_waiting == 0 or row.waiting < rules.most_waiting
    return Attendance(hours, is_on, row.agents, row.waiting, is_on and room and (row.agents > 0 or rules.waits_alone))


async def team(tx: Tx, queue_id: int, most: int = 3) -> Sequence[Row]:
    """Some of those who are there: id and name."""
    return await tx.rows(queries.statements.who_is_there, {"queue_id": queue_id, "most": most})
