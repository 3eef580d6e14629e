"""Calls at the desk: the bar of those one has in hand, what is done about them, and calling somebody."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from everyline.call_contract import Deed
from everyline.calls import actions, asking, calling, queries
from everyline.calls import contacts as directory
from everyline.calls.rules import OVERSEES
from everyline.cases import actions as cases
from everyline.desk import call_shown
from everyline.desk.answering import CASE_CHANGED, done
from everyline.desk.phrases import language_name
from everyline.desk.talk_routes import statements
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.people.shell import STATES

router = APIRouter(prefix="/desk/calls")
Worker = Annotated[Me, permit("queue.work")]
CALLS_CHANGED = "calls-changed"  # event on the page's body: the bar reads itself again
KEYS = "123456789*0#"
FOUND = 8
HOW = {"add": Deed.ADD, "transfer": Deed.TRANSFER}
BY_SLUG = {call_shown.slug(deed): deed for deed in Deed if deed not in (Deed.PLACE, Deed.TRACE, *OVERSEES)}


@router.get("")
async def bar(request: Request, me: Worker, shown: str = "") -> Response:
    """The calls that one has in hand; nothing when they are shown already as they are."""
    async with ground_of(request).database.transaction() as tx:
        rows = await queries.of_agent(tx, me.id)
    found = sorted((call_shown.bar(row, me.id) for row in rows), key=lambda call: not call["can"]["answer"])
    digest = hashlib.sha256(repr(found).encode()).hexdigest()[:16] if found else ""
    if digest == shown:
        return Response(status_code=204)
    return page("desk/calls.html", calls=found, digest=digest)


async def obey(request: Request, me: Me, interaction_id: int, deed: Deed, **values: Any) -> None:
    """Want something of a call and wait for what comes of it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        order_id = await actions.order(tx, me, interaction_id, deed, **values)
    await asking.answered(ground, order_id)


@router.post("/place")
async def place(
    request: Request,
    me: Worker,
    number: Annotated[str, Form()] = "",
    case_id: Annotated[int, Form()] = 0,
    customer_id: Annotated[int, Form()] = 0,
    point_id: Annotated[int, Form()] = 0,
) -> Response:
    """Call somebody, about a case, or about what the call will tell: then it opens a case of theirs."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        if customer_id and not case_id:
            row = await tx.first(statements.number_of, {"customer_id": customer_id, "point_id": point_id})
            if row is None:
                raise NotFound(_("There is no such number."))
            number = row.address
            subject = _("Call to %s") % row.name
            case_id = await cases.open_for(tx, me.id, customer_id, subject, queue_id=None, language=row.language)
        await calling.place(tx, me, case_id, number)
    actions.call_for(ground.bus)
    return done(
        request,
        f"/desk/cases/{case_id}",
        _("Calling %s.") % number,
        changed=(CALLS_CHANGED, CASE_CHANGED),
        leave=bool(customer_id),
    )


@router.get("/{interaction_id}/ask/{what}")
async def ask(request: Request, me: Worker, interaction_id: int, what: str) -> HTMLResponse:
    """A question about a call: the keypad, or whom to add."""
    if what not in ("keypad", "add"):
        raise NotFound(_("There is nothing at this address."))
    async with ground_of(request).database.transaction() as tx:
        row = await _mine(tx, me, interaction_id)
        found = await _to_add(tx, me, row, "") if what == "add" else {}
    shown = call_shown.bar(row, me.id)
    ears = [(leg["name"], leg["who"]) for leg in shown["legs"] if not leg["mine"]]
    return page(f"desk/ask/call-{what}.html", call=shown, ears=ears, keys=KEYS, fragment=True, **found)


async def _mine(tx: Tx, me: Me, interaction_id: int) -> Any:
    for row in await queries.of_agent(tx, me.id):
        if row.interaction_id == interaction_id:
            return row
    raise NotFound(_("There is no such call."))


@router.get("/{interaction_id}/people")
async def people(request: Request, me: Worker, interaction_id: int, q: str = "") -> HTMLResponse:
    """Whom to add, by a part of their name."""
    async with ground_of(request).database.transaction() as tx:
        row = await _mine(tx, me, interaction_id)
        found = await _to_add(tx, me, row, q.strip()[:80])
    return page("desk/call-people.html", call=call_shown.bar(row, me.id), **found)


async def _to_add(tx: Tx, me: Me, call: Any, words: str) -> dict[str, Any]:
    escaped = words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    agents = await tx.rows(statements.people_to_add, {"me": me.id, "words": escaped, "most": FOUND})
    contacts = await tx.rows(statements.contacts_to_add, {"words": escaped, "most": FOUND}) if len(words) > 1 else []
    language = call.case_language or call.language
    spoken = [code for code, name in language_names(LIKELY) if words and name.casefold().startswith(words.casefold())]
    known = await directory.fitting(tx, language, escaped, spoken, FOUND)
    return {
        "directory": [
            {
                "id": row.id,
                "name": row.name,
                "number": row.number,
                "speaks": row.speaks,
                "languages": ", ".join(language_name(code) for code in row.languages),
                "fee": row.fee,
            }
            for row in known
        ],
        "language": language_name(language),
        "agents": [
            {
                "id": row.id,
                "name": row.name,
                "state": "busy" if row.in_call else row.state,
                "words": _("in a call") if row.in_call else _(STATES[row.state]),
            }
            for row in agents
        ],
        "contacts": contacts,
        "q": words,
    }


@router.post("/{interaction_id}/call")
async def call(
    request: Request,
    me: Worker,
    interaction_id: int,
    whom: Annotated[str, Form()] = "",
    number: Annotated[str, Form()] = "",
    how: Annotated[str, Form()] = "consult",
) -> Response:
    """Call somebody to the call: apart first, while the customer waits, at once for all to hear, or in one's own place. ``whom``: ``agent:<id>``, ``contact:<id>`` or
    ``number:<number>``; what was typed counts when nobody was chosen."""
    kind, _colon, chosen = whom.partition(":")
    values: dict[str, Any] = {"number": chosen if kind == "number" else number.strip()}
    row, contact = None, None
    named = chosen.isascii() and chosen.isdigit() and len(chosen) < 18
    if kind == "agent" and named:
        values = {"with": int(chosen)}
    elif kind == "contact" and named:
        async with ground_of(request).database.transaction() as tx:
            row, contact = await _mine(tx, me, interaction_id), await directory.get(tx, int(chosen))
        values = {"number": contact.number, "name": contact.name}
    elif not values["number"]:
        raise Invalid(_("Choose somebody, or type a number."))
    await obey(request, me, interaction_id, HOW.get(how, Deed.CONSULT), **values)
    if contact is not None:
        async with ground_of(request).database.transaction() as tx:
            await directory.note_called(tx, me.id, row, contact)
    return done(request, "/desk", changed=(CALLS_CHANGED,))


@router.post("/{interaction_id}/{slug}")
async def deed(
    request: Request,
    me: Worker,
    interaction_id: int,
    slug: str,
    leg: Annotated[str, Form()] = "",
    keys: Annotated[str, Form()] = "",
) -> Response:
    """Hold, mute, press keys, join, hand over, drop somebody, pause the recording, hang up."""
    wanted = BY_SLUG.get(slug)
    if wanted is None or wanted in (Deed.CONSULT, Deed.ADD):
        raise NotFound(_("There is nothing at this address."))
    values = {name: value for name, value in (("leg", leg), ("keys", keys)) if value}
    await obey(request, me, interaction_id, wanted, **values)
    return done(request, "/desk", changed=(CALLS_CHANGED,))
