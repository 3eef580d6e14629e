"""The open connections of one process.

Our own, because psycopg's pool waits with ``asyncio.wait_for``, which in Python 3.11 can swallow the cancellation of
whoever waits: a process that ends would hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

WAIT_SECONDS = 10.0  # for a connection that others use
AWAY_SECONDS = 3.0  # for a database that is away: the embedded one comes back within
IDLE_SECONDS = 20.0  # unused for so long, a connection is closed: each costs the database some megabytes
AGAIN_SECONDS = 0.1

Connection: TypeAlias = psycopg.AsyncConnection[Any]


class Pool:
    """At most ``most`` connections, opened when they are needed, the one used last taken first."""

    def __init__(self, url: str, *, most: int, options: str) -> None:
        self._url, self._options = url, options
        self._room = asyncio.Semaphore(most)
        self._idle: list[tuple[float, Connection]] = []  # unused since, in seconds of the monotonic clock

    @contextlib.asynccontextmanager
    async def transaction(self, *, alone: bool = False) -> AsyncIterator[Connection]:
        """A connection in a transaction of its own; ``alone``: every statement is one. psycopg.OperationalError when there is
        none in time."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._room.acquire()
        except TimeoutError as error:
            raise psycopg.OperationalError("all connections to the database stayed in use") from error
        try:
            connection = await self._take()
            try:
                if alone:
                    await connection.set_autocommit(True)
                yield connection
                if alone:
                    await connection.set_autocommit(False)
                else:
                    await connection.commit()
            except BaseException:
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()
                raise
            finally:
                await self._give_back(connection)
        finally:
            self._room.release()

    async def _take(self) -> Connection:
        while self._idle:
            _, connection = self._idle.pop()
            if _still_there(connection):
                return connection
            await connection.close()
        patience = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return await psycopg.AsyncConnection.connect(
                    self._url, options=self._options, row_factory=namedtuple_row
                )
            except psycopg.OperationalError:
                if time.monotonic() > patience:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    async def _give_back(self, connection: Connection) -> None:
        # one on which a statement stood alone and failed would let the next transaction fall into single statements
        if connection.closed or connection.autocommit or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            await connection.close()
        else:
            self._idle.append((time.monotonic(), connection))
        while self._idle and self._idle[0][0] < time.monotonic() - IDLE_SECONDS:
            await self._idle.pop(0)[1].close()

    async def close(self) -> None:
        """Close what is not in use."""
        while self._idle:
            await self._idle.pop()[1].close()


def _still_there(connection: Connection) -> bool:
    """Whether the database has not ended an idle connection: if it had, there would be something to read on it."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.pgconn.socket, select.POLLIN)
    return not waiting.poll(0)
