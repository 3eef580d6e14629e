"""In by IMAP: one mailbox, read to its end, then watched.

What was read is remembered as UIDVALIDITY and UID in the same transaction that keeps the mail, so a crash at any moment
neither loses nor repeats one. Nothing is marked as read that is not kept, and no date decides what is new.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

from everyline.channel_contract import ChannelError, Door, Line, Raw, Refused
from everyline.channels.email import identity
from everyline.channels.email.imap_wire import Folder, ImapWire, WireError
from everyline.channels.email.settings import EmailSettings
from everyline.ground import clock
from everyline.ground.words import _

LONGEST_WATCH = 9 * 60.0  # seconds; many routers forget a silent connection after ten minutes
LONGEST_PAUSE = 300.0
AT_ONCE = 100  # sizes asked for together
BACKFILL_DAYS = 30


class ImapReceiver:
    """Takes in the mail of one line's mailbox."""

    exclusive = True

    def __init__(self, line: Line) -> None:
        self.line = line
        self.name = f"imap {line.address}"
        self.settings: EmailSettings = line.settings

    async def run(self, door: Door) -> None:
        """Until cancelled. A connection that breaks is opened again after a pause that grows."""
        pause = 1.0
        while True:
            try:
                wire = await ImapWire.open(self.settings)
                try:
                    pause = 1.0
                    await self._take_in(wire, door)
                finally:
                    wire.drop()
            except (WireError, ChannelError, OSError) as error:
                await self._report(door, str(error) or _("The connection to the mail host broke."))
            except Refused as error:
                await self._report(door, _("A mail was refused and waits in the mailbox: {why}").format(why=error))
            except Exception as error:  # noqa: BLE001 -- a door that is out of order must not end the mailbox
                await self._report(door, _("Mail could not be kept for now: {why}").format(why=type(error).__name__))
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _report(self, door: Door, words: str) -> None:
        try:
            await door.failed(self.line, words)
        except Exception:  # noqa: BLE001 -- the database may be away; the pause below gives it time
            return

    async def _take_in(self, wire: ImapWire, door: Door) -> None:
        while True:
            folder = await wire.select(self.settings.imap_folder, writable=self.settings.mark_seen)
            cursor = await self._start(wire, folder, door)
            await self._catch_up(wire, cursor, door)
            await door.healthy(self.line)
            await self._watch(wire, cursor, door)

    async def _watch(self, wire: ImapWire, cursor: dict[str, Any], door: Door) -> None:
        """Until something in the folder needs it to be opened anew."""
        if "IDLE" not in wire.capabilities:
            await asyncio.sleep(self.settings.poll_seconds)
            return
        while await wire.idle(LONGEST_WATCH):
            await self._catch_up(wire, cursor, door)

    async def _start(self, wire: ImapWire, folder: Folder, door: Door) -> dict[str, Any]:
        """Where to read on. A folder whose numbers were given anew is read again from where the line began: the ids of
        what is there already keep it from coming in twice."""
        known = dict(await door.cursor(self.line))
        name = self.settings.imap_folder
        if known.get("validity") == folder.validity and known.get("folder") == name:
            return known
        since = known.get("since") if known.get("folder") == name else None
        cursor: dict[str, Any] = {
            "folder": name,
            "validity": folder.validity,
            "uid": 0,
            "since": since or ("" if self.settings.backfill == "all" else clock.now().isoformat()),
            "backfill": folder.next_uid - 1,  # what is there now gets no acknowledgement
        }
        if since is None and self.settings.backfill == "new":
            cursor["uid"] = folder.next_uid - 1
        elif cursor["since"]:
            days = BACKFILL_DAYS if since is None else 1
            first = datetime.fromisoformat(cursor["since"]) - timedelta(days=days)
            if since is None:
                cursor["since"] = first.isoformat()
            younger = await wire.search(b"SINCE " + _day(first))
            cursor["uid"] = min(younger) - 1 if younger else folder.next_uid - 1
        await door.remember(self.line, cursor)
        return cursor

    async def _catch_up(self, wire: ImapWire, cursor: dict[str, Any], door: Door) -> None:
        """Take in all that came after the cursor, in its order."""
        wire.news = False
        uids = [uid for uid in await wire.search(b"UID %d:*" % (cursor["uid"] + 1)) if uid > cursor["uid"]]
        for start in range(0, len(uids), AT_ONCE):
            some = uids[start : start + AT_ONCE]
            sizes = await wire.sizes(some)
            for uid in some:
                await self._take(wire, uid, sizes.get(uid, 0), cursor, door)

    async def _take(self, wire: ImapWire, uid: int, size: int, cursor: dict[str, Any], door: Door) -> None:
        moved = {**cursor, "uid": uid}
        too_large = size > self.settings.largest_message
        try:
            await self._keep(wire, uid, size if too_large else 0, moved, door)
        except Refused as error:
            await door.failed(self.line, _("Of a mail only the header was taken in: {why}").format(why=error))
            await self._keep(wire, uid, size, moved, door)
        cursor.update(moved)

    async def _keep(self, wire: ImapWire, uid: int, too_large: int, moved: dict[str, Any], door: Door) -> None:
        """Keep one mail, or its header when it has ``too_large`` bytes."""
        body = await wire.fetch(uid, header_only=bool(too_large))
        if body is None:  # somebody deleted it in the meantime
            await door.remember(self.line, moved)
            return
        envelope: dict[str, Any] = {"folder": moved["folder"], "validity": moved["validity"], "uid": uid}
        if uid <= moved.get("backfill", 0):
            envelope["backfill"] = True
        if too_large:
            envelope["too_large"] = too_large
        await door.accept(self.line, Raw(identity.external_id(body), body, envelope), cursor=moved)
        if self.settings.mark_seen and not too_large:
            await wire.mark_seen(uid)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(moment: datetime) -> bytes:
    """A day as IMAP writes it, whatever language the machine speaks."""
    return f"{moment.day}-{_MONTHS[moment.month - 1]}-{moment.year}".encode("ascii")
