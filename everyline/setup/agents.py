"""Agents: who they are, what they may, what they can, and their way in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.channel_registry import all_channels, calling
from everyline.dispatch import actions as dispatch
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Forbidden, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.installation import Ground
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, languages, mark
from everyline.people import actions, queries, sign_ins
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me, Role
from everyline.people.shell import ROLES, STATES
from everyline.queues import abilities, set_up, teams
from everyline.queues import actions as queue_actions
from everyline.queues import queries as queues
from everyline.queues.rules import DEFAULT_CAPS, DEFAULT_WEIGHTS
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/agents")
Writer = Annotated[Me, permit("agent.write")]

ROLE_HELP = {
    Role.AGENT: mark("takes work of their queues"),
    Role.SUPERVISOR: mark("sees lines and quarantine, and directs agents"),
    Role.ADMIN: mark("sets everything up, and sees every queue"),
}
MEDIA = {"call": mark("Calls"), "chat": mark("Chats"), "mail": mark("Mails")}


@router.get("")
async def every_agent(request: Request, me: Writer) -> Response:
    """The list with the state of each; its table alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        names = {row.id: row for row in await queues.all_queues(tx)}
        mine: dict[int, list[Any]] = {}
        for queue_id, agent_ids in (await queues.members(tx)).items():
            for agent_id in agent_ids:
                if queue_id in names:
                    mine.setdefault(agent_id, []).append(names[queue_id])
        context: dict[str, Any] = {
            "agents": await queries.all_agents(tx),
            "mine": mine,
            "roles": ROLES,
            "states": STATES,
        }
        if request.headers.get("hx-request"):
            return page("setup/agents-table.html", **context, me={"zone": me.zone})
        shown = await frame(tx, request, me, "agents")
    return page("setup/agents.html", **{**shown, **context})


async def _agent(request: Request, me: Me, agent_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "agents")
        row = await queries.get(tx, agent_id) if agent_id is not None else None
        levels = await queues.skills_of(tx, agent_id) if agent_id is not None else {}
        most, weights = (
            await abilities.capacity_of(tx, agent_id) if agent_id is not None else (DEFAULT_CAPS, DEFAULT_WEIGHTS)
        )
        every = await queues.members(tx)
        skills = await queues.all_skills(tx)
        values: dict[str, Any] = {
            "name": row.name if row else "",
            "email": row.email if row else "",
            "role": row.role if row else "agent",
            "language": row.language if row else "en",
            "all_queues": row.all_queues if row else False,
            **{f"skill-{skill.id}": levels.get(skill.id, 0) for skill in skills},
            "team_id": (row.team_id or "") if row else "",
            "telephone": await abilities.telephone_of(tx, agent_id) if agent_id is not None else "",
            **{f"most-{name.replace('=', 'of-')}": number for name, number in most.items()},
            **{f"weight-{name.replace('=', 'of-')}": units for name, units in weights.items()},
        }
        context = {
            "agent": row,
            "values": values,
            "queues": await queues.all_queues(tx),
            "member_of": {queue_id for queue_id, agents in every.items() if agent_id in agents},
            "sees": await queries.scope_of(tx, agent_id) if agent_id is not None else set(),
            "skills": skills,
            "roles": [
                (str(role), _(ROLES[role]).capitalize(), _(ROLE_HELP[role]))
                for role in (Role.AGENT, Role.SUPERVISOR, Role.ADMIN)
            ],
            "media": [(name, _(words)) for name, words in MEDIA.items()],
            "channels": [(f"of-{name}", _(one.facts.label), one.facts.weight) for name, one in all_channels().items()],
            "calls": bool(calling()),
            "teams": [(team.id, team.name) for team in await teams.all_teams(tx)],
            "languages": language_names(languages()),
            "sign_ins": await sign_ins.of_agent(tx, agent_id) if agent_id is not None else [],
        }
    return page("setup/agent.html", status=status, **filled(shown, context, more))


def _typed_again(form: Typed) -> dict[str, Any]:
    return {
        "values": {**form.values, "all_queues": form.yes("all_queues")},
        "member_of": set(form.ids("member_of")),
        "sees": set(form.ids("sees")),
    }


def _facts(form: Typed) -> dict[str, Any]:
    return {
        "name": form.text("name", longest=200, required=True),
        "email": form.text("email", longest=320, required=True),
        "role": form.one_of("role", [str(role) for role in Role], "agent"),
        "language": form.one_of("language", languages(), "en"),
        "all_queues": form.yes("all_queues"),
    }


