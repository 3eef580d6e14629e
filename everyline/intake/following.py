"""Those who listen to their talks in one process: thousands, most of them to nothing.

One reader for all: events, heard from the hub of the process, say whose talk may have news; what is new is read for all of
them together, some milliseconds later. Everyone remembers the newest message of each of their interactions, so that nothing
is told twice and nothing is left out, whatever the order in which it is heard of.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from everyline.channel_contract import Address, Person, SurveyQuestion, Talk, TalkMessage, TalkNews, Wait
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Row, Tx
from everyline.ground.events import Event
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.ground.words import speaking
from everyline.intake import talking, telling
from everyline.queues import queries as queue_queries
from everyline.queues import waiting

log = logging.getLogger(__name__)
statements = talking.statements

GATHER_SECONDS = 0.012  # news within this time are read together
HERE_SECONDS = 20.0  # how often it is written down who looks
PLACES_SECONDS = 2.0  # how often the places in a queue are told
MOST_AT_ONCE = 300  # followers that are read for together
MOST_MISSED = 200  # messages of one talk; who missed more reads everything again
_MESSAGES = frozenset({"message.received", "message.written"})
_ABOUT_TALKS = ("talk.", "queue_entry.", "interaction.", "case.given", "case.merged", "offer.")

SurveyOf = Callable[[Row], SurveyQuestion | None]


class Follower:
    """One ear (``channel_contract.Following``). Small, for there are thousands."""

    __slots__ = (
        "_after",
        "_ended",
        "_followers",
        "_typing",
        "address",
        "case_id",
        "interaction_id",
        "key",
        "kind",
        "language",
        "line_id",
        "lost",
        "messages",
        "point_id",
        "read_upto",
        "state",
        "talk",
        "waits_in",
        "wake",
    )  # fmt: skip

    def __init__(self, followers: Followers, line_id: int, sender: Address, language: str, after: str) -> None:
        self._followers = followers
        self._after = telling.read_position(after)
        self.line_id, self.kind, self.address, self.language = line_id, sender.kind, sender.address, language
        self.key = sender.talk
        self.point_id: int | None = None
        self.case_id: int | None = None
        self.interaction_id: int | None = None
        self.waits_in: int | None = None
        self.talk: Talk | None = None  # as it was told last
        self.state: Talk | None = None  # as it is, and not told yet
        self.messages: list[tuple[str, TalkMessage]] | None = None
        self.read_upto = 0
        self.lost = False
        self.wake: asyncio.Future[None] | None = None
        self._typing: tuple[Person, bool] | None = None
        self._ended = False

    @property
    def over(self) -> bool:
        return self._ended

    @property
    def afters(self) -> dict[int, int]:
        """By interaction: the newest message that is known."""
        return self._after

    def put(self, row: Row) -> None:
        """A message that is news: what was known was not read."""
        self._after[row.interaction_id] = row.id
        if self.messages is None:
            self.messages = []
        self.messages.append((telling.position(self._after), telling.message(row)))

    def types(self, agent: Person, *, on: bool) -> None:
        """An agent writes, or no longer."""
        self._typing = (agent, on)
        self.rouse()

    def rouse(self) -> None:
        """There is something."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    def end(self) -> None:
        """The process ends, or nobody follows any more."""
        self._ended = True
        self.rouse()

    def something(self) -> bool:
        return bool(
            self.messages or self.state is not None or self._typing or self.read_upto or self.lost or self._ended
        )

    async def news(self, seconds: float) -> TalkNews | None:
        if not self.something():
            loop = asyncio.get_running_loop()
            self.wake = loop.create_future()
            timer = loop.call_later(seconds, self.rouse)
            try:
                await self.wake
            finally:
                timer.cancel()
                self.wake = None
        if not self.something():
            return None
        state = self.state
        found = TalkNews(
            tuple(self.messages or ()),
            state,
            (self._typing,) if self._typing else (),
            self.read_upto,
            self.lost,
        )
        self.talk = state or self.talk
        self.messages, self.state, self._typing, self.read_upto, self.lost = None, None, None, 0, False
        return found

    def close(self) -> None:
        self._followers.forget(self)
        self.end()


