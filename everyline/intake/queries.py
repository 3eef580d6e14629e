"""Reads of what came in and waits for a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, true

from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.intake.models import Inbound
from everyline.lines.models import Line
from everyline.people.rules import Me

statements = sql.beside(__file__, "intake.sql")

QUARANTINED = "quarantined"


def _within(me: Me) -> ColumnElement[bool]:
    """Pieces of lines whose queue is within one's scope."""
    return true() if me.all_queues else Line.queue_id.in_(me.queue_ids)


async def quarantined(tx: Tx, me: Me, *, before: int | None = None, most: int = 50) -> Sequence[Row]:
    """What waits in quarantine, newest first, without the bytes themselves."""
    columns = [column for column in Inbound.__table__.c if column.name != "body"]
    query = select(*columns, Line.name.label("line_name"), Line.channel).join(Line, Line.id == Inbound.line_id)
    query = query.where(Inbound.state == QUARANTINED, _within(me))
    if before is not None:
        query = query.where(Inbound.id < before)
    return await tx.rows(query.order_by(Inbound.id.desc()).limit(most))


async def how_many_quarantined(tx: Tx, me: Me, *, most: int = 100) -> int:
    """How many wait there, counted up to ``most``."""
    found = select(Inbound.id).join(Line, Line.id == Inbound.line_id).where(Inbound.state == QUARANTINED, _within(me))
    return int(await tx.value(select(func.count()).select_from(found.limit(most).subquery())))


async def within(tx: Tx, me: Me, inbound_ids: Sequence[int]) -> list[int]:
    """Of these pieces, those in quarantine that are within one's scope."""
    query = select(Inbound.id).join(Line, Line.id == Inbound.line_id)
    rows = await tx.rows(query.where(Inbound.id.in_(inbound_ids), Inbound.state == QUARANTINED, _within(me)))
    return [row.id for row in rows]


async def piece(tx: Tx, me: Me, inbound_id: int) -> Row:
    """One piece that waits in quarantine. NotFound when it does not, or is not theirs to see."""
    query = select(Inbound.__table__, Line.name.label("line_name"), Line.channel).join(Line, Line.id == Inbound.line_id)
    row = await tx.first(query.where(Inbound.id == inbound_id, Inbound.state == QUARANTINED, _within(me)))
    if row is None:
        raise NotFound(_("This piece is not in quarantine any more."))
    return row


async def body(ground: Ground, row: Row) -> bytes:
    """The bytes of a piece, wherever they are kept. FileNotFoundError when the file store has lost them."""
    return row.body if row.body is not None else await ground.files.read(row.file_hash)
