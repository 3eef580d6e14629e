"""Codecs against their recommendations and against another implementation of them."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from everyline.media import g711
from everyline.media.codecs import G722, OPUS, Codec, available
from everyline.media.resampling import Fewer, More, at_rate
from everyline.media.wideband import _context
from tests.media.tones import level, tone


@pytest.mark.parametrize(("law", "name"), [(g711.MU, "pcm_mulaw"), (g711.A, "pcm_alaw")])
@pytest.mark.req("V1")
def test_g711_is_that_of_everybody_else(law: int, name: str) -> None:
    encoder, decoder = _context(name, "w", 8000), _context(name, "r", 8000)
    codes = np.arange(256, dtype=np.uint8)
    theirs = decoder.decode(av.Packet(codes.tobytes()))[0].to_ndarray().reshape(-1)
    assert (g711.decode(codes, law) == theirs).all()
    samples = np.random.default_rng(1).integers(-32768, 32767, 20000).astype(np.int16)
    frame = AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
    frame.sample_rate = 8000
    made = np.frombuffer(b"".join(bytes(p) for p in encoder.encode(frame)), np.uint8)
    ours, whole = g711.decode(g711.encode(samples, law), law).astype(int), samples.astype(int)
    assert (np.abs(ours - whole) <= np.abs(whole) / 16 + 650 * (np.abs(whole) > 32000) + 16).all()
    assert (g711.encode(samples, law) == made).mean() > 0.95, "they may differ where a sample lies between two codes"


@pytest.mark.parametrize("law", [g711.MU, g711.A])
def test_g711_codes_come_back_as_they_were(law: int) -> None:
    codes = np.array([c for c in range(256) if (law, c) != (g711.MU, 0x7F)], np.uint8)  # µ-law has a zero of each sign
    assert (g711.encode(g711.decode(codes, law), law) == codes).all()
    assert g711.decode(g711.SILENCE[law : law + 1], law)[0] in (0, 8)
    assert g711.encode(np.zeros(1, np.int16), law)[0] == g711.SILENCE[law]


@pytest.mark.parametrize("codec", [G722, OPUS], ids=["G722", "Opus"])
@pytest.mark.req("V1")
def test_wide_codecs_carry_what_a_telephone_does_not(codec: Codec) -> None:
    assert codec in available()
    here, there = codec.make(), codec.make()
    sound = (tone(1000, 2, rate=16000) // 2 + tone(5500, 2, rate=16000) // 2).reshape(-1, codec.frame)
    heard = np.concatenate([there.decode(here.encode(frame)) for frame in sound])
    assert len(heard) == sound.size
    tail = heard[8000:]
    assert level(tail, 1000, rate=16000) > 0.6 * level(sound.reshape(-1)[8000:], 1000, rate=16000)
    assert level(tail, 5500, rate=16000) > 0.3 * level(sound.reshape(-1)[8000:], 5500, rate=16000)
    assert len(there.decode(b"\xff" * 3)) >= 0, "what is no payload is no reason to stop"


def test_rates_change_without_images() -> None:
    for factor in (2, 3, 6):
        made = np.concatenate(
            [part for more in [More(factor)] for part in map(more, tone(1000, 1).astype(np.float32).reshape(-1, 160))]
        )
        assert level(made, 1000, rate=8000 * factor) == pytest.approx(level(tone(1000, 1), 1000), rel=0.03)
        assert level(made, 7000, rate=8000 * factor) < 10
        back = np.concatenate(
            [part for fewer in [Fewer(factor)] for part in map(fewer, made.reshape(-1, 160 * factor))]
        )
        assert level(back, 1000) == pytest.approx(level(tone(1000, 1), 1000), rel=0.03)
    assert level(at_rate(tone(440, 1, rate=44100), 44100, 8000), 440) == pytest.approx(8000 / 2, rel=0.05)
    assert level(at_rate(tone(6000, 1, rate=44100), 44100, 8000), 2000) < 40, "nothing folds back"
