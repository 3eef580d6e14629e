"""Changes of rate. ``Fewer`` and ``More`` go by a whole factor and remember what went before; ``at_rate`` takes a whole sound."""

from __future__ import annotations

from functools import cache, lru_cache
from math import gcd
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    common = gcd(rate, wanted)
    table, reach = _phases(rate // common, wanted // common)
    every, phases = rate // common, wanted // common
    padded = np.concatenate([np.zeros(reach + 1), samples, np.zeros(reach + 2)]).astype(np.float32)
    found = np.empty(len(samples) * wanted // rate, np.int16)
    for begin in range(0, len(found), 8192):
        number = np.arange(begin, min(begin + 8192, len(found)))
        first = number * every // phases + 1  # of the samples that it is made of
        windows = sliding_window_view(padded, 2 * reach + 1)[first]
        weighed = np.einsum("ij,ij->i", windows, table[number % phases])
        found[begin : begin + len(number)] = np.clip(weighed, -32768, 32767)
    return found


@lru_cache(maxsize=16)
def _phases(every: int, phases: int) -> tuple[Floats, int]:
    """Weights of the samples around each place between two of them that a new sample falls on, and how many there are on each
    side. ``every`` samples become ``phases``."""
    band = min(1.0, phases / every) * 0.94
    reach = int(np.ceil(16 / band))
    number = np.arange(phases)
    distance = np.arange(-reach, reach + 1)[None, :] - ((number * every % phases) / phases)[:, None]
    weights = np.sinc(distance * band) * band * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / (reach + 1), -1, 1)))
    return weights.astype(np.float32), reach
