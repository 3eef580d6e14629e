"""What a process before this one left behind: recordings of calls, and messages that were being spoken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from everyline.channels.phone import messages, notes, taping
from everyline.media.errors import BadSound

if TYPE_CHECKING:
    from everyline.call_contract import CallDoor
    from everyline.channel_contract import Line

log = logging.getLogger(__name__)


async def keep(door: CallDoor, folder: Path, lines: Sequence[Line]) -> None:
    """Keep it, each thing once. What cannot be kept stays in its file; the doctor speaks of it."""
    by_id = {line.id: line for line in lines}
    for note in await asyncio.to_thread(lambda: sorted(folder.glob(f"*{notes.NOTE}"))):
        path = note.with_suffix(notes.SEALED)
        try:
            said = await asyncio.to_thread(notes.read, path)
            line = by_id[int(said["line"])]
            take_up = messages.take_up if messages.PIECE in said else taping.take_up
            await take_up(door, line, path, said)
        except KeyError as error:
            log.warning("%s is left where it is: its line is not open, or it says no %s", path, error)
        except (OSError, ValueError, TypeError, BadSound) as error:
            log.warning("%s is left where it is: %s", path, error)