class Followers:
    """All of one process."""

    def __init__(self, ground: Ground, hub: Hub, survey_of: SurveyOf) -> None:
        self._ground, self._hub, self._survey_of = ground, hub, survey_of
        self._all: set[Follower] = set()
        self._by_sender: dict[tuple[int, str, str], Follower] = {}  # the newest of each
        self._by_point: dict[int, set[Follower]] = {}
        self._by_case: dict[int, set[Follower]] = {}
        self._by_queue: dict[int, set[Follower]] = {}
        self._fresh: dict[Follower, bool] = {}  # to be read for: True, the talk as well as the messages
        self._strangers: set[int] = set()  # points of talks that began, whose followers are not known by them yet
        self._heard: set[int] = set()  # cases of which something was heard since the last reading began
        self._queues_moved: dict[int, float] = {}  # since when places may have changed
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._hearing = contextlib.ExitStack()

    def __len__(self) -> int:
        return len(self._all)

    def start(self) -> None:
        """Begin to listen."""
        self._hearing.enter_context(self._hub.hearing(self._hear))
        self._hearing.enter_context(self._ground.bus.hearing(self._hear_words))
        self._hub.at_end.append(self._end_all)
        self._tasks = [
            asyncio.create_task(self._for_ever(self._read_some), name="followers read"),
            asyncio.create_task(self._for_ever(self._tell_who_looks), name="followers look"),
        ]

    async def stop(self) -> None:
        """Listen no more."""
        self._hearing.close()
        self._hub.at_end.remove(self._end_all)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end_all()

    def open(self, line_id: int, sender: Address, language: str, after: str) -> Follower:
        """Begin to follow. ValueError when ``after`` is no position."""
        follower = Follower(self, line_id, sender, language, after)
        self._all.add(follower)
        self._by_sender[line_id, sender.address, sender.talk] = follower
        self._mark(follower, whole=True)
        if self._hub.ending:
            follower.end()
        return follower

    def forget(self, follower: Follower) -> None:
        """Follow no more."""
        self._all.discard(follower)
        self._fresh.pop(follower, None)
        sender = (follower.line_id, follower.address, follower.key)
        if self._by_sender.get(sender) is follower:
            del self._by_sender[sender]
        for index, key in (
            (self._by_point, follower.point_id),
            (self._by_case, follower.case_id),
            (self._by_queue, follower.waits_in),
        ):
            _drop(index, key, follower)
        if follower.case_id is not None and follower.case_id not in self._by_case and follower.talk is not None:
            self._say_here(follower, on=False)

    def case_of(self, line_id: int, sender: Address) -> int | None:
        """The case that somebody talks about on a line, when they follow it here."""
        follower = self._by_sender.get((line_id, sender.address, sender.talk))
        return follower.case_id if follower is not None else None

    def _mark(self, follower: Follower, *, whole: bool) -> None:
        self._fresh[follower] = self._fresh.get(follower, False) or whole
        self._wake.set()

    def _end_all(self) -> None:
        for follower in tuple(self._all):
            follower.end()

    # --- hearing

    def _hear(self, batch: Sequence[Event]) -> None:
        for event in batch:
            if event.kind in _MESSAGES:
                self._mark_case(event.case_id, whole=event.kind == "message.written")
            elif event.kind.startswith(_ABOUT_TALKS):
                self._mark_case(event.case_id, whole=True)
                self._hear_of_talk(event)

    def _mark_case(self, case_id: int | None, *, whole: bool) -> None:
        self._heard.add(case_id or 0)
        for follower in self._by_case.get(case_id or 0, ()):
            self._mark(follower, whole=whole)

    def _hear_of_talk(self, event: Event) -> None:
        if event.queue_id in self._by_queue and not event.kind.startswith("talk."):
            self._queues_moved.setdefault(event.queue_id, time.monotonic())
            self._wake.set()
        if event.kind == "talk.began":
            point_id = int(event.data.get("point_id") or 0)
            known = self._by_point.get(point_id, ())
            for follower in known:
                self._mark(follower, whole=True)
            if not known:
                self._strangers.add(point_id)
                self._wake.set()
        point = event.data.get("point_id")
        for follower in self._by_point.get(point, ()) if isinstance(point, int) else ():
            self._mark(follower, whole=True)

    def _hear_words(self, words: dict[str, Any]) -> None:
        if words.get("kind") != talking.WORD:
            return
        case_id, what = words.get("case"), words.get("what")
        if what == "typing" and words.get("by") == "agent":
            for follower in self._by_case.get(case_id or 0, ()):
                follower.types(Person(**words["agent"]), on=bool(words["on"]))
        elif what == "read":
            for follower in self._by_case.get(case_id or 0, ()):
                follower.read_upto = max(follower.read_upto, int(words["upto"]))
                follower.rouse()
        else:  # what a customer does is for those who look at the case
            told = {"kind": f"talk.{what}", "topics": [f"case:{case_id}"], "case": case_id}
            told |= {name: words[name] for name in ("on", "upto") if name in words}
            self._hub.say(f"case:{case_id}", f"data: {json.dumps(told, separators=(',', ':'))}\n\n".encode())

    # --- reading

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (DatabaseError, OSError) as error:
                log.warning("talks wait for the database: %s", type(error).__name__)
                await asyncio.sleep(0.3)
            except Exception:
                log.exception("talks could not be told")  # of some: all others go on
                await asyncio.sleep(0.3)

    async def _read_some(self) -> None:
        await self._wake.wait()
        await asyncio.sleep(GATHER_SECONDS)
        self._wake.clear()
        taken = dict(list(self._fresh.items())[:MOST_AT_ONCE])
        for follower in taken:
            del self._fresh[follower]
        strangers, self._strangers = self._strangers, set()
        known = {follower for follower in taken if follower.case_id is not None}
        self._heard.clear()
        at = time.monotonic()
        moved = [queue_id for queue_id, since in self._queues_moved.items() if at - since >= PLACES_SECONDS]
        try:
            async with self._ground.database.transaction() as tx, tx.pipeline(same_plans=True):
                await self._meet(tx, strangers, taken)
                await self._read(tx, taken)
                if moved:
                    await self._tell_places(tx, moved)
        except (DatabaseError, OSError):
            for follower, whole in taken.items():
                if follower in self._all:
                    self._mark(follower, whole=whole)
            self._strangers |= strangers
            self._wake.set()
            raise
        # what was heard of their case while it was looked up found nobody to tell
        for follower in taken.keys() - known:
            if follower.case_id in self._heard and follower in self._all:
                self._mark(follower, whole=True)
        for queue_id in moved:
            self._queues_moved.pop(queue_id, None)
        if self._fresh or self._strangers:
            self._wake.set()
        elif self._queues_moved:
            asyncio.get_running_loop().call_later(PLACES_SECONDS / 4, self._wake.set)

    async def _meet(self, tx: Tx, strangers: Iterable[int], taken: dict[Follower, bool]) -> None:
        """Who said something for the first time is known from now on."""
        if strangers:
            rows = await tx.rows(statements.senders, {"ids": sorted(strangers)})
            met = {(row.kind, row.address): row.id for row in rows}
            for follower in self._all if met else ():
                point_id = met.get((follower.kind, follower.address))
                if point_id is not None:
                    self._know(follower, point_id)
                    taken[follower] = True
        unknown = [follower for follower in taken if follower.point_id is None]
        if unknown:
            values = {
                "ns": list(range(len(unknown))),
                "kinds": [follower.kind for follower in unknown],
                "addresses": [follower.address for follower in unknown],
            }
            for row in await tx.rows(statements.points, values):
                self._know(unknown[row.n], row.point_id)

    def _know(self, follower: Follower, point_id: int) -> None:
        if follower in self._all:
            follower.point_id = point_id
            self._by_point.setdefault(point_id, set()).add(follower)

    async def _read(self, tx: Tx, taken: Mapping[Follower, bool]) -> None:
        known = [follower for follower in taken if follower.point_id is not None and follower in self._all]
        if not known:
            return
        rows = await tx.rows(
            statements.messages_after,
            {
                "ns": list(range(len(known))),
                "point_ids": [follower.point_id for follower in known],
                "line_ids": [follower.line_id for follower in known],
                "afters": [json.dumps(follower.afters) for follower in known],
                "talks": [follower.key for follower in known],
                "most": MOST_MISSED + 1,
            },
        )
        counts: defaultdict[tuple[int, int], int] = defaultdict(int)
        for row in rows:
            counts[row.n, row.interaction_id] += 1
        lost = {n for (n, _interaction), count in counts.items() if count > MOST_MISSED}
        for row in rows:
            if row.n not in lost:
                known[row.n].put(row)
        for n in lost:
            known[n].lost = True
        await self._read_talks(tx, [follower for follower in known if taken[follower] or follower.case_id is None])
        for follower in known:
            if follower.something():
                follower.rouse()

    async def _read_talks(self, tx: Tx, followers: Sequence[Follower]) -> None:
        if not followers:
            return
        rows = await tx.rows(
            statements.newest_talks,
            {
                "ns": list(range(len(followers))),
                "point_ids": [follower.point_id for follower in followers],
                "line_ids": [follower.line_id for follower in followers],
                "talks": [follower.key for follower in followers],
            },
        )
        queue_ids = sorted({row.waits_in for row in rows if row.waits_in is not None and row.ended_at is None})
        places = await places_in(tx, queue_ids)
        for row in rows:
            follower = followers[row.n]
            self._settle(follower, row)
            with speaking(follower.language or row.language or "en"):
                place, ahead = _ahead(places, row.waits_in, row.entry_id)
                found = telling.talk(row, place, ahead, self._survey_of(row))
            self._told(follower, found)

    def _settle(self, follower: Follower, row: Row) -> None:
        """File a follower under what their talk is now."""
        for index, before, after in (
            (self._by_case, follower.case_id, row.case_id),
            (self._by_queue, follower.waits_in, row.waits_in),
        ):
            if before != after:
                _drop(index, before, follower)
                if after is not None and follower in self._all:
                    index.setdefault(after, set()).add(follower)
        fresh = follower.interaction_id != row.id
        follower.case_id, follower.waits_in, follower.interaction_id = row.case_id, row.waits_in, row.id
        if fresh:
            self._say_here(follower, on=True)

    def _told(self, follower: Follower, found: Talk) -> None:
        if found != (follower.state or follower.talk):
            follower.state = found
            follower.rouse()

    async def _tell_places(self, tx: Tx, queue_ids: Sequence[int]) -> None:
        """Who waits in these queues hears where they stand."""
        there = [follower for queue_id in queue_ids for follower in self._by_queue.get(queue_id, ())]
        await self._read_talks(tx, there)

    # --- who looks

    def _say_here(self, follower: Follower, *, on: bool) -> None:
        self._ground.bus.say(
            {"kind": talking.WORD, "what": "here", "by": "customer", "case": follower.case_id, "on": on}
        )

    async def _tell_who_looks(self) -> None:
        await asyncio.sleep(HERE_SECONDS)
        ids = sorted({one.interaction_id for one in self._all if one.interaction_id is not None})
        if ids:
            async with self._ground.database.transaction() as tx:
                await tx.execute(statements.here, {"ids": ids, "at": now()})


