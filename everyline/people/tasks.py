"""Jobs of people, and the housekeeping of the ground they stand on."""

from __future__ import annotations

from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic

_TIDY = (
    "delete from sign_in where expires_at < now()",
    "delete from sign_in_attempt where at < now() - interval '1 day'",
    "delete from one_time_link where expires_at < now() - interval '7 days'",
    "delete from idempotency_key where created_at < now() - interval '2 days'",
)


@periodic("23 3 * * *")
async def prepare_months(ground: Ground) -> None:
    """Make the partitions of the months ahead."""
    async with ground.database.transaction() as tx:
        await tx.execute(text("select ensure_event_partitions(current_date)"))


@periodic("41 * * * *")
async def tidy(ground: Ground) -> None:
    """Throw away what has run out."""
    async with ground.database.transaction() as tx:
        for statement in _TIDY:
            await tx.execute(text(statement))
