"""Live streams: server-sent events (HTML standard, section 9.2) made of the event table.

One hub a process reads every event once, in commit order, and hands it to the streams that asked for one of its topics.
The last ones are remembered, so that a browser that comes back with ``Last-Event-ID`` gets what it missed without
asking the database; one that was away for longer is told to read its page again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from everyline.ground import events
from everyline.ground.database import DatabaseError
from everyline.ground.events import Event, Position
from everyline.ground.installation import Ground

log = logging.getLogger(__name__)

REMEMBERED = 20_000  # events
BEHIND = 500  # a stream that has so many unsent is ended; its browser comes back and catches up

RESET = b'data: {"kind":"live.reset","topics":[]}\n\n'


@dataclass(frozen=True, slots=True)
class Notice:
    """An event as streams get it."""

    position: Position
    topics: frozenset[str]
    line: bytes


class Stream:
    """One browser's stream."""

    __slots__ = ("agent_id", "ended", "topics", "unsent", "wake")

    def __init__(self, agent_id: int, topics: frozenset[str]) -> None:
        self.agent_id = agent_id
        self.topics = topics
        self.unsent: list[bytes] = []
        self.ended = False
        self.wake: asyncio.Future[None] | None = None

    def put(self, line: bytes) -> None:
        """Add to what is to be sent."""
        self.unsent.append(line)
        self._wake()

    def end(self) -> None:
        """Have it close after what is to be sent."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    async def take(self, seconds: float) -> bytes:
        """What is to be sent, waiting up to ``seconds`` for the first of it; empty when there was nothing."""
        if not self.unsent and not self.ended:
            self.wake = asyncio.get_running_loop().create_future()
            timer = asyncio.get_running_loop().call_later(seconds, self._wake)
            try:
                await self.wake
            finally:
                timer.cancel()
                self.wake = None
        taken, self.unsent = b"".join(self.unsent), []
        return taken


def topics_of(event: Event) -> frozenset[str]:
    """Whom an event concerns."""
    found = {
        f"{name}:{number}"
        for name, number in (
            ("case", event.case_id),
            ("queue", event.queue_id),
            ("agent", event.agent_id),
            ("agent", event.actor_id),
            ("line", event.line_id),
            ("customer", event.customer_id),
        )
        if number is not None
    }
    found |= {f"agent:{number}" for number in event.data.get("agents", ())}  # who takes part beside whom it is about
    if event.queue_id is not None:
        found.add("queues")
    noun = event.kind.partition(".")[0]
    if noun in ("line", "inbound", "agent", "call"):
        found.add(f"{noun}s" if noun != "inbound" else "quarantine")
    return frozenset(found)


def notice(event: Event) -> Notice:
    """The event as one server-sent event."""
    topics = topics_of(event)
    said = {
        **{name: value for name, value in event.data.items() if isinstance(value, int | str)},
        "kind": event.kind,  # after what the event says besides, which may have a kind of its own
        "topics": sorted(topics),
        "case": event.case_id,
        "queue": event.queue_id,
        "agent": event.agent_id,
        "actor": event.actor_id,
        "at": event.at.isoformat(timespec="milliseconds"),
    }
    line = f"id: {event.position}\ndata: {json.dumps({name: value for name, value in said.items() if value is not None}, separators=(',', ':'))}\n\n"
    return Notice(event.position, topics, line.encode())


class Hub:
    """All streams of one process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._by_topic: dict[str, set[Stream]] = {}
        self._streams: set[Stream] = set()
        self._hearers: set[Callable[[Sequence[Event]], None]] = set()
        self._recent: deque[Notice] = deque(maxlen=REMEMBERED)
        self._oldest = Position(0, 0)  # everything after it is remembered
        self.position = Position(0, 0)
        self.started = asyncio.Event()
        self.ending = False  # what is opened now is over at once: its browser comes back to the next process
        self.at_end: list[Callable[[], None]] = []  # who else lets go of streams when the process ends

    def __len__(self) -> int:
        return len(self._streams)

    async def run(self) -> None:
        """Read events for ever; a lost database is waited for."""
        while True:
            try:
                if not self.started.is_set():
                    async with self._ground.database.transaction() as tx:
                        self.position = self._oldest = await events.newest(tx)
                    self.started.set()
                async for batch in events.follow(self._ground.database, self._ground.bus, self.position):
                    self.hand_out(batch)
                    for hearer in tuple(self._hearers):
                        hearer(batch)
            except (DatabaseError, OSError) as error:
                log.warning("live streams wait for the database: %s", type(error).__name__)
                await asyncio.sleep(0.3)

    @contextlib.contextmanager
    def hearing(self, hearer: Callable[[Sequence[Event]], None]) -> Iterator[None]:
        """Call ``hearer`` with all events from now on, in commit order: what this process derives from them."""
        self._hearers.add(hearer)
        try:
            yield
        finally:
            self._hearers.discard(hearer)

    def listened(self, topic: str) -> bool:
        """Does a stream listen to this topic?"""
        return topic in self._by_topic

    def say(self, topic: str, line: bytes) -> None:
        """Send a line of this process's own making, which has no position and is not remembered."""
        for stream in tuple(self._by_topic.get(topic, ())):
            stream.put(line)
            if len(stream.unsent) > BEHIND:
                stream.end()

    def hand_out(self, batch: Iterable[Event]) -> None:
        """Give events to the streams that asked for one of their topics."""
        for event in batch:
            found = notice(event)
            if len(self._recent) == REMEMBERED:
                self._oldest = self._recent[0].position
            self._recent.append(found)
            self.position = found.position
            wanted: set[Stream] = set()
            for topic in found.topics:
                wanted |= self._by_topic.get(topic, set())
            for stream in wanted:
                stream.put(found.line)
                if len(stream.unsent) > BEHIND:
                    stream.end()
            self._end_unrightful(event)

    def _end_unrightful(self, event: Event) -> None:
        """Rights are looked at when a stream begins: where they may have changed it ends, and its browser asks anew."""
        if event.kind in ("sign_in.ended", "agent.changed", "agent.joined_queue", "agent.left_queue"):
            for stream in [stream for stream in self._streams if stream.agent_id == event.agent_id]:
                stream.end()
        elif event.kind in ("case.transferred", "case.given", "case.merged_away") and event.case_id is not None:
            for stream in tuple(self._by_topic.get(f"case:{event.case_id}", ())):
                stream.end()

    def open(self, agent_id: int, topics: frozenset[str], after: Position | None) -> Stream:
        """Begin a stream, with what was missed since ``after``. Nothing can happen in between: there is no await."""
        stream = Stream(agent_id, topics)
        if after is not None and after < self.position:
            if after < self._oldest:
                stream.put(f"id: {self.position}\n".encode() + RESET)
            else:
                missed = itertools.takewhile(lambda found: found.position > after, reversed(self._recent))
                stream.unsent = [found.line for found in missed if not topics.isdisjoint(found.topics)][::-1]
        self._streams.add(stream)
        for topic in topics:
            self._by_topic.setdefault(topic, set()).add(stream)
        if self.ending:
            stream.end()
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.discard(stream)
        for topic in stream.topics:
            listeners = self._by_topic.get(topic)
            if listeners is not None:
                listeners.discard(stream)
                if not listeners:
                    del self._by_topic[topic]

    def end_all(self) -> None:
        """The process ends: browsers come back to the next one."""
        self.ending = True
        for stream in tuple(self._streams):
            stream.end()
        for let_go in self.at_end:
            let_go()
