"""What was said in recordings and voicemails, in words: made where a model is there, one after the other."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from datetime import timedelta

from everyline.calls import recordings, sealing
from everyline.calls.queries import statements
from everyline.channel_registry import calling
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.speech.errors import CannotHear, NothingHears
from everyline.speech.hearing import Ear

log = logging.getLogger(__name__)

YOUNGEST = timedelta(days=30)  # what is older when a model is first there stays as it is
TAKEN_FOR = timedelta(hours=2)  # then whoever heard it is gone


async def hear_next(ground: Ground, ear: Ear) -> bool:
    """Write down what was said in the newest recording or voicemail that nobody has heard; false when there is none, or when another
    process hears one now. What cannot be heard is not tried again."""
    at = now()
    times = {"at": at, "since": at - YOUNGEST, "taken": at - TAKEN_FOR}
    async with ground.database.transaction() as tx:
        row = await tx.first(statements.take_unheard, {**times, "channels": calling()})
    if row is None:
        return False
    words, failure = "", ""
    try:
        words = await ear.hear(await _sound(ground, row), row.language)
    except NothingHears as error:  # the model, or this sound: it is tried once more, much later
        log.warning("nothing is heard for now: %s", error)
        async with ground.database.transaction() as tx:
            await tx.execute(
                statements.hear_again, {"file_hash": row.file_hash, "at": now(), "failure": str(error)[:300]}
            )
        return False
    except (CannotHear, OSError, sealing.Broken, wave.Error, EOFError) as error:
        failure = str(error) or type(error).__name__
        log.warning("what was said could not be heard: %s", failure)
    async with ground.database.transaction() as tx:
        await tx.execute(statements.is_heard, {"file_hash": row.file_hash, "at": now(), "failure": failure[:300]})
        if words:
            write = statements.transcribe_recording if row.recording_id else statements.transcribe_message
            await tx.execute(write, {"id": row.recording_id or row.message_id, "words": words})
            await events.record(tx, "interaction.transcribed", case_id=row.case_id, interaction_id=row.interaction_id)
    return True


async def _sound(ground: Ground, row: Row) -> bytes:
    if row.recording_id:
        return (await recordings.open_one(ground, row)).samples
    content = await ground.files.read(row.file_hash)
    return await asyncio.to_thread(_plain, content)


def _plain(content: bytes) -> bytes:
    with wave.open(io.BytesIO(content)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (8000, 1, 2):
            raise CannotHear("it is not as a telephone sounds")
        found: bytes = file.readframes(file.getnframes())
    return found
