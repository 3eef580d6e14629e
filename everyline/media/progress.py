"""Tones that tell how a call goes: ringing, no success, and the one after which one speaks (North American plan)."""

from __future__ import annotations

import functools

import numpy as np

from everyline.media.g711 import RATE
from everyline.media.sounds import Sound


@functools.cache
def ringing() -> Sound:
    """It rings elsewhere: two seconds of tone, four of silence."""
    return _tones((440, 480), 2, 4, "ringing")


@functools.cache
def busy() -> Sound:
    """The call did not go through."""
    return _tones((480, 620), 0.5, 0.5, "busy")


@functools.cache
def beep() -> Sound:
    """Speak now."""
    return _tones((1000,), 0.4, 0, "tone")


def _tones(hertz: tuple[int, ...], seconds: float, pause: float, name: str) -> Sound:
    at = np.arange(round(seconds * RATE)) / RATE
    tone = sum((5000 / len(hertz) * np.sin(2 * np.pi * one * at) for one in hertz), np.zeros(len(at)))
    return Sound.of(np.concatenate([tone, np.zeros(round(pause * RATE))]).astype(np.int16), name=name)
