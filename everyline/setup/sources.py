"""Customer sources: where flows look up, how each is doing, tried on the spot with the step at which it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.selfservice import putting, slots
from everyline.selfservice.slots import Value
from everyline.selfservice.sources import Down, Found, actions, looking, mapping, queries, table
from everyline.selfservice.sources.answers import Step, Tried
from everyline.selfservice.sources.breaker import Stand, stand
from everyline.selfservice.sources.declared import Kind, Secrets, Source
from everyline.selfservice.sources.rules import ADDRESSES
from everyline.setup.frame import caller, frame
from everyline.setup.source_form import KINDS, SLOT_KINDS, fresh, shown_again, source_of, values_of

router = APIRouter(prefix="/setup/sources")
Writer = Annotated[Me, permit("flow.write")]
STEPS = {
    Step.VALUES: mark("What it is asked with"),
    Step.REACH: mark("Reaching it"),
    Step.ANSWER: mark("Its answer"),
    Step.FIELDS: mark("Reading the fields"),
}


@router.get("")
async def every_source(request: Request, me: Writer) -> Response:
    """The list, with how each is doing."""
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "sources")
        rows = await queries.every(tx)
        counts = {row.id: await table.how_many(tx, queries.source_of(row)) for row in rows if row.kind == Kind.TABLE}
    kinds = {kind.value: _(words) for kind, words in KINDS.items()}
    stands = {row.id: _stand(row) for row in rows}
    return page(
        "setup/sources.html", **filled(around, {"rows": rows, "kinds": kinds, "stands": stands, "counts": counts})
    )


def _stand(row: Row) -> Stand:
    return stand(row.opened_at, row.trial_at, row.pause_seconds, now())


async def _form(
    request: Request, me: Me, kind: Kind, source_id: int | None, *, status: int = 200, **more: Any
) -> Response:
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        around = await frame(tx, request, me, "sources")
        row = await queries.get(tx, source_id) if source_id is not None else None
        source = queries.source_of(row) if row is not None else fresh(kind)
        known = await queries.every(tx)
        rows = await table.how_many(tx, source) if row is not None else 0
    health = next((one for one in known if one.id == source_id), None)
    secrets = queries.secrets_of_row(row, ground.vault) if row is not None else Secrets()
    context: dict[str, Any] = {
        "row": row,
        "source": source,
        "kind": source.kind.value,
        "kind_words": _(KINDS[source.kind]),
        "kinds": [(one.value, _(words)) for one, words in KINDS.items()],
        "slot_kinds": [(one.value, _(words)) for one, words in SLOT_KINDS.items()],
        "health": health,
        "stand": _stand(health) if health is not None else "",
        "how_many": rows,
        "has_password": bool(secrets.password),
        "values": values_of(source, secrets),
        "tried": None,
        "given": {},
    }
    return page("setup/source.html", status=status, **filled(around, context, more))


@router.get("/new")
async def ask_new(request: Request, me: Writer) -> Response:
    """The form of a new one, of the kind that is asked for."""
    asked = request.query_params.get("kind", "")
    return await _form(request, me, Kind(asked) if asked in list(Kind) else Kind.HTTP, None)


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add one."""
    form, ground = await typed(request), ground_of(request)
    kind = Kind(form.text("kind")) if form.text("kind") in list(Kind) else Kind.HTTP
    try:
        source, secrets = source_of(form, kind, None, Secrets())
        async with ground.database.transaction() as tx:
            source_id = await actions.add(tx, ground.vault, me.id, source, secrets)
            await _audit(tx, request, me, "customer_source.added", source_id, source.name)
    except ProductError as error:
        return await _form(request, me, kind, None, status=error.status, **_again(form, error))
    return back(f"/setup/sources/{source_id}", "added")


async def _audit(tx: Any, request: Request, me: Me, act: str, source_id: int, name: str) -> None:
    await audit(tx, me.id, act, "customer_source", source_id, address=caller(request), name=name)


def _again(form: Typed, error: ProductError) -> dict[str, Any]:
    return {"values": shown_again(form), **wrong(error)}


@router.get("/{source_id}")
async def one(request: Request, me: Writer, source_id: int) -> Response:
    """One source."""
    return await _form(request, me, Kind.HTTP, source_id)


