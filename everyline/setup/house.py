"""The house: facts about the organisation, tokens for programs, and the audit trail."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.errors import ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.moments import language_names, zones
from everyline.ground.pages import page
from everyline.ground.words import _, languages
from everyline.people import actions, queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import PERMISSIONS, Me
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup")
Housekeeper = Annotated[Me, permit("installation.write")]
TokenMaker = Annotated[Me, permit("token.write")]
Auditor = Annotated[Me, permit("audit.read")]

PAGE = 50


async def _organisation(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "organisation")
        values = await queries.installation(tx)
    context = {"values": values, "languages": language_names(languages()), "zones": zones()}
    return page("setup/organisation.html", status=status, **filled(shown, context, more))


@router.get("/organisation")
async def organisation(request: Request, me: Housekeeper) -> Response:
    """The form."""
    return await _organisation(request, me)


@router.post("/organisation")
async def describe(request: Request, me: Housekeeper) -> Response:
    """Name, language and zone."""
    form = await typed(request)
    try:
        facts = {
            "organisation": form.text("organisation", longest=200, required=True),
            "language": form.one_of("language", languages(), "en"),
            "zone": form.one_of("zone", available_timezones(), "UTC"),
        }
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await actions.describe_installation(tx, me.id, **facts)
            await audit(tx, me.id, "installation.changed", "installation", None, address=caller(request), facts=facts)
    except ProductError as error:
        return await _organisation(request, me, status=422, values=form.values, **wrong(error))
    return back("/setup/organisation", "saved")


# --- tokens ----------------------------------------------------------------------------------------------------------


async def _tokens(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "tokens")
        rows = await queries.all_tokens(tx)
        agents = [row for row in await queries.all_agents(tx) if row.active]
    scopes = [(name, name, ", ".join(sorted(roles))) for name, roles in PERMISSIONS.items()]
    context = {
        "tokens": rows,
        "agents": [(row.id, f"{row.name} ({row.email})") for row in agents],
        "scopes": scopes,
        "fresh": "",
        "values": {"name": "", "agent_id": me.id, "scope": []},
    }
    return page("setup/tokens.html", status=status, **filled(shown, context, more))


@router.get("/tokens")
async def every_token(request: Request, me: TokenMaker) -> Response:
    """The list, and the form to make one."""
    return await _tokens(request, me)


@router.post("/tokens")
async def make_token(request: Request, me: TokenMaker) -> Response:
    """Make a token; it is shown on the page that answers, and never again."""
    form = await typed(request)
    try:
        name, agent_id, scopes = (
            form.text("name", longest=100, required=True),
            form.id("agent_id") or me.id,
            form.texts("scope"),
        )
        if not scopes:
            form.errors["scope"] = _("Choose at least one.")
        form.done()
        async with ground_of(request).database.transaction() as tx:
            token_id, token = await actions.add_token(tx, me.id, agent_id, name, scopes)
            await audit(
                tx,
                me.id,
                "token.added",
                "token",
                token_id,
                address=caller(request),
                name=name,
                scopes=scopes,
                acts_as=agent_id,
            )
    except ProductError as error:
        typed_values = {"name": form.text("name"), "agent_id": form.text("agent_id"), "scope": form.texts("scope")}
        said = wrong(error)
        said["errors"] = {{"scopes": "scope"}.get(key, key): text for key, text in said["errors"].items()}
        return await _tokens(request, me, status=422, values=typed_values, **said)
    return await _tokens(request, me, fresh=token)


@router.post("/tokens/{token_id}/revoke")
async def revoke(request: Request, me: TokenMaker, token_id: int) -> Response:
    """End a token."""
    async with ground_of(request).database.transaction() as tx:
        await actions.revoke_token(tx, me.id, token_id)
        await audit(tx, me.id, "token.revoked", "token", token_id, address=caller(request))
    return back("/setup/tokens", "revoked")


# --- audit trail -----------------------------------------------------------------------------------------------------

SUBJECTS = (
    "agent",
    "away_reason",
    "brand",
    "case",
    "customer",
    "hours",
    "inbound",
    "installation",
    "line",
    "queue",
    "skill",
    "team",
    "token",
    "wrap_up_code",
)


@router.get("/audit")
async def trail(
    request: Request, me: Auditor, before: int | None = None, agent: str = "", subject: str = "", number: str = ""
) -> Response:
    """Who did what to what, newest first."""
    chosen = {
        "agent": agent if agent.isdecimal() else "",
        "subject": subject if subject in SUBJECTS else "",
        "number": number if number.isdecimal() else "",
    }
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "audit")
        rows = await queries.trail(
            tx,
            before=before,
            agent_id=int(chosen["agent"]) if chosen["agent"] else None,
            subject=chosen["subject"],
            subject_id=int(chosen["number"]) if chosen["number"] else None,
            most=PAGE + 1,
        )
        agents = [(row.id, row.name) for row in await queries.all_agents(tx)]
    query = {name: value for name, value in chosen.items() if value}
    older = f"/setup/audit?{urlencode({**query, 'before': rows[PAGE - 1].id})}" if len(rows) > PAGE else ""
    newer = f"/setup/audit?{urlencode(query)}" if before is not None else ""
    return page(
        "setup/audit.html",
        **shown,
        rows=rows[:PAGE],
        agents=agents,
        subjects=SUBJECTS,
        chosen=chosen,
        older=older,
        newer=newer,
    )
