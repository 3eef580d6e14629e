"""Finding: the palette, the search page, notices, and a new case."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from everyline.cases import actions
from everyline.cases import queries as cases
from everyline.channel_contract import Address
from everyline.customers import actions as customer_actions
from everyline.customers import queries as customers
from everyline.desk import phrases
from everyline.desk.lists import frame, shown_row
from everyline.desk.queries import statements
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX, normal
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
FEW, MANY = 6, 50


async def _customers(tx: Tx, words: str, most: int) -> list[dict[str, Any]]:
    rows = await customers.find(tx, words, most=most) if len(words.strip()) >= 2 else []
    found = (
        {
            row.customer_id: row.addresses
            for row in await tx.rows(statements.addresses_of, {"ids": [row.id for row in rows]})
        }
        if rows
        else {}
    )
    return [
        {"id": row.id, "name": row.name, "initials": phrases.initials(row.name), "addresses": found.get(row.id, "")}
        for row in rows
    ]


@router.get("/desk/find")
async def find(request: Request, me: Annotated[Me, permit("case.read")], q: str = "") -> Response:
    """What the palette finds beside what the page offers."""
    at = now()
    async with ground_of(request).database.transaction() as tx:
        rows = await cases.find(tx, me, q[:200], most=FEW)
        people = await _customers(tx, q[:200], FEW)
    shown = [shown_row(row, "", 0, at, zone(me.zone)) for row in rows]
    return page("desk/found.html", cases=shown, people=people, q=q)


@router.get("/desk/search")
async def search(request: Request, me: Annotated[Me, permit("case.read")], q: str = "") -> Response:
    """Everything that is found, as a page."""
    at = now()
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, me, None, await tx.rows(statements.queues))
        rows = await cases.find(tx, me, q[:200], most=MANY)
        people = await _customers(tx, q[:200], 12)
    shown = [shown_row(row, "", 0, at, zone(me.zone)) for row in rows]
    return page("desk/search.html", **context, q=q, found=shown, people=people)


@router.get("/desk/notices")
async def notices(request: Request, me: Annotated[Me, permit("own")]) -> Response:
    """Where one was called by name."""
    at, there = now(), zone(me.zone)
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, me, None, await tx.rows(statements.queues))
        rows = await tx.rows(statements.notices, {"me": me.id})
    shown = [
        {
            "href": f"/desk/cases/{row.case_id}?view=mentions#note-{row.note_id}",
            "by": row.by_name or _("the system"),
            "initials": phrases.initials(row.by_name or "?"),
            "hue": row.by_id or 0,
            "text": " ".join(row.text.split())[:240],
            "number": row.number,
            "subject": row.subject,
            "at": row.at,
            "when": phrases.moment(row.at, at, there),
            "new": row.seen_at is None,
        }
        for row in rows
    ]
    return page("desk/notices.html", **context, found=shown)


@router.get("/desk/new")
async def ask_new(request: Request, me: Annotated[Me, permit("case.write")], customer: int = 0) -> Response:
    """A case that we begin."""
    return await _ask_new(request, me, {}, {}, customer)


async def _ask_new(
    request: Request, me: Me, typed: dict[str, str], errors: dict[str, str], customer_id: int = 0, *, text: str = ""
) -> Response:
    async with ground_of(request).database.transaction() as tx:
        rows = await tx.rows(statements.queues)
        context = await frame(tx, me, None, rows)
        if customer_id and "address" not in typed:
            points = [point for point in await customers.points(tx, customer_id) if point.kind == MAILBOX]
            typed = {
                **typed,
                "address": points[0].address if points else "",
                "name": (await customers.get(tx, customer_id)).name,
            }
    own = [(row.id, row.name) for row in rows if me.sees_queue(row.id)]
    return page(
        "desk/new.html",
        status=422 if errors or text else 200,
        **context,
        typed=typed,
        errors=errors,
        wrong=text,
        queues=own,
    )


@router.post("/desk/new")
async def begin(
    request: Request,
    me: Annotated[Me, permit("case.write")],
    address: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    subject: Annotated[str, Form()] = "",
    queue_id: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    what: Annotated[str, Form()] = "message",
    key: Annotated[str, Form()] = "",
) -> Response:
    """Begin a case: write to a customer first, or keep a note of what was asked elsewhere."""
    typed = {"address": address, "name": name, "subject": subject, "queue_id": queue_id, "text": text, "what": what}
    errors: dict[str, str] = {}
    if not subject.strip():
        errors["subject"] = _("Write a subject.")
    if not text.strip():
        errors["text"] = _("Write something.")
    try:
        mailbox = normal(MAILBOX, address)
    except ValueError as error:
        mailbox, errors["address"] = "", str(error)
    if errors:
        return await _ask_new(request, me, typed, errors)
    ground = ground_of(request)
    try:
        async with ground.database.transaction() as tx:
            known = (await customer_actions.find_or_create(tx, [Address(MAILBOX, mailbox, name.strip())]))[
                MAILBOX, mailbox
            ]
            queue = int(queue_id) if queue_id.isdigit() and me.sees_queue(int(queue_id)) else None
            case_id = await actions.open_for(
                tx, me.id, known.customer_id, subject.strip()[:500], queue_id=queue, language=known.language
            )
            if what == "note":
                await actions.note(tx, me.id, case_id, text.strip())
            else:
                await dispatch.answer(
                    tx,
                    ground.signer,
                    me.id,
                    case_id,
                    text.strip(),
                    contact_point_id=known.point_id,
                    idempotency_key=key,
                )
    except Invalid as refusal:
        return await _ask_new(request, me, typed, refusal.fields, text=refusal.message)
    except ProductError as refusal:
        return await _ask_new(request, me, typed, {}, text=refusal.message)
    return RedirectResponse(f"/desk/cases/{case_id}", 303)
