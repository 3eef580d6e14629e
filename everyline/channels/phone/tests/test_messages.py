"""Messages on the disk: sealed while they are spoken, and handed in once, whatever ends in between."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from everyline.channel_contract import Refused, Severity
from everyline.channels.phone import examining, notes
from everyline.channels.phone.tests.doubles import CALLER, RealPhone, World, a_talk, files_in, until, world
from everyline.channels.phone.tests.test_waiting import BEEP, sound_of
from everyline.media import recording as recording_module
from tests.media.tones import level

pytestmark = pytest.mark.req("V4", "V6")
SPOKEN = 1900.0


async def begins_a_message(house: World, *, hertz: float = SPOKEN) -> RealPhone:
    """A caller whom nobody answers speaks after the tone."""
    caller = await house.calls()
    await caller.heard_tone(BEEP, "the tone")
    await until(lambda: bool(house.door.engine.recordings), "it is recorded")
    caller.talk(hertz)
    return caller


def by_mail(_key: str) -> Any:
    """Nobody is there."""
    return a_talk("mail")


async def test_what_is_spoken_is_on_the_disk_at_once_and_sealed(tmp_path: Path) -> None:
    async with world(tmp_path, begins=by_mail) as house:
        caller = await begins_a_message(house)
        (recording,) = house.door.engine.recordings
        await until(
            lambda: recording.path.exists() and recording.path.stat().st_size > 2 * 16000, "two seconds are there"
        )
        assert files_in(tmp_path, ".wav") == []
        (note,) = found(tmp_path, ".json")
        kept = json.loads(note.read_text("utf-8"))["piece"]
        assert (kept["event"], kept["number"], kept.get("sound", "")) == ("voicemail", CALLER, "")
        # the double seals by a bit pattern: silence in the clear would be zeros, and the tone would be heard
        stored = recording.path.read_bytes()
        assert stored.startswith(b"EVERYLINE1\n")
        plain = recording_module.unsealed(recording.path, house.door.unseal("")).samples
        assert plain[:16000] not in stored
        await caller.press("#")
        await until(lambda: "voicemail" in house.door.events)
        await until(lambda: files_in(tmp_path, "") == [], "nothing is left on the disk")
        assert level(sound_of(house.door.pieces[-1].sound)[4000:], SPOKEN) > 1000


async def test_a_message_that_the_door_does_not_take_now_is_taken_up_at_the_next_start_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everyline.channels.phone.messages.AGAIN", (0.0, 0.01))
    async with world(tmp_path, begins=by_mail) as house:
        caller = await begins_a_message(house)
        (recording,) = house.door.engine.recordings
        await until(lambda: recording.seconds > 1.6)
        house.door.refuses = [OSError("away"), OSError("away")]
        await caller.press("#")
        await until(lambda: any("could not be kept" in one for one in house.door.said))
        key = await house.begun()
        await until(caller.ended.is_set)
        assert "voicemail" not in house.door.events
    assert len(files_in(tmp_path, ".sealed")) == 1
    async with world(tmp_path, begins=by_mail) as house:
        await until(lambda: house.door.events == ["voicemail"])
        (message,) = house.door.pieces
        assert (message.key, message.number, message.language) == (key, CALLER, "en")
        assert message.seconds > 1.5
        assert level(sound_of(message.sound)[4000:], SPOKEN) > 1000
        await until(lambda: files_in(tmp_path, "") == [])
    async with world(tmp_path, begins=by_mail) as house:
        await house.calls()
        await house.begun()
        assert house.door.events == ["begin"]


async def test_a_message_taken_twice_is_the_same_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends after the door took it, and before its file is gone."""
    async with world(tmp_path, begins=by_mail) as house:
        caller = await begins_a_message(house)
        (recording,) = house.door.engine.recordings
        await until(lambda: recording.seconds > 1.6)
        monkeypatch.setattr(notes, "clear", lambda _path: None)
        await caller.press("#")
        await until(lambda: "voicemail" in house.door.events)
        first = house.door.pieces[-1]
        await until(caller.ended.is_set)
    monkeypatch.undo()
    async with world(tmp_path, begins=by_mail) as house:
        await until(lambda: house.door.events == ["voicemail"])
        assert (house.door.pieces[0].key, house.door.pieces[0].count) == (first.key, first.count)
        assert house.door.pieces[0].as_bytes() == first.as_bytes()


