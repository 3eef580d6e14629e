"""The board of one process: one picture, kept true by events, and what of it changed pushed to whoever looks.

It runs while somebody looks. Events say what may have changed; that alone is read again, at most four times a second, and
the figures are computed once for each audience: viewers with the same cut, scope, language and zone are one. What passes
with time alone (thresholds on waits, the half hour of a service level) is looked at each second, without the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from everyline.board import parts, reading, rules
from everyline.board.facts import NOW_SECONDS, Group, Picture, Tally
from everyline.board.figures import CUTS, Board, Counts, agent_counts, compute
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Tx
from everyline.ground.events import Event
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.ground.moments import zone
from everyline.ground.words import speaking
from everyline.people.rules import Me

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.08  # events within this time are one change
PAUSE_SECONDS = 0.2  # between two changes
TICK_SECONDS = 1.0
UNMET_SECONDS = 5.0
SETTLE_SECONDS = 1.0
IDLE_SECONDS = 120.0  # unseen for so long, it stops

ARRANGING = frozenset({"queue", "line", "hours", "skill", "team", "threshold", "installation"})
OF_AGENTS = frozenset({"agent", "interaction", "offer"})
OF_QUEUES = frozenset({"queue_entry", "interaction", "offer"})


@dataclass(frozen=True, slots=True)
class Audience:
    """Viewers who are shown the same."""

    by: str
    queue_ids: frozenset[int] | None  # scope; None: every queue
    language: str
    zone: str

    @property
    def topic(self) -> str:
        """What their streams listen to."""
        scope = "all" if self.queue_ids is None else ",".join(map(str, sorted(self.queue_ids)))
        digest = hashlib.sha256(f"{scope} {self.language} {self.zone}".encode()).hexdigest()[:12]
        return f"board:{self.by}:{digest}"


@dataclass(slots=True)
class Shown:
    """What an audience was shown last."""

    board: Board
    cells: dict[str, str]  # id to HTML
    tones: dict[str, str]  # row to tone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions a read of the database saw (PostgreSQL's pg_current_snapshot)."""

    least: int
    next: int
    running: frozenset[int]

    @classmethod
    def read(cls, words: str) -> Snapshot:
        """From its text form, ``xmin:xmax:xip,…``."""
        least, following, running = words.split(":")
        return cls(int(least), int(following), frozenset(int(one) for one in running.split(",") if one))

    def saw(self, event: Event) -> bool:
        """Was the event's transaction in it?"""
        xid = event.position.xid
        return xid < self.least or (xid < self.next and xid not in self.running)


@dataclass(slots=True)
class Dirt:
    """What may have changed."""

    arrangement: bool = False
    queue_ids: set[int] = field(default_factory=set)
    agent_ids: set[int] = field(default_factory=set)
    heard: list[Event] = field(default_factory=list)  # what ended or entered, to be counted

    def __bool__(self) -> bool:
        return bool(self.arrangement or self.queue_ids or self.agent_ids or self.heard)


