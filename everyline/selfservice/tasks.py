"""Jobs of self-service: statements made, the bot taught, what is over forgotten."""

from __future__ import annotations

from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.selfservice import errands
from everyline.selfservice.bot import quality, training
from everyline.selfservice.errands import reminding, stating
from everyline.selfservice.sources import knowledge


@periodic("*/5 * * * *")
async def make_statements(ground: Ground) -> None:
    """Make the statements that customers asked for; who asks for one has it begun at once."""
    await stating.make_due(ground, {name: contract.title for name, contract in errands.known().items()})


@periodic("*/5 * * * *")
async def write_about_appointments(ground: Ground) -> None:
    """Write what is to be told of appointments, and remind of those that come; a change asks for it at once."""
    await reminding.write_due(ground)


@periodic("23 4 * * *")
async def forget_statements(ground: Ground) -> None:
    """Forget statements whose link has been over for a while."""
    async with ground.database.transaction() as tx:
        await tx.execute(text("delete from statement where expires_at < now() - interval '7 days'"))


@periodic("31 * * * *")
async def forget_tries(ground: Ground) -> None:
    """Forget tries to show who one is by what one knows that count no more."""
    async with ground.database.transaction() as tx:
        await knowledge.forget_old(tx)


@periodic("*/10 * * * *")
async def learn(ground: Ground) -> None:
    """Have the bot learn what it was taught since; whoever teaches it asks for this at once."""
    await training.learn(ground.database)


@periodic("41 3 * * *")
async def forget(ground: Ground) -> None:
    """Forget what the bot was asked long ago."""
    async with ground.database.transaction() as tx:
        await quality.forget_old(tx)
