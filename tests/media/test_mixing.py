"""Who hears whom: tones in by real packets, spectra out of real packets."""

from __future__ import annotations

import pytest

from everyline.media.codecs import G722, OPUS, PCMA, PCMU, Codec
from everyline.media.events import PromptEnded
from everyline.media.mixing import Part
from everyline.media.sounds import Music, Sound
from tests.media.tones import level, tone
from tests.media.world import Phone, World, world

LOUD = 4000  # what ``level`` says of the tones of this file, 0.5 of their amplitude


def hears(phone: Phone, *tones: int, seconds: float = 0.5) -> list[bool]:
    """Which of these tones are at full strength in the last half second, and that the others are not there at all."""
    last = phone.heard[-round(seconds * phone.codec.rate) :]
    found = [level(last, hertz, rate=phone.codec.rate) for hertz in tones]
    assert all(one < 40 or one > 0.7 * LOUD for one in found), found
    return [one > 0.7 * LOUD for one in found]


def talk(found: World, *hertz: int, codecs: tuple[Codec, ...] = ()) -> list[Phone]:
    """Phones that say a tone each for a long time."""
    phones = []
    for number, one in enumerate(hertz):
        codec = codecs[number] if codecs else PCMU
        phone, _leg = found.call(codec)
        phone.say(tone(one, 30, rate=codec.rate))
        phones.append(phone)
    return phones


@pytest.mark.req("V5")
def test_a_conference_hears_all_but_oneself() -> None:
    with world() as found:
        one, two, three = talk(found, 440, 1000, 1700, codecs=(PCMU, PCMA, PCMU))
        mix = found.engine.mix()
        for leg in found.engine.legs:
            mix.add(leg)
        found.run(1)
        assert hears(one, 440, 1000, 1700) == [False, True, True]
        assert hears(two, 440, 1000, 1700) == [True, False, True]
        assert hears(three, 440, 1000, 1700) == [True, True, False]
        caller, _agent, third = found.engine.legs
        caller.mute()
        found.run(1)
        assert hears(two, 440, 1000, 1700) == [False, False, True], "muted is not heard"
        assert hears(one, 440, 1000, 1700) == [False, True, True], "and hears on"
        caller.unmute()
        mix.remove(third)
        found.run(1)
        assert hears(two, 440, 1000, 1700) == [True, False, False]
        assert hears(three, 440, 1000, 1700) == [False, False, False]
        mix.turn(mix.legs[1], caller, 0.5)
        found.run(1)
        assert level(two.heard[-4000:], 440) == pytest.approx(LOUD / 2, rel=0.05)


@pytest.mark.req("V5", "V4")
def test_hold_is_music_and_nothing_else() -> None:
    with world() as found:
        caller, agent = talk(found, 440, 1000)
        mix = found.engine.mix()
        for leg in found.engine.legs:
            mix.add(leg)
        held = found.engine.legs[0]
        mix.hold(held)
        held.music = Music(Sound.of(tone(600, 1)))
        found.run(1)
        assert hears(caller, 600, 1000) == [True, False]
        assert hears(agent, 440, 600) == [False, False]
        assert mix.heard_by(held) == ()
        mix.resume(held)
        held.music = None
        found.run(1)
        assert hears(caller, 600, 1000) == [False, True]
        assert hears(agent, 440, 600) == [True, False]


