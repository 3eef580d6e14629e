"""Wrap-up codes, and reasons to be away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.ground.errors import ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.people import actions as people_actions
from everyline.people.actions import audit
from everyline.people.models import AwayReason
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries, set_up
from everyline.queues.models import WrapUpCode
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup")
Writer = Annotated[Me, permit("queue.write")]


async def _codes(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "codes")
        codes = await tx.rows(
            select(WrapUpCode.__table__)
            .where(WrapUpCode.retired_at.is_(None))
            .order_by(WrapUpCode.position, WrapUpCode.name)
        )
        reasons = await tx.rows(select(AwayReason.__table__).order_by(AwayReason.position, AwayReason.name))
        queues = await queries.all_queues(tx)
    context = {
        "codes": codes,
        "reasons": reasons,
        "queues": [(row.id, row.name) for row in queues],
        "code_errors": {},
        "reason_errors": {},
        "values": {"name": "", "queue_id": ""},
    }
    return page("setup/codes.html", status=status, **filled(shown, context, more))


@router.get("/codes")
async def every_code(request: Request, me: Writer) -> Response:
    """Both lists."""
    return await _codes(request, me)


@router.post("/codes")
async def add_code(request: Request, me: Writer) -> Response:
    """Add a wrap-up code."""
    form = await typed(request)
    try:
        name, queue_id = form.text("name", longest=100), form.id("queue_id")
        form.done()
        async with ground_of(request).database.transaction() as tx:
            code_id = await set_up.add_wrap_up_code(tx, me.id, name, queue_id)
            await audit(tx, me.id, "wrap_up_code.added", "wrap_up_code", code_id, address=caller(request), name=name)
    except ProductError as error:
        return await _codes(
            request, me, status=422, values=form.values, code_errors=wrong(error)["errors"], trouble=error.message
        )
    return back("/setup/codes", "added")


@router.post("/codes/{code_id}/retire")
async def retire_code(request: Request, me: Writer, code_id: int) -> Response:
    """Nobody can choose it any more."""
    async with ground_of(request).database.transaction() as tx:
        await set_up.retire_wrap_up_code(tx, me.id, code_id)
        await audit(tx, me.id, "wrap_up_code.retired", "wrap_up_code", code_id, address=caller(request))
    return back("/setup/codes", "retired")


@router.post("/away-reasons")
async def add_reason(request: Request, me: Writer) -> Response:
    """Add a reason to be away."""
    form = await typed(request)
    try:
        name = form.text("name", longest=60)
        async with ground_of(request).database.transaction() as tx:
            await people_actions.add_away_reason(tx, me.id, name)
            await audit(tx, me.id, "away_reason.added", "away_reason", address=caller(request), name=name)
    except ProductError as error:
        return await _codes(request, me, status=422, reason_errors=wrong(error)["errors"], trouble=error.message)
    return back("/setup/codes#reasons", "added")


@router.post("/away-reasons/{reason_id}/remove")
async def remove_reason(request: Request, me: Writer, reason_id: int) -> Response:
    """Nobody can choose it any more."""
    async with ground_of(request).database.transaction() as tx:
        await people_actions.remove_away_reason(tx, me.id, reason_id)
        await audit(tx, me.id, "away_reason.removed", "away_reason", reason_id, address=caller(request))
    return back("/setup/codes#reasons", "removed")
