"""What the house says of its errands: which are offered, where their cases go; and how much they are used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.queues import queries as queues
from everyline.selfservice.errands import shipped
from everyline.selfservice.errands.carrying import STRANGERS_AN_HOUR
from everyline.selfservice.errands.models import ErrandDone, ErrandSetting


async def settings(tx: Tx) -> dict[str, Row]:
    """What was said of errands, by name (offered, queue_id)."""
    return {row.errand: row for row in await tx.rows(select(ErrandSetting.__table__))}


async def set_errand(
    tx: Tx,
    by: int | None,
    name: str,
    *,
    offered: bool,
    queue_id: int | None,
    strangers_an_hour: int = STRANGERS_AN_HOUR,
) -> None:
    """Offer an errand or not, choose the queue of the cases that it opens, and how many of them in an hour strangers open from
    one browser or talk, or for one address. NotFound when there is no such errand or queue."""
    errand = shipped.ERRANDS.get(name)
    if errand is None:
        raise NotFound(_("There is no such errand."))
    if queue_id is not None:
        await queues.get(tx, queue_id)
    values = {
        "offered": offered,
        "queue_id": queue_id if errand.contract.opens_cases else None,
        "strangers_an_hour": strangers_an_hour if errand.contract.opens_cases else STRANGERS_AN_HOUR,
    }
    await tx.execute(
        upsert(ErrandSetting)
        .values(errand=name, **values)
        .on_conflict_do_update(index_elements=["errand"], set_=values)
    )
    await events.record(tx, "errand.changed", actor_id=by, errand=name, offered=offered, queue_id=queue_id)


async def numbers(tx: Tx, since: datetime) -> dict[str, tuple[int, int]]:
    """How often each errand was done since, and how often of these it was undone."""
    rows = await tx.rows(
        select(ErrandDone.errand, func.count().label("n"), func.count(ErrandDone.undone_at).label("undone"))
        .where(ErrandDone.at >= since)
        .group_by(ErrandDone.errand)
    )
    return {row.errand: (row.n, row.undone) for row in rows}
