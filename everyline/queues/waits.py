"""How long somebody will wait: by their place and by how fast entries went into service just now.

The method. Let the last n entries of the queue (at most 20, of the last half hour) have gone into service since the moment
t. Then one goes every m = (now - t) / n seconds, and who stands at place k waits about k * m. The time since the last one counts as
well, so the estimate grows when service stalls. It needs no model of agents or of handle times, it knows the place, and it is exact in a
steady flow; after a sudden change it lags by the window (Ibrahim and Whitt, *Real-time delay estimation based on delay
history*, M&SOM 11(3), 2009, compare such estimators).

The range. If entries go into service at random at that pace, the time until the k-th is a gamma variable of shape k; its
20 % and 80 % points (Wilson and Hilferty, 1931) are announced, rounded up. It is what is still ahead: together with what
was waited it can never be less than that. Without three entries in the window there is no estimate: nothing is better than a guess. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_SECONDS = 1800.0
MOST = 20
FEWEST = 3
_Z = 0.8416  # the normal distribution's 80 % point


@dataclass(frozen=True, slots=True)
class Expected:
    """A wait from now on, in seconds: the estimate, and the range that is announced."""

    seconds: float
    low: float
    high: float


def expect(place: int, served_at: Sequence[float], now: float) -> Expected | None:
    """The wait, from now on, of who stands at ``place`` (1: next). ``served_at``: when entries of the queue went into
    service, in seconds since the epoch, in any order. None when too few did."""
    lately = sorted((at for at in served_at if now - WINDOW_SECONDS <= at <= now), reverse=True)[:MOST]
    if len(lately) < FEWEST or place < 1:
        return None
    # n gaps end in n entries: the first entry of the window only opens it
    pace = max(now - lately[-1], 0.001) / (len(lately) - 1)
    seconds = place * pace
    low, high = (_quantile(place, z) * pace for z in (-_Z, _Z))
    return Expected(seconds, low, max(high, seconds))


def _quantile(shape: int, z: float) -> float:
    """A point of the gamma distribution of this shape and scale 1 (Wilson and Hilferty)."""
    part = 1 / (9 * shape)
    return float(shape * max(1 - part + z * part**0.5, 0) ** 3)


def rounded(seconds: float) -> int:
    """As it is said: to half minutes up to five, to minutes up to a quarter of an hour, to five minutes beyond."""
    step = 30 if seconds < 300 else 60 if seconds < 900 else 300
    return int(-(-seconds // step) * step)
