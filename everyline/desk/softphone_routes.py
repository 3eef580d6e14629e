"""The phone in the browser: whether calls are heard here, and a page on which one hears oneself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from everyline.calls import actions, asking, queries
from everyline.channel_registry import calling
from everyline.desk import relays
from everyline.desk.answering import done
from everyline.desk.lists import frame
from everyline.desk.queries import statements as desk
from everyline.desk.talk_routes import statements
from everyline.ground.clock import now
from everyline.ground.errors import Invalid
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix="/desk/phone")
Own = Annotated[Me, permit("own")]
LARGEST_OFFER = 16_384


@router.get("")
async def show(request: Request, me: Own) -> Response:
    """The page: the switch, microphone and speaker, the test."""
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, me, None, await tx.rows(desk.queues))
        reach, _node = await queries.reach(tx, me.id)
    return page("desk/softphone.html", reach=reach, **context)


@router.get("/switch")
async def switch(request: Request, me: Own) -> Response:
    """The way there, in the top bar of every page; nothing where nobody can call."""
    async with ground_of(request).database.transaction() as tx:
        there = await tx.first(statements.calls_come, {"channels": calling()}) is not None
        reach, _node = await queries.reach(tx, me.id)
    return page("desk/softphone-switch.html", there=there, reach=reach)


@router.post("")
async def connect(request: Request, me: Own, offer: Annotated[str, Form()]) -> Response:
    """A page wants to be heard: its session description, answered with ours."""
    if len(offer) > LARGEST_OFFER:
        raise Invalid(_("This is no offer of sound."))
    return PlainTextResponse(await asking.browser(ground_of(request), me.id, offer))


@router.get("/relays")
async def relays_for(request: Request, me: Own) -> Response:
    """The relays that this browser may find its way by, with a password for it."""
    return JSONResponse(relays.for_browser(ground_of(request).settings, me.id, now()))


@router.get("/elsewhere")
async def elsewhere(request: Request, me: Own) -> Response:
    """Is one heard by another browser? Asked by a page that was let go of."""
    async with ground_of(request).database.transaction() as tx:
        _reach, node = await queries.reach(tx, me.id)
    return PlainTextResponse("yes" if node else "")


@router.post("/off")
async def off(request: Request, me: Own) -> Response:
    """Calls are not to be heard here any more."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        _reach, node = await queries.reach(tx, me.id)
    if node:
        await asking.of_browser(ground, me.id, actions.AWAY)
    return done(request, "/desk/phone", changed=())


@router.post("/echo")
async def echo(request: Request, me: Own, on: Annotated[str, Form()] = "") -> Response:
    """Hear oneself, a little later, or no longer."""
    await asking.of_browser(ground_of(request), me.id, actions.ECHO, on=bool(on))
    return done(request, "/desk/phone", changed=())
