"""What was gone through before people took over, as agents read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from everyline.ground.database import Tx
from everyline.selfservice import flows
from everyline.selfservice.identity import Level
from everyline.selfservice.queries import flow_of
from everyline.selfservice.running.handing import collected
from everyline.selfservice.running.keeping import STATE, statements


@dataclass(frozen=True, slots=True)
class GoneThrough:
    """One run: what was collected (what it was asked by, value), and the steps in their order. Secrets are not shown."""

    id: int
    title: str
    began_at: datetime
    outcome: str
    level: Level
    collected: tuple[tuple[str, str], ...]
    way: tuple[str, ...]


async def gone_through(tx: Tx, case_id: int) -> list[GoneThrough]:
    """The runs that led to a case, newest first."""
    found = []
    for row in await tx.rows(statements.of_case, {"case_id": case_id}):
        flow = flow_of(row.form) if row.form is not None else None
        state = STATE.validate_python(row.state)
        slots = state.around[0].slots if state.around else state.slots
        way = await tx.rows(statements.way_of, {"id": row.id})
        person = flow.step(flow.person) if flow is not None and flow.person else None
        carry = person.carry if isinstance(person, flows.Queue) else ()
        found.append(
            GoneThrough(
                row.id,
                flow.called() if flow is not None else row.flow,
                row.began_at,
                row.outcome,
                Level(row.level),
                tuple(collected(flow, slots, carry)),
                tuple(one.step for one in way),
            )
        )
    return found
