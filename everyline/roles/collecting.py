"""When Python looks for rubbish. What a process loads at its start stays for its life: looking through it while it is loaded takes
a third of the start, and looking through it again and again later a tenth of a page."""

from __future__ import annotations

import gc

THRESHOLDS = 20_000, 20, 20  # see gc.set_threshold


def pause() -> None:
    """Look for none until ``resume``."""
    gc.disable()


def resume() -> None:
    """All that is there now stays; look for rubbish among what comes."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
