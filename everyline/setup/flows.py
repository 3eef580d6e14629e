"""Flows: what customers can do for themselves, drawn and linted, tried in every rendering, published in versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.selfservice import actions, flows, queries
from everyline.selfservice.drawing import BOX, drawn
from everyline.selfservice.flows import Flow, leads, words
from everyline.selfservice.linting import lint, publishable
from everyline.selfservice.running import passes
from everyline.selfservice.trials import RENDERINGS, Answered, Recorded, Trial, failing
from everyline.selfservice.walking import Came
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/flows")
Writer = Annotated[Me, permit("flow.write")]
MOST_MOVES = 200
FIGURE_DAYS = 30
KINDS = {
    "say": mark("Tell"),
    "ask": mark("Ask"),
    "choose": mark("Choose"),
    "confirm": mark("Confirm"),
    "lookup": mark("Look up"),
    "branch": mark("Branch"),
    "set": mark("Set"),
    "identify": mark("Who is it?"),
    "article": mark("Article"),
    "search": mark("Search"),
    "errand": mark("Errand"),
    "send": mark("Send"),
    "callback": mark("Call back"),
    "voicemail": mark("Take a message"),
    "queue": mark("Person"),
    "subflow": mark("Another flow"),
    "done": mark("End"),
}
NAMES = {
    "chat": mark("Chat"),
    "text": mark("Text message"),
    "page": mark("Page"),
    "voice": mark("By ear"),
    "typed": mark("TTY"),
}
FIRST = Flow(
    "my-flow",
    title=words("What can we do for you?"),
    start="hello",
    person="agent",
    steps=(
        flows.Choose(
            "hello",
            words=words("What can we do for you?"),
            options=(flows.Option(name="talk", words=words("I have a question"), to="agent"),),
        ),
        flows.Queue("agent", words=words("We connect you with a person.")),
    ),
)  # what a new flow begins with


async def _list(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "flows")
        rows = await queries.every_flow(tx)
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(row.name, {"name": row.name, "published": None, "draft": None})
        one[row.state] = row.number
        flow = queries.flow_of(row.form)
        one |= {
            "steps": len(flow.steps),
            "languages": flow.languages(),
            "changed_at": row.changed_at,
            "title": flow.called(),
        }
    values = {"form": flows.written(FIRST)}
    return page(
        "setup/flows.html", status=status, **filled(around, {"rows": list(found.values()), "values": values}, more)
    )


@router.get("")
async def every_flow(request: Request, me: Writer) -> Response:
    """The list, and the form to begin one."""
    return await _list(request, me)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Begin one, from its JSON form."""
    form = await typed(request)
    try:
        text = form.text("form", longest=flows.LONGEST_FILE, required=True)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            name = await actions.add(tx, me.id, text)
            await audit(tx, me.id, "flow.added", "flow", address=caller(request), name=name)
    except ProductError as error:
        return await _list(request, me, status=error.status, values=form.values, **wrong(error))
    return back(f"/setup/flows/{name}", "added")


@router.get("/schema", dependencies=[permit("flow.write")])
async def schema() -> Response:
    """The published schema of the JSON form."""
    return JSONResponse(flows.schema(), media_type="application/schema+json")


async def _one(request: Request, me: Me, name: str, *, status: int = 200, **more: Any) -> Response:
    """A flow: drawn and listed, what is wrong with it, its text, its versions and test cases."""
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "flows")
        row = await _in_use(tx, name)
        every = await queries.versions(tx, row.id)
        shown = _chosen(request, every)
        flow = queries.flow_of(shown.form)
        found = lint(flow, await queries.known(tx))
        trials = await queries.trials(tx, row.id)
        shelf = await queries.shelf(tx, flow, shown.number)
        figures = await passes.figures(tx, flow.name, shown.number, now() - timedelta(days=FIGURE_DAYS))
    failed = {was.name for was, _now in failing(shelf, flow, [one for _id, one in trials])}
    context = {
        "flow": flow,
        "title": flow.called(),
        "offered": row.offered,
        "figures": [(step.name, figures[step.name]) for step in flow.steps if step.name in figures],
        "shown": shown,
        "draft": every[0] if every[0].state == "draft" else None,
        "versions": every,
        "newest": shown.id == every[0].id,
        "drawing": drawn(flow),
        "box": BOX,
        "steps": [
            {"step": step, "kind": _(KINDS[step.kind]), "leads": leads(step), "words": _words(step)}
            for step in flow.steps
        ],
        "findings": found,
        "publishable": publishable(found) and not failed,
        "trials": [{"id": number, "name": one.name, "fails": one.name in failed} for number, one in trials],
        "values": {"form": flows.written(flow)},
        "kinds": {kind: _(name) for kind, name in KINDS.items()},
        "kind_options": [(kind, _(name)) for kind, name in KINDS.items()],
    }
    return page("setup/flow.html", status=status, **filled(around, context, more))


def _words(step: flows.Step) -> str:
    by_language: flows.Words = getattr(step, "words", {})
    by_kind: Mapping[Any, str] = by_language.get("en") or next(iter(by_language.values()), {})
    return next(iter(by_kind.values()), "")


async def _in_use(tx: Tx, name: str) -> Row:
    row = await queries.get(tx, name)
    if row.retired_at is not None:
        raise NotFound(_("There is no such flow."))
    return row


def _chosen(request: Request, every: Sequence[Row]) -> Row:
    """The version that is asked for, or the newest one."""
    number = request.query_params.get("version", "")
    return next((row for row in every if str(row.number) == number), every[0])


