"""Adding a line, step by step: its channel, its address and how it takes in, how answers go out, the test, what becomes
of what comes in.

Every step is kept when it is left, so that it can be gone on with later and no password travels twice. Until the last
step the line is closed; one that takes in only what is sent to it is opened for its test.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from everyline.channel_contract import Channel, LineSettings, Proposes, Shares
from everyline.channel_registry import all_channels, channel
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound, ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.intake.acknowledgements import Acknowledgement, Promise, acknowledgement
from everyline.lines import actions, queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.queries import organisation_name
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.setup import line_form, sharing
from everyline.setup.frame import caller, frame, show
from everyline.setup.lines import choices, visible
from everyline.setup.proposing import PROPOSED_FOR, carried, fitting

router = APIRouter(prefix="/setup/lines")
Writer = Annotated[Me, permit("line.write")]
Step = Literal["address", "heard", "recording", "sending", "test", "work"]

WORDS = {
    "channel": mark("Channel"),
    "address": mark("Address"),
    "heard": mark("What callers hear"),
    "recording": mark("Recording"),
    "sending": mark("Sending"),
    "test": mark("Test"),
    "work": mark("Work"),
}
ALWAYS = frozenset({"channel", "address", "test", "work"})
SAMPLE_NUMBER = 1024  # of the case in the acknowledgement that is shown as an example


def steps_of(kind: type[LineSettings]) -> list[str]:
    """The steps of a channel: those on which it asks for something, and those that every line has."""
    return [step for step in WORDS if step in ALWAYS or line_form.names_of(kind, step)]


def _words_of(step: str, found: object) -> str:
    """What a step is called."""
    return _("Trunk and number") if step == "address" and isinstance(found, Shares) else _(WORDS[step])


def _shown_steps(
    every: list[str], current: str, line_id: int | None, found: Channel | None = None
) -> list[dict[str, Any]]:
    """``{number, text, state, href}`` of each; those of a line that is kept can be gone to."""
    at = every.index(current)
    return [
        {
            "number": number + 1,
            "text": _words_of(step, found),
            "state": "done" if number < at else "current" if number == at else "",
            "href": f"/setup/lines/{line_id}/add/{step}" if line_id and step != "channel" and number != at else "",
        }
        for number, step in enumerate(every)
    ]


@router.get("/new")
async def ask_new(request: Request, me: Writer, channel: str = "") -> Response:
    """Which channel; then its address."""
    known = all_channels()
    if channel and channel not in known:
        raise NotFound(_("There is no such channel."))
    if channel:
        return await step_page(request, me, channel, None, "address")
    steps = _shown_steps([step for step in WORDS if step in ALWAYS], "channel", None)
    return await show(
        request, me, "lines", "line-channel.html", channels=[found.facts for found in known.values()], steps=steps
    )


async def step_page(
    request: Request, me: Me, name: str, row: Row | None, step: str, *, status: int = 200, **more: Any
) -> Response:
    """One step; ``row`` is none while there is no line yet."""
    found = channel(name)
    every, line_id = steps_of(found.settings), row.id if row is not None else None
    at = every.index(step)
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "lines")
        values = line_form.values_of(found.settings, row)
        groups = line_form.fields_of(found.settings, line_form.names_of(found.settings, step))
        context = {
            **await choices(tx, row),
            "channel": found.facts,
            "line": row,
            "step": step,
            "add_steps": _shown_steps(every, step, line_id, found),
            "before": f"/setup/lines/{line_id}/add/{every[at - 1]}" if line_id and at > 1 else "/setup/lines/new",
            "after": f"/setup/lines/{line_id}/add/{every[at + 1]}" if line_id and at + 1 < len(every) else "",
            "groups": [one for one in groups if not sharing.of_trunk(found, one)],
            "trunk_groups": [one for one in groups if sharing.of_trunk(found, one)],
            "trunks": await sharing.trunks(tx, me, found) if row is None else [],
            "kept": line_form.kept_secrets(request, row),
            "again": set(),
            "values": values,
            "said": line_form.said_of(found.settings, values),
            "steps": [],
            "verdict": None,
            "proposes": isinstance(found, Proposes),
            "example": await _example(tx, row) if step == "work" and row is not None else None,
        }
    return page("setup/add-line.html", status=status, **filled(shown, context, more))


async def _example(tx: Tx, row: Row) -> Acknowledgement | None:
    """What a customer who writes now would get at once."""
    queue_id = row.queue_id or await queues.default_queue(tx)
    if queue_id is None or not channel(row.channel).facts.acknowledges:
        return None
    queue = await queues.get(tx, queue_id)
    hours = await queues.opening_hours(tx, queue.hours_id)
    promise = Promise(
        hours, timedelta(seconds=queue.goal_seconds), await queues.usual_answer_seconds(tx, queue_id, hours.zone)
    )
    return acknowledgement(
        promise,
        number=SAMPLE_NUMBER,
        subject=_("A question"),
        organisation=await organisation_name(tx),
        spoken=row.language,
        at=now(),
        channel=row.channel,
    )


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """The first step is kept as a closed line."""
    form, ground = await typed(request), ground_of(request)
    name = form.text("channel")
    if name not in all_channels():
        raise NotFound(_("There is no such channel."))
    kind = channel(name).settings
    try:
        form.done()
        async with ground.database.transaction() as tx:
            line_id = await actions.add(
                tx,
                ground.vault,
                me.id,
                channel_name=name,
                address=form.text("address", longest=320),
                name=form.text("name", longest=200),
                open_now=False,
                settings=line_form.given(form, kind, [*line_form.names_of(kind, "address"), *carried(form, kind)])
                | await sharing.taken_over(tx, ground, me, channel(name), form),
            )
            await audit(
                tx,
                me.id,
                "line.added",
                "line",
                line_id,
                address=caller(request),
                channel=name,
                line=form.text("address"),
            )
    except ProductError as error:
        said = {"values": line_form.shown_again(form, kind), "again": line_form.to_write_again(form, kind)}
        later = {"carried": {one: form.text(one) for one in (PROPOSED_FOR, *carried(form, kind))}}
        return await step_page(request, me, name, None, "address", status=422, **said, **later, **wrong(error))
    return await _go_on(request, me, line_id, "address")


@router.post("/new/propose")
async def propose(request: Request, me: Writer) -> Response:
    """What the channel finds out by the address that is typed: for the script what is to be filled in, else the form again
    with it in the fields that were empty."""
    form = await typed(request)
    name = form.text("channel")
    found: object = channel(name) if name in all_channels() else None
    if not isinstance(found, Proposes):
        raise NotFound(_("There is no such channel."))
    kind, again = channel(name).settings, line_form.to_write_again(form, channel(name).settings)
    kept = line_form.shown_again(form, kind)
    try:
        address = channel(name).normal(form.text("address", longest=320))
    except ValueError as error:
        refused = wrong(Invalid(_("Please look at this again."), {"address": str(error)}))
        if request.headers.get("hx-request"):
            return JSONResponse({"said": refused["errors"]["address"], "values": {}, "carried": {}})
        return await step_page(request, me, name, None, "address", status=422, values=kept, again=again, **refused)
    proposal = await found.propose(address)
    values, later = fitting(form, kind, proposal)
    if request.headers.get("hx-request"):
        return JSONResponse({"said": proposal.found, "values": values, "carried": later})
    kept |= values
    return await step_page(
        request, me, name, None, "address", values=kept, again=again, proposal=proposal, carried=later
    )


@router.get("/{line_id}/add/{step}")
async def ask(request: Request, me: Writer, line_id: int, step: Step) -> Response:
    """One step of a line that is kept."""
    row = await visible(request, me, line_id)
    if step not in steps_of(channel(row.channel).settings):
        raise NotFound(_("There is no such step."))
    return await step_page(request, me, row.channel, row, step)


@router.post("/{line_id}/add/{step}")
async def keep(
    request: Request, me: Writer, line_id: int, step: Literal["address", "heard", "recording", "sending", "work"]
) -> Response:
    """Keep one step and go on; the last one opens the line."""
    form, ground = await typed(request), ground_of(request)
    row = await visible(request, me, line_id)
    kind = channel(row.channel).settings
    try:
        facts: dict[str, Any] = {"open": True, **line_form.where_it_goes(form)} if step == "work" else {}
        if step == "address":
            address = form.text("address", longest=320)
            facts = {"address": address, "name": form.text("name", longest=200) or address}
        if step != "work":
            facts["settings"] = line_form.with_given(row, form, kind, line_form.names_of(kind, step))
        form.done()
        async with ground.database.transaction() as tx:
            await actions.change(tx, ground.vault, me.id, line_id, **facts)
            act = "line.opened" if step == "work" else "line.changed"
            await audit(tx, me.id, act, "line", line_id, address=caller(request))
    except ProductError as error:
        said = {"values": line_form.shown_again(form, kind), "again": line_form.to_write_again(form, kind)}
        return await step_page(request, me, row.channel, row, step, status=422, **said, **wrong(error))
    return back(f"/setup/lines/{line_id}", "line") if step == "work" else await _go_on(request, me, line_id, step)


async def _go_on(request: Request, me: Me, line_id: int, step: str) -> Response:
    """To the step after this one. A line that waits for what is sent to it must be open to be tested."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, line_id)
        every = steps_of(channel(row.channel).settings)
        after = every[every.index(step) + 1]
        if after == "test" and not row.open:
            line = queries.as_channel_sees(row, ground.vault, ground.signer)
            if not line.settings.fetches:
                await actions.change(tx, ground.vault, me.id, line_id, open=True)
                await audit(tx, me.id, "line.opened", "line", line_id, address=caller(request))
    return RedirectResponse(f"/setup/lines/{line_id}/add/{after}", 303)
