"""How often somebody may do something, in one process: buckets that fill again with time. A flood of one visitor empties only
their own; behind one network address may sit a whole school, so its bucket is large and counts new talks only."""

from __future__ import annotations

import time
from collections import OrderedDict

MOST = 20_000  # buckets; the one that was used longest ago is forgotten


class Buckets:
    """One bucket for each name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, when

    def wait(self, name: str, *, most: float, seconds: float) -> float:
        """Take one; 0, or the seconds until there is one again. ``most`` fit, and come back within so many seconds."""
        at = time.monotonic()
        left, then = self._kept.pop(name, (most, at))
        left = min(left + (at - then) * most / seconds, most)
        wait = 0.0 if left >= 1 else (1 - left) * seconds / most
        self._kept[name] = (left - 1 if not wait else left, at)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return wait
