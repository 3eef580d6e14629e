"""Lines: how they are doing, and the form to add or change one, made from the settings of its channel."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from fastapi import APIRouter, Request
from pydantic.fields import FieldInfo
from sqlalchemy import Row
from starlette.responses import RedirectResponse, Response

from everyline.channel_contract import LineSettings
from everyline.channel_registry import all_channels, channel
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.lines import actions, queries, rules
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.setup.frame import back, caller, filled, frame, show, wrong
from everyline.setup.typed import Typed, typed

router = APIRouter(prefix="/setup/lines")
Reader = Annotated[Me, permit("line.read")]
Writer = Annotated[Me, permit("line.write")]


def seen(me: Me, row: Row[Any]) -> bool:
    """Supervisors see the lines of their queues."""
    return me.sees_queue(row.queue_id)


async def _listed(tx: Tx, me: Me) -> dict[str, Any]:
    names = {queue.id: queue for queue in await queues.all_queues(tx)}
    rows = [row for row in await queries.with_health(tx) if seen(me, row)]
    return {"lines": rows, "queues": names, "channels": {name: found.facts for name, found in all_channels().items()}}


@router.get("")
async def every_line(request: Request, me: Reader) -> Response:
    """The list with the health of each; its table alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        context = await _listed(tx, me)
        if request.headers.get("hx-request"):
            return page("setup/lines-table.html", **context, me={"zone": me.zone})
        shown = await frame(tx, request, me, "lines")
    return page("setup/lines.html", **{**shown, **context})


# --- the form --------------------------------------------------------------------------------------------------------


def _kind(field: FieldInfo) -> tuple[str, list[str]]:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return "choice", [str(value) for value in get_args(annotation)]
    if annotation is bool:
        return "yes", []
    return ("number" if annotation in (int, float) else "text"), []


