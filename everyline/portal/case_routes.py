"""A customer's own cases over all channels: the list, one of them whole, writing on it, settling it, opening it again."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from everyline.cases.rules import OPEN_STATUSES, Status
from everyline.channel_contract import Refused
from everyline.channel_registry import all_channels
from everyline.customers.rules import SignedInCustomer
from everyline.dispatch import actions as dispatch
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound, ProductError
from everyline.ground.words import _
from everyline.intake.door import IntakeDoor
from everyline.intake.written import Written
from everyline.lines import queries as lines
from everyline.people.permit import public
from everyline.people.queries import installation
from everyline.portal import forms, queries
from everyline.portal.hosts import PREFIX
from everyline.portal.saying import STANDINGS, day_and_time, day_in_words, size_in_words, whole_moment
from everyline.portal.visiting import Own, PortalRoute, Visit, show
from everyline.queues import actions as queues
from everyline.queues import queries as queue_queries

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

SEEN_SECONDS = 3.0  # how long a customer waits to see what they wrote among the rest
MOST_AN_HOUR = 60  # messages of one customer


async def _zone(tx: Tx, customer: SignedInCustomer) -> str:
    """The zone in which times are told: the customer's, else the organisation's."""
    return customer.zone or str((await installation(tx))["zone"])


@router.get("/{language}/cases")
async def every_case(visit: Own, before: int | None = None) -> Response:
    """The list: open ones, then settled ones, page by page."""
    customer = visit.own
    async with visit.ground.database.transaction() as tx:
        zone = await _zone(tx, customer)
        are_open = [] if before else await queries.cases(tx, customer.customer_id, are_open=True, most=200)
        settled = await queries.cases(tx, customer.customer_id, are_open=False, before=before, most=queries.PAGE + 1)
    more = len(settled) > queries.PAGE
    return show(
        visit,
        "cases.html",
        current="cases",
        open_cases=are_open,
        settled=settled[: queries.PAGE],
        older=visit.to("cases", before=str(settled[queries.PAGE - 1].id)) if more else "",
        first_page=before is None,
        standings=STANDINGS,
        channels={name: channel.facts for name, channel in all_channels().items()},
        day=day_in_words,
        zone=zone,
        today=now().date(),
    )


@router.get("/{language}/cases/{number}")
async def one_case(visit: Own, number: int) -> Response:
    """One case, with all that was said."""
    return await _case(visit, number)


async def _case(visit: Visit, number: int, *, status: int = 200, **more: Any) -> Response:
    customer = visit.own
    async with visit.ground.database.transaction() as tx:
        row = await queries.case(tx, customer.customer_id, number)
        if row.kept_number is not None and row.kept_customer_id == customer.customer_id:
            return visit.go(f"cases/{row.kept_number}")
        zone = await _zone(tx, customer)
        messages = await queries.messages(tx, customer.customer_id, row.id)
        files = await queries.files(tx, customer.customer_id, row.id)
        context = {
            "case": row,
            "messages": messages,
            "files": files,
            "linked": await queries.linked(tx, customer.customer_id, row.id),
            "usual": await _usual(tx, row),
            "others": [one for one in await queries.cases(tx, customer.customer_id, most=6) if one.id != row.id][:5],
        }
    context |= {
        "standing": STANDINGS[row.status],
        "standings": STANDINGS,
        "is_open": row.status in OPEN_STATUSES,
        "may_reopen": row.status == Status.RESOLVED,
        "channels": {name: channel.facts for name, channel in all_channels().items()},
        "zone": zone,
        "today": now().date(),
        "day": day_in_words,
        "day_and_time": day_and_time,
        "whole_moment": whole_moment,
        "size": size_in_words,
        "largest": forms.LARGEST_FILES,
        "most_files": forms.MOST_FILES,
        "values": {"text": "", "key": forms.fresh_key()},
        "again": False,
    }
    return show(visit, "case.html", status=status, current="cases", **{**context, **more})


async def _usual(tx: Tx, row: Row) -> float | None:
    """In how many seconds the queue of a case usually answers at this hour."""
    if row.queue_id is None:
        return None
    try:
        queue = await queue_queries.get(tx, row.queue_id)
    except NotFound:
        return None
    hours = await queue_queries.opening_hours(tx, queue.hours_id)
    return await queue_queries.usual_answer_seconds(tx, queue.id, hours.zone)


@router.post("/{language}/cases/{number}/reply")
async def reply(request: Request, visit: Own, number: int) -> Response:
    """Write on a case. It comes in by the product's one door, and so belongs to the case whatever happens afterwards."""
    customer = visit.own
    async with visit.ground.database.transaction() as tx:
        row = await queries.case(tx, customer.customer_id, number)
    form = await forms.read(request, files=True)
    text = forms.word(form, "text", forms.LONGEST_TEXT)
    values = {"text": text, "key": forms.key_of(form)}
    try:
        files = await forms.files_of(form)
        if not text and not files:
            said = _("Please write your message")
            raise Invalid(said, {"text": said})
        found = await _keep(
            request,
            visit,
            row,
            Written(
                key=values["key"],
                token=visit.ground.signer.sign(row.id),
                kind=customer.kind,
                address=customer.address,
                name=customer.name,
                text=text,
                language=visit.language,
                files=files,
            ),
        )
    except ProductError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        trouble = "" if fields else error.message
        again = any(getattr(one, "filename", "") for one in form.getlist("files"))
        return await _case(
            visit, number, status=error.status, values=values, errors=fields, trouble=trouble, again=again
        )
    finally:
        await form.close()
    if found is None:
        return visit.go(f"cases/{number}", done="kept")
    return visit.go(f"cases/{found}", done="sent")


