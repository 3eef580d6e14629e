"""Jobs of self-service."""

from __future__ import annotations

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.selfservice.bot import quality, training


@periodic("*/10 * * * *")
async def learn(ground: Ground) -> None:
    """Have the bot learn what it was taught since; whoever teaches it asks for this at once."""
    await training.learn(ground.database)


@periodic("41 3 * * *")
async def forget(ground: Ground) -> None:
    """Forget what the bot was asked long ago."""
    async with ground.database.transaction() as tx:
        await quality.forget_old(tx)