def fields_of(kind: type[LineSettings]) -> list[dict[str, Any]]:
    """The fields of a channel's settings as the form shows them, by group: ``{title, plain, advanced}``.

    What a field may say of itself stands in the contract: ``group``, ``advanced``, ``long``, ``secret``, ``choices`` (words for each
    value of a choice) and ``when`` (another field and its value, without which this one means nothing).
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, field in kind.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        looks, values = _kind(field)
        words: Any = extra.get("choices") or {}
        when: Any = extra.get("when") or {}
        one = {
            "name": name,
            "label": _(field.title or name),
            "help": _(field.description) if field.description else "",
            "looks": looks,
            "options": [(value, _(words[value]) if value in words else value) for value in values],
            "secret": rules.is_secret(kind, name),
            "long": looks == "text" and (bool(extra.get("long")) or "key" in name.split("_")),
            "when": " ".join(f"{other}={value}" for other, value in when.items()),
        }
        title = str(extra.get("group") or "")
        found = groups.setdefault(title, {"title": _(title) if title else "", "plain": [], "advanced": []})
        found["advanced" if extra.get("advanced") else "plain"].append(one)
    for found in groups.values():
        found["rows"] = _rows(found["plain"])
    return list(groups.values())


def _rows(fields: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What belongs together stands in one row: a host and its port, a name and its password."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for field in fields:
        kind, before = field["name"].rpartition("_")[2], rows[-1][1][-1]["name"].rpartition("_")[2] if rows else ""
        if (before, kind) in (("host", "port"), ("user", "password")):
            rows[-1] = ("pair" if kind == "port" else "pair even", [*rows[-1][1], field])
        else:
            rows.append(("", [field]))
    return rows


def _given(form: Typed, kind: type[LineSettings]) -> dict[str, Any]:
    """The settings as they were typed. A box that is not checked does not come at all; what was left out has its default."""
    given: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        looks, _values = _kind(field)
        if looks == "yes":
            given[name] = form.yes(name)
        elif form.text(name) or (looks == "text" and form.came(name)):
            given[name] = form.text(name)
    return given


async def line_page(
    request: Request, me: Me, name: str, row: Row[Any] | None, *, status: int = 200, **more: Any
) -> Response:
    """The form of a line of channel ``name``; ``row`` is none for a new one."""
    found, ground = channel(name), ground_of(request)
    async with ground.database.transaction() as tx:
        shown = await frame(tx, request, me, "lines")
        every = await queries.with_health(tx)
        context = {
            "channel": found.facts,
            "groups": fields_of(found.settings),
            "queues": [(queue.id, queue.name) for queue in await queues.all_queues(tx)],
            "hours": [(hours.id, hours.name) for hours in await queues.all_hours(tx)],
            "others": [(line.id, line.name) for line in every if row is None or line.id != row.id],
            "languages": language_names(LIKELY),
            "line": next((line for line in every if row is not None and line.id == row.id), None),
            "kept": _kept(request, row),
            "steps": [],
            "test_now": request.query_params.get("test") == "1",
        }
    defaults = {key: field.default for key, field in found.settings.model_fields.items()}
    facts = {
        "name": "",
        "address": "",
        "language": shown["me"].get("language", "en"),
        "queue_id": "",
        "hours_id": "",
        "answer_line_id": "",
        "per_minute": 120,
    }
    if row is not None:
        facts |= {key: getattr(row, key) if getattr(row, key) is not None else "" for key in facts}
    values = {**defaults, **(row.settings if row is not None else {}), **facts}
    return page("setup/line.html", status=status, **filled(shown, context, {"values": values}, more))


def _kept(request: Request, row: Row[Any] | None) -> set[str]:
    """The names of the secrets that a line has; their values stay where they are."""
    if row is None or not row.secrets:
        return set()
    ground = ground_of(request)
    line = queries.as_channel_sees(row, ground.vault, ground.signer)
    return {
        name
        for name in type(line.settings).model_fields
        if rules.is_secret(type(line.settings), name) and getattr(line.settings, name)
    }


def _shown_again(form: Typed, kind: type[LineSettings]) -> dict[str, Any]:
    """What was typed, without secrets: they are not sent back, not even to who typed them."""
    return {
        **dict.fromkeys(kind.model_fields, ""),
        **{
            name: value
            for name, value in form.values.items()
            if name not in kind.model_fields or not rules.is_secret(kind, name)
        },
    }


@router.get("/new")
async def ask_new(request: Request, me: Writer, channel: str = "") -> Response:
    """Which channel; then its form."""
    known = all_channels()
    if not channel and len(known) == 1:
        channel = next(iter(known))
    if not channel:
        return await show(request, me, "lines", "line-channel.html", channels=[found.facts for found in known.values()])
    if channel not in known:
        raise NotFound(_("There is no such channel."))
    return await line_page(request, me, channel, None)


async def _visible(request: Request, me: Me, line_id: int) -> Row[Any]:
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, line_id)
    if not seen(me, row):
        raise NotFound(_("There is no such line."))
    return row


def _facts(form: Typed) -> dict[str, Any]:
    return {
        "name": form.text("name", longest=200),
        "language": form.one_of("language", LIKELY, "en"),
        "queue_id": form.id("queue_id"),
        "hours_id": form.id("hours_id"),
        "answer_line_id": form.id("answer_line_id"),
    }


@router.post("")
async def add(request: Request, me: Writer) -> Response:
    """Add a line, then test it."""
    form, ground = await typed(request), ground_of(request)
    name = form.text("channel")
    if name not in all_channels():
        raise NotFound(_("There is no such channel."))
    kind = channel(name).settings
    try:
        facts, per_minute = _facts(form), form.number("per_minute", 1, 100_000, 120)
        form.done()
        async with ground.database.transaction() as tx:
            line_id = await actions.add(
                tx,
                ground.vault,
                me.id,
                channel_name=name,
                address=form.text("address", longest=320),
                settings=_given(form, kind),
                **facts,
            )
            await actions.change(tx, ground.vault, me.id, line_id, per_minute=per_minute)
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
        return await line_page(request, me, name, None, status=422, values={**_shown_again(form, kind)}, **wrong(error))
    return RedirectResponse(f"/setup/lines/{line_id}?done=added&test=1", 303)


@router.get("/{line_id}")
async def one_line(request: Request, me: Reader, line_id: int) -> Response:
    """Its health, its test and, for admins, its form."""
    row = await _visible(request, me, line_id)
    return await line_page(request, me, row.channel, row)


@router.get("/{line_id}/health")
async def health(request: Request, me: Reader, line_id: int) -> Response:
    """How it is doing, alone for a live refresh."""
    async with ground_of(request).database.transaction() as tx:
        line = next((line for line in await queries.with_health(tx) if line.id == line_id and seen(me, line)), None)
    if line is None:
        raise NotFound(_("There is no such line."))
    return page("setup/line-health.html", line=line, me={"zone": me.zone})


@router.post("/{line_id}")
async def change(request: Request, me: Writer, line_id: int) -> Response:
    """Change a line; secrets left empty stay as they are."""
    form, ground = await typed(request), ground_of(request)
    row = await _visible(request, me, line_id)
    kind = channel(row.channel).settings
    try:
        facts, per_minute = _facts(form), form.number("per_minute", 1, 100_000, 120)
        form.done()
        async with ground.database.transaction() as tx:
            await actions.change(
                tx,
                ground.vault,
                me.id,
                line_id,
                settings=_given(form, kind),
                address=form.text("address", longest=320),
                per_minute=per_minute,
                **{**facts, "name": facts["name"] or form.text("address")},
            )
            await audit(tx, me.id, "line.changed", "line", line_id, address=caller(request), line=form.text("address"))
    except ProductError as error:
        return await line_page(
            request, me, row.channel, row, status=422, values=_shown_again(form, kind), **wrong(error)
        )
    return back(f"/setup/lines/{line_id}{'?test=1' if form.yes('test') else ''}", "saved")


@router.post("/{line_id}/{verb}")
async def move(request: Request, me: Writer, line_id: int, verb: Literal["open", "close", "retire"]) -> Response:
    """Open, close, or take out of use for good."""
    await _visible(request, me, line_id)
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        if verb == "retire":
            await actions.retire(tx, me.id, line_id)
        else:
            await actions.change(tx, ground.vault, me.id, line_id, open=verb == "open")
        await audit(
            tx,
            me.id,
            {"open": "line.opened", "close": "line.closed", "retire": "line.retired"}[verb],
            "line",
            line_id,
            address=caller(request),
        )
    if verb == "retire":
        return back("/setup/lines", "retired")
    return back(f"/setup/lines/{line_id}", "opened" if verb == "open" else "closed")
