"""Tells the processes of an installation that there is something new.

A notice carries nothing but "look", at the events or at what came in: what is new stands in tables, read from one's own
position. So a lost notice loses nothing, and many commits share one. Transient words (who is looking, who is typing) travel as payloads;
they may be lost. Both go over connections of their own, never inside a writing transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

log = logging.getLogger(__name__)

TOPIC = "everyline"
PIECES = "+"  # the notice that something came in; that of events is empty
GATHER_SECONDS = 0.004  # commits within this time share a notice
QUIET_SECONDS = 15.0  # with nothing to say for so long, the connection for it is closed


class Wakes:
    """One subscriber's flag."""

    def __init__(self) -> None:
        self._flag = asyncio.Event()

    def set(self) -> None:
        self._flag.set()

    def clear(self) -> None:
        self._flag.clear()

    async def wait(self, seconds: float) -> None:
        """Until woken, at most ``seconds``; a little less, so that all who wait do not look at the same moment."""
        patience = seconds * random.uniform(0.8, 1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):  # wait_for may swallow a cancellation that comes with the wake
                await self._flag.wait()


class Bus:
    """Notices over PostgreSQL's LISTEN and NOTIFY, for one process."""

    CATCH_UP_SECONDS = 5.0

    def __init__(self, url: str) -> None:
        self._url = url
        self._subscribers: dict[str, set[Wakes]] = {"": set(), PIECES: set()}
        self._hearers: set[Callable[[dict[str, Any]], None]] = set()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._told: set[str] = set()
        self._speaks_as = 0  # the database's number for the connection that notices are sent on
        self._tasks: list[asyncio.Task[None]] = []

    def tell(self) -> None:
        """There are new events: wake this process at once and the others within milliseconds."""
        self._tell("")

    def tell_of_pieces(self) -> None:
        """Something came in that nobody has looked at: wake those who process it, in the same way."""
        self._tell(PIECES)

    def _tell(self, notice: str) -> None:
        self._wake(notice)
        if notice not in self._told:
            self._told.add(notice)
            self._outbox.put_nowait(notice)

    def say(self, words: dict[str, Any]) -> None:
        """Send transient words to every process, this one included."""
        self._outbox.put_nowait(json.dumps(words))

    @contextlib.contextmanager
    def subscribed(self, *, pieces: bool = False) -> Iterator[Wakes]:
        """A flag that is set whenever there may be new events, or with ``pieces``, something that came in."""
        wakes = Wakes()
        listeners = self._subscribers[PIECES if pieces else ""]
        listeners.add(wakes)
        try:
            yield wakes
        finally:
            listeners.discard(wakes)

    @contextlib.contextmanager
    def hearing(self, hearer: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Call ``hearer`` with all transient words."""
        self._hearers.add(hearer)
        try:
            yield
        finally:
            self._hearers.discard(hearer)

    async def start(self) -> None:
        """Begin to send and to listen."""
        self._tasks = [
            asyncio.create_task(self._keep(self._listen), name="bus listen"),
            asyncio.create_task(self._keep(self._send), name="bus send"),
        ]

    async def stop(self) -> None:
        """Stop; what was told but not sent is caught up by position."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, work: Callable[[], Any]) -> None:
        """Run for ever: a lost connection is made anew, and everyone looks once, for notices may have been missed."""
        pause = 0.1
        while True:
            try:
                await work()
                pause = 0.1
                continue
            except psycopg.Error as error:
                log.warning("bus connection lost: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
            self._wake_all()

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(f"listen {TOPIC}")
            self._wake_all()
            async for notice in connection.notifies():
                if notice.payload in self._subscribers:
                    if notice.pid != self._speaks_as:  # whoever told has woken their own process already
                        self._wake(notice.payload)
                else:
                    self._hear(notice.payload)

    async def _send(self) -> None:
        payload: str | None = await self._outbox.get()
        said_at: dict[str, float] = {}
        try:
            # a connection that nobody speaks on is given back: each costs the database some megabytes
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                self._speaks_as = connection.pgconn.backend_pid
                while payload is not None:
                    if payload in self._subscribers:
                        # the first is sent at once; those that follow within so short a time share the next
                        quiet = said_at.get(payload, float("-inf")) + GATHER_SECONDS - time.monotonic()
                        if quiet > 0:
                            await asyncio.sleep(quiet)
                        self._told.discard(payload)
                        said_at[payload] = time.monotonic()
                    await connection.execute("select pg_notify(%s, %s)", (TOPIC, payload))
                    payload = None
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(QUIET_SECONDS):
                            payload = await self._outbox.get()
        except psycopg.Error:
            if payload is not None:
                self._outbox.put_nowait(payload)
                if payload in self._subscribers:
                    self._told.add(payload)
            raise

    def _wake(self, notice: str) -> None:
        for wakes in self._subscribers[notice]:
            wakes.set()

    def _wake_all(self) -> None:
        for notice in self._subscribers:
            self._wake(notice)

    def _hear(self, payload: str) -> None:
        words = json.loads(payload)
        for hearer in tuple(self._hearers):
            hearer(words)
