"""Jobs of figures."""

from __future__ import annotations

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.measure import ledgers


@periodic("* * * * *")
async def follow_events(ground: Ground) -> None:
    """Keep facts and ledgers up with the events."""
    await ledgers.catch_up(ground.database)
