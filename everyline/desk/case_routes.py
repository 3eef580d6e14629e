"""A case: its page, its parts, and the questions that are asked about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from everyline.cases import queries as cases
from everyline.cases.rules import PRIORITIES
from everyline.customers import queries as customers
from everyline.desk import answering, phrases, reads
from everyline.desk.lists import ROWS_BESIDE, frame, read_counts, read_list, resolve_place
from everyline.desk.onlookers import onlookers_of
from everyline.desk.places import VIEWS, Place
from everyline.desk.queries import statements
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.queries import organisation_name
from everyline.people.rules import Me
from everyline.queues.queries import wrap_up_codes
from everyline.selfservice.running.record import gone_through

router = APIRouter()


def place_in(request: Request, me: Me) -> Place:
    """The list that a case was opened from."""
    found = Place.read(request.query_params.get("view", "mine"), request.query_params)
    known = (
        found.key in VIEWS
        or found.key.startswith("saved-")
        or (found.queue_id is not None and me.sees_queue(found.queue_id))
    )
    return found if known else Place()


@router.get("/desk/cases/{case_id}")
async def case(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """A case beside the list it was opened from; the case alone when the list asks."""
    place = place_in(request, me)
    async with ground_of(request).database.transaction() as tx:
        if answering.wants(request, "case"):
            found, facts = await reads.case_and_facts(tx, me, case_id)
            context, house = await tx.together(
                reads.whole_case(tx, me, found, facts, place.here), organisation_name(tx)
            )
            context |= {"organisation": house, "back": place.href(after=place.after, before=place.before)}
            answer: Response = page("desk/opened.html", **context)
        else:
            queues, counts, (found, facts) = await tx.together(
                tx.rows(statements.queues), read_counts(tx, me), reads.case_and_facts(tx, me, case_id)
            )
            try:
                place = await resolve_place(tx, me, place, queues)
            except NotFound:
                place = replace(Place(), title=_(VIEWS["mine"]))
            context, around, beside = await tx.together(
                reads.whole_case(tx, me, found, facts, place.here),
                frame(tx, me, place, queues, counts),
                read_list(tx, me, place, counts=counts, current=case_id, most=ROWS_BESIDE),
            )
            context |= around | beside | {"back": place.href(after=place.after, before=place.before)}
            answer = page("desk/desk.html", **context)
    merged_into = context["case"].merged_into_id
    if merged_into is not None:
        to = f"/desk/cases/{merged_into}?{place.here}"
        return (
            Response(status_code=204, headers={"HX-Redirect": to})
            if answering.by_script(request)
            else RedirectResponse(to, 303)
        )
    return answer


async def _with_head(tx: Tx, me: Me, request: Request, case_id: int) -> dict[str, Any]:
    place = place_in(request, me)
    found, facts = await reads.case_and_facts(tx, me, case_id)
    at, there = now(), zone(me.zone)
    return reads.head(me, found, facts, place.here, at, there) | {
        "back": place.href(after=place.after, before=place.before)
    }


@router.get("/desk/cases/{case_id}/head")
async def head(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """The head alone."""
    async with ground_of(request).database.transaction() as tx:
        context = await _with_head(tx, me, request, case_id)
    return page("desk/head.html", **context)


@router.get("/desk/cases/{case_id}/timeline")
async def timeline(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """The timeline alone. Who looks at it reads what is new."""
    async with ground_of(request).database.transaction() as tx:
        context = await _with_head(tx, me, request, case_id)
        at = now()
        await reads.look(tx, me, context["case"], context["facts"], at)
        pieces = await reads.read_timeline(tx, me, context["case"], context["facts"], at, zone(me.zone))
    return page("desk/timeline.html", timeline=pieces, **context)


@router.get("/desk/cases/{case_id}/collected")
async def collected(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """What the customer said and did by themselves before people took the case."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        found = await gone_through(tx, case_id)
    at, there = now(), zone(me.zone)
    runs = [{"run": one, "when": phrases.moment(one.began_at, at, there)} for one in found]
    return page("desk/collected.html", base=f"/desk/cases/{case_id}", runs=runs)


