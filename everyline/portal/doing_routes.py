"""Doing things online: flows, one page for each turn, with or without scripts; begun here, or gone on with from elsewhere."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from everyline.ground import markdown
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.words import _
from everyline.people.permit import public
from everyline.people.sign_ins import TooManyTries, note_success, note_try
from everyline.portal import forms
from everyline.portal.door_routes import remember
from everyline.portal.hosts import PREFIX
from everyline.portal.readings import CHANNEL
from everyline.portal.visiting import Here, PortalRoute, Visit, show, visit_of, wanted_language
from everyline.selfservice import origins, queries
from everyline.selfservice.flows import Flow
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.renderings import page
from everyline.selfservice.renderings.seam import Setting
from everyline.selfservice.running import linking, proving, questioning, talking
from everyline.selfservice.running.handing import filled_in
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.running.moving import Stands
from everyline.selfservice.running.turns import Turns
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.walking import ENDED_AT_PERSON, Said

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])
at_root = APIRouter(route_class=PortalRoute, dependencies=[public()])

COOKIE = "everyline_doing"  # what a browser shows that a run goes on in it
KEPT = timedelta(hours=24)
LONGEST = 5000  # characters of an answer that are read; a longer one is told so


def turns_of(request: Request) -> Turns:
    """The runs of this process."""
    turns: Turns = request.app.state.turns
    return turns


def who_asks(visit: Visit, holder: bytes | None = None) -> Who:
    """Who it is, as far as this browser shows. ``holder``: what it is just being given to show."""
    browser = holder or _holder(visit)
    come_from = (
        origins.of_network(visit.ground.key, visit.network),
        *([origins.of_browser(browser)] if browser else []),
    )
    if visit.customer is None:
        return Who(language=visit.language, channel=CHANNEL, origins=come_from)
    own = visit.customer
    return Who(own.customer_id, Level.SIGNED_IN, own.point_id, visit.language, CHANNEL, come_from)


def _holder(visit: Visit) -> bytes | None:
    token = visit.request.cookies.get(COOKIE, "")
    return _digest(token) if token else None


def _held_by(visit: Visit) -> tuple[str, bytes]:
    """What this browser shows for its runs, made where it shows nothing yet; and as it is kept."""
    token = visit.request.cookies.get(COOKIE, "") or secrets.token_urlsafe(32)
    return token, _digest(token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@router.get("/{language}/do")
async def every_one(visit: Here) -> Response:
    """What can be done, and the field for a code from elsewhere."""
    return await _every_one(visit)


async def _every_one(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    async with visit.ground.database.transaction() as tx:
        rows = await queries.offered(tx)
    flows = sorted((flow.called(visit.language), name) for name, flow in rows)
    return show(visit, "doing.html", status=status, current="do", flows=flows, trouble=trouble)


@router.post("/{language}/ask")
async def ask(request: Request, visit: Here) -> Response:
    """What somebody needs, in their own words: answered, led on, or handed over."""
    form = await forms.read(request)
    token, holder = _held_by(visit)
    words = forms.word(form, "q", LONGEST)
    slots = {talking.SAID: Value(Kind.TEXT, words)} if words else {}
    facts = {"page": forms.word(form, "page", 500)}
    stands = await turns_of(request).begin(
        talking.NAME, who_asks(visit, holder), slots=slots, facts=facts, holder=holder
    )
    return _held(visit, (f"do/{talking.NAME}/{stands.run.id}", token))


@router.post("/{language}/do/code")
async def type_in(request: Request, visit: Here) -> Response:
    """Go on with what began elsewhere, by its code. Tries are counted."""
    form = await forms.read(request)
    try:
        async with visit.ground.database.transaction() as tx:
            attempt_id = await note_try(tx, f"a code of a flow from {visit.network}", visit.network)
        async with visit.ground.database.transaction() as tx:
            run_id = await linking.type_in(tx, visit.ground.key, forms.word(form, "code", 40))
            await note_success(tx, attempt_id)
            taken = await _taken(tx, visit, run_id)
    except TooManyTries as error:
        answer = await _every_one(visit, status=429, trouble=error.message)
        answer.headers["retry-after"] = str(error.seconds)
        return answer
    except ProductError as error:
        return await _every_one(visit, status=error.status, trouble=error.message)
    return _held(visit, taken)


async def _taken(tx: Tx, visit: Visit, run_id: int) -> tuple[str, str]:
    """A run goes on in this browser from now on: where, and what the browser shows for it."""
    token, holder = _held_by(visit)
    flow = await tx.value(statements.hold, {"id": run_id, "holder": holder})
    return f"do/{flow}/{run_id}", token


def _held(visit: Visit, taken: tuple[str, str]) -> Response:
    path, token = taken
    return remember(visit, visit.go(path), COOKIE, token, KEPT)


@at_root.get("/go/{token}")
async def go(request: Request, token: str) -> Response:
    """A link from elsewhere, in the language that the browser likes best."""
    visit = await visit_of(request, "")
    return RedirectResponse(f"{visit.base}/{wanted_language(request, visit.brand)}/go/{token[:100]}", 302)


@router.get("/{language}/go/{token}")
async def ask_on(visit: Here, token: str) -> Response:
    """The page before going on: who only looks at a link, as machines do, does not use it up."""
    async with visit.ground.database.transaction() as tx:
        there = await linking.is_there(tx, token)
    return show(visit, "going-on.html", status=200 if there else 404, there=there, token=token)


@router.post("/{language}/go/{token}")
async def go_on(visit: Here, token: str) -> Response:
    """Go on here."""
    async with visit.ground.database.transaction() as tx:
        taken = await _taken(tx, visit, await linking.follow(tx, token))
    return _held(visit, taken)


async def _offered(visit: Visit, name: str) -> Flow:
    async with visit.ground.database.transaction() as tx:
        found = dict(await queries.offered(tx)).get(name)
    if found is None:
        raise NotFound(_("There is nothing at this address."))
    return found


@router.get("/{language}/do/{flow}")
async def before(visit: Here, flow: str) -> Response:
    """What it is, before it begins: machines that only look begin nothing."""
    found = await _offered(visit, flow)
    return show(visit, "begin.html", current="do", flow=found, title=found.called(visit.language))


@router.post("/{language}/do/{flow}")
async def begin(request: Request, visit: Here, flow: str) -> Response:
    """Begin."""
    await _offered(visit, flow)
    form = await forms.read(request)
    token, holder = _held_by(visit)
    facts = {name: forms.word(form, name, 500) for name in ("page", "product") if forms.word(form, name, 500)}
    stands = await turns_of(request).begin(flow, who_asks(visit, holder), facts=facts, holder=holder)
    return _held(visit, (f"do/{flow}/{stands.run.id}", token))


async def _own(request: Request, visit: Visit, flow: str, run_id: int) -> Stands:
    """A run that goes on in this browser, or is the signed-in customer's. NotFound otherwise, whatever is there."""
    who = who_asks(visit)
    async with visit.ground.database.transaction() as tx:
        row = await tx.first(statements.whose, {"id": run_id, "flow": flow}) if run_id < 2**63 else None
    held = row is not None and row.holder is not None and bytes(row.holder) == _holder(visit)
    own = (
        row is not None
        and who.customer_id is not None
        and row.customer_id == who.customer_id
        and row.level >= Level.SIGNED_IN
    )
    if not held and not own:
        raise NotFound(_("There is nothing at this address."))
    return await turns_of(request).look(run_id, who)


