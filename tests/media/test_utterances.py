"""What is cut out of what somebody says: made of tones and noise, so that it is known where it begins and ends."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from everyline.media.utterances import Began, Endpointer, Utterance

pytestmark = pytest.mark.req("V3")
RATE, FRAME = 8000, 160
_random = np.random.default_rng(7)


def noise(seconds: float, dbov: float) -> NDArray[np.float32]:
    return (_random.standard_normal(int(seconds * RATE)) * 32768 * 10 ** (dbov / 20)).astype(np.float32)


def voice(seconds: float, dbov: float = -26) -> NDArray[np.float32]:
    """Something like speech: a tone whose loudness goes up and down four times a second."""
    time = np.arange(int(seconds * RATE)) / RATE
    loud = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time - np.pi / 2)
    return (np.sin(2 * np.pi * 300 * time) * loud * 2 * 32768 * 10 ** (dbov / 20)).astype(np.float32)


def said(*parts: NDArray[np.float32], floor: float = -62) -> NDArray[np.float32]:
    whole = np.concatenate(parts)
    return whole + noise(len(whole) / RATE, floor)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(int(seconds * RATE), np.float32)


def hears(
    ear: Endpointer, sound: NDArray[np.float32], played: NDArray[np.float32] | None = None
) -> list[tuple[float, Began | Utterance]]:
    """What it tells, and when."""
    found: list[tuple[float, Began | Utterance]] = []
    for n in range(len(sound) // FRAME):
        part = slice(n * FRAME, (n + 1) * FRAME)
        if (one := ear.frame(sound[part], None if played is None else played[part])) is not None:
            found.append(((n + 1) * FRAME / RATE, one))
    return found


def lengths(found: list[tuple[float, Began | Utterance]]) -> list[float]:
    return [len(one.samples) / RATE for _at, one in found if isinstance(one, Utterance)]


@pytest.mark.parametrize("floor", [-80, -62, -50])
@pytest.mark.parametrize("loud", [-36, -26, -16])
def test_an_utterance_is_cut_out_whole_whatever_the_line_is_like(floor: float, loud: float) -> None:
    found = hears(Endpointer(), said(silence(1.0), voice(1.5, loud), silence(1.5), floor=floor))
    assert [type(one) for _at, one in found] == [Began, Utterance]
    (began, _), (ended, _) = found
    assert 1.0 < began < 1.3
    assert 3.0 < ended < 3.5, "0.7 s after its end"
    (length,) = lengths(found)
    assert 1.5 <= length < 2.1


def test_a_pause_shorter_than_is_waited_for_belongs_to_it() -> None:
    number = said(silence(0.6), voice(0.8), silence(0.9), voice(0.8), silence(2.0))
    assert len(lengths(hears(Endpointer(), number))) == 2
    patient = Endpointer()
    patient.begin(pause=1.2)
    (length,) = lengths(hears(patient, number))
    assert length > 2.5


def test_clicks_and_hum_are_nothing_and_steady_noise_is_only_so_for_a_while() -> None:
    ear = Endpointer()
    clicks = [np.concatenate([noise(0.04, -20), silence(0.5)]) for _n in range(6)]
    assert hears(ear, said(silence(0.5), *clicks)) == []
    assert hears(ear, said(silence(4.0), floor=-50)) == []
    assert len(hears(ear, noise(20, -40))) <= 2, "a street that is suddenly there is something, once"
    after = hears(ear, said(silence(1.0), voice(1.2, -18), silence(2.0), floor=-40))
    assert [type(one) for _at, one in after] == [Began, Utterance], "and a caller is heard over it"


def test_who_talks_on_and_on_is_cut_after_fifteen_seconds() -> None:
    found = hears(Endpointer(), said(voice(16.0)))
    assert lengths(found)[0] == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("delay", [0.02, 0.15, 0.35])
@pytest.mark.parametrize("loss", [6, 12, 16, 25, 60])
def test_an_echo_is_never_taken_for_the_caller(loss: float, delay: float) -> None:
    time = np.arange(12 * RATE) / RATE
    played = (np.sin(2 * np.pi * 300 * time) * 32768 * 10 ** (-24 / 20)).astype(np.float32)
    played[: 2 * RATE] = voice(2.0, -24)  # words, and then a vowel that does not end
    echo = np.concatenate([silence(delay), played])[: len(played)] * np.float32(10 ** (-loss / 20))
    assert hears(Endpointer(), said(echo), played) == []


@pytest.mark.parametrize(("loss", "is_heard"), [(60, True), (25, True), (8, False)])
def test_a_caller_is_heard_over_what_is_played_where_the_echo_is_weak(loss: float, is_heard: bool) -> None:
    played = voice(6.0, -24)
    echo = np.concatenate([silence(0.1), played])[: len(played)] * np.float32(10 ** (-loss / 20))
    caller = np.concatenate([silence(3.0), voice(3.0, -22)])
    found = hears(Endpointer(), said(echo + caller), played)
    assert bool(found) is is_heard
    if is_heard:
        assert 3.1 < found[0][0] < 3.8
    deaf = Endpointer()
    deaf.begin(over_prompts=False)
    assert hears(deaf, said(echo + caller), played) == []


def test_a_caller_is_heard_as_soon_as_a_prompt_with_a_strong_echo_is_over() -> None:
    played = np.concatenate([voice(3.0, -24), silence(4.0)])
    echo = np.concatenate([silence(0.1), played])[: len(played)] * np.float32(0.5)
    caller = np.concatenate([silence(3.6), voice(1.5), silence(1.9)])
    found = hears(Endpointer(), said(echo + caller), played)
    assert [type(one) for _at, one in found] == [Began, Utterance]
    assert 3.6 < found[0][0] < 3.9
