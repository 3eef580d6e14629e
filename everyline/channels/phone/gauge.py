"""How good a party's sound is: lately, for who looks now, and over the whole call, for who looks afterwards."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from everyline.media.legs import Leg
    from everyline.media.quality import Quality

LATELY_SECONDS = 10.0
LOOK_SECONDS = 1.0  # between two marks
FEWEST = 50  # packets that say something


class Gauge:
    """What a leg counts, told as figures. A browser's leg counts all day: what it had counted before the call is left out."""

    def __init__(self) -> None:
        self._leg: Leg | None = None
        self._marks: deque[tuple[float, Quality]] = deque()  # the first of the call, then those of the last seconds

    def lately(self, leg: Leg) -> dict[str, float]:
        """Of the last seconds; as long as they say too little, of the call until now."""
        found, at = leg.quality(), monotonic()
        if self._leg is not leg:
            self._leg = leg
            self._marks.clear()
        if not self._marks or at - self._marks[-1][0] >= LOOK_SECONDS:
            self._marks.append((at, found))
        while len(self._marks) > 2 and self._marks[2][0] <= at - LATELY_SECONDS:
            del self._marks[1]
        since = self._marks[min(1, len(self._marks) - 1)][1]
        recent = found.since(since)
        return _figures(recent if recent.received + recent.lost >= FEWEST else found.since(self._marks[0][1]))

    def whole(self, leg: Leg) -> dict[str, float]:
        """Of the whole call."""
        if self._leg is not leg:
            return _figures(leg.quality())
        return _figures(leg.quality().since(self._marks[0][1]))


def _figures(found: Quality) -> dict[str, float]:
    if not found.received:
        return {}
    delay = (found.delay_ms or 0) + (found.round_trip_ms or 0) / 2
    return {
        "score": round(found.score, 2),
        "loss": round(found.loss, 4),
        "jitter_ms": round(found.jitter_ms, 1),
        "delay_ms": round(delay, 1),
    }
