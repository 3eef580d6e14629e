"""The pages from which supervisors act: one entry, one agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from everyline.board import directing, words
from everyline.board.face import frame, watch_of
from everyline.board.facts import Picture
from everyline.board.figures import STATES
from everyline.board.reading import statements
from everyline.cases.rules import PRIORITIES
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.pages import page, toast
from everyline.ground.words import _
from everyline.people.models import AwayReason
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me, own_path
from everyline.people.shell import STATES as STATE_WORDS
from everyline.queues import queries

router = APIRouter()
Reader = Annotated[Me, permit("board.read")]
Director = Annotated[Me, permit("entry.direct")]
Back = Annotated[str, Form()]

MOST_AGENTS = 200  # on a page, or to choose from


def answer(request: Request, back: str, done: str, said: str) -> Response:
    """After a deed: a toast and the lists read themselves again; without scripts, back to where one came from."""
    if request.headers.get("hx-request") == "true":
        headers = toast(said)
        headers["HX-Trigger"] = headers["HX-Trigger"][:-1] + ', "board-changed": ""}'
        return Response(status_code=204, headers=headers)
    path = own_path(back, "/board")
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}done={done}", 303)


async def _show(tx: Tx, request: Request, me: Me, current: str, template: str, context: dict[str, Any]) -> Response:
    """A question inside the dialog, or as a page of its own."""
    context["back"] = own_path(request.query_params.get("back", ""), "/board")
    if request.headers.get("hx-request") == "true":
        return page(f"board/{template}.html", fragment=True, may=me.may, zone=me.zone, **context)
    return page(f"board/{template}.html", fragment=False, **{**await frame(tx, request, me, current), **context})


def takers(picture: Picture, queue_id: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Who may be given an entry of a queue: its agents by state, who is longest in it first."""
    found = []
    for state in STATES[:-1]:
        those = sorted(
            (agent for agent in picture.agents.values() if queue_id in agent.queue_ids and agent.state == state),
            key=lambda agent: agent.since,
        )
        if those:
            found.append((_(STATE_WORDS[state]), [(str(agent.id), agent.name) for agent in those[:MOST_AGENTS]]))
    return found


@router.get("/board/entries/{entry_id}")
async def entry(request: Request, me: Director, entry_id: int) -> Response:
    """What can be done with an entry that waits."""
    picture = await watch_of(request).picture()
    async with ground_of(request).database.transaction() as tx:
        row = await directing.entry_of(tx, me, entry_id)
        context = {
            "entry": row,
            "channel": words.channel_of(row.channel),
            "label": words.channel_label(row.channel),
            "queues": [(str(one.id), one.name) for one in await queries.all_queues(tx) if one.id != row.queue_id],
            "priorities": [(str(number), _(name)) for number, name in PRIORITIES.items()],
            "takers": takers(picture, row.queue_id),
        }
        return await _show(tx, request, me, "queue", "entry", context)


@router.post("/board/entries/{entry_id}/move")
async def move(
    request: Request, me: Director, entry_id: int, queue_id: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """Let it wait in another queue."""
    async with ground_of(request).database.transaction() as tx:
        found = await directing.move(tx, me, entry_id, queue_id)
    return answer(request, back, "moved", _("%s is moved. It keeps the time it has waited.") % found.number)


@router.post("/board/entries/{entry_id}/priority")
async def priority(
    request: Request, me: Director, entry_id: int, priority: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """Make it more or less urgent."""
    async with ground_of(request).database.transaction() as tx:
        found = await directing.change_priority(tx, me, entry_id, priority)
    return answer(request, back, "raised", _("The priority of %s is changed.") % found.number)


@router.post("/board/entries/{entry_id}/give")
async def give(
    request: Request, me: Director, entry_id: int, agent_id: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """Give it to an agent."""
    async with ground_of(request).database.transaction() as tx:
        found = await directing.give(tx, me, entry_id, agent_id)
        agent = await queries.agent_of(tx, me, agent_id)
    return answer(
        request, back, "given", _("%(number)s is given to %(name)s.") % {"number": found.number, "name": agent.name}
    )


@router.post("/board/cases/{case_id}/take-over")
async def take_over(request: Request, me: Director, case_id: int, back: Back = "") -> Response:
    """Take a case from whoever has it."""
    async with ground_of(request).database.transaction() as tx:
        found = await directing.take_over(tx, me, case_id)
    return answer(request, back, "taken", _("%s is yours.") % found.number)


@router.get("/board/agents/{agent_id}")
async def agent(request: Request, me: Reader, agent_id: int) -> Response:
    """An agent: state, and what they have in hand."""
    picture = await watch_of(request).picture()
    async with ground_of(request).database.transaction() as tx:
        row = await queries.agent_of(tx, me, agent_id)
        found = picture.agents.get(agent_id)
        if found is None:
            raise NotFound(_("There is no such agent."))
        works: Sequence[Any] = await tx.rows(statements.work_of, {"agent_id": agent_id})
        seen = [work for work in works if me.sees_queue(work.queue_id)]
        context = {
            "agent": found,
            "email": row.email,
            "initials": words.initials(found.name),
            "works": seen,
            "hidden": len(works) - len(seen),
            "labels": {work.channel: words.channel_label(work.channel) for work in seen},
            "channels": {work.channel: words.channel_of(work.channel) for work in seen},
            "states": STATE_WORDS,
            "choices": await _choices(tx),
            "queues": [picture.queues[number].name for number in found.queue_ids if number in picture.queues],
            "team": picture.teams.get(found.team_id, ("", False))[0],
        }
        return await _show(tx, request, me, "agents", "agent", context)


async def _choices(tx: Tx) -> list[tuple[str, str]]:
    reasons = await tx.column(select(AwayReason.name).order_by(AwayReason.position, AwayReason.name))
    away = [(f"away:{reason}", f"{_('Away')}: {_(reason)}") for reason in reasons] or [("away:", _("Away"))]
    return [("available", _("Available")), *away, ("offline", _("Offline"))]


@router.post("/board/agents/{agent_id}/state")
async def change_state(
    request: Request,
    me: Annotated[Me, permit("agent.direct")],
    agent_id: int,
    choice: Annotated[str, Form()] = "",
    afterwards: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """Change an agent's state, now or when their work ends."""
    state, _colon, reason = choice.partition(":")
    async with ground_of(request).database.transaction() as tx:
        found = await directing.change_state(tx, me, agent_id, state, reason[:100], afterwards=bool(afterwards))
    return answer(request, back, "state", _("The state of %s is changed.") % found.name)