@router.get("/{name}")
async def one(request: Request, me: Writer, name: str) -> Response:
    """One flow."""
    return await _one(request, me, name)


@router.post("/{name}")
async def write(request: Request, me: Writer, name: str) -> Response:
    """Write its draft."""
    form = await typed(request)
    try:
        text = form.text("form", longest=flows.LONGEST_FILE, required=True)
        revision = form.number("revision", 0, 10**9)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await actions.write(tx, me.id, name, text, revision)
    except NotFound:
        raise
    except ProductError as error:
        return await _one(request, me, name, status=error.status, values=form.values, **wrong(error))
    return back(f"/setup/flows/{name}", "saved")


@router.post("/{name}/publish")
async def publish(request: Request, me: Writer, name: str) -> Response:
    """Publish the draft."""
    try:
        async with ground_of(request).database.transaction() as tx:
            number = await actions.publish(tx, me.id, name)
            await audit(tx, me.id, "flow.published", "flow", address=caller(request), name=name, number=number)
    except NotFound:
        raise
    except ProductError as error:
        return await _one(request, me, name, status=error.status, **wrong(error))
    return back(f"/setup/flows/{name}", "published")


@router.post("/{name}/offer")
async def offer(request: Request, me: Writer, name: str) -> Response:
    """Put it among what can be done on the website, or take it away."""
    form = await typed(request)
    on = form.yes("on")
    async with ground_of(request).database.transaction() as tx:
        await actions.offer(tx, me.id, name, on=on)
        await audit(tx, me.id, "flow.offered", "flow", address=caller(request), name=name, on=on)
    return back(f"/setup/flows/{name}", "saved")


@router.post("/{name}/retire")
async def retire(request: Request, me: Writer, name: str) -> Response:
    """Take it out of use."""
    async with ground_of(request).database.transaction() as tx:
        await actions.retire(tx, me.id, name)
        await audit(tx, me.id, "flow.retired", "flow", address=caller(request), name=name)
    return back("/setup/flows", "retired")


# --- trying


def _came(move: str) -> Came:
    """What is said to have come from outside: its edge, and slots as JSON when some are given."""
    edge, _space, given = move.removeprefix("=").partition(" ")
    answered = queries.ANSWERED.validate_python({"edge": edge, "slots": json.loads(given) if given.strip() else {}})
    return Came(answered.edge, answered.slots)


async def _tried(tx: Tx, flow: Flow, number: int, language: str, moves: Sequence[str]) -> Trial:
    """A trial as far as these moves lead. What stands in them after = comes from outside."""
    shelf = await queries.shelf(tx, flow, number)
    trial = Trial.begun(shelf, flow, lambda _does: None, language=language, today=_today())
    for move in moves[:MOST_MOVES]:
        if trial.ends:
            break
        if trial.turns[-1].does is not None:
            trial.came(_came(move))
        else:
            trial.say(move)
    return trial


def _today() -> date:
    return now().date()


@router.get("/{name}/trial")
@router.post("/{name}/trial")
async def trial(request: Request, me: Writer, name: str) -> Response:
    """Go through a flow as a customer would, in all renderings at once."""
    form = await typed(request)
    moves = [move for move in form.texts("move") if move.strip()]
    trouble = ""
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "flows")
        row = await _in_use(tx, name)
        shown = (await queries.versions(tx, row.id))[0]
        flow = queries.flow_of(shown.form)
        language = form.text("language") if form.text("language") in flow.languages() else flow.languages()[0]
        try:
            gone = await _tried(tx, flow, shown.number, language, moves)
        except (LookupError, ValueError, AttributeError) as error:
            trouble = _("It does not go on from there: %s") % error
            moves = moves[:-1]
            gone = await _tried(tx, flow, shown.number, language, moves)
        if form.came("keep") and not trouble:
            name_ = form.text("name", longest=120) or _("Test case of %s") % _today().isoformat()
            await actions.keep_trial(tx, me.id, name, _recorded(name_, gone, moves))
            return back(f"/setup/flows/{name}", "saved")
    turn = gone.turns[-1]
    context = {
        "flow": flow,
        "title": flow.called(),
        "spoken": [(one, dict(language_names([one])).get(one, one)) for one in flow.languages()],
        "language": language,
        "moves": moves,
        "shown": [(_(NAMES[one]), gone.rendered(one).as_text(), one) for one in RENDERINGS],
        "asks": turn.asks,
        "options": [(str(n), next(iter(option.words.values()), "")) for n, option in enumerate(turn.asks.options, 1)]
        if turn.asks
        else [],
        "does": turn.does,
        "edges": [lead.label for lead in leads(turn.does.step)] or ["to"] if turn.does else [],
        "ends": turn.ends,
        "slots": [
            (slot, "••••" if slot in gone.state.secrets else value.value) for slot, value in gone.state.slots.items()
        ],
        "way": gone.way,
        "trouble": trouble,
    }
    return page("setup/flow-trial.html", **filled(around, context, {}))


def _recorded(name: str, gone: Trial, moves: Sequence[str]) -> Recorded:
    outside = {step: Answered(came.edge, came.slots, came.told) for step, came in gone.given.items()}
    said = tuple(move for move in moves if not move.startswith("="))
    return Recorded(name, gone.state.language, said, outside, {}, _today().isoformat(), tuple(gone.way), gone.ends)


@router.post("/{name}/trials/{trial_id}/drop", dependencies=[permit("flow.write")])
async def drop(request: Request, name: str, trial_id: int) -> Response:
    """Forget a test case."""
    async with ground_of(request).database.transaction() as tx:
        await actions.drop_trial(tx, name, trial_id)
    return back(f"/setup/flows/{name}", "removed")