@pytest.mark.req("V6")
def test_a_supervisor_listens_whispers_and_barges_in() -> None:
    with world() as found:
        caller, agent, supervisor = talk(found, 440, 1000, 1700)
        mix = found.engine.mix()
        for_caller, for_agent, for_supervisor = found.engine.legs
        mix.add(for_caller)
        mix.add(for_agent)
        mix.monitor(for_supervisor)
        assert mix.heard_by(for_supervisor) == ()
        found.run(1)
        assert [hears(phone, 440, 1000, 1700) for phone in (caller, agent, supervisor)] == [
            [False, True, False], [True, False, False], [True, True, False],
        ]  # fmt: skip
        mix.whisper(for_supervisor, for_agent)
        assert mix.heard_by(for_supervisor) == (for_agent,)
        assert for_supervisor not in mix.recorded()
        found.run(1)
        assert [hears(phone, 440, 1000, 1700) for phone in (caller, agent, supervisor)] == [
            [False, True, False], [True, False, True], [True, True, False],
        ]  # fmt: skip
        mix.barge(for_supervisor)
        assert mix.heard_by(for_supervisor) == (for_caller, for_agent)
        found.run(1)
        assert hears(caller, 440, 1000, 1700) == [False, True, True]
        mix.whisper(for_supervisor, for_agent)
        mix.remove(for_agent)
        assert mix.part(for_supervisor) is Part.MONITOR, "who whispered to someone who left is heard by nobody"
        with pytest.raises(ValueError, match="another mix"):
            found.engine.mix().add(for_caller)


@pytest.mark.parametrize("codec", [G722, OPUS], ids=["G722", "Opus"])
@pytest.mark.req("V5")
def test_wide_legs_hear_each_other_in_wide_band_and_others_as_by_telephone(codec: Codec) -> None:
    with world() as found:
        phones = [found.call(one)[0] for one in (codec, codec, PCMU)]
        mix = found.engine.mix()
        for leg in found.engine.legs:
            mix.add(leg)
        phones[0].say(tone(800, 4, rate=16000) + tone(5600, 4, rate=16000))
        found.run(2)
        wide, narrow = phones[1].heard[-8000:], phones[2].heard[-4000:]
        assert level(wide, 800, rate=16000) > 0.6 * LOUD
        assert level(wide, 5600, rate=16000) > 0.25 * LOUD
        assert level(narrow, 800) > 0.6 * LOUD
        assert level(narrow, 2400) < 60, "what is above the band of a telephone does not fold into it"
        phones[2].say(tone(1300, 4))
        found.run(2)
        assert level(phones[0].heard[-8000:], 1300, rate=16000) > 0.7 * LOUD
        assert level(phones[0].heard[-8000:], 6700, rate=16000) < 60


@pytest.mark.req("V3", "V4")
def test_prompts_follow_each_other_over_music_and_stop_at_once() -> None:
    with world() as found:
        phone, leg = found.call()
        leg.music = Music(Sound.of(tone(600, 1), name="music"))
        found.run(1)
        assert hears(phone, 600) == [True]
        first, second = leg.play(Sound.of(tone(900, 1))), leg.play(Sound.of(tone(1200, 1)))
        found.run(0.8)
        assert hears(phone, 600, 900, 1200) == [False, True, False]
        found.run(1)
        assert hears(phone, 600, 900, 1200) == [False, False, True]
        found.run(0.8)
        assert hears(phone, 600, 900, 1200) == [True, False, False]
        third = leg.play(Sound.of(tone(900, 5)))
        leg.play(Sound.of(tone(1200, 5)))
        found.run(1)
        leg.stop_prompts()
        found.run(0.6)
        assert hears(phone, 600, 900, 1200) == [True, False, False]
        assert third.seconds == pytest.approx(1)
        ended = [
            (event.playing in (first, second), event.stopped) for event in found.told if isinstance(event, PromptEnded)
        ]
        assert ended == [(True, False), (True, False), (False, True), (False, True)]


@pytest.mark.req("V6")
def test_an_announcement_is_heard_by_all_of_a_mix() -> None:
    with world() as found:
        one, two = talk(found, 440, 1000)
        other, _leg = found.call()
        mix = found.engine.mix()
        for leg in found.engine.legs[:2]:
            mix.add(leg)
        found.engine.announce(mix, Sound.of(tone(2000, 1)))
        found.run(0.8)
        assert hears(one, 1000, 2000) == [True, True]
        assert hears(two, 440, 2000) == [True, True]
        assert hears(other, 2000) == [False]
        found.run(1)
        assert hears(one, 1000, 2000) == [True, False]
