"""Routes of a line: the list in the order in which they are tried, the form of one, and who would go where."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.cases.rules import PRIORITIES
from everyline.ground.addresses import NUMBER, normal
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.intake.routing import standing
from everyline.lines import actions, queries
from everyline.lines.conditions import KINDS, MOST_LISTED, Arrival, Route, When, chosen, never, prefix
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.selfservice.queries import published_names
from everyline.selfservice.running.talking import NAME as BOT
from everyline.setup.frame import caller, frame
from everyline.setup.hours import DAYS
from everyline.setup.lines import visible

router = APIRouter(prefix="/setup/lines/{line_id}/routes")
Reader = Annotated[Me, permit("line.read")]
Writer = Annotated[Me, permit("line.write")]

EITHER = (("", mark("Either way")), ("yes", mark("Yes")), ("no", mark("No")))
YES_OR_NO = ("holiday", "closure", "known", "open_case")
ASKED = {
    "holiday": mark("Is it a holiday?"),
    "closure": mark("Does an emergency closure stand?"),
    "known": mark("Did they have a case before?"),
    "open_case": mark("Do they have an open case?"),
}
HOLDS = {
    "holiday": (mark("on holidays"), mark("on no holiday")),
    "closure": (mark("while an emergency closure stands"), mark("while no emergency closure stands")),
    "known": (mark("customers who had a case before"), mark("customers who never had a case")),
    "open_case": (mark("customers with an open case"), mark("customers without an open case")),
}
KIND_WORDS = {"person": mark("a person"), "firm": mark("a firm")}
PEOPLE = "people"  # the flow that is none


def said(route: Route, names: dict[int, str]) -> dict[str, Any]:
    """A route in words: when it is taken, and where it leads."""
    when, parts = route.when, []
    if when.days:
        parts.append(", ".join(name for n, name in enumerate(_(day) for day in DAYS) if n in when.days))
    if when.begins:
        parts.append(_("from %(begins)s to %(ends)s") % {"begins": when.begins, "ends": when.ends})
    wanted = {name: getattr(when, name) for name in YES_OR_NO}
    parts += [_(HOLDS[name][0 if one else 1]) for name, one in wanted.items() if one is not None]
    for words, values in (
        (_("from numbers that begin with %s"), when.prefixes),
        (_("from %s"), when.countries),
        (_("who dialled %s"), when.dialled),
    ):
        if values:
            parts.append(words % ", ".join(values))
    if when.languages:
        spoken = dict(language_names(LIKELY))
        parts.append(_("in %s") % ", ".join(spoken.get(one, one) for one in when.languages))
    if when.kinds:
        parts.append(", ".join(_(KIND_WORDS[one]) for one in when.kinds if one in KIND_WORDS))
    return {"id": route.id, "name": route.name, "when": parts, "to": _leads(route, names)}


def _leads(route: Route, names: dict[int, str]) -> list[str]:
    found = []
    if route.follows_case:
        found.append(_("the queue of their open case"))
    if route.queue_id is not None:
        found.append(_("queue %s") % names.get(route.queue_id, ""))
    if route.flow is not None:
        found.append(
            _("people at once")
            if not route.flow
            else _("flow %s") % (_("The bot") if route.flow == BOT else route.flow)
        )
    if route.priority is not None:
        found.append(_("priority: %s") % _(PRIORITIES[route.priority]))
    if route.last_agent:
        found.append(_("the agent who served them last first"))
    return found


async def _page(request: Request, me: Me, row: Row, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "lines")
        names = {queue.id: queue.name for queue in await queues.all_queues(tx)}
        routes = await queries.routes(tx, row.id)
    dead = never(routes)
    context = {
        "line": row,
        "routes": [said(one, names) | {"dead": one.id in dead} for one in routes],
        "languages": language_names(LIKELY),
        "answer": None,
        "values": {"language": row.language, "at": f"{now():%Y-%m-%dT%H:%M}"},
    }
    return page("setup/line-routes.html", status=status, **filled(shown, context, more))


@router.get("")
async def every_route(request: Request, me: Reader, line_id: int) -> Response:
    """The list, and the question who would go where."""
    return await _page(request, me, await visible(request, me, line_id))


@router.post("/try")
async def try_it(request: Request, me: Reader, line_id: int) -> Response:
    """Who would go where, if they came now; nothing is kept."""
    row, form = await visible(request, me, line_id), await typed(request)
    try:
        number = form.text("number", longest=40)
        if number:
            try:
                number = normal(NUMBER, number)
            except ValueError as error:
                form.errors["number"] = str(error)
        at = _moment(form)
        form.done()
    except Invalid as error:
        return await _page(request, me, row, status=422, values=form.values, **wrong(error))
    async with ground_of(request).database.transaction() as tx:
        routes = await queries.routes(tx, line_id)
        names = {queue.id: queue.name for queue in await queues.all_queues(tx)}
        hours = await queues.opening_hours(tx, row.hours_id or await _hours_of_queue(tx, row))
    _there, holiday, closure = standing(hours, at) if at.tzinfo else standing(hours, now())
    arrival = Arrival(
        at=at,
        number=number,
        dialled=form.text("dialled", longest=40),
        language=form.text("language", longest=8),
        kind=form.one_of("kind", KINDS, "person"),
        known=form.yes("known"),
        open_case=form.yes("open_case"),
        holiday=holiday,
        closure=closure,
    )
    taken = chosen(routes, arrival)
    answer = {"name": taken.name, "to": _leads(taken, names)} if taken else {"name": "", "to": []}
    return await _page(request, me, row, values=form.values, answer=answer)


def _moment(form: Typed) -> datetime:
    """The wall clock that was typed: it is the line's."""
    try:
        return datetime.fromisoformat(form.text("at", longest=20))
    except ValueError:
        form.errors["at"] = _("Write a day and a time.")
        return now()


