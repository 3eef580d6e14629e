"""Canned answers: words that are used again and again, everybody's by queue and language, and one's own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.cases import actions as cases
from everyline.cases.rules import PLACES
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/canned")
Keeper = Annotated[Me, permit("own")]
LONGEST_NAME = 120
OWN = "own"  # in place of a queue: for nobody else


async def _around(tx: Tx, request: Request, me: Me) -> dict[str, Any]:
    queues = [(str(row.id), row.name) for row in await queries.all_queues(tx) if me.sees_queue(row.id)]
    shared = [("", _("Everybody, in every queue")), *queues] if me.may("canned_answer.write") else []
    return {
        **await frame(tx, request, me, "canned"),
        "queue_names": dict(queues),
        "whose": [*shared, (OWN, _("Only me"))],
        "spoken": language_names(LIKELY),
        "places": [(name, _(words)) for name, words in PLACES.items()],
    }


async def _show(request: Request, me: Me, row: Row | None = None, *, status: int = 200, **more: Any) -> Response:
    """The list with a form to add one; or the form of one that there is."""
    async with ground_of(request).database.transaction() as tx:
        around = await _around(tx, request, me)
        rows = [] if row is not None else await cases.kept_canned_answers(tx, me)
    whose = _narrowed(request, "whose")
    spoken = _narrowed(request, "language")
    shown = [
        {
            "id": one.id,
            "name": one.name,
            "text": one.text,
            "own": one.agent_id is not None,
            "queue": around["queue_names"].get(str(one.queue_id), ""),
            "language": dict(around["spoken"]).get(one.language, one.language),
            "used": one.used,
            "may": cases.may_change(me, one),
        }
        for one in rows
        if (not whose or whose == _whose(one)) and (not spoken or spoken == one.language)
    ]
    values = {"name": "", "text": "", "whose": around["whose"][0][0], "language": "", "position": "0"}
    if row is not None:
        values |= {name: getattr(row, name) for name in ("name", "text", "language", "position")} | {
            "whose": _whose(row)
        }
    context = {"row": row, "rows": shown, "any": bool(rows), "values": values, "narrowed": (whose, spoken)}
    template = "setup/canned-answer.html" if row is not None else "setup/canned.html"
    return page(template, status=status, **filled(around, context, more))


def _narrowed(request: Request, name: str) -> str:
    return request.query_params.get(name, "")[:12]


def _whose(row: Row) -> str:
    return OWN if row.agent_id is not None else str(row.queue_id or "")


def _read(form: Typed, me: Me) -> dict[str, Any]:
    """What was typed as it is kept. Invalid; who may not keep words for others cannot say that they do."""
    shared = me.may("canned_answer.write")
    whose = form.text("whose") if shared else OWN
    queue_id = None if whose in ("", OWN) else form.id("whose")
    if queue_id is not None and not me.sees_queue(queue_id):
        form.errors["whose"] = _("Choose one of the list.")
    facts = {
        "name": form.text("name", longest=LONGEST_NAME, required=True),
        "text": form.text("text", required=True),
        "language": form.one_of("language", ["", *LIKELY]),
        "queue_id": queue_id,
        "agent_id": me.id if whose == OWN else None,
        "position": form.number("position", 0, 9999),
    }
    form.done()
    return facts


@router.get("")
async def every_one(request: Request, me: Keeper) -> Response:
    """The list, and the form to add one."""
    return await _show(request, me)


@router.post("")
async def add(request: Request, me: Keeper) -> Response:
    """Add one."""
    form = await typed(request)
    try:
        facts = _read(form, me)
        position = facts.pop("position")
        async with ground_of(request).database.transaction() as tx:
            if facts["queue_id"] is not None:
                await queries.get(tx, facts["queue_id"])
            canned_id = await cases.add_canned_answer(tx, me.id, **facts)
            if position:
                await cases.change_canned_answer(tx, me.id, canned_id, position=position)
            await audit(
                tx,
                me.id,
                "canned_answer.added",
                "canned_answer",
                canned_id,
                address=caller(request),
                name=facts["name"],
            )
    except ProductError as error:
        return await _show(request, me, status=422, values=form.values, **wrong(error))
    return back("/setup/canned", "added")


@router.get("/{canned_id}")
async def one(request: Request, me: Keeper, canned_id: int) -> Response:
    """The form of one."""
    return await _show(request, me, await _mine(request, me, canned_id))


async def _mine(request: Request, me: Me, canned_id: int) -> Row:
    async with ground_of(request).database.transaction() as tx:
        return await cases.canned_answer(tx, me, canned_id)


@router.post("/{canned_id}")
async def change(request: Request, me: Keeper, canned_id: int) -> Response:
    """Change one."""
    row = await _mine(request, me, canned_id)
    form = await typed(request)
    try:
        facts = _read(form, me)
        async with ground_of(request).database.transaction() as tx:
            if facts["queue_id"] is not None:
                await queries.get(tx, facts["queue_id"])
            await cases.change_canned_answer(tx, me.id, canned_id, **facts)
            await audit(
                tx,
                me.id,
                "canned_answer.changed",
                "canned_answer",
                canned_id,
                address=caller(request),
                before=row.text,
                text=facts["text"],
            )
    except NotFound:
        raise
    except ProductError as error:
        return await _show(request, me, row, status=422, values=form.values, **wrong(error))
    return back("/setup/canned", "saved")


@router.post("/{canned_id}/retire")
async def retire(request: Request, me: Keeper, canned_id: int) -> Response:
    """Offer it no more."""
    async with ground_of(request).database.transaction() as tx:
        row = await cases.canned_answer(tx, me, canned_id)
        await cases.retire_canned_answer(tx, me.id, canned_id)
        await audit(
            tx, me.id, "canned_answer.retired", "canned_answer", canned_id, address=caller(request), name=row.name
        )
    return back("/setup/canned", "retired")
