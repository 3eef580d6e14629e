"""Jobs of self-service."""

from __future__ import annotations

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.selfservice.bot import training


@periodic("*/10 * * * *")
async def learn(ground: Ground) -> None:
    """Have the bot learn what it was taught since."""
    await training.learn(ground.database)
