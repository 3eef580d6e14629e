"""Errands: what customers get done by themselves. Each with its contract in words, switched on or off, and how much it is used."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.clock import now
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _, mark, ngettext
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.selfservice import errands
from everyline.selfservice.errands import Contract, settings
from everyline.selfservice.errands.carrying import STRANGERS_AN_HOUR
from everyline.selfservice.identity import Level
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/errands")
Writer = Annotated[Me, permit("flow.write")]
DAYS = 30
MOST_STRANGERS = 10_000
PROOFS = {
    Level.UNKNOWN: mark("None: anybody can"),
    Level.ADDRESS: mark("They write or call from an address on record"),
    Level.PROVED: mark("A code to a proved address, or what only they know"),
    Level.SIGNED_IN: mark("They are signed in"),
}


def _contract(contract: Contract) -> dict[str, Any]:
    """A contract in words."""
    inputs = [_("%s (if they want)") % _(one.words) if one.optional else _(one.words) for one in contract.inputs]
    undo = _("none")
    if contract.undo_for is not None:
        days = contract.undo_for.days
        undo = ngettext("within %d day", "within %d days", days) % days
    return {
        "name": contract.name,
        "title": _(contract.title),
        "changes": _(contract.changes),
        "proof": _(PROOFS[contract.needs]),
        "inputs": inputs,
        "undo": undo,
        "most_an_hour": contract.most_an_hour,
        "opens_cases": contract.opens_cases,
    }


@router.get("")
async def every_errand(request: Request, me: Writer) -> Response:
    """The list."""
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "errands")
        kept = await settings.settings(tx)
        counted = await settings.numbers(tx, now() - timedelta(days=DAYS))
        named = {row.id: row.name for row in await queues.all_queues(tx)}
    rows = []
    for name, contract in errands.known().items():
        setting = kept.get(name)
        done, undone = counted.get(name, (0, 0))
        rows.append(
            {
                **_contract(contract),
                "offered": setting is None or setting.offered,
                "queue": named.get(setting.queue_id, "") if setting is not None else "",
                "done": done,
                "undone": undone,
            }
        )
    return page("setup/errands.html", **around, rows=rows, days=DAYS)


async def _show(request: Request, me: Me, name: str, *, status: int = 200, **more: Any) -> Response:
    contract = errands.known().get(name)
    if contract is None:
        raise NotFound(_("There is no such errand."))
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "errands")
        setting = (await settings.settings(tx)).get(name)
        counted = (await settings.numbers(tx, now() - timedelta(days=DAYS))).get(name, (0, 0))
        choice = [(str(row.id), row.name) for row in await queues.all_queues(tx)]
    values = {
        "offered": setting is None or setting.offered,
        "queue_id": str(setting.queue_id or "") if setting is not None else "",
        "strangers_an_hour": setting.strangers_an_hour if setting is not None else STRANGERS_AN_HOUR,
    }
    context = {"errand": _contract(contract), "queues": choice, "values": values, "counted": counted, "days": DAYS}
    return page("setup/errand.html", status=status, **filled(around, context, more))


@router.get("/{name}")
async def one(request: Request, me: Writer, name: str) -> Response:
    """One errand."""
    return await _show(request, me, name)


@router.post("/{name}")
async def change(request: Request, me: Writer, name: str) -> Response:
    """Offer it or not, and say where its cases go."""
    form = await typed(request)
    try:
        offered, queue_id = form.yes("offered"), form.id("queue_id")
        strangers = form.number("strangers_an_hour", 1, MOST_STRANGERS, STRANGERS_AN_HOUR)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await settings.set_errand(tx, me.id, name, offered=offered, queue_id=queue_id, strangers_an_hour=strangers)
            await audit(
                tx,
                me.id,
                "errand.changed",
                "errand",
                address=caller(request),
                name=name,
                offered=offered,
                queue_id=queue_id,
                strangers_an_hour=strangers,
            )
    except ProductError as error:
        return await _show(request, me, name, status=error.status, values=form.values, **wrong(error))
    return back(f"/setup/errands/{name}", "saved")
