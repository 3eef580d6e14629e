"""Teams and partners: their names, and who belongs to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.errors import ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.people import queries as people
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries, teams
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/teams")
Writer = Annotated[Me, permit("agent.write")]


@router.get("")
async def every_team(request: Request, me: Writer) -> Response:
    """The list."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "teams")
        rows = await teams.all_teams(tx)
        queues = {row.id: row for row in await queries.all_queues(tx)}
    return page("setup/teams.html", **shown, teams=rows, queues=queues)


async def _team(request: Request, me: Me, team_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "teams")
        row = await teams.get(tx, team_id) if team_id is not None else None
        agents = [agent for agent in await people.all_agents(tx) if agent.active]
        context = {
            "team": row,
            "values": {"name": row.name if row else "", "partner": row.partner if row else False},
            "agents": agents,
            "belong": {agent.id for agent in agents if row and agent.team_id == row.id},
            "names": await teams.names(tx),
        }
    return page("setup/team.html", status=status, **filled(shown, context, more))


def _typed_again(form: Typed) -> dict[str, Any]:
    return {"values": {**form.values, "partner": form.yes("partner")}, "belong": set(form.ids("agent"))}


@router.get("/new")
async def ask_new(request: Request, me: Writer) -> Response:
    """The form."""
    return await _team(request, me, None)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add a team with who belongs to it."""
    form = await typed(request)
    try:
        name = form.text("name", longest=100)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            team_id = await teams.add_team(tx, me.id, name, partner=form.yes("partner"))
            await teams.set_agents(tx, me.id, team_id, form.ids("agent"))
            await audit(tx, me.id, "team.added", "team", team_id, address=caller(request), name=name)
    except ProductError as error:
        return await _team(request, me, None, status=422, **_typed_again(form), **wrong(error))
    return back(f"/setup/teams/{team_id}", "added")


@router.get("/{team_id}")
async def one(request: Request, me: Writer, team_id: int) -> Response:
    """The form of one."""
    return await _team(request, me, team_id)


@router.post("/{team_id}")
async def change(request: Request, me: Writer, team_id: int) -> Response:
    """Change name, kind and who belongs."""
    form = await typed(request)
    try:
        name = form.text("name", longest=100)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await teams.change_team(tx, me.id, team_id, name=name, partner=form.yes("partner"))
            await teams.set_agents(tx, me.id, team_id, form.ids("agent"))
            await audit(tx, me.id, "team.changed", "team", team_id, address=caller(request), name=name)
    except ProductError as error:
        return await _team(request, me, team_id, status=422, **_typed_again(form), **wrong(error))
    return back(f"/setup/teams/{team_id}", "saved")


@router.post("/{team_id}/retire")
async def retire(request: Request, me: Writer, team_id: int) -> Response:
    """Take a team out of use."""
    async with ground_of(request).database.transaction() as tx:
        await teams.retire_team(tx, me.id, team_id)
        await audit(tx, me.id, "team.retired", "team", team_id, address=caller(request))
    return back("/setup/teams", "retired")
