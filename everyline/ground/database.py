"""The database: connections, transactions, and the base of all tables.

Every verb takes a ``Tx`` and writes its event into it. Those who open the transaction need do nothing else: after the
commit the bus is told, never inside the transaction (a NOTIFY there makes commits wait for each other).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import BigInteger, Executable, Identity, MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, mapped_column

from everyline.ground.pool import Connection, Pool
from everyline.ground.wire import Statement, wire

# all times in UTC; a statement or transaction that hangs is ended, so that it can never hold up others for long; plans are
# made for the values at hand: a common word and a rare one, a full queue and an empty one, want different ones
SESSION = "-c timezone=UTC -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c plan_cache_mode=force_custom_plan"

SAME_PLANS = "set local plan_cache_mode = force_generic_plan"

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
Row: TypeAlias = Any  # a named tuple with the statement's columns

DatabaseError = psycopg.Error  # any error of the database
DatabaseAway = psycopg.OperationalError  # no connection to it, or none in time


def is_away(error: BaseException) -> bool:
    """Whether an error is about the connection and not about the statement: the same may work a moment later."""
    state = getattr(error, "sqlstate", None)
    return isinstance(error, DatabaseAway) and (state is None or state[:3] in ("57P", "080"))


class Base(DeclarativeBase):
    """The base of all tables. Tables carry the glossary's word in the singular."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _Question:
    """A statement that waits to be sent together with others; awaited, it gives the cursor with its rows."""

    __slots__ = ("cursor", "values", "words")
    cursor: psycopg.AsyncCursor[Any]

    def __init__(self, words: str, values: Mapping[str, Any]) -> None:
        self.words, self.values = words, values

    def __await__(self) -> Generator[list[_Question], None, psycopg.AsyncCursor[Any]]:
        yield [self]
        return self.cursor


class _Questions:
    """Several of them, for whoever takes together what is taken together already."""

    __slots__ = ("all",)

    def __init__(self, all_: list[_Question]) -> None:
        self.all = all_

    def __await__(self) -> Generator[list[_Question], None, None]:
        yield self.all


class Tx:
    """One transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._together = False
        self.wrote_events = False
        self.may_write_events = True

    async def _run(self, statement: Statement, parameters: Mapping[str, Any] | None) -> psycopg.AsyncCursor[Any]:
        words, values = wire(statement, parameters)
        if self._together:
            return await _Question(words, values)
        return await self._connection.execute(words, values)

    async def together(self, *reads: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
        """What several coroutines return that wait for nothing but this transaction, in whatever order. Their first statements go to the
        database in one go, then their second ones, and so on: a page waits three times instead of twenty. What one of them
        raises ends all."""
        found: list[Any] = [None] * len(reads)
        going = dict(enumerate(reads))
        inner, self._together = self._together, True
        try:
            while going:
                asked: list[_Question] = []
                for n, read in list(going.items()):
                    try:
                        question = read.send(None)
                    except StopIteration as end:
                        found[n] = end.value
                        del going[n]
                        continue
                    if type(question) is not list:
                        raise RuntimeError(
                            "what is done together may wait for nothing but statements of its transaction"
                        )
                    asked += question
                if not asked:
                    continue
                if inner:
                    await _Questions(asked)
                else:
                    async with self._connection.pipeline():
                        for one in asked:
                            one.cursor = await self._connection.execute(one.words, one.values)
        finally:
            self._together = inner
            for read in going.values():
                read.close()
        return tuple(found)

    async def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a statement; returns how many rows it was about."""
        return (await self._run(statement, parameters)).rowcount

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Within the block all or nothing is written; an error undoes what the block did, and the transaction can go on."""
        async with self._connection.transaction():
            yield

    @contextlib.asynccontextmanager
    async def pipeline(self, *, same_plans: bool = False) -> AsyncIterator[None]:
        """Within the block statements are sent without waiting for what each returns (PostgreSQL, "Pipeline Mode"): one way there
        and back for many that follow in any case. Asking for rows waits for all so far. ``same_plans``: they are planned
        once and not for the values at hand, until the transaction ends; for statements that find single rows by their keys
        many times a second, and are planned for longer than they run."""
        async with self._connection.pipeline():
            if same_plans:
                await self._connection.execute(SAME_PLANS)
            yield

    async def many(self, statement: Executable, parameters: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Run a statement once for each set of values, in one go; returns what the runs return, in their order."""
        wired = [wire(statement, one) for one in parameters]
        if not wired:
            return []
        cursor = self._connection.cursor()
        returning = bool(getattr(statement, "_returning", ()))
        await cursor.executemany(wired[0][0], [values for _, values in wired], returning=returning)
        if not returning:
            return []
        return [row async for result in cursor.results() for row in await result.fetchall()]

    async def rows(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All rows of a statement."""
        return await (await self._run(statement, parameters)).fetchall()

    async def tuples(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows as plain tuples: of a hundred thousand rows, those with names take most of the time."""
        words, values = wire(statement, parameters)
        cursor = self._connection.cursor(row_factory=tuple_row)
        return await (await cursor.execute(words, values)).fetchall()

    async def column(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in await self.rows(statement, parameters)]

    async def first(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> Row | None:
        """The first row, or None."""
        return await (await self._run(statement, parameters)).fetchone()

    async def one(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> Row:
        """The row of a statement that always has exactly one."""
        found = await self.rows(statement, parameters)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows where there is always one")
        return found[0]

    async def value(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.first(statement, parameters)
        return None if row is None else row[0]


class Database:
    """The connections of one process, at most ``connections``."""

    def __init__(self, url: str, *, connections: int = 8, after_commit: Callable[[], None] | None = None) -> None:
        self.url = url
        self.after_commit = after_commit
        self._pool = Pool(url, most=connections, options=SESSION)

    @contextlib.asynccontextmanager
    async def transaction(self, *, reading: bool = False) -> AsyncIterator[Tx]:
        """Begin, commit at the end, roll back on an error; tell the bus afterwards when there are new events. ``reading``:
        nothing is written, and all statements see the same moment."""
        async with self._pool.transaction() as connection:
            tx = Tx(connection)
            if reading:
                await connection.execute("set transaction isolation level repeatable read, read only")
            yield tx
        if tx.wrote_events and self.after_commit:
            self.after_commit()

    async def glance(self, statement: Statement, parameters: Mapping[str, Any]) -> Row | None:
        """The first row of one statement outside of any transaction: to begin and to end one are ways to the database and back."""
        async with self._pool.transaction(alone=True) as connection:
            return await Tx(connection).first(statement, parameters)

    async def look(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        """All rows of one statement that is planned once (see ``Tx.pipeline``), in a transaction that begins and ends on the same way
        to the database and back."""
        words, values = wire(statement, parameters)
        async with self._pool.transaction(alone=True) as connection:
            async with connection.pipeline():
                await connection.execute("begin")
                await connection.execute(SAME_PLANS)
                cursor = await connection.execute(words, values)
                await connection.execute("commit")
            return await cursor.fetchall()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()