async def places_in(tx: Tx, queue_ids: Sequence[int]) -> dict[int, tuple[dict[int, int], Sequence[float]]]:
    """By queue: the place of each entry, and when the last ones went into service."""
    if not queue_ids:
        return {}
    rows = await tx.rows(queue_queries.statements.places, {"queue_ids": list(queue_ids)})
    paces = await waiting.pace_of(tx, queue_ids, now())
    found: dict[int, tuple[dict[int, int], Sequence[float]]] = {
        queue_id: ({}, paces[queue_id].served) for queue_id in queue_ids
    }
    for row in rows:
        found[row.queue_id][0][row.id] = row.place
    return found


def _ahead(
    places: Mapping[int, tuple[Mapping[int, int], Sequence[float]]], queue_id: int | None, entry_id: int | None
) -> tuple[int | None, Wait | None]:
    if queue_id is None or entry_id is None or queue_id not in places:
        return None, None
    standing, served = places[queue_id]
    place = standing.get(entry_id)
    return (None, None) if place is None else (place, telling.wait(place, served, now().timestamp()))


def _drop(index: dict[int, set[Follower]], key: int | None, follower: Follower) -> None:
    listeners = index.get(key) if key is not None else None
    if listeners is not None and key is not None:
        listeners.discard(follower)
        if not listeners:
            del index[key]
