"""The agent's own work: state, offers, wrapping up."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from everyline.desk import call_shown, phrases
from everyline.desk.answering import by_script, done
from everyline.desk.lists import channel_facts
from everyline.desk.queries import statements
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import Conflict
from everyline.ground.moments import span, zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.people.shell import AFTERWARDS, shell
from everyline.queues import actions, queries

router = APIRouter()


@router.get("/desk/state")
async def state(request: Request, me: Annotated[Me, permit("own")]) -> Response:
    """The switch of one's state alone."""
    async with ground_of(request).database.transaction() as tx:
        context = await shell(tx, me, face="", nav=[])
    return page("state-switch.html", **context)


@router.post("/desk/state")
async def change_state(request: Request, me: Annotated[Me, permit("own")], choice: Annotated[str, Form()]) -> Response:
    """Available, away with a reason, offline: now, or when the present work ends."""
    wanted = choice.removeprefix(AFTERWARDS)
    name, _colon, reason = wanted.partition(":")
    async with ground_of(request).database.transaction() as tx:
        await actions.change_state(tx, me.id, me.id, name, reason[:100], afterwards=choice.startswith(AFTERWARDS))
        context = await shell(tx, me, face="", nav=[])
    if not by_script(request):
        return RedirectResponse("/desk", 303)
    return page("state-switch.html", **context)


@router.get("/desk/offers")
async def offers(request: Request, me: Annotated[Me, permit("queue.work")], shown: int = 0) -> Response:
    """The offer that stands before one now; nothing new when it is shown already."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.offer_for(tx, me.id)
    if row is not None and row.id == shown:
        return Response(status_code=204)
    return page("desk/offers.html", offer=_shown(row, zone(me.zone)) if row is not None else None)


def _shown(row: Row, there: ZoneInfo) -> dict[str, object]:
    at = now()
    channel = channel_facts(row.channel)
    waited = (at - row.waiting_since).total_seconds()
    facts = [(_("Waiting"), span(waited))]
    if row.language:
        facts.append((_("Language"), phrases.language_name(row.language)))
    if row.line_name:
        facts.append((_("Line"), row.line_name))
    called_back = call_shown.callback(row, at, there)
    about = _("%(subject)s, case %(number)s") % {"subject": row.subject or _("(no subject)"), "number": row.number}
    return {
        "id": row.id,
        "channel": channel,
        "title": _("%(channel)s, %(queue)s") % {"channel": _(channel.label), "queue": row.queue_name},
        "customer": row.customer_name,
        "about": called_back or about,
        "facts": facts,
        "offered_at": row.offered_at,
        "expires_at": row.expires_at,
        "now": at,
        "words": row.last_words,
        "why": _("Offered to you because you answered before.") if row.answered_before else "",
        "reasons": [
            ("busy", _("I am in the middle of something")),
            ("skill", _("Somebody else knows more about this")),
            ("personal", _("I know this customer personally")),
            ("other", _("Another reason")),
        ],
    }


@router.post("/desk/offers/{offer_id}/accept")
async def accept(request: Request, me: Annotated[Me, permit("queue.work")], offer_id: int) -> Response:
    """Take it: the case opens."""
    try:
        async with ground_of(request).database.transaction() as tx:
            case_id = await actions.accept(tx, me.id, offer_id)
    except Conflict:
        return RedirectResponse("/desk?over=1", 303)
    return RedirectResponse(f"/desk/cases/{case_id}?view=mine", 303)


@router.post("/desk/offers/{offer_id}/decline")
async def decline(
    request: Request, me: Annotated[Me, permit("queue.work")], offer_id: int, reason: Annotated[str, Form()] = ""
) -> Response:
    """Let it go to somebody else."""
    async with ground_of(request).database.transaction() as tx:
        await actions.decline(tx, me.id, offer_id, reason)
    return done(request, "/desk", changed=())


@router.get("/desk/wrap-ups")
async def wrap_ups(request: Request, me: Annotated[Me, permit("queue.work")]) -> Response:
    """What is to be wrapped up, with the outcomes to choose from."""
    async with ground_of(request).database.transaction() as tx:
        rows = await tx.rows(statements.wrap_ups, {"me": me.id})
        codes = {row.queue_id: await queries.wrap_up_codes(tx, row.queue_id) for row in rows[:3]}
    at = now()
    found = [
        {
            "id": row.id,
            "href": f"/desk/cases/{row.case_id}",
            "customer": row.customer_name,
            "subject": row.subject or str(row.number),
            "due": row.work_ended_at + timedelta(seconds=row.wrap_up_seconds),
            "seconds": row.wrap_up_seconds,
            "text": span((row.work_ended_at + timedelta(seconds=row.wrap_up_seconds) - at).total_seconds()),
            "left": max(
                0.0, min(100.0, 100 - (at - row.work_ended_at).total_seconds() / max(1, row.wrap_up_seconds) * 100)
            ),
            "codes": codes[row.queue_id],
        }
        for row in rows[:3]
    ]
    return page("desk/wrap-ups.html", found=found, more=len(rows) - len(found))


@router.post("/desk/wrap-ups/{assignment_id}")
async def wrap_up(
    request: Request, me: Annotated[Me, permit("queue.work")], assignment_id: int, code: Annotated[str, Form()] = ""
) -> Response:
    """Say how it ended: one is free for what comes next."""
    async with ground_of(request).database.transaction() as tx:
        await actions.wrap_up(tx, me.id, assignment_id, (int(code) or None) if code.isdecimal() else None)
    return done(request, "/desk", _("Wrapped up."))
