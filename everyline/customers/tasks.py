"""Housekeeping of customers' sign-ins."""

from __future__ import annotations

from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic

_TIDY = (
    "delete from proof_code where expires_at < now() - interval '1 day'",
    "delete from customer_sign_in where expires_at < now()",
)


@periodic("37 * * * *")
async def tidy_sign_ins(ground: Ground) -> None:
    """Throw away codes and sign-ins that have run out."""
    async with ground.database.transaction() as tx:
        for statement in _TIDY:
            await tx.execute(text(statement))
