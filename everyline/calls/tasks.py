"""Jobs of calls."""

from __future__ import annotations

from everyline.calls import actions, callbacks, recordings, transcripts
from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.speech.hearing import Ear

MOST_HEARD = 20  # recordings and voicemails in one go


@periodic("*/10 * * * *")
async def delete_recordings(ground: Ground) -> None:
    """Delete recordings whose time is over."""
    while await recordings.sweep(ground) == recordings.AT_ONCE:
        pass


@periodic("* * * * *")
async def write_transcripts(ground: Ground) -> None:
    """Make recordings and voicemails into words, where a model is there."""
    ear = Ear.installed(ground.settings)
    if ear is None:
        return
    try:
        for _one in range(MOST_HEARD):
            if not await transcripts.hear_next(ground, ear):
                break
    finally:
        await ear.end()


@periodic("* * * * *")
async def end_lost_calls(ground: Ground) -> None:
    """End the calls of processes that are gone, where none is left that would; who was to be called by one waits again."""
    async with ground.database.transaction() as tx:
        await actions.sweep(tx)
        await callbacks.sweep(tx)