@router.get("/desk/cases/{case_id}/composer")
async def composer(request: Request, me: Annotated[Me, permit("case.read")], case_id: int, kind: str = "") -> Response:
    """The composer with what is kept of the drafts."""
    async with ground_of(request).database.transaction() as tx:
        context = await composer_context(tx, me, request, case_id)
    if kind in ("reply", "note"):
        context["kind"] = kind
    return page("desk/composer.html", **context)


async def composer_context(tx: Tx, me: Me, request: Request, case_id: int) -> dict[str, Any]:
    """All that the composer's template reads."""
    context = await _with_head(tx, me, request, case_id)
    points, writing = await tx.together(
        customers.points(tx, context["facts"].customer_id), reads.writings(tx, me, context["case"], context["facts"])
    )
    return context | reads.composer(context["facts"], points, writing)


@router.post("/desk/cases/{case_id}/onlookers")
async def onlookers(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """One looks at a case; who else does."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
    here = onlookers_of(request)
    here.say(me, case_id)
    return page("desk/others.html", others=here.others(me, case_id))


@router.get("/desk/cases/{case_id}/candidates")
async def candidates(request: Request, me: Annotated[Me, permit("case.read")], case_id: int, q: str = "") -> Response:
    """Other cases to merge with or to link to."""
    async with ground_of(request).database.transaction() as tx:
        found = await _candidates(tx, me, await cases.get(tx, me, case_id), q)
    return page("desk/ask/candidates.html", candidates=found)


async def _candidates(tx: Tx, me: Me, case: Any, words: str) -> list[dict[str, Any]]:
    rows = (
        await cases.find(tx, me, words, most=8)
        if words.strip()
        else await cases.of_customer(tx, me, case.customer_id, most=9)
    )
    return [
        {
            "id": row.id,
            "number": row.number,
            "subject": row.subject or _("(no subject)"),
            "customer": row.customer_name,
            "status": phrases.status(row.status),
        }
        for row in rows
        if row.id != case.id
    ][:8]


@router.get("/desk/cases/{case_id}/ask/{what}")
async def ask(
    request: Request, me: Annotated[Me, permit("case.write")], case_id: int, what: str, message: int = 0
) -> HTMLResponse:
    """A question about a case: assign, transfer, resolve, snooze, describe, merge, link, split."""
    if what not in ("assign", "transfer", "resolve", "snooze", "describe", "merge", "link", "split"):
        raise NotFound(_("There is nothing at this address."))
    async with ground_of(request).database.transaction() as tx:
        queues = await tx.rows(statements.queues)
        place = place_in(request, me)
        context = {} if answering.by_script(request) else await frame(tx, me, place, queues)
        context |= await _with_head(tx, me, request, case_id)
        found = context["case"]
        match what:
            case "assign":
                context["agents"] = [(row.id, row.name) for row in await tx.rows(statements.agents)]
            case "transfer":
                context["queues"] = [(row.id, row.name) for row in queues if row.id != found.queue_id]
            case "resolve":
                context["codes"] = [(row.id, _(row.name)) for row in await wrap_up_codes(tx, found.queue_id)]
            case "snooze":
                context |= {"presets": shown_presets(me), "zone_name": me.zone.replace("_", " ")}
            case "describe":
                context["priorities"] = [(number, _(text)) for number, text in PRIORITIES.items()]
            case "merge" | "link":
                context["candidates"] = await _candidates(tx, me, found, "")
            case "split":
                context |= {"message_id": message, "subject": found.subject}
    return answering.ask(request, what, context)


def presets(at: datetime, there: ZoneInfo) -> dict[str, tuple[str, datetime]]:
    """Usual times to snooze until: by their name the words and the moment."""
    local = at.astimezone(there)

    def morning(days: int) -> datetime:
        return datetime.combine(local.date() + timedelta(days=days), time(8), there)

    return {
        "hours": (_("In three hours"), (at + timedelta(hours=3)).replace(second=0, microsecond=0)),
        "tomorrow": (_("Tomorrow morning"), morning(1)),
        "monday": (_("Monday morning"), morning(7 - local.weekday())),
        "week": (_("In a week"), morning(7)),
    }


def shown_presets(me: Me) -> list[tuple[str, str, str]]:
    """The usual times with their moments in words."""
    at, there = now(), zone(me.zone)
    return [
        (name, words, phrases.day_and_time(until, at, there)) for name, (words, until) in presets(at, there).items()
    ]