@router.post("/{source_id}")
async def change(request: Request, me: Writer, source_id: int) -> Response:
    """Change it."""
    form, ground = await typed(request), ground_of(request)
    before = await _get(request, source_id)
    source = queries.source_of(before)
    try:
        source, secrets = source_of(form, source.kind, source, queries.secrets_of_row(before, ground.vault))
        async with ground.database.transaction() as tx:
            await actions.change(tx, ground.vault, me.id, source, secrets)
            await _audit(tx, request, me, "customer_source.changed", source_id, source.name)
    except NotFound:
        raise
    except ProductError as error:
        return await _form(request, me, source.kind, source_id, status=error.status, **_again(form, error))
    return back(f"/setup/sources/{source_id}", "saved")


async def _get(request: Request, source_id: int) -> Row:
    async with ground_of(request).database.transaction() as tx:
        return await queries.get(tx, source_id)


@router.post("/{source_id}/switch")
async def switch(request: Request, me: Writer, source_id: int) -> Response:
    """Have it asked, or not."""
    on = (await typed(request)).yes("on")
    async with ground_of(request).database.transaction() as tx:
        await actions.switch(tx, me.id, source_id, on=on)
        await _audit(tx, request, me, f"customer_source.{'enabled' if on else 'disabled'}", source_id, "")
    return back(f"/setup/sources/{source_id}", "saved")


@router.post("/{source_id}/retire")
async def retire(request: Request, me: Writer, source_id: int) -> Response:
    """Take it out of use."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, source_id)
        await actions.retire(tx, me.id, source_id)
        await _audit(tx, request, me, "customer_source.retired", source_id, row.name)
    return back("/setup/sources", "retired")


# --- trying


@router.post("/{source_id}/try")
async def try_it(request: Request, me: Writer, source_id: int) -> Response:
    """Ask it now, whatever is kept and however it is doing, and show each step."""
    form, ground = await typed(request), ground_of(request)
    source = queries.source_of(await _get(request, source_id))
    row = await queries.by_name(ground.database, source.name)
    if row is None:
        raise NotFound(_("There is no such source."))
    async with ground.database.transaction() as tx:
        await events.record(tx, "customer_source.tried", actor_id=me.id, source_id=source_id)
    values, address = _tried_with(form, source)
    tried = await looking.asked(ground, row, values, source.seconds, address, kept=False, anyway=True)
    secret = {one.slot.name for one in source.inputs if one.slot.secret}
    given = {name: "" if name in secret else form.text(f"try-{name}") for name in (i.slot.name for i in source.inputs)}
    return await _form(request, me, source.kind, source_id, tried=_shown(source, tried), given=given)


def _tried_with(form: Typed, source: Source) -> tuple[dict[str, Value], tuple[str, str] | None]:
    """The values that were typed, and the address that stands for the customer's."""
    values: dict[str, Value] = {}
    address = None
    for one in source.inputs:
        text = form.text(f"try-{one.slot.name}", longest=slots.LONGEST_ANSWER)
        if one.given == "flow":
            values[one.slot.name] = Value(slots.Kind.TEXT, text)
            continue
        try:
            read = mapping.read(replace(one.slot), text)
        except mapping.Nonsense:
            read = None
        address = (ADDRESSES[one.slot.kind], read.value) if read is not None else None
    return values, address


def _shown(source: Source, tried: Tried) -> dict[str, Any]:
    """What came of a trial: each step with whether it was come to, and the values in words."""
    order = list(STEPS)
    reached, failed = order.index(tried.step), isinstance(tried.result, Down)
    steps = []
    for n, step in enumerate(order):
        ended = n == reached and (failed or tried.step is Step.VALUES)
        state = "good" if n < reached or (n == reached and not ended) else "bad" if ended else "none"
        steps.append({"words": _(STEPS[step]), "state": state})
    found = tried.result.slots if isinstance(tried.result, Found) else {}
    return {
        "steps": steps,
        "outcome": type(tried.result).__name__.lower(),
        "reason": tried.result.reason if isinstance(tried.result, Down) else tried.seen if reached == 0 else "",
        "values": [
            (one.slot.name, putting.shown(found[one.slot.name]) if one.slot.name in found else "")
            for one in source.fields
        ],
        "seen": tried.shown if reached else "",
        "milliseconds": tried.milliseconds,
    }
