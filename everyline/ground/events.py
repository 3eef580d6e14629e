"""Facts that happened, written in the transaction that made them so, and read in commit order.

An event's kind is ``<noun>.<past participle>``: ``case.resolved``. ``actor_id`` is the agent who did it, ``agent_id``
the agent whom it concerns. ``data`` holds what the row does not: ids and small facts, never message bodies.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Index, PrimaryKeyConstraint, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Base, Database, Moment, Row, Tx

if TYPE_CHECKING:
    from everyline.ground.bus import Bus

statements = sql.beside(__file__, "events.sql")

BATCH = 1000  # events read at once
FEW = 3  # events; more of them are written by one statement
HELD_BACK_SECONDS = 0.005  # transactions are short


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class EventRow(Base):
    """The event table: append-only, partitioned by month."""

    __tablename__ = "event"
    __table_args__ = (
        PrimaryKeyConstraint("id", "at"),
        Index("ix_event_position", "xid", "id"),
        Index("ix_event_case_id", "case_id", "id", postgresql_where="case_id is not null"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, server_default=func.nextval("event_id_seq"))
    at: Mapped[Moment]
    xid: Mapped[str] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    interaction_id: Mapped[int | None] = mapped_column(BigInteger)
    queue_id: Mapped[int | None] = mapped_column(BigInteger)
    line_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the stream of events, in commit order."""

    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.xid}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Position:
        """The position from its text form. ValueError when it is none."""
        xid, _, number = text.partition(".")
        return cls(int(xid), int(number))


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. ``position`` is known once it is read back."""

    kind: str
    at: datetime
    actor_id: int | None = None
    agent_id: int | None = None
    customer_id: int | None = None
    case_id: int | None = None
    interaction_id: int | None = None
    queue_id: int | None = None
    line_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    position: Position = Position(0, 0)


async def record(tx: Tx, kind: str, **facts: Any) -> None:
    """Write one event into the transaction that makes it so. ``facts`` as in ``record_at``."""
    await record_at(tx, now(), kind, **facts)


async def record_at(
    tx: Tx,
    at: datetime,
    kind: str,
    *,
    actor_id: int | None = None,
    agent_id: int | None = None,
    customer_id: int | None = None,
    case_id: int | None = None,
    interaction_id: int | None = None,
    queue_id: int | None = None,
    line_id: int | None = None,
    **data: Any,
) -> None:
    """The same, of a moment that is written elsewhere as well."""
    await record_all(
        tx,
        [Event(kind, at, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, data)],
    )


async def record_all(tx: Tx, events: Iterable[Event]) -> None:
    """Write many events at once."""
    if not tx.may_write_events:
        raise RuntimeError("this transaction has said that it writes no event")
    rows = [
        {
            "at": event.at,
            "kind": event.kind,
            "actor_id": event.actor_id,
            "agent_id": event.agent_id,
            "customer_id": event.customer_id,
            "case_id": event.case_id,
            "interaction_id": event.interaction_id,
            "queue_id": event.queue_id,
            "line_id": event.line_id,
            "data": json.dumps(event.data),
        }
        for event in events
    ]
    if len(rows) > FEW:
        columns = {f"{name}s": [row[name] for row in rows] for name in rows[0]}
        await tx.execute(statements.record_many, columns)
    elif len(rows) > 1:
        await tx.many(statements.record, rows)
    elif rows:
        await tx.execute(statements.record, rows[0])
    tx.wrote_events = tx.wrote_events or bool(rows)


async def newest(tx: Tx) -> Position:
    """Where a reader begins that wants only what comes from now on."""
    row = await tx.first(statements.newest)
    assert row is not None
    return Position(int(row.xid), row.id)


async def write_none(tx: Tx) -> None:
    """The first statement of a long transaction that only counts: what others write meanwhile is read at once. An event that it
    tries to write is refused (RuntimeError): it would be overtaken."""
    await tx.execute(statements.writes_none)
    tx.may_write_events = False


async def read_after(tx: Tx, position: Position, *, most: int = BATCH, horizon: str | None = None) -> list[Event]:
    """Up to ``most`` events after a position, in commit order. ``horizon``: the oldest transaction that is waited for, where that is
    known to be another than the oldest one running."""
    return _read(await tx.rows(statements.read_after, _after(position, most, horizon)))


def _after(position: Position, most: int, horizon: str | None = None) -> dict[str, Any]:
    return {"xid": str(position.xid), "id": position.id, "most": most, "horizon": horizon}


def _read(rows: Iterable[Row]) -> list[Event]:
    return [
        Event(
            row.kind,
            row.at,
            row.actor_id,
            row.agent_id,
            row.customer_id,
            row.case_id,
            row.interaction_id,
            row.queue_id,
            row.line_id,
            row.data,
            Position(int(row.xid), row.id),
        )
        for row in rows
        if row.id is not None
    ]


async def follow(
    database: Database, bus: Bus, position: Position, *, gather: float = 0.0
) -> AsyncIterator[list[Event]]:
    """Batches of events after ``position``, for ever. Woken by the bus; a lost notice is caught up within seconds. ``gather``:
    what happens within so many seconds is read together, by those who are in no hurry."""
    with bus.subscribed() as wakes:
        while True:
            wakes.clear()
            rows = await database.look(statements.read_after, _after(position, BATCH))
            batch, held_back = _read(rows), rows[0].held_back
            if held_back:
                async with database.transaction() as tx, tx.pipeline(same_plans=True):
                    oldest = await tx.one(statements.horizon)  # among those that may yet write an event
                    batch, held_back = await read_after(tx, position, horizon=oldest.xid), oldest.held_back
            if batch:
                position = batch[-1].position
                yield batch
            if len(batch) == BATCH:
                continue
            # a committed event behind a transaction still running has sent its notice already: look again shortly
            await wakes.wait(HELD_BACK_SECONDS if held_back else bus.CATCH_UP_SECONDS)
            if gather:
                await asyncio.sleep(gather)
