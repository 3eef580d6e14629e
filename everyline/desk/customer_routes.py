"""The customer beside the case, and on a page of their own."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from everyline.cases import queries as cases
from everyline.customers import actions
from everyline.customers import queries as customers
from everyline.desk import answering, phrases, reads
from everyline.desk.answering import CASE_CHANGED, CUSTOMER_CHANGED, done
from everyline.desk.lists import frame
from everyline.desk.queries import statements
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.moments import language_names, zone, zones
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
Reader = Annotated[Me, permit("customer.read")]
Writer = Annotated[Me, permit("customer.write")]
Merger = Annotated[Me, permit("customer.merge")]
BOTH = (CASE_CHANGED, CUSTOMER_CHANGED)
_HISTORY = {
    "customer.created": mark("became known"),
    "customer.changed": mark("facts were changed"),
    "customer.merged": mark("another record was merged into this"),
    "customer.parted": mark("a merge was undone"),
    "contact_point.added": mark("an address was added"),
    "contact_point.preferred": mark("another address is preferred"),
    "contact_point.marked_bad": mark("nothing arrives at an address any more"),
    "contact_point.marked_good": mark("an address works again"),
    "appointment.booked": mark("an appointment was booked"),
    "appointment.moved": mark("an appointment was moved"),
    "appointment.cancelled": mark("an appointment was cancelled"),
}


async def _pane(tx: Tx, me: Me, customer_id: int, case_id: int) -> dict[str, Any]:
    at, there = now(), zone(me.zone)
    customer = await customers.get(tx, customer_id)
    case = await cases.get(tx, me, case_id) if case_id else None
    facts = await tx.one(statements.customer_facts, {"customer_id": customer.id, "me": me.id})
    await reads.look_at_customer(tx, me, facts)
    points, theirs = await tx.together(
        customers.points(tx, customer.id), cases.of_customer(tx, me, customer.id, most=reads.CASES_BESIDE)
    )
    context = reads.pane(case, facts, points, theirs, at, there, "view=mine")
    return context | {
        "case": case,
        "here": "view=mine",
        "base": f"/desk/cases/{case_id}",
        "links": await cases.links(tx, me, case_id) if case_id else [],
    }


@router.get("/desk/customers/{customer_id}")
async def customer(request: Request, me: Reader, customer_id: int) -> Response:
    """A customer on a page of their own."""
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, me, None, await tx.rows(statements.queues)) | await _pane(tx, me, customer_id, 0)
        trail = await tx.rows(statements.customer_history, {"customer_id": context["customer_id"]})
    at, there = now(), zone(me.zone)
    history = [
        {
            "text": _(_HISTORY[row.kind]),
            "by": row.actor_name or _("the system"),
            "at": row.at,
            "when": phrases.day_and_time(row.at, at, there),
        }
        for row in trail
        if row.kind in _HISTORY
    ]
    return page("desk/customer-page.html", **context, history=history)


@router.get("/desk/customers/{customer_id}/pane")
async def pane(request: Request, me: Reader, customer_id: int, case: int = 0) -> Response:
    """The customer beside the case alone."""
    async with ground_of(request).database.transaction() as tx:
        context = await _pane(tx, me, customer_id, case)
    return page("desk/customer.html", **context)


@router.get("/desk/customers/{customer_id}/duplicates", dependencies=[permit("customer.read")])
async def duplicates(request: Request, customer_id: int, case: int = 0) -> Response:
    """Who may be the same person, and what was merged."""
    async with ground_of(request).database.transaction() as tx:
        rows = await customers.duplicates(tx, customer_id)
        merges = await tx.rows(statements.merges, {"customer_id": customer_id})
    found = [{"id": row.id, "name": row.name, "initials": phrases.initials(row.name)} for row in rows]
    return page("desk/duplicates.html", found=found, merges=merges, customer_id=customer_id, case_id=case)


@router.get("/desk/customers/{customer_id}/candidates", dependencies=[permit("customer.read")])
async def candidates(request: Request, customer_id: int, q: str = "") -> Response:
    """Other customers to merge with."""
    async with ground_of(request).database.transaction() as tx:
        rows = (
            [row for row in await customers.find(tx, q, most=9) if row.id != customer_id][:8]
            if len(q.strip()) >= 2
            else []
        )
        known = {
            row.customer_id: row.addresses
            for row in await tx.rows(statements.addresses_of, {"ids": [row.id for row in rows]})
        }
    found = [{"id": row.id, "name": row.name, "addresses": known.get(row.id, "")} for row in rows]
    return page("desk/ask/customer-candidates.html", candidates=found)


@router.get("/desk/customers/{customer_id}/ask/{what}")
async def ask(request: Request, me: Writer, customer_id: int, what: str) -> HTMLResponse:
    """A question about a customer: change, point, merge."""
    if what not in ("change", "point", "merge"):
        raise NotFound(_("There is nothing at this address."))
    return await _ask(request, me, customer_id, what)


async def _ask(
    request: Request, me: Me, customer_id: int, what: str, *, typed: dict[str, str] | None = None, error: str = ""
) -> HTMLResponse:
    async with ground_of(request).database.transaction() as tx:
        context = {} if answering.by_script(request) else await frame(tx, me, None, await tx.rows(statements.queues))
        context |= {"customer": await customers.get(tx, customer_id), "typed": typed or {}, "error": error}
    if what == "change":
        known = [
            *phrases.LANGUAGES,
            *([context["customer"].language] if context["customer"].language not in ("", *phrases.LANGUAGES) else []),
        ]
        context |= {
            "kinds": [("person", _("Person")), ("firm", _("Firm"))],
            "languages": language_names(known),
            "zones": zones(),
        }
    elif what == "point":
        context["kinds"] = [(kind, _(text)) for kind, text in phrases.POINT_KINDS.items()]
    return answering.ask(request, {"merge": "merge-customer"}.get(what, what), context, status=422 if error else 200)


def _to(customer_id: int, case: int) -> str:
    return f"/desk/cases/{case}#customer" if case else f"/desk/customers/{customer_id}"


@router.post("/desk/customers/{customer_id}/change")
async def change(
    request: Request,
    me: Writer,
    customer_id: int,
    name: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "person",
    language: Annotated[str, Form()] = "",
    zone_name: Annotated[str, Form(alias="zone")] = "",
    remarks: Annotated[str, Form()] = "",
) -> Response:
    """Change what is known."""
    if zone_name and zone_name not in available_timezones():
        raise Invalid(_("There is no such time zone."), {"zone": _("Choose one of the list.")})
    async with ground_of(request).database.transaction() as tx:
        facts = {
            "name": name.strip()[:200],
            "kind": "firm" if kind == "firm" else "person",
            "language": language[:12],
            "zone": zone_name,
            "remarks": remarks.strip()[:5000],
        }
        await actions.change(tx, me.id, customer_id, **facts)
        await audit(tx, me.id, "customer.changed", "customer", customer_id, address=me.address, fields=sorted(facts))
    return done(request, _to(customer_id, 0), _("Kept."), changed=BOTH)


@router.post("/desk/customers/{customer_id}/points")
async def add_point(
    request: Request,
    me: Writer,
    customer_id: int,
    kind: Annotated[str, Form()] = "mailbox",
    address: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "",
) -> Response:
    """Add an address."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await actions.add_point(tx, me.id, customer_id, kind=kind, address=address, label=label.strip()[:100])
    except (Invalid, Conflict) as refusal:
        error = refusal.fields.get("address", refusal.message) if isinstance(refusal, Invalid) else refusal.message
        return await _ask(
            request, me, customer_id, "point", typed={"kind": kind, "address": address, "label": label}, error=error
        )
    return done(request, _to(customer_id, 0), _("Added."), changed=(CUSTOMER_CHANGED, "composer-back"))


