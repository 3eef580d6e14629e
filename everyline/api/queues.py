"""Queues, offers, agents and their states, and who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from sqlalchemy import select

from everyline.api.once import OnceRoute
from everyline.api.shapes import AgentShape, CaseShape, Decline, EntryShape, OfferShape, QueueShape, StateAsked
from everyline.cases.queries import get as get_case
from everyline.ground.errors import Forbidden, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import actions, queries
from everyline.queues.models import QueueEntry

router = APIRouter(route_class=OnceRoute)


@router.get("/queues", tags=["queues"])
async def queues(request: Request, me: Annotated[Me, permit("queue.read")]) -> list[QueueShape]:
    """The queues within one's scope, and what waits in each."""
    async with ground_of(request).database.transaction() as tx:
        waiting = await queries.summary(tx)
        found = []
        for row in await queries.seen_by(tx, me):
            n, oldest = waiting.get(row.id, (0, None))
            found.append(QueueShape.model_validate(row).model_copy(update={"waiting": n, "oldest": oldest}))
    return found


@router.get("/queues/{queue_id}/entries", tags=["queues"])
async def entries(request: Request, queue_id: int, me: Annotated[Me, permit("queue.read")]) -> list[EntryShape]:
    """What waits in a queue, oldest first; the first 500."""
    if not me.sees_queue(queue_id):
        raise NotFound(_("There is no such queue."))
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, queue_id)
        rows = await tx.rows(
            select(QueueEntry.__table__)
            .where(QueueEntry.queue_id == queue_id, QueueEntry.state.in_(["waiting", "offered"]))
            .order_by(QueueEntry.waiting_since)
            .limit(500)
        )
    return [EntryShape.model_validate(row) for row in rows]


@router.get("/agents", tags=["agents"])
async def agents(request: Request, _me: Annotated[Me, permit("agent.read")]) -> list[AgentShape]:
    """Every agent with their state."""
    async with ground_of(request).database.transaction() as tx:
        return [AgentShape.model_validate(row) for row in await people.all_agents(tx)]


@router.get("/me", tags=["agents"])
async def who_am_i(me: Annotated[Me, permit("own")]) -> dict[str, object]:
    """The agent that the token acts as, and what it may do."""
    rights = sorted(me.scopes) if me.scopes is not None else []
    return {
        "id": me.id,
        "name": me.name,
        "email": me.email,
        "role": me.role,
        "all_queues": me.all_queues,
        "queue_ids": sorted(me.queue_ids),
        "scopes": rights,
    }


@router.put("/agents/{agent_id}/state", tags=["agents"], status_code=204)
async def state(request: Request, agent_id: int, asked: StateAsked, me: Annotated[Me, permit("own")]) -> None:
    """Change one's own state, or as a supervisor another agent's."""
    if agent_id != me.id and not me.may("agent.direct"):
        raise Forbidden(_("You may change your own state only."))
    async with ground_of(request).database.transaction() as tx:
        if agent_id != me.id:
            await queries.agent_of(tx, me, agent_id)
        await actions.change_state(tx, me.id, agent_id, asked.state, asked.reason, afterwards=asked.afterwards)


@router.get("/me/offer", tags=["queues"])
async def offer(request: Request, me: Annotated[Me, permit("queue.work")]) -> OfferShape | None:
    """The offer that stands now; null when there is none."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.offer_for(tx, me.id)
    return None if row is None else OfferShape.model_validate(row)


@router.post("/offers/{offer_id}/accept", tags=["queues"])
async def accept(request: Request, offer_id: int, me: Annotated[Me, permit("queue.work")]) -> CaseShape:
    """Take an offer of one's own."""
    async with ground_of(request).database.transaction() as tx:
        case_id = await actions.accept(tx, me.id, offer_id)
        return CaseShape.model_validate(await get_case(tx, me, case_id))


@router.post("/offers/{offer_id}/decline", tags=["queues"], status_code=204)
async def decline(request: Request, offer_id: int, asked: Decline, me: Annotated[Me, permit("queue.work")]) -> None:
    """Let an offer of one's own go to somebody else."""
    async with ground_of(request).database.transaction() as tx:
        await actions.decline(tx, me.id, offer_id, asked.reason)
