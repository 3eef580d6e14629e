"""What agents do with a case. Each first looks whether the case is theirs to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.cases import actions
from everyline.cases import queries as cases
from everyline.cases.models import Case
from everyline.cases.rules import Status
from everyline.desk import phrases
from everyline.desk.answering import CASE_CHANGED, COMPOSER_BACK, Back, done
from everyline.desk.case_routes import presets
from everyline.desk.places import Place
from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.queries import get as get_agent
from everyline.people.rules import Me
from everyline.queues import actions as queues
from everyline.queues.queries import get as get_queue

router = APIRouter()
Writer = Annotated[Me, permit("case.write")]
Worker = Annotated[Me, permit("queue.work")]


@asynccontextmanager
async def _on(request: Request, me: Me, case_id: int) -> AsyncIterator[tuple[Tx, Row]]:
    """A transaction with the case, when it is theirs to see."""
    async with ground_of(request).database.transaction() as tx:
        yield tx, await cases.get(tx, me, case_id)


async def _chosen(tx: Tx, me: Me, case_id: int) -> Row:
    """The other case that was chosen."""
    if not case_id:
        raise Invalid(_("Choose a case."))
    return await cases.get(tx, me, case_id)


def _page(case_id: int, back: str) -> str:
    return f"/desk/cases/{case_id}?{Place.of(back).here}" if back else f"/desk/cases/{case_id}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


async def _sees(tx: Tx, me: Me, case_id: int) -> bool:
    case = await tx.first(select(Case.id).where(Case.id == case_id, cases.visible(me)))
    return case is not None


@router.post("/desk/cases/{case_id}/assign")
async def assign(
    request: Request,
    me: Worker,
    case_id: int,
    agent_id: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """Make somebody the owner, or nobody."""
    chosen = me.id if to == "me" else _number(agent_id)
    async with _on(request, me, case_id) as (tx, case):
        before = case.owner_id
        await queues.give(tx, me.id, case_id, chosen)
        name = (await get_agent(tx, chosen)).name if chosen is not None else ""
        stays = await _sees(tx, me, case_id)
    said = (
        _("%(number)s is given to %(name)s.") % {"number": case.number, "name": name}
        if chosen
        else _("%s waits in its queue again.") % case.number
    )
    return done(
        request,
        _page(case_id, back) if stays else Place.of(back).href(),
        said if before != chosen else "",
        leave=not stays,
    )


@router.post("/desk/cases/{case_id}/take")
async def take(request: Request, me: Worker, case_id: int, back: Back = "") -> Response:
    """Own a case that nobody owns and that does not wait."""
    async with _on(request, me, case_id) as (tx, case):
        await queues.give(tx, me.id, case_id, me.id)
    return done(request, _page(case_id, back), _("%s is yours.") % case.number)


@router.post("/desk/cases/{case_id}/pick")
async def pick(request: Request, me: Worker, case_id: int, back: Back = "") -> Response:
    """Take a case out of its queue by hand."""
    async with _on(request, me, case_id) as (tx, case):
        await queues.pick(tx, me.id, case_id)
    return done(request, _page(case_id, back), _("%s is yours.") % case.number)


@router.post("/desk/cases/{case_id}/transfer")
async def transfer(
    request: Request,
    me: Worker,
    case_id: int,
    queue_id: Annotated[int, Form()] = 0,
    note: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """Give a case to another queue."""
    async with _on(request, me, case_id) as (tx, case):
        queue = await get_queue(tx, queue_id)
        await queues.transfer(tx, me.id, case_id, queue_id, note)
        stays = await _sees(tx, me, case_id)
    said = _("%(number)s is transferred to %(queue)s.") % {"number": case.number, "queue": queue.name}
    return done(request, _page(case_id, back) if stays else Place.of(back).href(), said, leave=not stays)


@router.post("/desk/cases/{case_id}/resolve")
async def resolve(
    request: Request, me: Writer, case_id: int, wrap_up_code_id: Annotated[str, Form()] = "", back: Back = ""
) -> Response:
    """Settle a case."""
    async with _on(request, me, case_id) as (tx, case):
        await queues.resolve(tx, me.id, case_id, _number(wrap_up_code_id))
    return done(
        request,
        _page(case_id, back),
        _("%s is resolved.") % case.number,
        undo=f"/desk/cases/{case_id}/reopen",
        seconds=10,
    )


@router.post("/desk/cases/{case_id}/reopen")
async def reopen(request: Request, me: Writer, case_id: int, back: Back = "") -> Response:
    """Take a settled case up again."""
    async with _on(request, me, case_id) as (tx, case):
        await queues.reopen(tx, me.id, case_id)
    return done(request, _page(case_id, back), _("%s is open again.") % case.number)


@router.post("/desk/cases/{case_id}/wait")
async def wait(
    request: Request, me: Writer, case_id: int, what_for: Annotated[str, Form()] = "customer", back: Back = ""
) -> Response:
    """Wait for the customer, or for others."""
    chosen = Status.WAITING_FOR_OTHERS if what_for == "others" else Status.WAITING_FOR_CUSTOMER
    async with _on(request, me, case_id) as (tx, case):
        await queues.put_aside(tx, me.id, case_id, chosen)
    return done(
        request,
        _page(case_id, back),
        _("%(number)s is %(status)s.") % {"number": case.number, "status": phrases.status(chosen)},
        undo=f"/desk/cases/{case_id}/reopen",
        seconds=10,
    )


@router.post("/desk/cases/{case_id}/snooze")
async def snooze(
    request: Request,
    me: Writer,
    case_id: int,
    preset: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """Out of sight until then."""
    there, at = zone(me.zone), now()
    usual = presets(at, there).get(preset)
    try:
        when = usual[1] if usual is not None else datetime.fromisoformat(until).replace(tzinfo=there)
    except ValueError:
        raise Invalid(_("Choose until when."), {"until": _("Choose a time in the future.")}) from None
    async with _on(request, me, case_id) as (tx, case):
        await queues.snooze(tx, me.id, case_id, when)
    said = _("%(number)s comes back %(when)s.") % {"number": case.number, "when": phrases.day_and_time(when, at, there)}
    return done(request, _page(case_id, back), said, undo=f"/desk/cases/{case_id}/wake", seconds=10)


@router.post("/desk/cases/{case_id}/wake")
async def wake(request: Request, me: Writer, case_id: int, back: Back = "") -> Response:
    """Back in sight."""
    async with _on(request, me, case_id) as (tx, case):
        await actions.wake(tx, me.id, case_id)
    return done(request, _page(case_id, back), _("%s is back.") % case.number)


@router.post("/desk/cases/{case_id}/describe")
async def describe(
    request: Request,
    me: Writer,
    case_id: int,
    subject: Annotated[str, Form()],
    priority: Annotated[int, Form()],
    tags: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """Change the subject, the priority and the tags."""
    async with _on(request, me, case_id) as (tx, _case):
        await actions.describe(
            tx, me.id, case_id, subject=subject.strip()[:500], priority=priority, tags=tags.split(",")
        )
    return done(request, _page(case_id, back), _("Kept."))


@router.post("/desk/cases/{case_id}/merge")
async def merge(
    request: Request, me: Writer, case_id: int, other: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """Another case goes into this one."""
    async with _on(request, me, case_id) as (tx, case):
        gone = await _chosen(tx, me, other)
        await queues.merge(tx, me.id, case_id, other)
    said = _("%(gone)s is part of %(kept)s now.") % {"gone": gone.number, "kept": case.number}
    return done(request, _page(case_id, back), said, changed=(CASE_CHANGED, COMPOSER_BACK, "customer-changed"))


@router.post("/desk/cases/{case_id}/link")
async def link(
    request: Request, me: Writer, case_id: int, other: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """Two cases belong together."""
    async with _on(request, me, case_id) as (tx, case):
        found = await _chosen(tx, me, other)
        await actions.link(tx, me.id, case_id, other)
    said = _("%(one)s and %(other)s are linked.") % {"one": case.number, "other": found.number}
    return done(request, _page(case_id, back), said, changed=(CASE_CHANGED, "customer-changed"))


@router.post("/desk/cases/{case_id}/unlink")
async def unlink(
    request: Request, me: Writer, case_id: int, other: Annotated[int, Form()] = 0, back: Back = ""
) -> Response:
    """They do not."""
    async with _on(request, me, case_id) as (tx, _case):
        await cases.get(tx, me, other)
        await actions.unlink(tx, me.id, case_id, other)
    return done(request, _page(case_id, back), _("The link is gone."), changed=(CASE_CHANGED, "customer-changed"))


@router.post("/desk/cases/{case_id}/split")
async def split(
    request: Request,
    me: Writer,
    case_id: int,
    message_id: Annotated[int, Form()],
    subject: Annotated[str, Form()] = "",
    back: Back = "",
) -> Response:
    """A message was another matter."""
    async with _on(request, me, case_id) as (tx, _case):
        new_id = await actions.split(tx, me.id, case_id, message_id, subject)
    return done(request, _page(new_id, back), leave=True)


@router.post("/desk/cases/{case_id}/messages/{message_id}/take-back")
async def take_back(request: Request, me: Writer, case_id: int, message_id: int) -> Response:
    """Take an answer back before it goes out."""
    async with _on(request, me, case_id) as (tx, _case):
        await dispatch.take_back(tx, me.id, case_id, message_id)
    return done(
        request,
        f"/desk/cases/{case_id}",
        _("Taken back. Your answer is a draft again."),
        changed=(CASE_CHANGED, COMPOSER_BACK),
    )


@router.post("/desk/cases/{case_id}/deliveries/{delivery_id}/again")
async def send_again(request: Request, me: Writer, case_id: int, delivery_id: int) -> Response:
    """Send once more what failed or may have gone out."""
    async with _on(request, me, case_id) as (tx, _case):
        await dispatch.send_again(tx, me.id, case_id, delivery_id)
    return done(request, f"/desk/cases/{case_id}", _("It is being sent again."))
