"""Keys by event and by sound, both ways."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from everyline.media import dtmf
from everyline.media.codecs import PCMA, PCMU
from everyline.media.events import Digit
from everyline.media.tones import ToneKeys
from tests.media.tones import level, tone
from tests.media.world import BEAT, world


def told(sound: np.ndarray, begin: int = 0) -> str:
    """The keys heard in a sound that begins so many samples after a block."""
    keys, rows = ToneKeys(1), np.array([0])
    keys.open(0)
    whole = np.concatenate([np.zeros(begin), sound, np.zeros(2000)]).astype(np.float32)
    frames = whole[: len(whole) // 160 * 160].reshape(-1, 1, 160)
    return "".join(key for frame in frames for _row, key in keys.hear(rows, frame))


@pytest.mark.req("V3")
def test_all_keys_are_heard_in_the_sound() -> None:
    pause = np.zeros(400)
    sound = np.concatenate([part for key in dtmf.KEYS for part in (dtmf.tones(key, 0.06), pause)])
    for begin in range(0, 160, 13):
        assert told(sound, begin) == dtmf.KEYS


@pytest.mark.parametrize("begin", range(0, 102, 17))
def test_limits_of_q24(begin: int) -> None:
    def pair(low: float, high: float, ms: float = 60, loud: float = 3000, twist: float = 1) -> np.ndarray:
        return tone(low, ms / 1000, loud=loud).astype(float) + tone(high, ms / 1000, loud=loud * twist)

    assert told(pair(770, 1336, 40), begin) == "5", "40 ms is long enough"
    assert told(pair(770, 1336, 20), begin) == "", "20 ms is not"
    assert told(pair(770 * 1.015, 1336 * 0.985), begin) == "5", "1.5 % beside is near enough"
    assert told(pair(770 * 1.035, 1336 * 1.035), begin) == "", "3.5 % is not"
    assert told(pair(770, 1336, loud=150), begin) == "5"
    assert told(pair(770, 1336, loud=60), begin) == ""
    assert told(pair(770, 1336, twist=10 ** (3 / 20)), begin) == "5"
    assert told(pair(770, 1336, twist=10 ** (-7 / 20)), begin) == "5"
    assert told(pair(770, 1336, twist=10 ** (7 / 20)), begin) == ""
    gap, pause = np.zeros(80), np.zeros(320)
    assert told(np.concatenate([pair(770, 1336), gap, pair(770, 1336)]), begin) == "5", "10 ms are no pause"
    assert told(np.concatenate([pair(770, 1336), pause, pair(770, 1336)]), begin) == "55", "40 ms are one"


def test_speech_is_no_key() -> None:
    chance, at = np.random.default_rng(2), np.arange(8000 * 20) / 8000
    pitch = 140 + 40 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    voice = sum(4000 / n * np.sin(n * phase) for n in range(1, 24)) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * at))
    assert told(np.asarray(voice) + chance.normal(0, 200, len(at))) == ""
    assert told(chance.normal(0, 3000, len(at))) == ""


@pytest.mark.req("V3")
def test_keys_by_event_are_told_once_each() -> None:
    with world() as found:
        phone, leg = found.call()
        phone.say(tone(440, 5))
        found.run(0.5)
        for press, key in enumerate((5, 5, 11)):
            stamp = 4000 + press * 2400
            sent = [phone.packet(struct.pack("!BBH", key, flag, n), 101, at=stamp) for flag, n in
                    ((10, 160), (10, 320), (10, 480), (0x8A, 640), (0x8A, 640), (0x8A, 640))]  # fmt: skip
            for packet in [sent[1], sent[0], *sent[3:], sent[3]] if press else sent[3:]:
                phone.socket.sendto(packet, phone.to)
                found.run(BEAT)
        phone.socket.sendto(phone.packet(b"\x10\x0a\0\xa0", 101, at=20000), phone.to)
        phone.socket.sendto(phone.packet(b"\x05", 101, at=30000), phone.to)
        found.run(0.5)
        assert found.told == [Digit(leg, "5"), Digit(leg, "5"), Digit(leg, "#")], (
            "a flash and half a packet are no keys"
        )
        assert leg.quality().unreadable == 0


@pytest.mark.req("V3")
def test_keys_by_sound_where_events_were_not_agreed() -> None:
    with world() as found:
        phone, leg = found.call(PCMA, keys=False)
        other, with_events = found.call()
        sound = np.concatenate([np.concatenate([dtmf.tones(key), np.zeros(640, np.int16)]) for key in "2580#"])
        phone.say(sound)
        other.say(sound)
        found.run(2)
        assert found.told == [Digit(leg, key, by_sound=True) for key in "2580#"]
        assert with_events.agreement
        assert with_events.agreement.events == 101


@pytest.mark.req("V5")
def test_keys_are_sent_as_events() -> None:
    with world() as found:
        phone, leg = found.call()
        found.run(0.2)
        leg.press("1#")
        leg.press("0")
        found.run(1)
        keys = [packet for packet in phone.packets if packet.payload_type == 101]
        heard = dtmf.KeysHeard()
        assert [key for p in keys if (key := heard.read(p.payload, p.timestamp))] == ["1", "#", "0"]
        assert [p.marker for p in keys[:8]] == [True] + [False] * 6 + [True]
        assert [struct.unpack("!BBH", p.payload)[1:] for p in keys[:7]] == [
            (10, 160), (10, 320), (10, 480), (10, 640), (0x8A, 800), (0x8A, 800), (0x8A, 800),
        ]  # fmt: skip
        numbers = [packet.sequence for packet in phone.packets]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))], "in one count with the sound"
        sound = [p for p in phone.packets if p.payload_type == PCMU.payload_type]
        assert (sound[-1].timestamp - sound[0].timestamp) % 160 == 0
        with pytest.raises(ValueError, match="x"):
            leg.press("1x")


@pytest.mark.req("V5")
def test_keys_are_sent_as_tones_to_those_who_read_no_events() -> None:
    with world() as found:
        phone, leg = found.call(keys=False)
        found.run(0.2)
        leg.press("7")
        found.run(0.5)
        begin = int(np.flatnonzero(np.abs(phone.heard) > 500)[0])
        sound = phone.heard[begin : begin + 780]
        assert level(sound, 852) > 2000
        assert level(sound, 1209) > 2000
        assert told(phone.heard) == "7"
