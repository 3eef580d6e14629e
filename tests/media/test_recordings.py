"""What is on the disk after a call."""

from __future__ import annotations

import asyncio
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from everyline.media.errors import BadSound
from everyline.media.events import RecordingFailed
from everyline.media.recording import GapMark, unsealed
from everyline.media.sounds import Sound
from tests.media.tones import level, tone
from tests.media.world import World, world


def samples_of(path: Path) -> np.ndarray:
    """The sound of a WAV file, by Python's own reader."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def three(found: World) -> None:
    """A caller, an agent and a supervisor who whispers, each with a tone."""
    mix = found.engine.mix()
    for hertz in (440, 1000, 1700):
        phone, leg = found.call()
        phone.say(tone(hertz, 30))
        if hertz == 1700:
            mix.whisper(leg, mix.legs[1])
        else:
            mix.add(leg)


@pytest.mark.req("V6")
async def test_each_leg_and_the_mix_with_a_gap(tmp_path: Path) -> None:
    with world() as found:
        three(found)
        engine = found.engine
        mix = engine.mixes[0]
        found.run(0.5)
        whole, caller = engine.record(mix, tmp_path / "mix.wav"), engine.record(mix.legs[0], tmp_path / "caller.wav")
        engine.announce(mix, Sound.of(tone(2300, 1)))
        found.run(2)
        for one in (whole, caller):
            one.pause("card data")
            one.pause("again")
        found.run(1.5)
        for one in (whole, caller):
            one.resume()
            one.resume()
        found.run(2)
        await engine.recorded(whole)
        await engine.recorded(caller)
        assert whole.marks == caller.marks == [GapMark(2.0, 3.5, "card data")]
        assert engine.recordings == ()
        for path, tones in ((whole.path, [440, 1000]), (caller.path, [440])):
            sound = samples_of(path)
            assert len(sound) == round(5.5 * 8000)
            for second in ((1, 2), (3.6, 5.4)):
                part = sound[round(second[0] * 8000) : round(second[1] * 8000)]
                assert [hertz for hertz in (440, 1000, 1700) if level(part, hertz) > 3500] == tones
                assert all(level(part, hertz) < 40 for hertz in (440, 1000, 1700) if hertz not in tones)
            assert not sound[16000:28000].any(), "nothing of the pause is kept"
            content = path.read_bytes()
            assert b"gap: card data" in content
            cue = content.index(b"cue ")
            assert struct.unpack_from("<I", content, cue + 8) == (1,)
            assert struct.unpack_from("<I", content, cue + 16) == (16000,)
            assert len(content) == struct.unpack_from("<I", content, 4)[0] + 8
        assert level(samples_of(whole.path)[:8000], 2300) > 3500, "the announcement is its own proof"
        assert level(samples_of(caller.path)[:8000], 2300) < 40


@pytest.mark.req("V6")
async def test_sealed_at_rest_and_readable_when_cut_off(tmp_path: Path) -> None:
    key = AESGCM(AESGCM.generate_key(128))

    def seal(number: int, content: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + key.encrypt(nonce, content, str(number).encode())

    def unseal(number: int, stored: bytes) -> bytes:
        return key.decrypt(stored[:12], stored[12:], str(number).encode())

    with world() as found:
        phone, leg = found.call()
        phone.say(tone(440, 9))
        found.run(0.5)
        recording = found.engine.record(leg, tmp_path / "call.sealed", seal=seal)
        found.run(2.5)
        recording.pause("secret")
        found.run(0.5)
        await found.engine.recorded(recording)
    stored = recording.path.read_bytes()
    kept = unsealed(recording.path, unseal)
    assert kept.whole
    assert kept.marks == (GapMark(2.5, None, "secret"),)
    sound = np.frombuffer(kept.samples, np.int16)
    assert level(sound[:20000], 440) > 3500
    assert sound[:2000].tobytes() not in stored
    assert Sound.read(kept.wav()).seconds == 3

    recording.path.write_bytes(stored[:40000])
    cut = unsealed(recording.path, unseal)
    assert not cut.whole
    assert len(cut.samples) in range(22000, 40000)
    assert cut.samples == kept.samples[: len(cut.samples)]
    changed = bytearray(stored)
    changed[20000] ^= 1
    recording.path.write_bytes(bytes(changed))
    with pytest.raises(InvalidTag):
        unsealed(recording.path, unseal)
    recording.path.write_bytes(b"RIFF....")
    with pytest.raises(BadSound):
        unsealed(recording.path, unseal)


@pytest.mark.req("V6")
async def test_a_full_disk_is_told_and_stops_no_call() -> None:
    with world() as found:
        phone, leg = found.call()
        other, second = found.call()
        mix = found.engine.mix()
        mix.add(leg)
        mix.add(second)
        phone.say(tone(440, 30))
        recording = found.engine.record(leg, Path("/dev/full"))
        found.run(1.1)
        async with asyncio.timeout(40):
            await recording.settled.wait()
        assert [event for event in found.told if isinstance(event, RecordingFailed)] == [
            RecordingFailed(recording, "No space left on device")
        ]
        assert found.engine.recordings == ()
        found.run(1)
        assert level(other.heard[-4000:], 440) > 3500, "the call goes on"


async def test_a_disk_that_hangs_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hangs")
    with world() as found:
        _phone, leg = found.call()
        recording = found.engine.record(leg, tmp_path / "hangs")
        for _ in range(33):
            found.run(1)
        assert recording.failure == "the disk is too slow"
        assert found.engine.recordings == ()
        descriptor = os.open(tmp_path / "hangs", os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go on to its end
        os.close(descriptor)


async def test_muted_and_held_legs_are_not_recorded(tmp_path: Path) -> None:
    with world() as found:
        phone, leg = found.call()
        phone.say(tone(440, 30))
        mix = found.engine.mix()
        mix.add(leg)
        found.run(0.5)
        whole, alone = found.engine.record(mix, tmp_path / "mix.wav"), found.engine.record(leg, tmp_path / "leg.wav")
        leg.mute()
        found.run(1)
        leg.unmute()
        mix.hold(leg)
        found.run(1)
        for one in (whole, alone):
            await found.engine.recorded(one)
        assert not samples_of(whole.path).any()
        assert not samples_of(alone.path)[:8000].any()


@pytest.mark.parametrize("form", ["PCM_U8", "PCM_16", "stereo", "24", "float", "mulaw"])
@pytest.mark.req("V3")
def test_prompts_of_all_kinds_sound_the_same(form: str) -> None:
    rate, channels = (44100, 2) if form == "stereo" else (16000, 1)
    sound = tone(440, 0.5, rate=rate)
    kind, bits, body = {
        "PCM_U8": (1, 8, (sound // 256 + 128).astype(np.uint8).tobytes()),
        "PCM_16": (1, 16, sound.tobytes()),
        "stereo": (1, 16, np.repeat(sound, 2).tobytes()),
        "24": (1, 24, (sound.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
        "float": (3, 32, (sound / 32767).astype("<f4").tobytes()),
        "mulaw": (7, 8, _mulaw(sound)),
    }[form]
    step = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * step, step, bits)
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", 16) + head
    wav = b"RIFF\0\0\0\0WAVE" + chunks + b"data" + struct.pack("<I", len(body)) + body
    found = Sound.read(wav)
    assert found.seconds == pytest.approx(0.5, abs=0.02)
    assert level(found.samples[400:3600], 440) == pytest.approx(4000, rel=0.03)
    for broken in (b"", wav[:30], b"RIFX" + wav[4:], wav.replace(head, head[:2] + b"\xff" + head[3:])):
        with pytest.raises(BadSound):
            Sound.read(broken)


def _mulaw(sound: np.ndarray) -> bytes:
    from everyline.media import g711

    return g711.encode(sound).tobytes()
