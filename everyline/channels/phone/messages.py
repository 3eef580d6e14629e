"""One message: spoken after a tone, sealed while it is written, and handed in as a piece of the call, once, whatever ends in between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everyline.channel_contract import Raw, Refused
from everyline.channels.phone import notes, piece
from everyline.channels.phone.piece import Piece
from everyline.ground.errors import ProductError
from everyline.media import progress
from everyline.media.g711 import RATE
from everyline.media.recording import unsealed

if TYPE_CHECKING:
    from everyline.call_contract import CallDoor
    from everyline.channel_contract import Line
    from everyline.channels.phone.call import OneCall
    from everyline.media.recording import Recording, Seal

log = logging.getLogger(__name__)
PIECE = "piece"  # what the note of a message has, and that of a call's recording has not
SHORTEST_SECONDS = 1.0  # what is shorter is nobody's words
END_KEY = "#"
AGAIN = (0.0, 0.5, 2.0, 5.0)


class Taken(Enum):
    """What came of asking for a message."""

    KEPT = "kept"
    CUT = "cut"  # the disk was full: what was said before that is kept
    NOTHING = "nothing"  # nobody said anything
    LOST = "lost"  # it could not be recorded, or not be kept


async def take(call: OneCall, most_seconds: float) -> Taken:
    """A tone; then what is said until the pound key, the end of the call, or the longest time. What was said is kept also when the
    caller hangs up, or this is cancelled."""
    call.forget_keys()
    tone = call.leg.play(progress.beep())
    await tone.ended()
    recording = await _begin(call)
    if recording is None:
        return Taken.LOST
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_seconds):
                await _spoken(call, recording)
    finally:
        call.goes_on = recording.seconds >= SHORTEST_SECONDS
        kept = call.house.start(_keep(call, recording), f"message of call {call.key}")
    return await asyncio.shield(kept)


async def _begin(call: OneCall) -> Recording | None:
    """Record from now on, with all that is needed to hand it in written down before. None: the disk does not let us."""
    found = call.piece("voicemail", call.next_count())
    path = call.house.folder / f"{call.line.id}-{call.key}-message-{found.count}{notes.SEALED}"
    told = found.model_dump(mode="json", exclude={"sound", "seconds"})
    try:
        await asyncio.to_thread(_prepare, path, {"line": call.line.id, PIECE: told})
    except OSError:
        log.exception("a message cannot be recorded")
        return None
    return call.house.engine.record(call.leg, path, seal=call.house.door.seal(call.key))


def _prepare(path: Path, facts: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    notes.write(path, facts)


async def _spoken(call: OneCall, recording: Recording) -> None:
    """Until the key that ends it, or until nothing can be written any more."""
    broken = asyncio.ensure_future(recording.settled.wait())
    try:
        while not recording.failure:
            key = asyncio.ensure_future(call.keys.get())
            try:
                await asyncio.wait({key, broken}, return_when=asyncio.FIRST_COMPLETED)
                if key.done() and key.result() == END_KEY:
                    return
            finally:
                key.cancel()
    finally:
        broken.cancel()


async def _keep(call: OneCall, recording: Recording) -> Taken:
    """Whole on the disk, and handed in. Who waited is answered later."""
    await call.house.engine.recorded(recording)
    if recording.failure:
        log.warning("a message was cut off after %.1f seconds: %s", recording.seconds, recording.failure)
    try:
        said = await asyncio.to_thread(notes.read, recording.path)
        seconds = await _hand_in(call.house.door, call.line, recording.path, said)
    except (OSError, ValueError) as error:
        log.error("a message is not handed in, it stays in %s: %s", recording.path, error)  # noqa: TRY400 -- it says all
        call.goes_on = False  # it opens its case again when it comes in
        return Taken.LOST
    if not seconds:
        call.goes_on = False
        return Taken.LOST if recording.failure else Taken.NOTHING
    return Taken.CUT if recording.failure else Taken.KEPT


async def take_up(door: CallDoor, line: Line, path: Path, said: Mapping[str, Any]) -> None:
    """A message that a process before this one did not hand in, or did not live to know of. Raises OSError, ValueError, KeyError."""
    seconds = await _hand_in(door, line, path, said)
    if seconds:
        log.info("a message of %.1f seconds was taken up from %s", seconds, path)


async def _hand_in(door: CallDoor, line: Line, path: Path, said: Mapping[str, Any]) -> float:
    """Hand it in by the number that it was given when it began, so that it is one however often this is tried; its file goes
    then. Returns its length; 0.0: there was nothing in it. OSError, ValueError: it stays in its file."""
    found = Piece.model_validate(said[PIECE])
    samples = await asyncio.to_thread(_samples, path, door.unseal(found.key))
    seconds = len(samples.samples) / (2 * RATE) if samples is not None else 0.0
    if samples is None or seconds < SHORTEST_SECONDS:
        await asyncio.to_thread(notes.clear, path)
        return 0.0
    body = found.model_copy(update={"seconds": seconds, "sound": samples.wav()}).as_bytes()
    await _accepted(door, line, Raw(piece.identify(body), body, writer=found.key))
    await asyncio.to_thread(notes.clear, path)
    with contextlib.suppress(ProductError, OSError):  # they do not wait, or the house sees to it by itself
        await door.answer_later(line, piece.sender_of(found.number, found.name, found.key))
    return seconds


async def _accepted(door: CallDoor, line: Line, raw: Raw) -> None:
    for number, pause in enumerate(AGAIN, 1):
        await asyncio.sleep(pause)
        try:
            await door.accept(line, raw)
        except Refused as error:
            raise ValueError(str(error)) from error
        except OSError as error:
            if number == len(AGAIN):
                raise
            log.warning("a message cannot be handed in for now: %s", error)
        else:
            return


def _samples(path: Path, unseal: Seal) -> Any:
    """What was said so far; None: nothing was written."""
    if not path.exists() or path.stat().st_size <= notes.HEAD_BYTES:
        return None
    return unsealed(path, unseal)
