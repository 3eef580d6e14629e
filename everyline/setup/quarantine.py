"""Quarantine: what came in and could not be made into a case, with its cause, its bytes, and the way out."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from everyline.channel_registry import all_channels
from everyline.ground.errors import Invalid
from everyline.ground.forms import typed
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.intake import actions, queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/quarantine")
Reader = Annotated[Me, permit("quarantine.read")]
Actor = Annotated[Me, permit("quarantine.act")]

PAGE = 50
LOOK_BYTES = 16 * 1024  # of the raw piece that are shown


@router.get("")
async def every_piece(request: Request, me: Reader, before: int | None = None) -> Response:
    """The list, newest first; its rows alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        rows = await queries.quarantined(tx, me, before=before, most=PAGE + 1)
        older = f"/setup/quarantine?before={rows[PAGE - 1].id}" if len(rows) > PAGE else ""
        context: dict[str, Any] = {
            "pieces": rows[:PAGE],
            "older": older,
            "channels": {name: found.facts for name, found in all_channels().items()},
        }
        context |= {"newer": "/setup/quarantine" if before is not None else "", "may": me.may}
        if request.headers.get("hx-request"):
            return page("setup/quarantine-rows.html", **context, me={"zone": me.zone})
        shown = await frame(tx, request, me, "quarantine")
    return page(
        "setup/quarantine.html",
        **{**shown, **context, "here": request.url.path + (f"?before={before}" if before else "")},
    )


@router.get("/{inbound_id}")
async def look(request: Request, me: Reader, inbound_id: int) -> Response:
    """One piece with its beginning as text. Whatever stands in it is shown, never run."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.piece(tx, me, inbound_id)
        shown = await frame(tx, request, me, "quarantine")
        await audit(tx, me.id, "inbound.viewed", "inbound", inbound_id, address=caller(request))
    try:
        raw = await queries.body(ground, row)
    except FileNotFoundError:
        raw = b""
    text = raw[:LOOK_BYTES].decode("utf-8", "replace").replace("\x00", "\N{SYMBOL FOR NULL}")
    facts = all_channels()[row.channel].facts
    return page("setup/quarantine-piece.html", **shown, piece=row, channel=facts, text=text, more=len(raw) > LOOK_BYTES)


@router.get("/{inbound_id}/raw")
async def download(request: Request, me: Reader, inbound_id: int) -> Response:
    """The bytes as they came, always as a file to keep and never as a page."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.piece(tx, me, inbound_id)
        await audit(tx, me.id, "inbound.downloaded", "inbound", inbound_id, address=caller(request))
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(f'{row.channel}-{row.id}.raw')}",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(await queries.body(ground, row), media_type="application/octet-stream", headers=headers)


@router.post("/{verb}")
async def move(request: Request, me: Actor, verb: Literal["retry", "discard"]) -> Response:
    """Process again, or decide that it is not wanted: one piece or many."""
    form = await typed(request)
    async with ground_of(request).database.transaction() as tx:
        ids = await queries.within(tx, me, form.ids("piece"))
        if not ids:
            raise Invalid(_("Choose what is meant first; it may have been dealt with meanwhile."))
        done = await (actions.retry if verb == "retry" else actions.discard)(tx, me.id, ids)
        await audit(
            tx,
            me.id,
            f"inbound.{'retried' if verb == 'retry' else 'discarded'}",
            "inbound",
            ids[0] if len(ids) == 1 else None,
            address=caller(request),
            pieces=ids,
            n=done,
        )
    return RedirectResponse(f"/setup/quarantine?done={'retried' if verb == 'retry' else 'discarded'}", 303)
