"""Teams and partners, and how queues are split among them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Request

from everyline.api.once import OnceRoute
from everyline.api.set_up_shapes import AgentIds, PartsAsked, PartShape, SplitShape, TeamAsked, TeamChange, TeamShape
from everyline.api.shapes import Made
from everyline.ground.clock import now
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries, teams

router = APIRouter(tags=["teams"], route_class=OnceRoute)
Keeper = Annotated[Me, permit("agent.write")]
LONGEST_SPAN = timedelta(days=366)


@router.get("/teams")
async def every_team(request: Request, _me: Annotated[Me, permit("agent.read")]) -> list[TeamShape]:
    """The teams in use."""
    async with ground_of(request).database.transaction() as tx:
        return [TeamShape.model_validate(row) for row in await teams.all_teams(tx)]


@router.post("/teams", status_code=201)
async def add_team(request: Request, asked: TeamAsked, me: Keeper) -> Made:
    """Add a team."""
    async with ground_of(request).database.transaction() as tx:
        team_id = await teams.add_team(tx, me.id, asked.name, partner=asked.partner)
        await audit(tx, me.id, "team.added", "team", team_id, address=me.address, name=asked.name)
    return Made(id=team_id)


@router.patch("/teams/{team_id}", status_code=204)
async def change_team(request: Request, team_id: int, asked: TeamChange, me: Keeper) -> None:
    """Rename a team, or say whether it is a partner; what is not named stays."""
    facts = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
    async with ground_of(request).database.transaction() as tx:
        await teams.change_team(tx, me.id, team_id, **facts)
        await audit(tx, me.id, "team.changed", "team", team_id, address=me.address, fields=sorted(facts))


@router.delete("/teams/{team_id}", status_code=204)
async def retire_team(request: Request, team_id: int, me: Keeper) -> None:
    """Take a team out of use; its figures stay."""
    async with ground_of(request).database.transaction() as tx:
        await teams.retire_team(tx, me.id, team_id)
        await audit(tx, me.id, "team.retired", "team", team_id, address=me.address)


@router.get("/teams/{team_id}/agents")
async def agents_of(request: Request, team_id: int, _me: Annotated[Me, permit("agent.read")]) -> AgentIds:
    """Who belongs to a team."""
    async with ground_of(request).database.transaction() as tx:
        await teams.get(tx, team_id)
        return AgentIds(agent_ids=[row.id for row in await people.all_agents(tx) if row.team_id == team_id])


@router.put("/teams/{team_id}/agents", status_code=204)
async def set_agents(request: Request, team_id: int, asked: AgentIds, me: Keeper) -> None:
    """Say who belongs to a team; who belonged to another one leaves it."""
    async with ground_of(request).database.transaction() as tx:
        await teams.get(tx, team_id)
        await teams.set_agents(tx, me.id, team_id, asked.agent_ids)
        await audit(tx, me.id, "team.changed", "team", team_id, address=me.address, agents=len(asked.agent_ids))


@router.get("/queues/{queue_id}/teams")
async def parts(request: Request, queue_id: int, me: Annotated[Me, permit("queue.read")]) -> list[PartShape]:
    """What teams do in a queue: delay, share, floor and ceiling."""
    if not me.sees_queue(queue_id):
        raise NotFound(_("There is no such queue."))
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, queue_id)
        found = await teams.parts_of(tx, queue_id)
    return [PartShape(team_id=team_id, **_named(part)) for team_id, part in sorted(found.items())]


def _named(part: teams.Part) -> dict[str, int | None]:
    return {name: getattr(part, name) for name in ("delay_seconds", "share", "floor", "ceiling")}


@router.put("/queues/{queue_id}/teams", status_code=204)
async def set_parts(
    request: Request, queue_id: int, asked: PartsAsked, me: Annotated[Me, permit("queue.write")]
) -> None:
    """Say what teams do in a queue; a team that is not named does what everybody does."""
    wanted = {one.team_id: teams.Part(one.delay_seconds, one.share, one.floor, one.ceiling) for one in asked.teams}
    async with ground_of(request).database.transaction() as tx:
        await teams.set_parts(tx, me.id, queue_id, wanted)
        shares = {str(team_id): part.share for team_id, part in wanted.items()}
        await audit(tx, me.id, "queue.changed", "queue", queue_id, address=me.address, shares=shares)


@router.get("/queues/{queue_id}/shares")
async def shares(
    request: Request,
    queue_id: int,
    me: Annotated[Me, permit("queue.read")],
    since: date | None = None,
    until: date | None = None,
    by: Literal["day", "interval"] = "day",
) -> list[SplitShape]:
    """What each team was given of a queue's entries, against its target; newest first. Days are those of UTC; without any, the
    last 14."""
    if not me.sees_queue(queue_id):
        raise NotFound(_("There is no such queue."))
    last = until or now().date()
    first = since or last - timedelta(days=13)
    if not timedelta() <= last - first <= LONGEST_SPAN:
        raise Invalid(_("At most one year, its begin before its end."), {"since": _("Choose another day.")})
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, queue_id)
        found = await teams.splits(tx, queue_id, first, last, by_interval=by == "interval")
    return [SplitShape.model_validate(one) for one in found]
