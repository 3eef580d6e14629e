"""What callers answer, made into words while they wait for it: a few at a time, and nobody waits long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from everyline.ground.settings import Settings
from everyline.speech.errors import CannotHear, TooBusy
from everyline.speech.hearing import Ear, Understood

log = logging.getLogger(__name__)
MOST_WAITING = 6
LONGEST_WAIT = 5.0  # seconds; who waits longer thinks that nobody is there
NICE = 5  # before transcripts, after what moves sound
HANGS = 30.0  # seconds, after which it is started anew


class Answers:
    """One process hears them, one after the other. Who does not wait for theirs any more frees the place, unless it is being heard: that
    goes on to its end, for a process that is loaded anew costs all others more."""

    def __init__(self, ear: Ear, *, most: int = MOST_WAITING, seconds: float = LONGEST_WAIT) -> None:
        self._ear, self._most, self._seconds = ear, most, seconds
        self._turn = asyncio.Lock()
        self._begun: set[asyncio.Task[Understood]] = set()
        self._waiting: set[asyncio.Task[Understood]] = set()
        self._warmed = False

    @classmethod
    def installed(cls, settings: Settings) -> Answers | None:
        """With the model that this installation has."""
        ear = Ear.installed(settings, nice=NICE, seconds=HANGS)
        return cls(ear) if ear is not None else None

    def knows(self, language: str) -> bool:
        """Does it hear this language? The model is loaded when somebody asks for the first time."""
        known = self._ear.knows(language)
        if known and not self._warmed:
            self._warmed = True
            self._task(bytes(3200), language, ())
        return known

    async def hear(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood:
        """The words of an answer. TooBusy, CannotHear."""
        if len(self._waiting) >= self._most:
            raise TooBusy("too many wait already")
        task = self._task(sound, language, likely)
        try:
            await asyncio.wait({task}, timeout=self._seconds)
            if not task.done():
                raise TooBusy("it takes too long")
            return task.result()
        finally:
            if task not in self._begun:
                task.cancel()

    def _task(self, sound: bytes, language: str, likely: Sequence[str]) -> asyncio.Task[Understood]:
        task = asyncio.create_task(self._one(sound, language, likely), name="an answer is heard")
        self._waiting.add(task)
        task.add_done_callback(self._over)
        return task

    async def _one(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood:
        async with self._turn:
            me = asyncio.current_task()
            assert me is not None
            self._begun.add(me)
            return await self._ear.answer(sound, language, likely)

    def _over(self, task: asyncio.Task[Understood]) -> None:
        self._waiting.discard(task)
        self._begun.discard(task)
        if not task.cancelled() and isinstance(fault := task.exception(), CannotHear):
            log.warning("an answer was not heard: %s", fault)

    async def end(self) -> None:
        """Hear no more."""
        tasks = list(self._waiting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ear.end()