async def test_what_cannot_be_taken_in_stays_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, begins=by_mail) as house:
        caller = await begins_a_message(house)
        (recording,) = house.door.engine.recordings
        await until(lambda: recording.seconds > 1.6)
        house.door.refuses = [Refused("too large")]
        await caller.press("#")
        await until(caller.ended.is_set)
    (left,) = found(tmp_path, ".sealed")
    assert any("it stays in" in one.message and str(left) in one.message for one in caplog.records)
    content = bytearray(left.read_bytes())
    monkeypatch.setattr("everyline.channels.phone.tests.doubles.DoorDouble.unseal", lambda _door, _key: _broken)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        async with world(tmp_path, begins=by_mail) as house:
            await until(lambda: any("left where it is" in one.message for one in caplog.records))
            assert house.door.events == []
    assert left.read_bytes() == bytes(content)

    assert list(examining.left_behind(tmp_path)) == [], "it may still be on its way"
    os.utime(left, (time.time() - 600,) * 2)
    (said,) = examining.left_behind(tmp_path)
    assert said.severity is Severity.FAILED
    assert left.name in said.detail


def _broken(_number: int, _content: bytes) -> bytes:
    raise ValueError("a piece of a recording is not what was sealed")


async def test_a_full_disk_keeps_what_was_said_before_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = recording_module.Recording.write

    def full(self: recording_module.Recording, content: bytes, *, last: bool) -> None:
        if self._chunks >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(self, content, last=last)

    async with world(tmp_path, begins=by_mail) as house:
        monkeypatch.setattr(recording_module.Recording, "write", full)
        caller = await begins_a_message(house)
        await until(lambda: "voicemail" in house.door.events, "what was said is kept")
        assert 1.5 < house.door.pieces[-1].seconds < 2.5
        assert level(sound_of(house.door.pieces[-1].sound)[8000:], SPOKEN) > 1000
        await until(lambda: any("the end of your message could not be recorded" in one for one in house.door.said))
        await until(caller.ended.is_set)
        key = await house.begun()
        await until(lambda: house.door.now(key).reason == "A message could not be recorded to its end.")
        await until(lambda: files_in(tmp_path, "") == [])


async def test_a_disk_that_is_full_from_the_start_is_apologised_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _facts: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with world(tmp_path, begins=by_mail) as house:
        monkeypatch.setattr(notes, "write", full)
        caller = await house.calls()
        key = await house.begun()
        await until(lambda: any("your message could not be kept" in one for one in house.door.said))
        await until(caller.ended.is_set)
        await until(lambda: house.door.ended == [key], "nobody waits for an answer")
        await house.settled()
        assert house.door.events == ["begin"]
        assert house.door.now(key).reason == "A message could not be kept."


async def test_who_hangs_up_at_the_tone_left_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, begins=by_mail) as house:
        caller = await house.calls()
        key = await house.begun()
        await caller.heard_tone(BEEP)
        await until(lambda: bool(house.door.engine.recordings))
        await caller.hang_up()
        await until(lambda: house.door.ended == [key])
        await house.settled()
        await until(lambda: files_in(tmp_path, "") == [])
        assert house.door.events == ["begin"]


async def test_a_house_that_dies_while_a_message_is_spoken_takes_it_up_when_it_is_back(tmp_path: Path) -> None:
    """A process of its own, killed in the middle of a word."""
    dying = subprocess.Popen(  # noqa: ASYNC220 -- a moment
        [sys.executable, "-m", "everyline.channels.phone.tests.dying_house", str(tmp_path)]
    )
    try:
        await until(
            lambda: any(one.stat().st_size > 2.2 * 16000 for one in found(tmp_path, ".sealed")), "it grows", seconds=60
        )
        (sealed,) = found(tmp_path, ".sealed")
    finally:
        dying.send_signal(signal.SIGKILL)
        dying.wait()
    async with world(tmp_path, begins=by_mail) as house:
        await until(lambda: house.door.events == ["voicemail"])
        (message,) = house.door.pieces
        assert message.key in sealed.name
        assert message.number == CALLER
        assert message.seconds >= 2
        assert level(sound_of(message.sound)[8000:], SPOKEN) > 1000
        await until(lambda: files_in(tmp_path, "") == [])


def found(folder: Path, ending: str) -> list[Path]:
    """The files with an ending."""
    return list(folder.glob(f"*{ending}"))
