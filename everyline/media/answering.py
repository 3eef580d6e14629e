"""Did a person answer, or a machine? Told by the first seconds of what is heard, 20 ms at a time. Pure: no clock, no I/O.

Who answers a telephone says a word or a name and then waits; a machine speaks on. The rule and its figures are those of Asterisk's
``app_amd`` (``configs/samples/amd.conf.sample``), with what is otherwise here said below. In this order:

* A tone of one frequency, 300 to 2200 Hz, for 240 ms: **machine**. (Not in Asterisk. Most mailboxes have a tone between 400 and 1400 Hz, fax
  machines one of 2100 Hz (ITU-T T.30), and what is said before a number that is not in service begins with three from 914 to 1777 Hz (ITU-T E.180).)
* The greeting, from its first word to 800 ms of silence (``after_greeting_silence``), takes longer than 2400 ms: **machine**, as soon as it does.
  (``greeting`` is 1500 ms there: by that, people who say their name and their firm are machines. Words are not counted, as
  ``maximum_number_of_words`` does: two words of a name are more than that.)
* 800 ms of silence after a shorter greeting: **person**.
* 2500 ms of silence before any (``initial_silence``): **unsure**. (A machine there. Who picks up and says nothing is not hung up on here.)
* 5000 ms without any of these (``total_analysis_time``): **unsure**.

Silence is a mean amplitude below 256 of 32767 (``silence_threshold``); voice shorter than 100 ms is a noise (``min_word_length``).
What it is wrong in is measured in ``tests/media/test_answering.py``, on made voices.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from everyline.media.g711 import RATE

Frame: TypeAlias = NDArray[np.float32] | NDArray[np.int16]

FRAME_MS = 20
QUIET = 256.0  # mean amplitude
INITIAL_MS, AFTER_MS, TOTAL_MS = 2500, 800, 5000
LONGEST_MS = 2400  # greeting of a person
SHORTEST_MS = 100  # word
TONE_MS, LOWEST, HIGHEST = 240, 300.0, 2200.0
PURE = 0.9  # part of the energy that the strongest frequency must have
STRAYS = 40.0  # hertz from frame to frame, within which a tone is the same
OUT_MS = 2000  # of silence after a machine's words, when it had no tone
WIDE = 4  # of the spectrum's bins, as far as the window spreads a tone


class Answered(StrEnum):
    """Who answered."""

    PERSON = "person"
    MACHINE = "machine"
    UNSURE = "unsure"  # taken for a person


class AnsweringEar:
    """Hears one call from its answer on."""

    def __init__(self) -> None:
        self.verdict: Answered | None = None
        self.spoken_out = False  # a machine listens now: its tone has ended, or it says nothing more
        self._heard = self._quiet = self._voice = self._tone = 0  # milliseconds
        self._began: int | None = None  # of the greeting
        self._hertz = 0.0
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=TONE_MS // FRAME_MS)
        self._toned = False

    def hear(self, frame: Frame) -> Answered | None:
        """The next 20 ms; the verdict, once there is one, which stays."""
        self._heard += FRAME_MS
        sound = np.asarray(frame, np.float32)
        loud = float(np.abs(sound).mean()) >= QUIET
        self._hear_tone(sound, loud=loud)
        if loud:
            self._voice, self._quiet = self._voice + FRAME_MS, 0
            if self._began is None and self._voice >= SHORTEST_MS:
                self._began = self._heard - self._voice
        else:
            self._quiet += FRAME_MS
            if self._quiet >= SHORTEST_MS:  # pauses within a word are shorter
                self._voice = 0
        if self.verdict is None:
            self.verdict = self._judge()
        if self.verdict is Answered.MACHINE:
            ended = self._toned and self._tone == 0 and self._quiet >= SHORTEST_MS
            self.spoken_out = self.spoken_out or ended or self._quiet >= OUT_MS
        return self.verdict

    def _judge(self) -> Answered | None:
        if self._toned:
            return Answered.MACHINE
        if self._began is not None:
            if self._heard - self._quiet - self._began > LONGEST_MS:
                return Answered.MACHINE
            if self._quiet >= AFTER_MS:
                return Answered.PERSON
        elif self._heard >= INITIAL_MS:
            return Answered.UNSURE
        return Answered.UNSURE if self._heard >= TOTAL_MS else None

    def _hear_tone(self, sound: NDArray[np.float32], *, loud: bool) -> None:
        hertz = _pitch(sound) if loud else 0.0
        same = hertz > 0 and (self._tone == 0 or abs(hertz - self._hertz) <= STRAYS)
        self._tone = self._tone + FRAME_MS if same else FRAME_MS if hertz else 0
        self._hertz = hertz
        self._recent.append(sound)
        if self._tone >= TONE_MS and not self._toned:
            self._toned = _pitch(np.concatenate(self._recent)) > 0


def _pitch(sound: NDArray[np.float32]) -> float:
    """The frequency that a sound consists of; 0: it does not consist of one. 20 ms tell frequencies 100 Hz apart, which those of a
    voice may not be; 240 ms tell what is 8 Hz apart."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2 * len(sound))) ** 2
    best = int(power.argmax())
    near = float(power[max(best - WIDE, 0) : best + WIDE + 1].sum())
    hertz = best * RATE / (2 * len(sound))
    return hertz if near > PURE * float(power.sum()) > 0 and LOWEST <= hertz <= HIGHEST else 0.0