async def _hours_of_queue(tx: Tx, row: Row) -> int | None:
    queue_id = row.queue_id or await queues.default_queue(tx)
    return (await queues.get(tx, queue_id)).hours_id if queue_id is not None else None


# --- one route


async def _form(request: Request, me: Me, row: Row, route: Route, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "lines")
        names = await published_names(tx)
        found = await queues.all_queues(tx)
    context = {
        "line": row,
        "route": route,
        "weekdays": [(str(n), _(day)) for n, day in enumerate(DAYS)],
        "either": [(value, _(words)) for value, words in EITHER],
        "asked": [(name, _(words)) for name, words in ASKED.items()],
        "kinds": [("", _("Either")), *((name, _(words)) for name, words in KIND_WORDS.items())],
        "languages": language_names(LIKELY),
        "queues": [(queue.id, queue.name) for queue in found],
        "flows": [(PEOPLE, _("People at once")), (BOT, _("The bot")), *((name, name) for name in names)],
        "priorities": [(number, _(words)) for number, words in PRIORITIES.items()],
        "values": values_of(route),
    }
    return page("setup/line-route.html", status=status, **filled(shown, context, more))


def values_of(route: Route) -> dict[str, Any]:
    """What the form shows of a route."""
    when = route.when
    return {
        "name": route.name,
        "days": [str(one) for one in when.days],
        "begins": when.begins,
        "ends": when.ends,
        **{name: {None: "", True: "yes", False: "no"}[getattr(when, name)] for name in YES_OR_NO},
        "prefixes": ", ".join(when.prefixes),
        "countries": " ".join(when.countries),
        "dialled": "\n".join(when.dialled),
        "spoken": list(when.languages),
        "kind": when.kinds[0] if len(when.kinds) == 1 else "",
        "queue_id": route.queue_id or "",
        "flow": PEOPLE if route.flow == "" else route.flow or "",
        "priority": route.priority or "",
        "follows_case": route.follows_case,
        "last_agent": route.last_agent,
    }


