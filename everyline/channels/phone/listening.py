"""What a caller says in a turn: cut out of their sound, made into words, and told to whoever drives the turn."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from everyline.media.utterances import Began, Endpointer, Utterance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from everyline.channels.phone.call import OneCall
    from everyline.channels.phone.conversation import Conversation

SURE = 0.35  # mean probability of what was written: of 24 answers that were read by eSpeak NG, all below it were wrong
WORDS_PAUSE, LONG_PAUSE = 0.7, 1.2  # seconds, see ``media.utterances``


@dataclass(frozen=True, slots=True)
class Said:
    """What came of something that was said; ``deaf``: it could not be heard."""

    text: str = field(default="", repr=False)
    sure: bool = True
    deaf: bool = False


News: TypeAlias = Began | Said


class Listening:
    """To one turn, from ``begin`` to ``end``. ``next`` says what happened; while ``busy`` something is said, or being made out."""

    def __init__(self, call: OneCall, conversation: Conversation) -> None:
        self._call, self._conversation = call, conversation
        self._ends: Endpointer = call.ends_of_speech
        self._news: deque[News] = deque()
        self._some = asyncio.Event()
        self._speaking = False
        self._pause, self._over = 0.0, False
        self._hearing: set[asyncio.Task[None]] = set()
        self._before: asyncio.Task[None] | None = None  # what was said first is told first

    @property
    def busy(self) -> bool:
        """Is something said, or made out, or waiting to be told?"""
        return self._speaking or bool(self._hearing) or bool(self._news)

    def begin(self) -> None:
        """Listen from now on, as the turn stands."""
        self._call.leg.listener = self._frame
        self.arrange()

    def arrange(self) -> None:
        """The turn stands otherwise: a secret is never listened to."""
        if not self._conversation.hears:
            self.end()
            return
        pause = LONG_PAUSE if self._conversation.patient else WORDS_PAUSE
        over = self._conversation.interrupts and self._call.line.settings.interrupts
        if (pause, over) != (self._pause, self._over) and not self._speaking:
            self._pause, self._over = pause, over
            self._ends.begin(pause=pause, over_prompts=over)

    def end(self) -> None:
        """Listen no more; what is still made out is nobody's answer."""
        if not self._call.leg.closed and self._call.leg.listener == self._frame:
            self._call.leg.listener = None
        for task in self._hearing:
            task.cancel()
        self._speaking = False

    async def next(self) -> News:
        """What happened next."""
        while not self._news:
            self._some.clear()
            await self._some.wait()
        return self._news.popleft()

    def _tell(self, news: News) -> None:
        self._news.append(news)
        self._some.set()

    def _frame(self, said: NDArray[np.float32], played: NDArray[np.float32]) -> None:
        match self._ends.frame(said, played):
            case Began() as began:
                self._speaking = True
                self._tell(began)
            case Utterance(samples=samples):
                self._speaking = False
                if not len(samples):
                    self._tell(Said())
                    return
                task = asyncio.get_running_loop().create_task(self._hear(samples.tobytes(), self._before))
                self._before = task
                self._hearing.add(task)
                task.add_done_callback(self._hearing.discard)
            case None:
                pass

    async def _hear(self, sound: bytes, before: asyncio.Task[Any] | None) -> None:
        call = self._call
        found = await call.house.door.hear(sound, call.language, self._conversation.likely())
        if before is not None and not before.done():
            await asyncio.wait({before})
        self._tell(Said(deaf=True) if found is None else Said(found.words, found.sure >= SURE))