@router.get("/{language}/do/{flow}/{run_id}")
async def turn(request: Request, visit: Here, flow: str, run_id: int) -> Response:
    """Where it stands."""
    return await _turn(request, visit, flow, await _own(request, visit, flow, run_id))


async def _turn(
    request: Request, visit: Visit, name: str, stands: Stands, link: linking.Link | None = None
) -> Response:
    run = stands.run
    async with visit.ground.database.transaction() as tx:
        shelf = await turns_of(request).library.open(tx, [run.state])
        number = await tx.value(statements.number_of, {"case_id": run.case_id}) if run.case_id is not None else None
    root = shelf(run.flow, run.version)
    inner = shelf(run.state.flow, run.state.version)
    slots = run.state.around[0].slots if run.state.around else run.state.slots
    shown = page.render(stands.turn, Setting(language=run.state.language))
    return show(
        visit,
        "turn.html",
        current="do",
        title=root[1].called(run.state.language) if root else name,
        run=run,
        spoken=run.state.language,
        shown=shown,
        told=[Markup(markdown.html(words)) for words in shown.told],  # noqa: S704 -- made safe there
        action=visit.to(f"do/{name}/{run.id}"),
        so_far=filled_in(root[1] if root else None, slots, run.state.language) if run.flow != talking.NAME else [],
        ended=run.ended,
        waiting=run.outside,
        number=number,
        person=run.outcome == ENDED_AT_PERSON,
        in_talk=run.interaction_id is not None,
        may_sign_in=visit.customer is None and inner is not None and inner[1].name in (proving.NAME, questioning.NAME),
        next=visit.rest,
        link=link,
        url=link.url(visit.ground.settings.address) if link else "",
    )


@router.post("/{language}/do/{flow}/{run_id}")
async def answer(request: Request, visit: Here, flow: str, run_id: int) -> Response:
    """Answer. Who answers twice, or to a page that is old, is shown where it stands."""
    stands = await _own(request, visit, flow, run_id)
    form = await forms.read(request)
    asked = forms.word(form, "turn", 9)
    option = forms.word(form, "option", 100)
    text = forms.word(form, "said", LONGEST)
    if asked.isdecimal() and not stands.run.ended and (option or text or form.get("said") is not None):
        given = Said(text, option)
        await turns_of(request).answer(run_id, given, int(asked), who_asks(visit))
    return visit.go(f"do/{flow}/{run_id}")


@router.post("/{language}/do/{flow}/{run_id}/elsewhere")
async def elsewhere(request: Request, visit: Here, flow: str, run_id: int) -> Response:
    """A link and a code to go on somewhere else."""
    stands = await _own(request, visit, flow, run_id)
    async with visit.ground.database.transaction() as tx:
        link = await linking.make(tx, visit.ground.key, run_id)
    return await _turn(request, visit, flow, stands, link)