def read(form: Typed, route_id: int, country: str) -> Route:
    """The route that a form says. Invalid."""
    name = form.text("name", longest=120, required=True)
    days = tuple(sorted({int(one) for one in form.texts("days") if one in "0123456" and len(one) == 1}))
    either = {one: {"yes": True, "no": False}.get(form.text(one)) for one in YES_OR_NO}
    prefixes: list[str] = []
    for one in form.text("prefixes", longest=4000).replace("\n", ",").split(",")[:MOST_LISTED]:
        if not one.strip():
            continue
        try:
            prefixes.append(prefix(one, country))
        except ValueError as error:
            form.errors["prefixes"] = f"{one.strip()}: {error}"
    countries = tuple(form.text("countries", longest=1000).replace(",", " ").upper().split()[:MOST_LISTED])
    if any(len(one) != 2 or not one.isalpha() for one in countries):
        form.errors["countries"] = _("A country has two letters, such as MX.")
    kind = form.one_of("kind", ("", *KINDS))
    flow = form.text("flow", longest=200)
    when = When(
        days=days,
        begins=_clock(form, "begins"),
        ends=_clock(form, "ends"),
        prefixes=tuple(prefixes),
        countries=countries,
        dialled=tuple(form.text("dialled", longest=4000).split()[:MOST_LISTED]),
        languages=tuple(one for one in form.texts("spoken") if one in LIKELY),
        kinds=(kind,) if kind else (),
        **either,
    )
    route = Route(
        route_id,
        name,
        when,
        form.id("queue_id"),
        None if not flow else "" if flow == PEOPLE else flow,
        form.maybe_number("priority", 1, 5),
        form.yes("follows_case"),
        form.yes("last_agent"),
    )
    form.done()
    return route


def _clock(form: Typed, name: str) -> str:
    text = form.text(name, longest=5)
    if text:
        try:
            return datetime.strptime(text, "%H:%M").strftime("%H:%M")  # noqa: DTZ007 -- a time of the day
        except ValueError:
            form.errors[name] = _("Write a time such as 21:00.")
    return ""


async def _route(request: Request, line_id: int, route_id: int) -> Route:
    async with ground_of(request).database.transaction() as tx:
        found = next((one for one in await queries.routes(tx, line_id) if one.id == route_id), None)
    if found is None:
        raise NotFound(_("There is no such route."))
    return found


@router.get("/new")
async def new_route(request: Request, me: Writer, line_id: int) -> Response:
    """The empty form."""
    return await _form(request, me, await visible(request, me, line_id), Route(0, ""))


@router.get("/{route_id}")
async def one_route(request: Request, me: Writer, line_id: int, route_id: int) -> Response:
    """The form of one."""
    row = await visible(request, me, line_id)
    return await _form(request, me, row, await _route(request, line_id, route_id))


@router.post("/{route_id}")
async def keep(request: Request, me: Writer, line_id: int, route_id: int) -> Response:
    """Add one (0), or change it."""
    row, form = await visible(request, me, line_id), await typed(request)
    route = await _route(request, line_id, route_id) if route_id else Route(0, "")
    try:
        route = read(form, route_id, str(row.settings.get("country", "US")))
        async with ground_of(request).database.transaction() as tx:
            kept = await actions.keep_route(tx, me.id, line_id, route)
            await audit(tx, me.id, "line.routes_changed", "line", line_id, address=caller(request), route=route.name)
    except ProductError as error:
        values = form.values | {"days": form.texts("days"), "spoken": form.texts("spoken")}
        return await _form(request, me, row, route, status=422, values=values, **wrong(error))
    return back(f"/setup/lines/{line_id}/routes#route-{kept}", "saved" if route_id else "added")


@router.post("/{route_id}/{verb}")
async def move(
    request: Request, me: Writer, line_id: int, route_id: int, verb: Literal["earlier", "later", "remove"]
) -> Response:
    """Try it earlier or later, or no more."""
    await visible(request, me, line_id)
    async with ground_of(request).database.transaction() as tx:
        if verb == "remove":
            await actions.drop_route(tx, me.id, line_id, route_id)
        else:
            await actions.move_route(tx, me.id, line_id, route_id, -1 if verb == "earlier" else 1)
        await audit(tx, me.id, "line.routes_changed", "line", line_id, address=caller(request))
    return back(f"/setup/lines/{line_id}/routes", "removed" if verb == "remove" else "saved")
