"""Lines: how they are doing, and the form to change one, made from the settings of its channel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.channel_registry import all_channels, channel
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.lines import actions, queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.selfservice.queries import published_names
from everyline.selfservice.running.talking import NAME as BOT
from everyline.setup import line_form
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/lines")
Reader = Annotated[Me, permit("line.read")]
Writer = Annotated[Me, permit("line.write")]


def seen(me: Me, row: Row) -> bool:
    """Supervisors see the lines of their queues."""
    return me.sees_queue(row.queue_id)


async def _listed(tx: Tx, me: Me) -> dict[str, Any]:
    names = {queue.id: queue for queue in await queues.all_queues(tx)}
    rows = [row for row in await queries.with_health(tx) if seen(me, row)]
    return {"lines": rows, "queues": names, "channels": {name: found.facts for name, found in all_channels().items()}}


@router.get("")
async def every_line(request: Request, me: Reader) -> Response:
    """The list with the health of each; its table alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        context = await _listed(tx, me)
        if request.headers.get("hx-request"):
            return page("setup/lines-table.html", **context, may=me.may, me={"zone": me.zone})
        shown = await frame(tx, request, me, "lines")
    return page("setup/lines.html", **{**shown, **context})


# --- one line --------------------------------------------------------------------------------------------------------


async def line_page(request: Request, me: Me, row: Row, *, status: int = 200, **more: Any) -> Response:
    """The form of a line, with its health and its test."""
    found, ground = channel(row.channel), ground_of(request)
    async with ground.database.transaction() as tx:
        shown = await frame(tx, request, me, "lines")
        context = {
            **await choices(tx, row),
            "channel": found.facts,
            "routes": len(await queries.routes(tx, row.id)),
            "groups": line_form.fields_of(found.settings),
            "line": next(line for line in await queries.with_health(tx) if line.id == row.id),
            "kept": line_form.kept_secrets(request, row),
            "again": set(),
            "steps": [],
            "verdict": None,
            "test_now": request.query_params.get("test") == "1",
            "values": line_form.values_of(found.settings, row),
        }
    return page("setup/line.html", status=status, **filled(shown, context, more))


async def choices(tx: Tx, row: Row | None) -> dict[str, Any]:
    """What can be chosen for a line: queues, hours, other lines for its answers, languages."""
    return {
        "queues": [(queue.id, queue.name) for queue in await queues.all_queues(tx)],
        "hours": [(hours.id, hours.name) for hours in await queues.all_hours(tx)],
        "others": [(line.id, line.name) for line in await queries.with_health(tx) if row is None or line.id != row.id],
        "languages": language_names(LIKELY),
        "flows": [(BOT, _("The bot")), *((name, name) for name in await published_names(tx))],
    }


async def visible(request: Request, me: Me, line_id: int) -> Row:
    """A line's row; NotFound when there is none that one may see."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, line_id)
    if not seen(me, row):
        raise NotFound(_("There is no such line."))
    return row


@router.get("/{line_id}")
async def one_line(request: Request, me: Reader, line_id: int) -> Response:
    """Its health, its test and, for admins, its form."""
    return await line_page(request, me, await visible(request, me, line_id))


@router.get("/{line_id}/health")
async def health(request: Request, me: Reader, line_id: int) -> Response:
    """How it is doing, alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        line = next((line for line in await queries.with_health(tx) if line.id == line_id and seen(me, line)), None)
    if line is None:
        raise NotFound(_("There is no such line."))
    return page("setup/line-health.html", line=line, may=me.may, me={"zone": me.zone})


@router.post("/{line_id}")
async def change(request: Request, me: Writer, line_id: int) -> Response:
    """Change a line; secrets left empty stay as they are."""
    form, ground = await typed(request), ground_of(request)
    row = await visible(request, me, line_id)
    kind = channel(row.channel).settings
    try:
        facts, per_minute = line_form.where_it_goes(form), form.number("per_minute", 1, 100_000, 120)
        name, address = form.text("name", longest=200), form.text("address", longest=320)
        form.done()
        async with ground.database.transaction() as tx:
            await actions.change(
                tx,
                ground.vault,
                me.id,
                line_id,
                settings=line_form.with_given(row, form, kind, list(kind.model_fields)),
                address=address,
                name=name or address,
                per_minute=per_minute,
                **facts,
            )
            await audit(tx, me.id, "line.changed", "line", line_id, address=caller(request), line=address)
    except ProductError as error:
        return await line_page(request, me, row, status=422, values=line_form.shown_again(form, kind), **wrong(error))
    return back(f"/setup/lines/{line_id}{'?test=1' if form.yes('test') else ''}", "saved")


@router.post("/{line_id}/{verb}")
async def move(request: Request, me: Writer, line_id: int, verb: Literal["open", "close", "retire"]) -> Response:
    """Open, close, or take out of use for good."""
    await visible(request, me, line_id)
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        if verb == "retire":
            await actions.retire(tx, me.id, line_id)
        else:
            await actions.change(tx, ground.vault, me.id, line_id, open=verb == "open")
        await audit(
            tx,
            me.id,
            {"open": "line.opened", "close": "line.closed", "retire": "line.retired"}[verb],
            "line",
            line_id,
            address=caller(request),
        )
    if verb == "retire":
        return back("/setup/lines", "retired")
    return back(f"/setup/lines/{line_id}", "opened" if verb == "open" else "closed")
