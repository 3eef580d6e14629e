"""Lists of cases: views, queues, filters, saved views."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from everyline.cases import actions
from everyline.cases import queries as cases
from everyline.cases.rules import PRIORITIES
from everyline.desk import answering, phrases
from everyline.desk.lists import add_item, frame, read_counts, read_list, resolve_place, ways
from everyline.desk.places import NARROWING, Place
from everyline.desk.queries import statements
from everyline.ground.database import Tx
from everyline.ground.errors import Forbidden
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.people.shell import other_faces

router = APIRouter()


@router.get("/desk")
async def desk(request: Request, me: Annotated[Me, permit("case.read")]) -> Response:
    """One's own cases."""
    return await _list(request, me, Place.read("mine", request.query_params))


@router.get("/desk/views/{key}")
async def view(request: Request, me: Annotated[Me, permit("case.read")], key: str) -> Response:
    """One of the views, or a saved one."""
    return await _list(request, me, Place.read(key, request.query_params))


@router.get("/desk/queues/{queue_id}")
async def queue(request: Request, me: Annotated[Me, permit("case.read")], queue_id: int) -> Response:
    """The cases of one queue."""
    return await _list(request, me, Place.read(f"queue-{queue_id}", request.query_params))


async def _list(request: Request, me: Me, place: Place) -> Response:
    async with ground_of(request).database.transaction() as tx:
        queues, counts = await tx.together(tx.rows(statements.queues), read_counts(tx, me))
        place = await resolve_place(tx, me, place, queues)
        around, listed = await tx.together(
            frame(tx, me, place, queues, counts), read_list(tx, me, place, counts=counts)
        )
    said = (
        _("This offer is over: it went back to the queue, or somebody else has it.")
        if "over" in request.query_params
        else ""
    )
    return page("desk/desk.html", **around, **listed, case=None, said=said)


@router.get("/desk/rows")
async def rows(
    request: Request, me: Annotated[Me, permit("case.read")], view: str = "mine", current: int = 0
) -> Response:
    """The rows of a list alone, with the counts of its segments."""
    async with ground_of(request).database.transaction() as tx:
        place = await resolve_place(tx, me, Place.read(view, request.query_params), await tx.rows(statements.queues))
        context = await read_list(tx, me, place, current=current)
    return page("desk/rows-alone.html", **context)


@router.get("/desk/side")
async def side(request: Request, me: Annotated[Me, permit("case.read")], at: str = "") -> Response:
    """The ways to go with their counts alone."""
    async with ground_of(request).database.transaction() as tx:
        queues, counts, saved = await tx.together(tx.rows(statements.queues), read_counts(tx, me), cases.views(tx, me))
        nav = ways(me, Place(at), queues, counts, saved)
    shown: dict[str, Any] = {"shell": {"add": add_item(), "nav": nav, "faces": other_faces(me, "/desk")}}
    return page("side.html", **shown)


@router.get("/desk/filter")
async def ask_filter(request: Request, me: Annotated[Me, permit("case.read")], view: str = "mine") -> Response:
    """What the list is to be narrowed to."""
    async with ground_of(request).database.transaction() as tx:
        queues = await tx.rows(statements.queues)
        place = await resolve_place(tx, me, Place.read(view, request.query_params), queues)
        context = {} if answering.by_script(request) else await frame(tx, me, place, queues)
        agents = await tx.rows(statements.agents)
        lines = await tx.rows(select(Line.id, Line.name).where(Line.retired_at.is_(None)).order_by(Line.name))
        mine = place.key.startswith("saved-") and await _droppable(tx, me, place.key)
    context |= {
        "place": place,
        "place_href": place.href(narrowed={}, segment=place.segment),
        "statuses": [(name, phrases.status(name).capitalize()) for name in phrases.STATUSES],
        "queues": [(row.id, row.name) for row in queues if me.sees_queue(row.id)],
        "owners": [("me", _("Me")), ("nobody", _("Nobody")), *[(row.id, row.name) for row in agents]],
        "priorities": [(number, _(text)) for number, text in PRIORITIES.items()],
        "lines": [(row.id, row.name) for row in lines],
        "languages": language_names(phrases.LANGUAGES),
        "may_share": me.may("view.share"),
        "saved_name": place.title if place.key.startswith("saved-") else "",
        "droppable": mine,
    }
    return answering.ask(request, "filter", context)


async def _droppable(tx: Tx, me: Me, key: str) -> bool:
    found = [view for view in await cases.views(tx, me) if f"saved-{view.id}" == key]
    return bool(found) and (found[0].agent_id == me.id or me.may("view.share"))


@router.post("/desk/views")
async def save_view(
    request: Request,
    me: Annotated[Me, permit("own")],
    view: str = "mine",
    *,
    view_name: Annotated[str, Form()] = "",
    for_all: Annotated[str, Form()] = "",
) -> Response:
    """Keep a list under a name."""
    form = {name: str(value) for name, value in (await request.form()).items() if isinstance(value, str)}
    async with ground_of(request).database.transaction() as tx:
        place = await resolve_place(
            tx,
            me,
            Place.read(view, {name: form.get(name, "") for name in (*NARROWING, "segment")}),
            await tx.rows(statements.queues),
        )
        if for_all and not me.may("view.share"):
            raise Forbidden(_("Only supervisors and admins make views for everybody."))
        view_id = await actions.save_view(tx, None if for_all else me.id, view_name, place.kept())
    return RedirectResponse(f"/desk/views/saved-{view_id}", 303)


@router.post("/desk/views/{key}/drop")
async def drop_view(request: Request, me: Annotated[Me, permit("own")], key: str) -> Response:
    """Throw a saved view away."""
    async with ground_of(request).database.transaction() as tx:
        await resolve_place(tx, me, Place.read(key, {}), await tx.rows(statements.queues))
        if not key.startswith("saved-") or not await _droppable(tx, me, key):
            raise Forbidden(_("Only supervisors and admins change views for everybody."))
        shared = next(view.agent_id is None for view in await cases.views(tx, me) if f"saved-{view.id}" == key)
        await actions.drop_view(tx, int(key[6:]), None if shared else me.id)
    return RedirectResponse("/desk", 303)
