"""Speech as a telephone wants it: silence around it taken away, and as loud as speech on the network is. Pure."""

from __future__ import annotations

import numpy as np

from everyline.media.g711 import RATE, Samples
from everyline.media.resampling import at_rate

LEVEL = 32768 * 10 ** (-26 / 20)  # ITU-T P.830: active speech 26 dB below what overloads
LOUDEST = 32768 * 10 ** (-3 / 20)
_BLOCK = RATE // 50  # 20 ms
_SILENT = 10 ** (-40 / 20)  # of the loudest block: what is softer at the ends is no speech
_PAUSE = 10 ** (-16 / 20)  # of the mean: what is softer is a pause within speech (after ITU-T P.56, in simple)
_BEFORE, _AFTER = RATE // 50, RATE // 10  # silence that stays, so that nothing is clipped and sentences stand apart


def shaped(samples: Samples, rate: int) -> Samples:
    """At 8 kHz, trimmed, at the usual level. What is silent stays a short silence."""
    return levelled(trimmed(at_rate(samples, rate, RATE)))


def trimmed(samples: Samples) -> Samples:
    """Without the silence at both ends, but for a little."""
    loud = _blocks(samples)
    heard = np.flatnonzero(loud > max(loud.max(initial=0.0) * _SILENT, 8.0))
    if not len(heard):
        return samples[:_AFTER]
    return samples[max(heard[0] * _BLOCK - _BEFORE, 0) : (heard[-1] + 1) * _BLOCK + _AFTER]


def levelled(samples: Samples) -> Samples:
    """As loud as speech is, measured where there is speech, and never overloaded."""
    have = active_level(samples)
    if have < 8.0:
        return samples
    peak = float(np.abs(samples.astype(np.int32)).max())
    gain = min(LEVEL / have, LOUDEST / peak)
    louder: Samples = np.clip(np.rint(samples * gain), -32768, 32767).astype(np.int16)
    return louder


def active_level(samples: Samples) -> float:
    """The root mean square of what is no pause; 0 when all is silent."""
    loud = _blocks(samples)
    if not len(loud):
        return 0.0
    mean = float(np.sqrt(np.mean(loud**2)))
    spoken = loud[loud >= mean * _PAUSE]
    return float(np.sqrt(np.mean(spoken**2))) if len(spoken) else 0.0


def _blocks(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The root mean square of each 20 ms."""
    whole = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sqrt(np.mean(whole**2, axis=1))
    return found
