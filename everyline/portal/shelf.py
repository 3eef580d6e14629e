"""What one web process remembers of articles between two pages, for as long as nothing changes.

Everything is forgotten as soon as an event says that an article, a category or a line is another one now, which is within
milliseconds of the change; and after ``seconds`` in any case, should an event not come.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from everyline.ground.events import Event

T = TypeVar("T")

MOST = 2000  # things remembered
SECONDS = 20.0
# what happens to an article a thousand times between two changes, and shows on no page
_HARMLESS = frozenset(
    f"article.{one}"
    for one in (
        "viewed",
        "voted",
        "used",
        "deflected",
        "flagged",
        "flag_settled",
        "feedback_settled",
        "written",
        "opened",
    )
)
_NOUNS = ("article", "category", "line", "queue", "hours", "brand", "flow")


def changes(event: Event) -> bool:
    """May a page look different after this?"""
    return event.kind.partition(".")[0] in _NOUNS and event.kind not in _HARMLESS


class Shelf:
    """Remembered things by their key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._kept)

    def hear(self, batch: Sequence[Event]) -> None:
        """Forget everything when one of these events changes something."""
        if any(map(changes, batch)):
            self.forget()

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._turn += 1
        self._kept.clear()

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]], *, seconds: float = SECONDS) -> T:
        """What is remembered under a key, or what ``read`` returns. What was read while something changed is not kept."""
        held = self._kept.get(key)
        if held is not None and held[0] > time.monotonic():
            self._kept.move_to_end(key)
            found: T = held[1]
            return found
        turn = self._turn
        found = await read()
        if turn == self._turn:
            self._kept[key] = (time.monotonic() + seconds, found)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
