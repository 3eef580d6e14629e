"""What is heard where a frame is missing, in the spirit of ITU-T G.711 Appendix I: the last pitch period goes on, fades
after 10 ms and is silent after 60, and the next real frame is faded in. For all legs at once; the cost is that of losses."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

FRAME = 160
SHORTEST, LONGEST = 40, 120  # samples of a pitch period: 200 to 66 Hz
KEPT = 3 * FRAME
FADES_AFTER, FADES_FOR = 80, 400  # samples
MERGED = 48  # samples in which a real frame takes over
_AT = np.arange(FRAME)
_IN = np.linspace(0, 1, MERGED, dtype=np.float32)


class Concealment:
    """What was heard last of ``most`` legs, and how it goes on."""

    def __init__(self, most: int) -> None:
        self._heard: Floats = np.zeros(
            (KEPT // FRAME, most, FRAME), np.float32
        )  # in turns, the oldest being written over
        self._turn = 0
        self._cycle: Floats = np.zeros((most, LONGEST), np.float32)
        self._period = np.full(most, SHORTEST, np.int64)
        self._run = np.zeros(most, np.int64)  # frames that were made up without a real one between
        self.concealed = np.zeros(most, np.int64)

    def open(self, row: int) -> None:
        """Forget what another leg said in this row."""
        self._heard[:, row] = 0
        self._run[row] = self.concealed[row] = 0

    def apply(self, frames: Floats, missing: NDArray[np.bool_]) -> None:
        """Fill in, in place, the frames that are missing, and fade in those that follow."""
        top = len(frames)
        run = self._run[:top]
        begins = np.flatnonzero(missing & (run == 0))
        if len(begins):
            self._find_period(begins)
        back = np.flatnonzero(~missing & (run > 0))
        if len(back):
            frames[back, :MERGED] = frames[back, :MERGED] * _IN + self._gone_on(back)[:, :MERGED] * (1 - _IN)
            run[back] = 0
        gone = np.flatnonzero(missing)
        if len(gone):
            frames[gone] = self._gone_on(gone)
            run[gone] += 1
            self.concealed[gone] += 1
        self._heard[self._turn, :top] = frames
        self._turn = (self._turn + 1) % len(self._heard)

    def _find_period(self, rows: NDArray[np.int64]) -> None:
        """The shift at which the last 20 ms are most like what was before them; and one period, made to join its own end."""
        order = [(self._turn + n) % len(self._heard) for n in range(len(self._heard))]
        heard = np.concatenate([self._heard[n, rows] for n in order], axis=1)
        shifted = sliding_window_view(heard[:, KEPT - FRAME - LONGEST : KEPT - SHORTEST], FRAME, axis=1)
        alike = np.einsum("rsj,rj->rs", shifted, heard[:, -FRAME:])
        energy = np.einsum("rsj,rsj->rs", shifted, shifted)
        periods = LONGEST - np.argmax(alike / np.sqrt(energy + 1), axis=1)
        self._period[rows] = periods
        for row, period, sound in zip(rows.tolist(), periods.tolist(), heard, strict=True):
            cycle, joint = sound[-period:].copy(), period // 4
            fade = np.linspace(0, 1, joint, dtype=np.float32)
            cycle[-joint:] += (sound[-period - joint : -period] - cycle[-joint:]) * fade
            self._cycle[row, :period] = cycle

    def _gone_on(self, rows: NDArray[np.int64]) -> Floats:
        at = self._run[rows, None] * FRAME + _AT
        loud = np.clip(1 - (at - FADES_AFTER) / FADES_FOR, 0, 1).astype(np.float32)
        found: Floats = self._cycle[rows[:, None], at % self._period[rows, None]] * loud
        return found
