"""Changes of rate. ``Fewer`` and ``More`` go by a whole factor and remember what went before; ``at_rate`` takes a whole sound."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media.g711 import Samples

Floats: TypeAlias = NDArray[np.float32]
REACH = 12  # samples of the lower rate that the filter looks back and forward


@cache
def _filter(factor: int) -> Floats:
    """A low pass at half the lower rate: a windowed sinc of ``2 * REACH * factor`` taps and one, with sum 1."""
    at = np.arange(-REACH * factor, REACH * factor + 1) / factor
    taps = np.sinc(at * 0.94) * np.kaiser(len(at), 6.5)
    found: Floats = (taps / taps.sum()).astype(np.float32)
    return found


class Fewer:
    """Divides the rate by ``factor``; a frame's length must be a multiple of it. Delays by REACH samples given."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._before: Floats = np.zeros(2 * REACH * factor, np.float32)

    def __call__(self, samples: Floats) -> Floats:
        """The next samples at the lower rate."""
        whole = np.concatenate([self._before, samples.astype(np.float32)])
        self._before = whole[-2 * REACH * self._factor :]
        # the last sample of each group, so that nothing has to be waited for
        found: Floats = np.convolve(whole, _filter(self._factor), "valid")[:: self._factor]
        return found


class More:
    """Multiplies the rate by ``factor``. Delays by REACH samples taken."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._before: Floats = np.zeros(2 * REACH * factor, np.float32)

    def __call__(self, samples: Floats) -> Floats:
        """The next samples at the higher rate."""
        spread = np.zeros(len(samples) * self._factor, np.float32)
        spread[:: self._factor] = samples
        whole = np.concatenate([self._before, spread])
        self._before = whole[-2 * REACH * self._factor :]
        found: Floats = np.convolve(whole, _filter(self._factor) * self._factor, "valid")
        return found


def at_rate(samples: Samples, rate: int, wanted: int) -> Samples:
    """A whole sound at another rate, without delay (for files; a second of sound takes some milliseconds)."""
    if rate == wanted or not len(samples):
        return samples
    step, band = rate / wanted, min(1.0, wanted / rate) * 0.94
    reach = int(np.ceil(16 / band))
    offsets = np.arange(-reach, reach + 1)
    padded = np.concatenate([np.zeros(reach + 1), samples, np.zeros(reach + 2)])
    found = np.empty(int(len(samples) / step), np.int16)
    for begin in range(0, len(found), 8192):
        at = np.arange(begin, min(begin + 8192, len(found))) * step
        whole = at.astype(np.int64)
        distance = offsets[None, :] - (at - whole)[:, None]
        weights = np.sinc(distance * band) * band * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / (reach + 1), -1, 1)))
        picked = padded[whole[:, None] + offsets[None, :] + reach + 1]
        found[begin : begin + len(at)] = np.clip((picked * weights).sum(1), -32768, 32767)
    return found
