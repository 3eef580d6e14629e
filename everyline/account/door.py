"""The pages before one is signed in: sign-in, second factor, forgotten password, link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from sqlalchemy import func, select
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from everyline.channel_registry import all_channels
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.installation import Ground
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people import queries, sign_ins
from everyline.people.actions import audit
from everyline.people.models import Agent, Installation
from everyline.people.permit import COOKIE, ground_of, public, who_asks
from everyline.people.rules import Role, own_path
from everyline.people.sign_ins import TooManyTries, WrongPassword
from everyline.queues import actions as queues

router = APIRouter(dependencies=[public()])


def caller(request: Request) -> str:
    """The address that a request came from; behind a proxy that the settings name, the one it tells."""
    return request.client.host if request.client else ""


async def _shown(tx: Tx) -> dict[str, Any]:
    """What every page at the door shows."""
    zone = await tx.value(select(Installation.value).where(Installation.name == "zone"))
    hour = now().astimezone(ZoneInfo(zone or "UTC")).hour
    greeting = _("Good morning") if 4 <= hour < 12 else _("Good afternoon") if 12 <= hour < 18 else _("Good evening")
    channels = [channel.facts for channel in all_channels().values()]
    return {
        "organisation": await queries.organisation_name(tx),
        "greeting": greeting,
        "channels": channels,
        "theme": "",
    }


async def _page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await _shown(tx)
    return page(
        f"account/{template}",
        status=status,
        **{**shown, "theme": request.cookies.get("theme", ""), "error": "", **context},
    )


async def _reaches_mailboxes(tx: Tx) -> bool:
    try:
        await dispatch.answer_line(tx, None, MAILBOX)
    except Conflict:
        return False
    return True


def let_in(request: Request, where: str, token: str, lasts: timedelta, *, keep: bool) -> Response:
    """Go on, signed in. Without ``keep`` the browser forgets when it is closed."""
    answer = RedirectResponse(where, 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(lasts.total_seconds()) if keep else None,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/", include_in_schema=False)
async def front() -> Response:
    """The address of the installation leads to the desk."""
    return RedirectResponse("/desk", 303)


@router.get("/sign-in")
async def ask_in(request: Request, next: str = "", done: str = "") -> Response:
    """The form."""
    where = own_path(next)
    if await who_asks(request):
        return RedirectResponse(where, 303)
    async with ground_of(request).database.transaction() as tx:
        found = await tx.value(select(Agent.id).where(Agent.role == Role.ADMIN, Agent.active).limit(1))
    if found is None:
        return await _page(request, "first-run.html")
    return await _page(request, "sign-in.html", next=where, email="", keep=False, done=done)


@router.post("/sign-in")
async def come_in(
    request: Request,
    email: str = Form(""),
    password: str = Form(""),
    keep: str = Form(""),
    next: str = Form(""),
) -> Response:
    """Check name and password; the second factor comes next, where there is one."""
    ground, where = ground_of(request), own_path(next)
    try:
        agent = await sign_ins.right_password(ground.database, email, password, caller(request))
    except TooManyTries as error:
        answer = await _page(
            request, "sign-in.html", status=429, next=where, email=email, keep=bool(keep), done="", error=error.message
        )
        answer.headers["retry-after"] = str(error.seconds)
        return answer
    except WrongPassword as error:
        return await _page(
            request, "sign-in.html", status=422, next=where, email=email, keep=bool(keep), done="", error=error.message
        )
    pending = agent.second_factor_since is not None
    async with ground.database.transaction() as tx:
        token, lasts = await sign_ins.begin(
            tx,
            agent.id,
            pending=pending,
            keep=bool(keep),
            user_agent=request.headers.get("user-agent", ""),
            address=caller(request),
        )
    if pending:
        return let_in(request, f"/sign-in/second-factor?{_query(where, keep=bool(keep))}", token, lasts, keep=False)
    return let_in(request, where, token, lasts, keep=bool(keep))


def _query(where: str, *, keep: bool) -> str:
    return urlencode({"next": where, **({"keep": "1"} if keep else {})})


@router.get("/sign-in/second-factor")
async def ask_second_factor(request: Request, next: str = "", keep: str = "") -> Response:
    """The form for the code."""
    async with ground_of(request).database.transaction() as tx:
        agent = await sign_ins.pending_agent(tx, request.cookies.get(COOKIE, ""))
    if agent is None:
        return RedirectResponse("/sign-in", 303)
    return await _page(request, "second-factor.html", next=own_path(next), keep=bool(keep))


@router.post("/sign-in/second-factor")
async def give_second_factor(
    request: Request,
    code: str = Form(""),
    keep: str = Form(""),
    next: str = Form(""),
) -> Response:
    """Check the code. The browser gets a new token: what it held before is worth nothing any more."""
    ground, where, before = ground_of(request), own_path(next), request.cookies.get(COOKIE, "")
    async with ground.database.transaction() as tx:
        agent = await sign_ins.pending_agent(tx, before)
    if agent is None:
        return RedirectResponse(f"/sign-in?{_query(where, keep=False)}", 303)
    try:
        async with ground.database.transaction() as tx:
            attempt_id = await sign_ins.note_try(tx, f"second factor {agent.id}", caller(request))
    except TooManyTries as error:
        return await _page(request, "second-factor.html", status=429, next=where, keep=bool(keep), error=error.message)
    async with ground.database.transaction() as tx:
        if not await sign_ins.takes_code(tx, ground.vault, agent.id, code[:100]):
            right = None
        else:
            await sign_ins.note_success(tx, attempt_id)
            await sign_ins.end(tx, before)
            right = await sign_ins.begin(
                tx, agent.id, keep=bool(keep), user_agent=request.headers.get("user-agent", ""), address=caller(request)
            )
    if right is None:
        return await _page(
            request,
            "second-factor.html",
            status=422,
            next=where,
            keep=bool(keep),
            error=_("This code is not the right one, or was used already."),
        )
    return let_in(request, where, *right, keep=bool(keep))


@router.post("/sign-out")
async def go_out(request: Request) -> Response:
    """End this browser's sign-in; who signs out is offline."""
    async with ground_of(request).database.transaction() as tx:
        agent_id = await sign_ins.end(tx, request.cookies.get(COOKIE, ""))
        if agent_id is not None:
            await queues.change_state(tx, agent_id, agent_id, "offline")
    answer = RedirectResponse("/sign-in?done=out", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


@router.get("/forgot")
async def ask_reset(request: Request) -> Response:
    """The form for a new password by mail; where nothing can send mail, who can help."""
    async with ground_of(request).database.transaction() as tx:
        able = await _reaches_mailboxes(tx)
    return await _page(request, "forgot.html", able=able, sent=False, email="")


@router.post("/forgot")
async def send_reset(request: Request, email: str = Form("")) -> Response:
    """The same answer for every address; what is to be done is done after it, so that the time tells nothing either."""
    ground = ground_of(request)
    name = email.strip().lower()[:320]
    async with ground.database.transaction() as tx:
        able = await _reaches_mailboxes(tx)
    if not able or not name:
        return await _page(
            request,
            "forgot.html",
            status=422,
            able=able,
            sent=False,
            email=email,
            error=_("Write your email address.") if able else "",
        )
    try:
        async with ground.database.transaction() as tx:
            await sign_ins.note_try(tx, f"reset {name}", caller(request))
    except TooManyTries as error:
        return await _page(request, "forgot.html", status=429, able=True, sent=False, email=email, error=error.message)
    answer = await _page(request, "forgot.html", able=True, sent=True, email=email)
    answer.background = BackgroundTask(_write_reset, ground, name)
    return answer


async def _write_reset(ground: Ground, name: str) -> None:
    async with ground.database.transaction() as tx:
        agent_id = await tx.value(select(Agent.id).where(func.lower(Agent.email) == name, Agent.active))
        if agent_id is not None:
            letter = await sign_ins.link_letter(tx, None, agent_id, sign_ins.PASSWORD_RESET, ground.settings.address)
            await dispatch.notify(tx, ground.vault, **letter)


@router.get("/password/{token}")
async def ask_password(request: Request, token: str) -> Response:
    """The form behind a link. Looking at it uses nothing up: mail filters look too."""
    try:
        async with ground_of(request).database.transaction() as tx:
            agent = await sign_ins.linked_agent(tx, token)
    except NotFound as error:
        return await _page(request, "link-over.html", status=404, error=error.message)
    return await _page(request, "new-password.html", agent=agent)


@router.post("/password/{token}")
async def take_password(request: Request, token: str, password: str = Form(""), again: str = Form("")) -> Response:
    """Set the password and use the link up."""
    ground = ground_of(request)
    try:
        async with ground.database.transaction() as tx:
            agent = await sign_ins.linked_agent(tx, token)
    except NotFound as error:
        return await _page(request, "link-over.html", status=404, error=error.message)
    if password != again:
        return await _page(request, "new-password.html", status=422, agent=agent, error=_("The two are not the same."))
    try:
        async with ground.database.transaction() as tx:
            await sign_ins.use_link(tx, token, password)
            await audit(
                tx, agent.id, "agent.password_set", "agent", agent.id, address=caller(request), way=agent.purpose
            )
    except NotFound as error:
        return await _page(request, "link-over.html", status=404, error=error.message)
    except Invalid as error:
        return await _page(request, "new-password.html", status=422, agent=agent, error=error.message)
    return RedirectResponse("/sign-in?done=password", 303)
