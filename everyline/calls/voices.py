"""What callers hear of the house: words by a recording of the house's own, else by a voice; music."""

from __future__ import annotations

import asyncio
import logging

import numpy as np
from sqlalchemy import select

from everyline.calls import prompts
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.media.errors import BadSound
from everyline.media.g711 import RATE, Samples
from everyline.media.sounds import Sound
from everyline.queues.models import Queue
from everyline.speech.errors import CannotSpeak
from everyline.speech.speaker import Speaker, tone

log = logging.getLogger(__name__)

KEPT = 500  # recordings of the house in memory


class HouseVoices:
    """For one process that moves sound."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._speaker = Speaker.installed(ground.settings)
        self._recorded: dict[str, Sound] = {}
        self._music = Sound(piece(), "music")

    async def sound(self, words: str, language: str, otherwise: str) -> Sound:
        """As ``CallDoor.sound``."""
        async with self._ground.database.transaction() as tx:
            digest = await prompts.find(tx, words, language)
        if digest is not None:
            return await self._recording(digest)
        if language not in self._speaker.languages():
            language = otherwise
        try:
            return await self._speaker.sound(words, language)
        except CannotSpeak as error:
            log.warning("these words cannot be spoken in %s: %s", language, error)
            return tone()

    async def _recording(self, digest: str) -> Sound:
        found = self._recorded.get(digest)
        if found is None:
            content = await self._ground.files.read(digest)
            found = await asyncio.to_thread(Sound.read, content, name=digest[:8])
            while len(self._recorded) >= KEPT:
                self._recorded.pop(next(iter(self._recorded)))
            self._recorded[digest] = found
        return found

    async def music(self, queue: str) -> Sound:
        """As ``CallDoor.music``. Whatever is wrong with a queue's own piece, nobody waits in silence."""
        try:
            async with self._ground.database.transaction() as tx:
                digest = await tx.value(select(Queue.music_hash).where(Queue.name == queue))
            return await self._recording(digest) if digest else self._music
        except (DatabaseError, OSError, BadSound) as error:
            log.warning("the music of the queue %s cannot be played: %s", queue, error)
            return self._music

    async def end(self) -> None:
        """Speak no more."""
        await self._speaker.end()


def piece() -> Samples:
    """A quiet piece of our own, about half a minute that begins where it ends: broken chords, plucked, with nothing above the band of a
    telephone."""
    chords = (
        (0, 4, 7, 11),
        (9, 12, 16, 19),
        (5, 9, 12, 16),
        (7, 11, 14, 17),
        (4, 7, 11, 14),
        (9, 12, 16, 21),
        (2, 5, 9, 12),
        (7, 11, 14, 19),
    )
    beat = int(0.45 * RATE)
    order = (0, 1, 2, 3, 2, 1, 2, 3)
    whole = np.zeros(len(chords) * len(order) * beat, np.float32)
    decay = int(1.8 * RATE)
    time = np.arange(decay) / RATE
    fades = np.exp(-time * 2.4) * np.minimum(time * 200, 1)
    for n in range(len(chords) * len(order)):
        chord = chords[n // len(order)]
        pitch = 220.0 * 2 ** (chord[order[n % len(order)]] / 12)
        tone = (
            np.sin(2 * np.pi * pitch * time)
            + 0.35 * np.sin(4 * np.pi * pitch * time)
            + 0.12 * np.sin(6 * np.pi * pitch * time)
        ) * fades
        at = np.arange(n * beat, n * beat + decay) % len(whole)
        whole[at] += tone.astype(np.float32)
    return np.asarray(whole / np.abs(whole).max() * 4000, np.int16)
