"""Jobs of articles."""

from __future__ import annotations

import logging
import time

from everyline.articles import actions, importing, imports, meanings, pairing
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.installation import Ground
from everyline.ground.jobs import ask_for, periodic
from everyline.ground.words import speaking

log = logging.getLogger(__name__)

TURN_SECONDS = 5.0  # of one job, when there is much to do
DRAWN_AT_ONCE = 100  # articles of one transaction


@periodic("* * * * *")
async def publish_due(ground: Ground) -> None:
    """Publish what was scheduled for by now. What cannot be published goes back to its writers, with the reason."""
    async with ground.database.transaction() as tx:
        due = await actions.due(tx)
    for article_id, language, spoken in due:
        try:
            with speaking(spoken):
                async with ground.database.transaction() as tx:
                    await actions.publish(tx, None, article_id, language)
        except ProductError as error:
            log.warning("article %s in %s could not be published: %s", article_id, language, error.message)
            details = error.fields.values() if isinstance(error, Invalid) else ()
            async with ground.database.transaction() as tx:
                await actions.send_back(tx, None, article_id, language, "\n".join([error.message, *details]))


@periodic("* * * * *")
async def learn_meanings(ground: Ground) -> None:
    """Make the meanings of what was published; after some seconds other jobs have their turn."""
    began = time.monotonic()
    await meanings.catch_up(ground.database, seconds=TURN_SECONDS)
    if time.monotonic() - began > TURN_SECONDS:
        async with ground.database.transaction() as tx:
            await ask_for(tx, f"{__name__}.learn_meanings")


@periodic("* * * * *")
async def compare(ground: Ground) -> None:
    """Find which articles are much alike."""
    await pairing.catch_up(ground.database)


@periodic("*/10 * * * *")
async def render_anew(ground: Ground) -> None:
    """Render again what another version of the product has rendered."""
    found = DRAWN_AT_ONCE
    while found == DRAWN_AT_ONCE:
        async with ground.database.transaction() as tx:
            found = await actions.draw_some_again(tx, DRAWN_AT_ONCE)


@periodic("17 3 * * *")
async def count_words(ground: Ground) -> None:
    """Count anew in how many articles each word is."""
    async with ground.database.transaction() as tx:
        await imports.count_words(tx)


@periodic("* * * * *")
async def take_in(ground: Ground) -> None:
    """Go on with imports: whoever asks for one asks for this at once; the clock asks for what was left undone."""
    await importing.take_turn(ground)
