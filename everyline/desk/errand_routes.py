"""What a customer got done by themselves, and their appointments, beside the case; undoing it where that is possible."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.customers import queries as customers
from everyline.desk import phrases
from everyline.desk.answering import CUSTOMER_CHANGED, done
from everyline.ground.clock import now
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.selfservice import errands
from everyline.selfservice.errands import appointing
from everyline.selfservice.errands.carrying import done_for

router = APIRouter(prefix="/desk/customers/{customer_id}/errands")
Reader = Annotated[Me, permit("customer.read")]
Writer = Annotated[Me, permit("customer.write")]
MOST = 6  # of each


@router.get("")
async def beside(request: Request, me: Reader, customer_id: int, case: int = 0) -> Response:
    """The newest errands, and the appointments that are still to come."""
    at, there = now(), zone(me.zone)
    async with ground_of(request).database.transaction() as tx:
        row = await customers.get(tx, customer_id)
        kept = await done_for(tx, row.id, most=MOST)
        booked = await appointing.of_customer(tx, row.id, after=at, most=MOST)
    titles = {name: _(contract.title) for name, contract in errands.known().items()}
    return page(
        "desk/errands.html",
        customer_id=row.id,
        case_id=case,
        errands=[
            {
                "id": one.id,
                "title": titles.get(one.errand, one.errand),
                "when": phrases.day_and_time(one.at, at, there),
                "undone": one.undone_at is not None,
                "undoable": one.undoable and me.may("customer.write"),
            }
            for one in kept
        ],
        appointments=[
            {"number": one.id, "kind": one.kind_name, "when": phrases.day_and_time(one.starts_at, at, there)}
            for one in booked
        ],
    )


@router.post("/{done_id}/undo")
async def undo(request: Request, me: Writer, customer_id: int, done_id: int, case: int = 0) -> Response:
    """Undo one of them."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await customers.get(tx, customer_id)
        if all(one.id != done_id for one in await done_for(tx, row.id, most=1000)):
            raise NotFound(_("There is nothing of this kind to undo."))
    found = await errands.undo(ground, done_id, me.id)
    if not isinstance(found, errands.Done):
        raise Conflict(found.told if isinstance(found, errands.Refused) else _("This cannot be done now."))
    async with ground.database.transaction() as tx:
        await audit(tx, me.id, "errand.undone", "customer", row.id, address=me.address, done_id=done_id)
    back = f"/desk/cases/{case}#customer" if case else f"/desk/customers/{row.id}"
    return done(request, back, _("Undone."), changed=(CUSTOMER_CHANGED,))
