"""What all calls of a process share: the door, the exchange, the lines, and a folder for recordings that go on."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from everyline.channel_contract import Line
from everyline.media.sounds import Music, Sound
from everyline.sip.guard import Rate

if TYPE_CHECKING:
    from everyline.call_contract import CallDoor
    from everyline.channels.phone.call import OneCall
    from everyline.media.engine import Engine
    from everyline.sip.exchange import SipExchange

log = logging.getLogger(__name__)
T = TypeVar("T")
END_SECONDS = 5.0
MOST_ENDED = 300  # calls whose wires are remembered, as many as the exchange keeps messages of
MOST_MUSIC = 50  # kinds of music that are kept ready


@dataclass(frozen=True, slots=True)
class Wired:
    """The wire of one party: by which names its messages are found."""

    name: str
    shown: str
    trunk: str
    ids: tuple[str, ...]


class House:
    """One process that takes and makes calls."""

    def __init__(self, door: CallDoor, folder: Path) -> None:
        self.door, self.folder = door, folder
        self.lines: Sequence[Line] = ()
        self.calls: dict[str, OneCall] = {}
        self.ended: OrderedDict[str, tuple[Wired, ...]] = OrderedDict()  # the wires of the latest calls that are over
        self.empty = asyncio.Event()  # no call goes on
        self.empty.set()
        self.closing = False  # no new calls are taken or made
        self.calls_by_telephone = 10.0  # that one of ours may begin in a minute
        self.rates: dict[str, Rate] = {}  # by telephone
        self.exchange: SipExchange
        self._music: dict[Sound, Music] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def remember(self, key: str, wires: tuple[Wired, ...]) -> None:
        """A call is over: its wires can be looked up for a while."""
        self.ended[key] = wires
        if len(self.ended) > MOST_ENDED:
            self.ended.popitem(last=False)

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        return self.door.engine

    def begins(self, call: OneCall) -> None:
        """A call goes on from now on."""
        self.calls[call.key] = call
        self.empty.clear()

    def ends(self, call: OneCall) -> None:
        """It is over."""
        self.calls.pop(call.key, None)
        if not self.calls:
            self.empty.set()

    def music(self, sound: Sound) -> Music:
        """A sound without end; the same sound is the same music for all who hear it."""
        found = self._music.get(sound)
        if found is None:
            if len(self._music) >= MOST_MUSIC:
                self._music.pop(next(iter(self._music)))
            found = self._music[sound] = Music(sound)
        return found

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run something that goes on by itself; what falls over is logged."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("%s fell over", task.get_name(), exc_info=fault)

    async def end(self) -> None:
        """Let what goes on come to its end for a moment, then cancel it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
