"""Keys heard in the sound itself (Goertzel at eight frequencies, limits after ITU-T Q.24), for all legs that need it at once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media.dtmf import HIGH, LOW, PAD

Floats: TypeAlias = NDArray[np.float32]

BLOCK = 102  # samples: 12.75 ms, so that 40 ms of tone fill two wherever they begin, and 20 ms never do
QUIETEST = 100.0  # amplitude of either tone, about -40 dBm0
LOUDER_HIGH, LOUDER_LOW = 10**0.4, 10**0.8  # twist in power: 4 dB and 8 dB
PURE = 0.79  # part of the energy that the two tones must have: half a tone has less, and speech has it elsewhere too
ALONE = 6.0  # how much stronger a tone is than the next of its group
HITS, MISSES = 2, 3  # blocks that begin a key and that end it: a gap of 10 ms ends none, a pause of 40 ms does

_AT = np.arange(BLOCK)
_WAVES = np.array([np.exp(-2j * np.pi * hertz * _AT / 8000) for hertz in (*LOW, *HIGH)]).T.astype(np.complex64)
_REAL, _IMAGINARY = np.ascontiguousarray(_WAVES.real), np.ascontiguousarray(_WAVES.imag)
_KEYS = np.array([list(row) for row in PAD])


class ToneKeys:
    """Listens to ``most`` legs; those that are asked for at a tick hear one common rhythm of blocks."""

    def __init__(self, most: int) -> None:
        self._rest: Floats = np.zeros((most, BLOCK), np.float32)
        self._kept = 0  # samples of the rest that count, the same for all
        self._seen, self._hits = np.full(most, -1, np.int64), np.zeros(most, np.int64)
        self._down, self._misses = np.full(most, -1, np.int64), np.zeros(most, np.int64)

    def open(self, row: int) -> None:
        """Forget what another leg sent in this row."""
        self._rest[row] = self._hits[row] = self._misses[row] = 0
        self._seen[row] = self._down[row] = -1

    def hear(self, rows: NDArray[np.int64], frames: Floats) -> list[tuple[int, str]]:
        """The rows in which a key went down in these 20 ms, with the key."""
        whole = np.concatenate([self._rest[rows, : self._kept], frames], axis=1)
        blocks = whole.shape[1] // BLOCK
        found: list[tuple[int, str]] = []
        for number in range(blocks):
            found += self._block(rows, whole[:, number * BLOCK : (number + 1) * BLOCK])
        self._kept = whole.shape[1] - blocks * BLOCK
        self._rest[rows, : self._kept] = whole[:, blocks * BLOCK :]
        return found

    def _block(self, rows: NDArray[np.int64], block: Floats) -> list[tuple[int, str]]:
        power = (block @ _REAL) ** 2 + (block @ _IMAGINARY) ** 2
        groups = power.reshape(-1, 2, 4)
        order = np.sort(groups, axis=2)
        best, low, high = groups.argmax(2), order[:, 0, 3], order[:, 1, 3]
        # a sine of amplitude a has the power (a * BLOCK / 2)², and the energy a² * BLOCK / 2
        is_key = (
            (np.minimum(low, high) > (QUIETEST * BLOCK / 2) ** 2)
            & (high < low * LOUDER_HIGH)
            & (low < high * LOUDER_LOW)
            & (order[:, :, 3] > order[:, :, 2] * ALONE).all(1)
            & ((low + high) * 2 / BLOCK > PURE * (block**2).sum(1))
        )
        code = np.where(is_key, best[:, 0] * 4 + best[:, 1], -1)
        same = (code >= 0) & (code == self._seen[rows])
        self._hits[rows] = np.where(same, self._hits[rows] + 1, code >= 0)
        self._seen[rows] = code
        down = self._down[rows]
        self._misses[rows] = np.where(code == down, 0, self._misses[rows] + 1)
        down = np.where(self._misses[rows] >= MISSES, -1, down)
        begins = (self._hits[rows] >= HITS) & (code != down)
        self._down[rows] = np.where(begins, code, down)
        self._misses[rows[begins]] = 0
        return [(int(rows[n]), str(_KEYS[code[n] // 4, code[n] % 4])) for n in np.flatnonzero(begins)]
