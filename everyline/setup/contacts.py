"""Whom agents can add to a call: interpreters with their languages and fees, other offices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.calls import contacts
from everyline.ground.database import Row
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/contacts")
Keeper = Annotated[Me, permit("line.write")]
KINDS = {"interpreter": mark("Interpreter"), "office": mark("Office")}
EMPTY = {"name": "", "number": "", "kind": "interpreter", "languages": "", "fee": ""}


async def _list(request: Request, me: Me, *, row: Row | None = None, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "contacts")
        rows = await contacts.every_one(tx)
    values = EMPTY
    if row is not None:
        values = {name: getattr(row, name) for name in EMPTY} | {"languages": " ".join(row.languages)}
    spoken = dict(language_names({code for one in rows for code in one.languages}))
    context = {
        "contacts": rows,
        "contact": row,
        "kinds": [(name, _(words)) for name, words in KINDS.items()],
        "spoken": spoken,
        "values": values,
    }
    return page("setup/contacts.html", status=status, **filled(shown, context, more))


def _facts(form: Typed) -> dict[str, Any]:
    codes = form.text("languages", longest=400).lower().replace(",", " ").split()
    if unknown := [one for one in codes if one not in LIKELY]:
        said = _("%s is no language that we know; one has two letters, such as es") % unknown[0][:20]
        raise Invalid(_("Please look at this again."), {"languages": said})
    return {
        "name": form.text("name", longest=200),
        "number": form.text("number", longest=60),
        "kind": form.text("kind", longest=20),
        "languages": codes,
        "fee": form.text("fee", longest=200),
    }


@router.get("")
async def every_one(request: Request, me: Keeper) -> Response:
    """The list, and the form to add one."""
    return await _list(request, me)


@router.get("/{contact_id}")
async def one(request: Request, me: Keeper, contact_id: int) -> Response:
    """The list, and the form to change one."""
    async with ground_of(request).database.transaction() as tx:
        row = await contacts.get(tx, contact_id)
    return await _list(request, me, row=row)


@router.post("")
async def add(request: Request, me: Keeper) -> Response:
    """Add one."""
    form = await typed(request)
    try:
        facts = _facts(form)
        async with ground_of(request).database.transaction() as tx:
            contact_id = await contacts.add(tx, me.id, **facts)
            await audit(tx, me.id, "call_contact.added", "call_contact", contact_id, address=caller(request))
    except ProductError as error:
        return await _list(request, me, status=422, values={**EMPTY, **form.values}, **wrong(error))
    return back("/setup/contacts", "added")


@router.post("/{contact_id}")
async def change(request: Request, me: Keeper, contact_id: int) -> Response:
    """Change one, or take it out of the list."""
    form, removes = await typed(request), False
    removes = form.yes("remove")
    async with ground_of(request).database.transaction() as tx:
        row = await contacts.get(tx, contact_id)
    try:
        facts = {} if removes else _facts(form)
        async with ground_of(request).database.transaction() as tx:
            await (
                contacts.remove(tx, me.id, contact_id) if removes else contacts.change(tx, me.id, contact_id, **facts)
            )
            act = "call_contact.removed" if removes else "call_contact.changed"
            await audit(tx, me.id, act, "call_contact", contact_id, address=caller(request))
    except ProductError as error:
        return await _list(request, me, row=row, status=422, values={**EMPTY, **form.values}, **wrong(error))
    return back("/setup/contacts", "removed" if removes else "saved")