async def _keep(request: Request, visit: Visit, case: Row, written: Written) -> int | None:
    """Hand a message in; returns the number of the case that it became part of, None when that is not known yet."""
    door: IntakeDoor = request.app.state.door
    async with visit.ground.database.transaction() as tx:
        line_id = await _line_of(tx, case, written.kind)
        row = (await lines.by_ids(tx, [line_id]))[line_id]
    line = lines.as_channel_sees(row, visit.ground.vault, visit.ground.signer)
    digest = blake2b(written.model_dump_json().encode(), digest_size=12).hexdigest()
    raw = written.model_copy(update={"key": f"{written.key} {digest}"}).raw()
    writer = f"customer {visit.own.customer_id}"
    try:
        wait = await door.take_turn(line, writer, most=MOST_AN_HOUR, seconds=3600)
        if wait:
            raise Conflict(_("You have written very often within an hour. Please wait a while."))
        await door.accept(line, raw)
    except Refused as error:
        raise forms.TooLarge from error
    except OSError as error:
        raise Conflict(
            _("It could not be kept just now. Nothing you wrote is lost: please press Send again in a moment.")
        ) from error
    return await door.case_number(line, raw.external_id, seconds=SEEN_SECONDS)


async def _line_of(tx: Tx, case: Row, kind: str) -> int:
    """The line over which the case is answered, which is the one that takes in."""
    try:
        return int((await dispatch.answer_line(tx, case.line_id, kind)).id)
    except Conflict:
        if case.line_id is None:
            raise
        return int(case.line_id)


@router.post("/{language}/cases/{number}/close")
async def settle(visit: Own, number: int) -> Response:
    """The customer says that all is solved."""
    customer_id = visit.own.customer_id
    async with visit.ground.database.transaction() as tx:
        row = await queries.case(tx, customer_id, number)
        if row.status in OPEN_STATUSES:
            await queues.resolve(tx, None, row.id)
            await events.record(
                tx, "case.settled_by_customer", case_id=row.id, customer_id=customer_id, queue_id=row.queue_id
            )
    return visit.go(f"cases/{number}", done="closed")


@router.post("/{language}/cases/{number}/reopen")
async def reopen(visit: Own, number: int) -> Response:
    """The customer says that it was not solved after all: it waits for an agent again."""
    customer_id = visit.own.customer_id
    async with visit.ground.database.transaction() as tx:
        row = await queries.case(tx, customer_id, number)
        if row.status == Status.RESOLVED:
            await dispatch.bring_back(tx, row.id)
            await events.record(
                tx, "case.reopened_by_customer", case_id=row.id, customer_id=customer_id, queue_id=row.queue_id
            )
        elif row.status == Status.CLOSED:
            raise Conflict(
                _("This case is closed for good. What you write below opens a new one that is linked with it.")
            )
    return visit.go(f"cases/{number}", done="reopened")


@router.get("/{language}/cases/{number}/files/{file_id}")
async def file(visit: Own, number: int, file_id: int) -> Response:
    """One file of a case, to be saved: nothing that came from outside is drawn here."""
    async with visit.ground.database.transaction() as tx:
        row = await queries.file(tx, visit.own.customer_id, number, file_id)
    path = visit.ground.files.path(row.file_hash)
    if not await asyncio.to_thread(path.exists):
        raise NotFound(_("This file is not here any more."))
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
    return FileResponse(path, media_type="application/octet-stream", headers=headers)
