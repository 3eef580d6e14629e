"""What networks, clocks and strangers do to a leg, and what is heard and told of it."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import numpy as np
import pytest

from everyline.media import negotiation, rtcp, sdp
from everyline.media.codecs import OPUS, PCMU, Codec
from everyline.media.events import Flowing, Goodbye, OneWay, Silent, Stranger
from everyline.media.legs import Leg
from everyline.media.sockets import Latch
from everyline.media.sounds import Sound
from tests.media.tones import level, purity, tone
from tests.media.world import BEAT, Phone, World, silence, straight, world


def lossy(part: float) -> Callable[[int], float | None]:
    """Loses this part at random, the same each time."""
    chance = random.Random(4)
    return lambda _frame: None if chance.random() < part else 0.0


def jittery(seconds: float) -> Callable[[int], float | None]:
    """Each frame is late by up to so much: they overtake each other."""
    chance = random.Random(5)
    return lambda _frame: chance.random() * seconds


def pair(found: World, codec: Codec = PCMU) -> tuple[Phone, Phone, Leg]:
    """Somebody who speaks, somebody who listens, and the leg of the one who speaks."""
    speaker, leg = found.call(codec)
    listener, other = found.call()
    mix = found.engine.mix()
    mix.add(leg)
    mix.add(other)
    return speaker, listener, leg


@pytest.mark.req("V1")
def test_a_good_network_changes_nothing() -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        speaker.say(tone(440, 5))
        found.run(5)
        sound = listener.heard[800:]
        assert purity(sound, 440) > 0.9995
        quality = leg.quality()
        assert (quality.lost, quality.late, quality.concealed, quality.strangers) == (0, 0, 0, 0)
        assert quality.jitter_ms < 1
        assert quality.delay_ms is not None
        assert 0 < quality.delay_ms <= 40
        assert quality.score > 4.3


@pytest.mark.parametrize("codec", [PCMU, OPUS], ids=["G.711", "Opus"])
@pytest.mark.req("V1")
def test_losses_are_filled_and_counted(codec: Codec) -> None:
    with world() as found:
        speaker, listener, leg = pair(found, codec)
        speaker.network = lossy(0.05)
        speaker.say(tone(440, 10, rate=codec.rate))
        found.run(10)
        sound = listener.heard[8000:72000]
        quiet = [n for n in range(0, len(sound) - 160, 160) if np.abs(sound[n : n + 160]).max() < 4000]
        assert len(quiet) < 5, "hardly a frame of the tone is missing"
        assert purity(sound, 440) > 0.95
        quality = leg.quality()
        assert quality.lost == pytest.approx(25, abs=15)
        assert quality.concealed >= quality.lost
        assert quality.score < 4.2


def test_what_is_made_up_fades() -> None:
    with world() as found:
        speaker, listener, _leg = pair(found)
        speaker.network = lambda frame: None if 50 <= frame < 60 else 0.0
        speaker.say(tone(440, 3))
        found.run(3)
        loud = [float(np.abs(frame).max()) for frame in listener.heard.reshape(-1, 160)]
        gap = next(n for n in range(10, len(loud)) if loud[n] < 50)
        assert loud[gap - 3] > 5000, "the first 20 ms are hardly less loud"
        assert sum(one < 50 for one in loud[10:]) in range(6, 9), "after 60 ms there is silence"
        assert min(loud[gap + 9 :]) > 7000, "and then the voice is back"


@pytest.mark.req("V1")
def test_jitter_and_overtaking_are_smoothed() -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        speaker.network = jittery(0.07)
        speaker.say(tone(440, 10))
        found.run(10)
        assert purity(listener.heard[32000:], 440) > 0.97
        quality = leg.quality()
        assert quality.lost == 0
        assert quality.late < 15, "only until it had learnt how late packets come"
        assert quality.delay_ms is not None
        assert 60 < quality.delay_ms < 120
        assert 10 < quality.jitter_ms < 40
        speaker.network = straight
        speaker.say(tone(440, 45))
        found.run(45)
        now = leg.quality().delay_ms
        assert now is not None
        assert now < 45, "and shrinks when it is not needed any more"


@pytest.mark.parametrize("drift", [-500e-6, 500e-6], ids=["fast", "slow"])
@pytest.mark.req("V1")
def test_clocks_that_drift_lose_nothing(drift: float) -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        speaker.drift = drift
        speaker.say(tone(440, 60))
        found.run(50)
        quality = leg.quality()
        assert quality.lost == 0
        assert quality.late <= 3
        assert quality.delay_ms is not None
        assert quality.delay_ms < 80, "25 ms of drift did not gather"
        assert purity(listener.heard[8000:], 440) > 0.97
        assert quality.concealed <= 6


def test_frames_of_other_lengths_and_dressed_packets_are_heard() -> None:
    for samples in (80, 240, 320, 480):
        with world() as found:
            phone, leg = found.call()
            listener, other = found.call()
            mix = found.engine.mix()
            mix.add(leg)
            mix.add(other)
            voice = tone(440, 3)
            next_at = 0
            for beat in range(round(2.5 / BEAT)):
                while next_at / 8000 <= beat * BEAT:
                    body = phone._here.encode(voice[next_at : next_at + samples])
                    packet = phone.packet(body, 0, at=next_at + 37)
                    dressed = b"\x90" + packet[1:12] + b"\xbe\xde\x00\x01EXT!" + packet[12:]
                    phone.socket.sendto(dressed if samples == 320 else packet, phone.to)
                    next_at += samples
                found.run(BEAT)
            assert purity(listener.heard[4000:], 440) > 0.999, samples
            assert leg.quality().concealed < 5


def test_a_new_source_and_a_pause_are_followed() -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        speaker.say(tone(440, 1))
        found.run(3)
        speaker.source, speaker.stamp, speaker.sequence = 0x9999, 77, 12
        speaker.say(tone(1000, 3))
        found.run(3)
        assert level(listener.heard[-8000:], 1000) > 3500
        assert leg.quality().lost == 0
        assert leg.quality().concealed < 20, "a pause is not made up"


@pytest.mark.req("V1")
def test_strangers_are_not_heard_and_are_counted() -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        early = Phone(host="127.0.0.2")
        late = Phone()
        found.phones += [early, late]
        early.to = late.to = speaker.to
        early.began = late.began = found.now
        early.say(tone(1700, 9))
        found.run(0.5)
        assert leg.quality().received == 0, "another host than the one that was agreed on fixes nothing"
        speaker.say(tone(440, 9))
        found.run(0.1)
        late.say(tone(1000, 9))
        found.run(2)
        assert leg.address == (speaker.host, speaker.port)
        assert [level(listener.heard[-8000:], hertz) > 50 for hertz in (440, 1000, 1700)] == [True, False, False]
        assert leg.strangers > 150
        assert [event.address[0] for event in found.told if isinstance(event, Stranger)] == ["127.0.0.2"], "told once"


def test_noise_on_the_port_is_counted_and_harmless() -> None:
    with world() as found:
        speaker, listener, leg = pair(found)
        speaker.say(tone(440, 5))
        chance = random.Random(3)
        for _ in range(300):
            found.run(BEAT)
            speaker.socket.sendto(chance.randbytes(chance.randrange(0, 400)), speaker.to)
            speaker.reports.sendto(chance.randbytes(chance.randrange(0, 80)), (speaker.to[0], speaker.to[1] + 1))
        found.run(0.5)
        assert purity(listener.heard[2000:], 440) > 0.95
        assert leg.unreadable > 500


def test_behind_translation_the_first_who_is_right_is_answered() -> None:
    with world() as found:
        speaker, leg = found.call(latch=Latch.FIRST)
        moved = Phone(host="127.0.0.3")
        found.phones.append(moved)
        moved.to, moved.began = speaker.to, found.now
        moved.say(tone(440, 3))
        moved.socket.sendto(b"\x80\x55" + bytes(170), moved.to)
        leg.play(Sound.of(tone(800, 1)))
        found.run(1)
        assert leg.address == ("127.0.0.3", moved.port)
        assert len(moved.packets) > 40
        speaker.say(tone(440, 20))
        found.run(11)
        assert leg.address == ("127.0.0.1", speaker.port), "after five seconds of silence the place is free"


@pytest.mark.req("V1")
def test_one_way_sound_is_noticed_in_both_directions() -> None:
    with world(one_way_after=3) as found:
        phone, leg = found.call()
        found.run(2)
        assert not found.events(OneWay)
        found.run(3)
        assert found.events(OneWay) == [OneWay(leg, to_us=True)]
        phone.say(tone(440, 60))
        found.run(2)
        assert found.events(Flowing) == [Flowing(leg, to_us=True)]
        found.told.clear()
        for _ in range(3):
            block = rtcp.Block(int(found.engine.departing.source[leg.row]), 255, 99, 7, 0, 0, 0)
            body = rtcp.write(1, "p", 0, timestamp=0, packets=0, octets=0, block=block, sends=False)
            phone.reports.sendto(body, (phone.to[0], phone.to[1] + 1))
            found.run(3)
        assert found.told == [OneWay(leg, to_us=False)]


@pytest.mark.req("V5")
def test_who_is_on_hold_is_not_expected_to_speak() -> None:
    with world(one_way_after=2) as found:
        phone, leg = found.call()
        body = phone.description.replace(b"a=sendrecv", b"a=sendonly")
        leg.agree(negotiation.answer(sdp.parse(body), leg.place))
        found.run(5)
        assert not found.told
        assert not phone.packets, "and gets nothing"


def test_silence_is_told_once() -> None:
    with world(silent_after=4) as found:
        phone, _listener, _leg = pair(found)
        phone.say(np.concatenate([tone(440, 1), silence(12), tone(440, 9)]))
        found.run(13)
        assert len(found.events(Silent)) == 1
        found.run(4)
        assert len(found.events(Silent)) == 1


@pytest.mark.req("V1")
def test_reports_say_how_good_it_is_on_both_sides() -> None:
    with world() as found:
        speaker, _listener, leg = pair(found)
        speaker.network = lossy(0.1)
        speaker.say(tone(440, 30))
        found.run(10)
        report = speaker.read[-1]
        assert report.source == found.engine.departing.source[leg.row]
        assert report.sent is not None
        assert report.blocks[0].source == speaker.source
        assert 5 < report.blocks[0].fraction_lost < 60
        assert report.blocks[0].lost == pytest.approx(leg.quality().lost, abs=15)
        block = rtcp.Block(report.source, 64, 9, 500, 80, report.sent, 2 * 65536)
        body = rtcp.write(speaker.source, "p", 1, timestamp=9, packets=1, octets=1, block=block, sends=True)
        waited = found.now
        while (found.now - waited) < 3.05 - 2 * BEAT:
            found.run(BEAT)
        speaker.reports.sendto(body + rtcp.goodbye(speaker.source), (speaker.to[0], speaker.to[1] + 1))
        found.run(0.02)
        quality = leg.quality()
        assert quality.round_trip_ms is not None
        assert quality.round_trip_ms > 1000, "since their report came: minus the two seconds they say they held it"
        assert (quality.lost_there, quality.jitter_there_ms) == (0.25, 10)
        assert found.events(Goodbye) == [Goodbye(leg)]


def test_nothing_grows() -> None:
    with world() as found:
        engine = found.engine
        files = len(list(_open_files()))
        for _ in range(3):
            for _ in range(20):
                found.call()
            mix = engine.mix()
            for leg in engine.legs:
                mix.add(leg)
            found.run(0.1)
            mix.end()
            for leg in engine.legs:
                leg.close()
                leg.close()
            for phone in found.phones:
                phone.close()
            found.phones.clear()
        found.run(0.1)
        assert (engine.legs, engine.mixes, engine.recordings) == ((), (), ())
        assert engine._top == 0
        assert len(engine._free) == engine.most
        assert not engine._doors
        assert not engine._prompted
        assert len(list(_open_files())) == files


def _open_files() -> list[int]:
    import os

    return [int(name) for name in os.listdir("/proc/self/fd")]


def test_ports_run_out_with_a_word() -> None:
    from everyline.media.engine import Engine
    from everyline.media.errors import NoPorts

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] // 2 * 2
        engine = Engine(ports=(port, port + 1))
        try:
            with pytest.raises(NoPorts, match="taken"):
                engine.open()
            assert engine.legs == ()
        finally:
            engine.close()
