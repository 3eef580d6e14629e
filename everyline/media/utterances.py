"""Where what somebody says begins and ends, frame by frame of 20 ms. Pure.

Levels are in dB below overload (dBov); speech on telephone lines is around -26, from -36 to -16 (ITU-T P.56, G.169).

* The floor of noise follows quiet frames at once half the way, and louder ones by 3 dB a second: the pauses of speech hold it down.
* Something is said when 4 of 6 frames are 10 dB above the floor and above -45: a click of 60 ms is not. What was heard 240 ms before
  belongs to it, since words begin softly. It ends with ``pause`` seconds within 6 dB of the floor; in words that were read by eSpeak
  NG at its usual speed no gap was longer than 0.3 s, and people who look for a number make longer ones: 0.7 s for words, 1.2 s for digits.
* Over what is played its echo comes back from the line, at least 6 dB below it (ITU-T G.168) and up to 400 ms later. How much below is learnt from
  each 0.7 s in which something was played: the largest loss of the last ten such times counts, as what the caller says only
  makes it look smaller. With less than 12 dB nothing is taken for speech until it is quiet; with more, it must be 6 dB above the
  echo, for 10 of 12 frames.
* After 15 s it is cut: longer answers are stories, which a person hears.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from everyline.media.g711 import Samples

QUIETEST = -80.0
LEAST = -45.0  # dBov of anything that is said
ABOVE, WITHIN = 10.0, 6.0  # dB over the floor: where speech begins, and under which it is over
RISE = 0.06  # dB a frame
BEGINS, OF = 4, 6  # frames
OVER_PROMPTS, OF_PROMPTS = 10, 12
BEFORE = 12  # frames
AFTER = 10  # frames of the pause that are kept
SHORTEST = 6  # loud frames, else it was nothing
LONGEST = 750  # frames
TAIL = 20  # frames until an echo is gone
PLAYED = -45.0  # dBov: more than silence is played
LEAST_LOSS, MARGIN, FIRST_LOSS = 12.0, 6.0, 6.0
LEARNT = 35  # frames from which a loss is learnt
_OVERLOAD = 32768.0**2


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody has begun to say something."""


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What was said, at 8 kHz; without samples when it was nothing after all."""

    samples: Samples


def level(frame: NDArray[np.float32]) -> float:
    """dBov."""
    power = float(np.dot(frame, frame)) / len(frame)
    return max(10 * float(np.log10(power / _OVERLOAD)), QUIETEST) if power > 0 else QUIETEST


class Endpointer:
    """One caller's. What it has learnt of the line stays from turn to turn; ``begin`` starts another turn."""

    def __init__(self) -> None:
        self.floor = -60.0
        self._losses: deque[float] = deque(maxlen=10)
        self._couplings: list[float] = []
        self._played: deque[float] = deque(maxlen=TAIL)
        self.begin()

    def begin(self, *, pause: float = 0.7, over_prompts: bool = True) -> None:
        """Listen anew. What was being said is forgotten."""
        self._pause, self._over_prompts = round(pause * 50), over_prompts
        self._before: deque[Samples] = deque(maxlen=BEFORE)
        self._loud: deque[bool] = deque(maxlen=OF_PROMPTS)
        self._said: list[Samples] | None = None
        self._quiet = self._loud_frames = 0

    @property
    def loss(self) -> float:
        """By how many dB the line weakens what is played to it."""
        return max(self._losses) if self._losses else FIRST_LOSS

    def frame(self, said: NDArray[np.float32], played: NDArray[np.float32] | None = None) -> Began | Utterance | None:
        """20 ms of what is said, and of what was played meanwhile."""
        heard = level(said)
        self._played.append(QUIETEST if played is None else level(played))
        echoed = max(self._played)
        if echoed > PLAYED:
            self._learn(heard - echoed)
        samples = said.astype(np.int16)
        if self._said is not None:
            return self._goes_on(heard, samples)
        self._before.append(samples)
        loud = heard > self._begins_at(echoed)
        self._loud.append(loud)
        if not loud:
            self._follow(heard)
        many, of = (OVER_PROMPTS, OF_PROMPTS) if echoed > PLAYED else (BEGINS, OF)
        if loud and sum(list(self._loud)[-of:]) >= many:
            self._said, self._quiet = list(self._before), 0
            self._loud_frames = many
            return Began()
        if loud:
            self._follow(heard)
        return None

    def _begins_at(self, echoed: float) -> float:
        plain = max(self.floor + ABOVE, LEAST)
        if echoed <= PLAYED:
            return plain
        if not self._over_prompts or self.loss < LEAST_LOSS:
            return 0.0
        return max(plain, echoed - self.loss + MARGIN)

    def _goes_on(self, heard: float, samples: Samples) -> Utterance | None:
        assert self._said is not None
        self._said.append(samples)
        self._follow(heard)
        loud = heard > max(self.floor + WITHIN, LEAST - ABOVE + WITHIN)
        self._loud_frames += loud
        self._quiet = 0 if loud else self._quiet + 1
        if self._quiet < self._pause and len(self._said) < LONGEST:
            return None
        kept = self._said[: len(self._said) - max(self._quiet - AFTER, 0)]
        found = kept if self._loud_frames >= SHORTEST else []
        self._said = None
        self._loud.clear()
        self._before.clear()
        return Utterance(np.concatenate(found) if found else np.zeros(0, np.int16))

    def _follow(self, heard: float) -> None:
        self.floor = (self.floor + heard) / 2 if heard < self.floor else min(self.floor + RISE, LEAST + ABOVE)

    def _learn(self, coupling: float) -> None:
        self._couplings.append(coupling)
        if len(self._couplings) >= LEARNT:
            self._losses.append(-float(np.percentile(self._couplings, 95)))
            self._couplings.clear()
