"""Thresholds: from when on a figure asks for attention, for every queue and for single ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from everyline.board import directing, words
from everyline.board.face import frame
from everyline.board.facts import Limit
from everyline.board.rules import WATCHED, limit_of
from everyline.board.table import Threshold
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries

router = APIRouter(prefix="/board/thresholds")
Writer = Annotated[Me, permit("threshold.write")]

UNITS = {"count": mark("how many"), "seconds": mark("seconds"), "per cent": mark("per cent")}
MOST = 1_000_000


async def _page(tx: Tx, request: Request, me: Me, queue_id: int | None, *, status: int = 200, **more: Any) -> Response:
    shown = await frame(tx, request, me, "thresholds")
    limits = {
        (row.queue_id or 0, row.figure): Limit(row.warn, row.bad, row.rings)
        for row in await tx.rows(select(Threshold.__table__))
    }
    found = [
        {
            "figure": figure,
            "words": words.threshold_words(figure),
            "unit": _(UNITS[watched.unit]),
            "over": watched.over,
            "limit": limit_of(limits, queue_id or 0, figure),
            "own": (queue_id or 0, figure) in limits,
        }
        for figure, watched in WATCHED.items()
    ]
    seen = await queries.seen_by(tx, me)
    context = {
        "thresholds": found,
        "queue_id": queue_id or 0,
        "queues": seen,
        "own_of": {key[0] for key in limits if key[0]},
        "may_all": me.all_queues,
        "errors": {},
        "values": {},
    }
    return page("board/thresholds.html", status=status, **{**shown, **context, **more})


def _chosen(request: Request) -> int | None:
    wanted = request.query_params.get("queue", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and 0 < len(wanted) < 19 and int(wanted) else None


@router.get("")
async def show(request: Request, me: Writer) -> Response:
    """The thresholds of every queue, or of the one asked for."""
    async with ground_of(request).database.transaction() as tx:
        return await _page(tx, request, me, await _queue(tx, request, me))


async def _queue(tx: Tx, request: Request, me: Me) -> int | None:
    """The queue that the page is about; who does not see every queue begins with the first of theirs."""
    queue_id = _chosen(request)
    if queue_id is None and not me.all_queues:
        return next((row.id for row in await queries.seen_by(tx, me)), None)
    return queue_id


def crossed(figure: str, limit: Limit) -> bool:
    """Would trouble begin before its warning?"""
    if limit.warn is None or limit.bad is None or limit.warn == limit.bad:
        return False
    return (limit.bad < limit.warn) == WATCHED[figure].over


@router.post("")
async def save(request: Request, me: Writer) -> Response:
    """Keep what was set; an empty field means never."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    errors: dict[str, str] = {}

    def number(name: str) -> int | None:
        text = form.get(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and int(text) <= MOST):
            errors[name] = _("Write a whole number, or nothing for never.")
            return None
        return int(text)

    limits = {
        figure: Limit(number(f"{figure}-warn"), number(f"{figure}-bad"), bool(form.get(f"{figure}-rings")))
        for figure in WATCHED
    }
    errors |= {
        f"{figure}-bad": _("Trouble begins before the warning.")
        for figure, limit in limits.items()
        if crossed(figure, limit)
    }
    async with ground_of(request).database.transaction() as tx:
        queue_id = await _queue(tx, request, me)
        if errors:
            return await _page(tx, request, me, queue_id, status=422, errors=errors, values=form)
        if queue_id is None and not me.all_queues:
            raise Invalid(_("Choose a queue."))
        for figure, limit in limits.items():
            await directing.set_threshold(tx, me, queue_id, figure, limit.warn, limit.bad, rings=limit.rings)
    return RedirectResponse(f"/board/thresholds?queue={queue_id or 0}&done=threshold", 303)
