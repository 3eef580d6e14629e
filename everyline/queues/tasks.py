"""Jobs of queues."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from everyline.cases import actions as cases
from everyline.cases.models import Case
from everyline.cases.rules import FOLLOW_UP_DAYS, Status
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.queues import actions

AT_ONCE = 500


@periodic("* * * * *")
async def wake_snoozed(ground: Ground) -> None:
    """Bring back what was snoozed until now, to its owner or its queue."""
    async with ground.database.transaction() as tx:
        rows = await tx.rows(select(Case.id, Case.queue_id, Case.owner_id).where(Case.wakes_at <= now()).limit(AT_ONCE))
        for row in rows:
            await cases.wake(tx, None, row.id)
            if row.queue_id is not None:
                await actions.wait_in(tx, row.id, row.queue_id, preferred_agent_id=row.owner_id)


@periodic("17 * * * *")
async def close_settled(ground: Ground) -> None:
    """Close for good what was resolved long ago."""
    async with ground.database.transaction() as tx:
        before = now() - timedelta(days=FOLLOW_UP_DAYS)
        rows = await tx.rows(
            select(Case.id).where(Case.status == Status.RESOLVED, Case.resolved_at < before).limit(AT_ONCE)
        )
        for row in rows:
            await cases.close(tx, None, row.id)
