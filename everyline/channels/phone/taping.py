"""Recordings of calls: begun when people talk, paused for every reason that stands, kept at the end, and after a crash too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everyline.call_contract import Keeping, Recorded
from everyline.channel_contract import Address, Line
from everyline.channels.phone import notes
from everyline.ground import clock
from everyline.ground.words import _, speaking

if TYPE_CHECKING:
    from everyline.call_contract import CallDoor
    from everyline.media.engine import Engine
    from everyline.media.mixing import Mix
    from everyline.media.recording import Recording

log = logging.getLogger(__name__)


@dataclass
class Tape:
    """The recording of one call. Reasons to pause add up: it goes on when none is left."""

    engine: Engine
    door: CallDoor
    folder: Path
    line: Line
    sender: Address
    recording: Recording | None = None
    began_at: datetime | None = None
    _reasons: tuple[str, ...] = ()

    @property
    def keeping(self) -> Keeping:
        """Whether what is said is recorded now."""
        if self.recording is None or self.recording.ended or self.recording.failure:
            return Keeping.OFF
        return Keeping.PAUSED if self._reasons else Keeping.ON

    def begin(self, mix: Mix) -> None:
        """Record all who talk. Nothing happens the second time."""
        if self.recording is not None:
            return
        self.began_at = clock.now()
        path = self.folder / f"{self.line.id}-{self.sender.talk}{notes.SEALED}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            notes.write(path, self._note())
        except OSError:
            log.exception("a call is not recorded")
            return
        self.recording = self.engine.record(mix, path, seal=self.door.seal(self.sender.talk))
        if self._reasons:
            self.recording.pause(self._reasons[0])
            self._note_down()

    def _note_down(self) -> None:
        """Keep beside the recording what is left out of it: a process that dies tells nobody."""
        if self.recording is None or self.recording.ended:
            return
        try:
            notes.write(self.recording.path, self._note())
        except OSError as error:
            log.warning("what is left out of a recording is not noted: %s", error)

    def _note(self) -> dict[str, Any]:
        """What is needed to keep it when this process does not live to do so."""
        assert self.began_at
        sender = self.sender
        kept = {"kind": sender.kind, "address": sender.address, "name": sender.name, "talk": sender.talk}
        marks = [(mark.begin, mark.end, mark.reason) for mark in self.recording.gaps] if self.recording else []
        return {"line": self.line.id, "sender": kept, "began_at": self.began_at.isoformat(), "marks": marks}

    def pause(self, reason: str) -> None:
        """Keep nothing as long as this reason stands."""
        if reason not in self._reasons:
            self._reasons += (reason,)
        if self.recording is not None and not self.recording.paused:
            self.recording.pause(reason)
            self._note_down()

    def go_on(self, reason: str) -> None:
        """The reason stands no more."""
        self._reasons = tuple(one for one in self._reasons if one != reason)
        if self.recording is not None and self.recording.paused and not self._reasons:
            self.recording.resume()
            self._note_down()

    async def end(self) -> None:
        """Whole, and kept. What cannot be kept now is tried again at the next start."""
        recording, self.recording = self.recording, None
        if recording is None or self.began_at is None:
            return
        await self.engine.recorded(recording)
        marks = tuple((mark.begin, mark.end, mark.reason) for mark in recording.marks)
        days = self.line.settings.recordings_days
        whole = Recorded(recording.path, recording.seconds, self.began_at, marks, recording.failure, days)
        await _keep(self.door, self.line, self.sender, whole)


async def _keep(door: CallDoor, line: Line, sender: Address, recorded: Recorded) -> None:
    try:
        await door.keep_recording(line, sender, recorded)
    except OSError as error:
        log.warning("a recording waits for the next start: %s", error)
        return
    await asyncio.to_thread(notes.clear, recorded.path)


async def take_up(door: CallDoor, line: Line, path: Path, said: Mapping[str, Any]) -> None:
    """Keep a recording that a process before this one left behind. Raises OSError, ValueError, KeyError, TypeError when its note is none."""
    sender = Address(**said["sender"])
    began_at = datetime.fromisoformat(said["began_at"])
    marks = tuple(
        (float(begin), None if end is None else float(end), str(why)) for begin, end, why in said.get("marks", ())
    )
    seconds = await asyncio.to_thread(notes.seconds, path)
    if not seconds:
        await asyncio.to_thread(notes.clear, path)
        return
    with speaking(line.language):
        failure = _("The process that moves sound ended in mid-call.")
    found = Recorded(path, seconds, began_at, marks, failure, line.settings.recordings_days)
    await _keep(door, line, sender, found)