async def _arrange(tx: Tx, me: Me, agent_id: int, form: Typed) -> None:
    """Queues, scope, team, skills, capacity and telephone."""
    skills = {
        int(name[6:]): level
        for name in form.values
        if name.startswith("skill-") and name[6:].isdecimal() and (level := form.number(name, 0, 5))
    }
    most = {name: form.number(f"most-{name}", 0, 100, cap) for name, cap in DEFAULT_CAPS.items()}
    weights = {name: form.number(f"weight-{name}", 1, 100, units) for name, units in DEFAULT_WEIGHTS.items()}
    for name in all_channels():
        number, units = form.maybe_number(f"most-of-{name}", 0, 100), form.maybe_number(f"weight-of-{name}", 1, 100)
        most |= {} if number is None else {f"={name}": number}
        weights |= {} if units is None else {f"={name}": units}
    team_id = form.id("team_id")
    telephone = form.text("telephone", longest=350)
    form.done()
    await teams.set_team(tx, me.id, agent_id, team_id)
    await set_up.set_queues(tx, me.id, agent_id, form.ids("member_of"))
    if set(form.ids("sees")) != await queries.scope_of(tx, agent_id):
        await actions.scope_to(tx, me.id, agent_id, form.ids("sees"))
    await abilities.set_skills(tx, me.id, agent_id, skills)
    await abilities.set_capacity(tx, me.id, agent_id, most, weights)
    await abilities.hear_at(tx, me.id, agent_id, telephone)


@router.get("/new")
async def ask_new(request: Request, me: Writer) -> Response:
    """The form."""
    return await _agent(request, me, None)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add an agent, and invite them when something can send mail."""
    form, ground = await typed(request), ground_of(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground.database.transaction() as tx:
            agent_id = await actions.add_agent(tx, me.id, **facts)
            await _arrange(tx, me, agent_id, form)
            await audit(
                tx,
                me.id,
                "agent.added",
                "agent",
                agent_id,
                address=caller(request),
                role=facts["role"],
                email=facts["email"],
            )
    except ProductError as error:
        return await _agent(request, me, None, status=422, **_typed_again(form), **wrong(error))
    try:
        async with ground.database.transaction() as tx:
            await invite(tx, ground, me, agent_id)
    except Conflict:
        return back(f"/setup/agents/{agent_id}", "no-mail")
    return back(f"/setup/agents/{agent_id}", "invited")


async def invite(tx: Tx, ground: Ground, me: Me, agent_id: int) -> None:
    """Send an agent a link to choose a password, good for seven days. Conflict when nothing can send mail."""
    letter = await sign_ins.link_letter(tx, me.id, agent_id, sign_ins.INVITATION, ground.settings.address)
    await dispatch.notify(tx, ground.vault, **letter)


@router.get("/{agent_id}")
async def one(request: Request, me: Writer, agent_id: int) -> Response:
    """The form of one."""
    return await _agent(request, me, agent_id)


@router.post("/{agent_id}")
async def change(request: Request, me: Writer, agent_id: int) -> Response:
    """Change role, scope, team, queues, skills and capacity. A change of rights signs them out."""
    form = await typed(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await actions.change_agent(tx, me.id, agent_id, **facts)
            await _arrange(tx, me, agent_id, form)
            await audit(
                tx,
                me.id,
                "agent.changed",
                "agent",
                agent_id,
                address=caller(request),
                role=facts["role"],
                all_queues=facts["all_queues"],
            )
    except ProductError as error:
        return await _agent(request, me, agent_id, status=422, **_typed_again(form), **wrong(error))
    return back(f"/setup/agents/{agent_id}", "saved")


@router.post("/{agent_id}/invite")
async def invite_again(request: Request, me: Writer, agent_id: int) -> Response:
    """Send the invitation (again); links sent before are worth nothing any more."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await invite(tx, ground_of(request), me, agent_id)
            await audit(tx, me.id, "agent.invited", "agent", agent_id, address=caller(request))
    except ProductError as error:
        return await _agent(request, me, agent_id, status=409, **wrong(error))
    return back(f"/setup/agents/{agent_id}", "invited")


@router.post("/{agent_id}/active")
async def switch(request: Request, me: Writer, agent_id: int) -> Response:
    """Let in, or not any more."""
    form = await typed(request)
    lets_in = form.yes("active")
    try:
        if agent_id == me.id:
            raise Forbidden(_("You cannot shut yourself out. Another admin can."))
        async with ground_of(request).database.transaction() as tx:
            await actions.change_agent(tx, me.id, agent_id, active=lets_in)
            if not lets_in:
                await queue_actions.change_state(tx, me.id, agent_id, "offline")
            await audit(
                tx,
                me.id,
                "agent.activated" if lets_in else "agent.deactivated",
                "agent",
                agent_id,
                address=caller(request),
            )
    except ProductError as error:
        return await _agent(request, me, agent_id, status=409, **wrong(error))
    return back(f"/setup/agents/{agent_id}", "saved")


@router.post("/{agent_id}/second-factor")
async def reset_second_factor(request: Request, me: Writer, agent_id: int) -> Response:
    """For who lost phone and recovery codes. Signs them out."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, agent_id)
        await sign_ins.turn_off_second_factor(tx, me.id, agent_id)
        await actions.end_sign_ins(tx, me.id, agent_id)
        await audit(tx, me.id, "agent.second_factor_reset", "agent", agent_id, address=caller(request))
    return back(f"/setup/agents/{agent_id}", "reset")


@router.post("/{agent_id}/sign-ins")
async def end_sign_ins(request: Request, me: Writer, agent_id: int) -> Response:
    """Sign them out everywhere."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, agent_id)
        await actions.end_sign_ins(tx, me.id, agent_id)
        await audit(tx, me.id, "agent.sign_ins_ended", "agent", agent_id, address=caller(request))
    return back(f"/setup/agents/{agent_id}", "ended")
