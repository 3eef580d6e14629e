"""The database: engine, transactions, and the base of all tables.

Every verb takes a ``Tx`` and writes its event into it. Those who open the transaction need do nothing else: after the
commit the bus is told, never inside the transaction (a NOTIFY there makes commits wait for each other).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, Executable, Identity, MetaData, Row
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column

# all times in UTC; a statement or transaction that hangs is ended, so that it can never hold up others for long; plans are
# made for the values at hand: a common word and a rare one, a full queue and an empty one, want different ones
SESSION = "-c timezone=UTC -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c plan_cache_mode=force_custom_plan"

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]


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


class Tx:
    """One transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.wrote_events = False

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement."""
        return await self.connection.execute(statement, parameters)

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a statement."""
        return (await self.connection.execute(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row, or None."""
        return (await self.connection.execute(statement, parameters)).first()

    async def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any]:
        """The row of a statement that always has exactly one."""
        return (await self.connection.execute(statement, parameters)).one()

    async def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        row = (await self.connection.execute(statement, parameters)).first()
        return None if row is None else row[0]


class Database:
    """The connections of one process, at most ``connections``."""

    def __init__(self, url: str, *, connections: int = 8, after_commit: Callable[[], None] | None = None) -> None:
        self.url = url
        self.after_commit = after_commit
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args={"options": SESSION},
        )

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Begin, commit at the end, roll back on an error; tell the bus afterwards when there are new events."""
        async with self.engine.begin() as connection:
            tx = Tx(connection)
            yield tx
        if tx.wrote_events and self.after_commit:
            self.after_commit()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """The same address with the driver that we use named in it."""
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"