@router.post("/desk/customers/{customer_id}/points/{point_id}/prefer")
async def prefer(request: Request, me: Writer, customer_id: int, point_id: int, case: int = 0) -> Response:
    """Make one address the preferred one."""
    async with ground_of(request).database.transaction() as tx:
        await actions.prefer_point(tx, me.id, customer_id, point_id)
    return done(
        request, _to(customer_id, case), _("Answers go there from now on."), changed=(CUSTOMER_CHANGED, "composer-back")
    )


@router.post("/desk/customers/{customer_id}/points/{point_id}/good")
async def good(request: Request, me: Writer, customer_id: int, point_id: int, case: int = 0) -> Response:
    """An address works again."""
    async with ground_of(request).database.transaction() as tx:
        await actions.mark_good(tx, me.id, customer_id, point_id)
    return done(
        request, _to(customer_id, case), _("It counts as working again."), changed=(CUSTOMER_CHANGED, "composer-back")
    )


@router.post("/desk/customers/{customer_id}/merge")
async def merge(
    request: Request, me: Merger, customer_id: int, gone: Annotated[int, Form()] = 0, case: int = 0
) -> Response:
    """Two records are one person."""
    async with ground_of(request).database.transaction() as tx:
        if not gone:
            raise Invalid(_("Choose a customer."))
        merge_id = await actions.merge(tx, me.id, customer_id, gone)
        await audit(tx, me.id, "customer.merged", "customer", customer_id, address=me.address, gone_id=gone)
    return done(
        request,
        _to(customer_id, case),
        _("Merged."),
        undo=f"/desk/customer-merges/{merge_id}/undo?case={case}",
        seconds=15,
        changed=BOTH,
    )


@router.post("/desk/customer-merges/{merge_id}/undo")
async def undo_merge(request: Request, me: Merger, merge_id: int, case: int = 0) -> Response:
    """They were two after all."""
    async with ground_of(request).database.transaction() as tx:
        gone_id = await actions.undo_merge(tx, me.id, merge_id)
        await audit(tx, me.id, "customer.parted", "customer", gone_id, address=me.address, merge_id=merge_id)
    return done(request, _to(gone_id, case), _("They are two again."), changed=BOTH)
