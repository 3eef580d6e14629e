"""Tones and what is heard of them."""

from __future__ import annotations

import numpy as np

from everyline.media.g711 import Samples


def tone(hertz: float, seconds: float, *, rate: int = 8000, loud: float = 8000, begin: int = 0) -> Samples:
    """A sine of this amplitude, as if it had begun ``begin`` samples before."""
    at = np.arange(begin, begin + round(seconds * rate))
    return np.round(loud * np.sin(2 * np.pi * hertz * at / rate)).astype(np.int16)


def level(samples: Samples, hertz: float, *, rate: int = 8000) -> float:
    """Half the amplitude with which a frequency is in the samples (Hann window)."""
    window = np.hanning(len(samples))
    at = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / rate)
    return float(np.abs((samples * window * at).sum()) / window.sum())


def purity(samples: Samples, hertz: float, *, rate: int = 8000) -> float:
    """Which part of the energy lies within 20 Hz of a frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / rate) - hertz) <= 20
    return float(spectrum[near].sum() / max(spectrum.sum(), 1))