class Watch:
    """The board of this process."""

    def __init__(self, ground: Ground, hub: Hub) -> None:
        self._ground, self._hub = ground, hub
        self._picture = Picture()
        self._snapshot = Snapshot(0, 0, frozenset())
        self._dirt = Dirt()
        self._wake = asyncio.Event()
        self._loaded = asyncio.Event()
        self._clean = asyncio.Event()  # all that was heard is in the picture
        self._task: asyncio.Task[None] | None = None
        self._shown: dict[Audience, Shown] = {}
        self._counts: dict[tuple[str, frozenset[int] | None], dict[str, Counts]] = {}
        self._used_at = 0.0
        self._unmet_at = 0.0

    # --- for those who look

    @staticmethod
    def audience(me: Me, by: str) -> Audience:
        """Whose view it is that somebody has of a cut. ValueError when there is no such cut."""
        if by not in CUTS:
            raise ValueError(by)
        return Audience(by, None if me.all_queues else me.queue_ids, me.language, me.zone)

    async def board(self, me: Me, by: str) -> Board:
        """The figures of a cut as somebody may see them."""
        await self._ready()
        return self._look(self.audience(me, by)).board

    async def picture(self) -> Picture:
        """What is known now. Not to be changed."""
        await self._ready()
        return self._picture

    async def join(self, me: Me, by: str) -> Audience:
        """Before a stream begins: the audience it belongs to, whose figures are known afterwards."""
        await self._ready()
        found = self.audience(me, by)
        self._look(found)
        return found

    def whole(self, audience: Audience) -> bytes:
        """All that the audience is shown, as a stream gets it when it begins."""
        shown = self._look(audience)
        return _line(audience, shown.board, shown.cells, shown.tones, whole=True)

    def cells(self, audience: Audience) -> dict[str, str]:
        """The cells as the page has them."""
        return self._look(audience).cells

    async def stop(self) -> None:
        """End with the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- what keeps it true

    async def _ready(self) -> None:
        self._used_at = asyncio.get_running_loop().time()
        if self._task is None or self._task.done():
            self._loaded.clear()
            self._task = asyncio.create_task(self._run(), name="board")
        await self._loaded.wait()
        with suppress(TimeoutError):  # who acted just now, or was told of a change, sees it
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._clean.wait()

    def _hear(self, batch: Sequence[Event]) -> None:
        dirt = self._dirt
        for event in batch:
            noun = event.kind.partition(".")[0]
            if noun in ARRANGING:
                dirt.arrangement = True
            if noun in OF_QUEUES and event.queue_id is not None:
                dirt.queue_ids.add(event.queue_id)
            if noun in OF_AGENTS and event.agent_id is not None:
                dirt.agent_ids.add(event.agent_id)
            if event.kind in ("queue_entry.entered", "queue_entry.left", "interaction.accepted", "interaction.picked"):
                dirt.heard.append(event)
        if dirt:
            self._clean.clear()
            self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                with self._hub.hearing(self._hear):
                    await self._load()
                    while await self._step():
                        pass
                    return
            except (DatabaseError, OSError) as error:
                log.warning("the board waits for the database: %s", type(error).__name__)
                await asyncio.sleep(1.0)

    async def _load(self) -> None:
        await self._hub.started.wait()
        self._dirt = Dirt()
        picture = Picture()
        async with self._ground.database.transaction() as tx:
            await tx.execute(text("set transaction isolation level repeatable read"))
            self._snapshot = Snapshot.read(str(await tx.value(text("select cast(pg_current_snapshot() as text)"))))
            await reading.everything(tx, picture)
            await reading.unmet(tx, picture)
        self._picture = picture
        self._unmet_at = asyncio.get_running_loop().time()
        self._counts.clear()
        # who looks is shown what is new since; what nobody looks at is not to be shown old
        self._shown = {one: shown for one, shown in self._shown.items() if self._hub.listened(one.topic)}
        self._loaded.set()
        self._clean.set()

    async def _step(self) -> bool:
        """Wait for a change or the next second, and show it. False when nobody looks any more."""
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS):
                await self._wake.wait()
        if self._wake.is_set():
            await asyncio.sleep(GATHER_SECONDS)
        self._wake.clear()
        if any(self._hub.listened(audience.topic) for audience in self._shown):
            self._used_at = loop.time()
        elif loop.time() - self._used_at > IDLE_SECONDS:
            self._loaded.clear()
            return False
        began = loop.time()
        dirt, self._dirt = self._dirt, Dirt()
        at = now()
        if at.astimezone(zone(self._picture.zone)).date().isoformat() != self._picture.day:
            await self._load()
        elif dirt or loop.time() - self._unmet_at > UNMET_SECONDS:
            await self._read(dirt)
        reading.next_point(self._picture, at)
        self._forget_old(at)
        await self._push()
        if not self._dirt:
            self._clean.set()
        if dirt:  # what takes long to read is read less often
            await asyncio.sleep(min(max(PAUSE_SECONDS, loop.time() - began), 0.5))
        return True

    async def _read(self, dirt: Dirt) -> None:
        picture = self._picture
        async with self._ground.database.transaction() as tx:
            if dirt.arrangement:
                await reading.arrangement(tx, picture)
            for event in dirt.heard:
                self._count(event)
            if dirt.queue_ids:
                await reading.waits(tx, picture, dirt.queue_ids)
            if dirt.agent_ids:
                await reading.agents(tx, picture, dirt.agent_ids)
            await self._read_unmet(tx)
        if dirt.agent_ids or dirt.arrangement:
            self._counts.clear()

    async def _read_unmet(self, tx: Tx) -> None:
        at = asyncio.get_running_loop().time()
        if at - self._unmet_at > UNMET_SECONDS:
            self._unmet_at = at
            await reading.unmet(tx, self._picture)

    def _count(self, event: Event) -> None:
        """Count what entered or ended, unless it was in what the picture began with."""
        picture, data = self._picture, event.data
        queue = picture.queues.get(event.queue_id or 0)
        if queue is None or self._snapshot.saw(event) or "channel" not in data:
            return
        group = Group(queue.id, data["channel"], data.get("language") or "", data.get("team_id") or 0)
        if event.kind == "queue_entry.entered":
            if not data.get("moved"):
                picture.entered[group] = picture.entered.get(group, 0) + 1
            return
        outcome = str(data.get("outcome", "")) if event.kind == "queue_entry.left" else "accepted"
        since = event.at - timedelta(seconds=float(data.get("waited_seconds") or 0))
        found = rules.ended(queue, int(data["entry_id"]), group, outcome, since, event.at)
        if found is not None:
            picture.today.setdefault(group, Tally()).count(found)
            picture.lately.append(found)

    def _forget_old(self, at: datetime) -> None:
        """What ended more than half an hour ago is not of now."""
        lately, since = self._picture.lately, at - timedelta(seconds=NOW_SECONDS)
        old = next((place for place, one in enumerate(lately) if one.at >= since), len(lately))
        del lately[:old]

    # --- what is shown

    def _compute(self, audience: Audience, at: datetime) -> Board:
        key = (audience.by, audience.queue_ids)
        if key not in self._counts:
            self._counts[key] = agent_counts(self._picture, *key)
        return compute(self._picture, audience.by, audience.queue_ids, at, self._counts[key])

    def _look(self, audience: Audience) -> Shown:
        shown = self._shown.get(audience)
        if shown is None:
            board = self._compute(audience, now())
            with speaking(audience.language):
                cells = parts.every(board, self._picture, audience.zone)
            shown = self._shown[audience] = Shown(board, cells, parts.tones(board))
        return shown

    async def _push(self) -> None:
        """Show each audience what changed for it; an audience that nobody is of is forgotten."""
        at = now()
        for audience in list(self._shown):
            if not self._hub.listened(audience.topic):
                del self._shown[audience]
                continue
            await asyncio.sleep(0)  # others of this process may be about to answer
            shown = self._shown[audience]
            board = self._compute(audience, at)
            with speaking(audience.language):
                changed = parts.changed(shown.board, board, self._picture, audience.zone)
                cells = {name: html for name, html in changed.items() if shown.cells.get(name) != html}
                said = parts.said(shown.board, board, self._picture)
            tones = parts.tones(board)
            turned = {name: tone for name, tone in tones.items() if shown.tones.get(name) != tone}
            moved = [line.key for line in board.lines] != [line.key for line in shown.board.lines]
            shown.board, shown.tones = board, tones
            shown.cells.update(cells)
            if cells or turned or moved or said.texts:
                self._hub.say(audience.topic, _line(audience, board, cells, turned, said=said))


def _line(
    audience: Audience,
    board: Board,
    cells: dict[str, str],
    tones: dict[str, str],
    *,
    whole: bool = False,
    said: parts.Said | None = None,
) -> bytes:
    """One server-sent event (HTML standard, section 9.2), without a position: a stream that comes back gets all anew."""
    told: dict[str, Any] = {
        "kind": "board.changed",
        "topics": [f"board:{audience.by}"],
        "whole": whole,
        "order": [line.key for line in board.lines],
        "cells": cells,
        "tones": tones,
        "said": list(said.texts) if said else [],
        "rings": said.rings if said else False,
    }
    return f"data: {json.dumps(told, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()
