"""The jitter buffers of all legs as arrays: what came is put at its frame, what is due is taken each tick.

Times are in frames of 20 ms. A frame's transit is its arrival less its number, which is the network's delay up to a constant;
the smallest of the last seconds is the fastest the network goes (and follows the drift of the two clocks), and what a frame
takes more is its lateness. The buffer keeps frames for as long as nearly all of them are late: it grows at once when one came
too late, by saying 20 ms twice as in a loss, and shrinks again after a second of too much, by fading two frames into one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media.g711 import Samples

Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Times: TypeAlias = NDArray[np.float64]

FRAME = 160  # samples at 8 kHz
SPAN = 64  # frames that a buffer can hold: 1.28 s
ABSENT = -32768  # a sample that G.711 cannot say
LEAST, MOST = 0.5, 12.0  # of the delay, in frames
ABOVE = 0.25  # kept above the lateness that was seen
FORGETS = 0.999  # a lateness seen counts half after 700 frames
WINDOW = 200  # frames after which the older of two windows of the smallest transit is given up
JUMP = 50.0  # a transit that is so far off is a stream that began anew
PATIENCE = 50  # ticks of too much delay before a frame is saved
PAUSE = 5  # ticks between two frames that are said twice without need
SILENT_AFTER = 10  # ticks without anything newer, after which a stream has paused
_FADE = np.linspace(0, 1, FRAME, dtype=np.float32)


class JitterBuffers:
    """The buffers of ``most`` legs; a row is a leg."""

    def __init__(self, most: int) -> None:
        self.ring: NDArray[np.int16] = np.empty((most, SPAN, FRAME), np.int16)
        self.play = np.full(most, -1, np.int64)  # the frame that is due, -1 before the first and in pauses
        self.newest = np.full(most, -1, np.int64)
        self.peak = np.zeros(most)
        self._low, self._low_before = np.full(most, np.inf), np.full(most, np.inf)
        self._left = np.zeros(most, np.int64)  # frames until the windows change
        self._too_much, self._since = np.zeros(most, np.int64), np.zeros(most, np.int64)
        self.late, self.said_twice, self.saved = (np.zeros(most, np.int64) for _ in range(3))
        self._all = np.arange(most)

    def open(self, row: int) -> None:
        """Make a row ready for a new stream."""
        self.begin_anew(row)
        self.peak[row] = self._since[row] = 0
        self.late[row] = self.said_twice[row] = self.saved[row] = 0

    def begin_anew(self, row: int) -> None:
        """Another stream in the same row: frames count from another moment."""
        self.ring[row] = ABSENT
        self.play[row] = self.newest[row] = -1
        self._too_much[row] = 0
        self._low[row] = self._low_before[row] = np.inf
        self._left[row] = WINDOW

    def arrived(self, rows: Rows, frames: Rows, at: Times, now: float) -> Mask:
        """Note what came, at most one frame a row; returns which of them are in time and to be put into the ring."""
        transit = at - frames
        low = np.minimum(self._low[rows], self._low_before[rows])
        anew = np.isfinite(low) & (np.abs(transit - low) > JUMP)
        self._low[rows] = np.where(anew, transit, np.minimum(self._low[rows], transit))
        self._low_before[rows] = np.where(anew, transit, self._low_before[rows])
        self._left[rows] -= 1
        over = rows[self._left[rows] <= 0]
        self._low_before[over], self._low[over], self._left[over] = self._low[over], np.inf, WINDOW
        low = np.minimum(self._low[rows], self._low_before[rows])
        self.peak[rows] = np.clip(np.maximum(self.peak[rows] * FORGETS, transit - low), 0, MOST)
        begins = anew | (self.play[rows] < 0) | (frames >= self.play[rows] + SPAN)
        if begins.any():
            first = rows[begins]
            self.ring[first] = ABSENT
            due = np.floor(now - low[begins] - np.maximum(self.peak[first] + ABOVE, LEAST))
            self.play[first] = np.clip(due, np.maximum(frames[begins] - SPAN + 1, 0), frames[begins])
            self.newest[first] = frames[begins]
        in_time: Mask = frames >= self.play[rows]
        self.late[rows] += ~in_time
        self.newest[rows] = np.maximum(self.newest[rows], frames)
        return in_time

    def put(self, rows: Rows, frames: Rows, samples: Samples) -> None:
        """Whole frames at their places."""
        self.ring[rows, frames % SPAN] = samples

    def piece_arrived(self, row: int, offset: int, samples: Samples, at: float, now: float) -> None:
        """Samples that are no whole frame: ``offset`` counts samples of the stream. What counts for the delay is when a frame
        became whole."""
        for whole in range(offset // FRAME, (offset + len(samples)) // FRAME):
            self.arrived(np.array([row]), np.array([whole]), np.array([at]), now)
        if self.play[row] < 0:
            return
        late = max(int(self.play[row]) * FRAME - offset, 0)
        places = (offset + np.arange(late, len(samples))) % (SPAN * FRAME)
        self.ring[row].reshape(-1)[places] = samples[late:]

    def delay(self, top: int, now: float) -> Times:
        """How long after the fastest possible arrival the frames that are due are played, for each row below ``top``."""
        found: Times = now - self.play[:top] - np.minimum(self._low[:top], self._low_before[:top])
        return found

    def take(self, top: int, now: float) -> tuple[NDArray[np.float32], Mask, Rows, Mask]:
        """The frames that are due: samples, which of them are missing, their numbers (-1 for none), and which were two
        that are now one."""
        play = self.play[:top]
        live = play >= 0
        rows = self._all[:top]
        some = rows[live]
        taken = self.ring[some, play[some] % SPAN]
        missing = np.zeros(top, np.bool_)
        missing[some] = (taken == ABSENT).any(1)
        lag = self.delay(top, now)
        self._since[:top] += 1
        wait = live & (lag < self.peak[:top]) & (missing | (self._since[:top] > PAUSE))
        self._since[:top][wait] = 0
        self.said_twice[:top] += wait
        go = live & ~wait
        frames: NDArray[np.float32] = np.zeros((top, FRAME), np.float32)
        frames[some] = taken
        much = go & ~missing & (lag > np.maximum(self.peak[:top] + ABOVE, LEAST) + 1.25)
        self._too_much[:top] = np.where(much, self._too_much[:top] + 1, 0)
        save = self._too_much[:top] > PATIENCE
        if save.any():
            save &= (self.ring[rows, (play + 1) % SPAN] != ABSENT).all(1)
            chosen = np.flatnonzero(save)
            following = self.ring[chosen, (play[chosen] + 1) % SPAN]
            frames[chosen] += (following - frames[chosen]) * _FADE
            self.ring[chosen, play[chosen] % SPAN] = ABSENT
            self._too_much[chosen] = 0
            self.saved[chosen] += 1
            play[chosen] += 1
        gone = np.flatnonzero(go)
        self.ring[gone, play[gone] % SPAN] = ABSENT
        numbers: Rows = np.where(go, play, -1)
        play[gone] += 1
        play[live & (play > self.newest[:top] + SILENT_AFTER)] = -1
        frames[~go | missing] = 0
        return frames, missing | wait, numbers, save
