"""Events after a position: what happened, in the order in which it was committed."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import select

from everyline.api.shapes import EventShape, PageOf
from everyline.cases.models import Case
from everyline.cases.queries import visible
from everyline.ground import events as ground_events
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.events import Event, Position
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(tags=["events"])

LONGEST_WAIT = 30.0


@router.get("/events")
async def events(
    request: Request,
    me: Annotated[Me, permit("event.read")],
    after: Annotated[
        str, Query(description="The position that the page before ended with; empty: from the beginning.")
    ] = "",
    most: Annotated[int, Query(ge=1, le=1000)] = 500,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait when there is nothing new.")] = 0,
) -> PageOf[EventShape]:
    """Up to ``most`` events. ``after`` of the answer is where the next page begins; keep it, and none is ever missed."""
    try:
        position = Position.read(after) if after else Position(0, 0)
    except ValueError as error:
        raise Invalid(
            _("This is no position."), {"after": _("Give the one that an earlier answer ended with.")}
        ) from error
    ground = ground_of(request)
    deadline = asyncio.get_running_loop().time() + wait
    with ground.bus.subscribed() as wakes:
        while True:
            wakes.clear()
            async with ground.database.transaction() as tx:
                found = await ground_events.read_after(tx, position, most=most)
                seen = await _within_scope(tx, me, found)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                break
            await wakes.wait(left)
    items = [EventShape.model_validate({**_plain(event), "position": str(event.position)}) for event in seen]
    return PageOf(items=items, after=str(found[-1].position) if found else str(position))


def _plain(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in EventShape.model_fields if name != "position"}


async def _within_scope(tx: Tx, me: Me, found: list[Event]) -> list[Event]:
    """Events of cases and queues outside one's scope are left out."""
    if me.all_queues:
        return found
    ids = {event.case_id for event in found if event.case_id is not None}
    ours = set(await tx.column(select(Case.id).where(Case.id.in_(ids), visible(me)))) if ids else set()
    return [
        event
        for event in found
        if (
            event.case_id in ours
            if event.case_id is not None
            else event.queue_id is None or me.sees_queue(event.queue_id)
        )
    ]
