"""Customers who wait to be called: at which number, and how often nobody was reached. What calls them is in ``calls``."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from everyline.channel_contract import MediaClass
from everyline.channel_registry import calling
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.lines.models import Line
from everyline.queues.models import Callback

MOST_TRIES = 3
PAUSE = timedelta(minutes=15)  # between two tries
_OPEN = Callback.settled_at.is_(None)


async def ask(tx: Tx, case_id: int, number: str) -> None:
    """Whoever a case is about is to be called at this number (E.164). The case must be locked, or new."""
    asked = insert(Callback).values(case_id=case_id, number=number, asked_at=now())
    await tx.execute(
        asked.on_conflict_do_update(
            index_elements=[Callback.case_id], index_where=_OPEN, set_={"number": number, "tries": 0}
        )
    )
    await events.record(tx, "callback.asked", case_id=case_id)


async def of_case(tx: Tx, case_id: int, *, lock: bool = False) -> Row | None:
    """Who waits in a case to be called; None when nobody does."""
    query = select(Callback.__table__).where(Callback.case_id == case_id, _OPEN)
    return await tx.first(query.with_for_update() if lock else query)


async def of_try(tx: Tx, interaction_id: int) -> Row | None:
    """Who is called by this call because they asked for it; None when it is another."""
    return await tx.first(select(Callback.__table__).where(Callback.trying_id == interaction_id, _OPEN))


async def change(tx: Tx, callback_id: int, **values: object) -> None:
    """How it goes on."""
    await tx.execute(update(Callback).where(Callback.id == callback_id).values(**values))


async def drop(tx: Tx, case_id: int) -> None:
    """Nobody is to be called in a case any more."""
    dropped = update(Callback).where(Callback.case_id == case_id, _OPEN)
    await tx.execute(dropped.values(settled_at=now(), trying_id=None, outcome="resolved"))


async def media_class(tx: Tx, case_id: int) -> str:
    """That of a call for who waits to be called, where a line of ours can; else empty: as it is without."""
    if await of_case(tx, case_id) is None:
        return ""
    lines = select(func.count()).where(Line.channel.in_(calling()), Line.open, Line.retired_at.is_(None))
    return str(MediaClass.CALL) if await tx.value(lines) else ""
