"""Queues: their goals, who takes from them, what they ask of agents, and how their entries are split among teams."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.measure.rules import FORMULAS
from everyline.people import queries as people
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import asks, queries, set_up, teams
from everyline.queues.expressions import write
from everyline.queues.rules import Step
from everyline.setup import queue_form
from everyline.setup.frame import caller, frame
from everyline.setup.queue_form import CONDITIONS, EARLIER_AGENT, STRATEGIES

router = APIRouter(prefix="/setup/queues")
Writer = Annotated[Me, permit("queue.write")]

SPLIT_DAYS = 14


@router.get("")
async def every_queue(request: Request, me: Writer) -> Response:
    """The list."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        rows, members, waiting = await queries.all_queues(tx), await queries.members(tx), await queries.summary(tx)
        hours = {row.id: row.name for row in await queries.all_hours(tx)}
        able, names = await asks.abilities(tx, [row.id for row in rows]), await asks.skill_names(tx)
        fits = {row.id: asks.fit(asks.asked_by(row), able.get(row.id, ()), names) for row in rows}
    return page(
        "setup/queues.html",
        **shown,
        queues=rows,
        members=members,
        waiting=waiting,
        hours=hours,
        strategies=STRATEGIES,
        fits=fits,
    )


async def _queue(request: Request, me: Me, queue_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        row = await queries.get(tx, queue_id) if queue_id is not None else None
        parts = await teams.parts_of(tx, queue_id) if queue_id is not None else {}
        context = {
            "queue": row,
            "values": {**await queue_form.shown(tx, row), **queue_form.shown_parts(parts)},
            "members": (await queries.members(tx)).get(queue_id or 0, set()),
            "agents": [agent for agent in await people.all_agents(tx) if agent.active],
            "skills": [
                write({"skill": skill.id, "least": 1}, {skill.id: skill.name}) for skill in await queries.all_skills(tx)
            ],
            "hours": [(hours.id, hours.name) for hours in await queries.all_hours(tx)],
            "strategies": [(str(key), _(words), _(means)) for key, (words, means) in STRATEGIES.items()],
            "earlier": [(key, _(words), _(means)) for key, (words, means) in EARLIER_AGENT.items()],
            "conditions": [(str(key), _(words)) for key, words in CONDITIONS.items()],
            "formulas": [(one.id, f"{one.id}: {_(one.words)} ({_(one.used_by)})") for one in FORMULAS.values()],
            "others": [(one.id, one.name) for one in await queries.all_queues(tx) if one.id != queue_id],
            "teams": await teams.all_teams(tx),
            "shares": teams.sum_of_shares(parts),
            "fits": {},
        }
        if row is not None:
            able, names = (await asks.abilities(tx, [row.id])).get(row.id, ()), await asks.skill_names(tx)
            trees = {"wants": asks.asked_by(row)}
            trees |= {f"step-{at}-wants": step.wants for at, step in enumerate(map(Step.read, row.steps))}
            context["fits"] = {field: asks.fit(tree, able, names) for field, tree in trees.items()}
    return page("setup/queue.html", status=status, **filled(shown, context, more))


def _mistaken(form: Typed, error: ProductError) -> dict[str, Any]:
    """The page again with what was typed; what fitted before is not said of what is typed now."""
    said = wrong(error)
    return {
        "values": queue_form.typed_again(form),
        "members": set(form.ids("member")),
        "fits": {},
        **said,
        "errors": {**said["errors"], **_sentences(form.errors)},
    }


def _sentences(errors: dict[str, str]) -> dict[str, str]:
    return {name: text[:1].upper() + text[1:] for name, text in errors.items()}


@router.get("/new")
async def ask_new_queue(request: Request, me: Writer) -> Response:
    """The form."""
    return await _queue(request, me, None)


@router.post("")
async def create_queue(request: Request, me: Writer) -> Response:
    """Make a queue with its members."""
    form = await typed(request)
    try:
        async with ground_of(request).database.transaction() as tx:
            facts, parts = await queue_form.facts(tx, form), queue_form.parts(form)
            queue_id = await set_up.create_queue(tx, me.id, **facts)
            await _arrange(tx, me, queue_id, form, parts)
            await audit(tx, me.id, "queue.created", "queue", queue_id, address=caller(request), name=facts["name"])
    except ProductError as error:
        return await _queue(request, me, None, status=422, **_mistaken(form, error))
    return back(f"/setup/queues/{queue_id}", "added")


async def _arrange(tx: Tx, me: Me, queue_id: int, form: Typed, parts: dict[int, teams.Part]) -> None:
    await set_up.set_members(tx, me.id, queue_id, form.ids("member"))
    await teams.set_parts(tx, me.id, queue_id, parts)


@router.post("/fits")
async def fits(request: Request, me: Writer, field: str = "wants") -> Response:
    """How many of those who are chosen fit the expression in a field, while it is typed. Nothing is written."""
    form = await typed(request)
    field = field if field in form.values else "wants"
    async with ground_of(request).database.transaction() as tx:
        tree = await queue_form.expression(tx, form, field)
        fit = asks.fit(tree, await asks.abilities_of(tx, form.ids("member")), await asks.skill_names(tx))
    return page("setup/fits.html", fit=fit, error=_sentences(form.errors).get(field, ""), me={"zone": me.zone})


@router.post("/shares")
async def shares(request: Request, me: Writer) -> Response:
    """What the shares that are typed add up to. Nothing is written."""
    form = await typed(request)
    try:
        whole = teams.sum_of_shares(queue_form.parts(form))
    except ProductError:
        whole = None
    return page("setup/shares-sum.html", shares=whole, me={"zone": me.zone})


@router.get("/{queue_id}")
async def one_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """The form of one."""
    return await _queue(request, me, queue_id)


@router.post("/{queue_id}")
async def change_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """Change a queue, who takes from it, and what teams do in it."""
    form = await typed(request)
    try:
        async with ground_of(request).database.transaction() as tx:
            facts, parts = await queue_form.facts(tx, form), queue_form.parts(form)
            await set_up.change_queue(tx, me.id, queue_id, **facts)
            await _arrange(tx, me, queue_id, form, parts)
            shared = {str(team): part.share for team, part in parts.items() if part.share is not None}
            detail = {"shares": shared} if shared else {}
            await audit(
                tx, me.id, "queue.changed", "queue", queue_id, address=caller(request), name=facts["name"], **detail
            )
    except ProductError as error:
        return await _queue(request, me, queue_id, status=422, **_mistaken(form, error))
    return back(f"/setup/queues/{queue_id}", "saved")


@router.post("/{queue_id}/retire")
async def retire_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """Take a queue out of use."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await set_up.retire_queue(tx, me.id, queue_id)
            await audit(tx, me.id, "queue.retired", "queue", queue_id, address=caller(request))
    except ProductError as error:
        return await _queue(request, me, queue_id, status=409, **wrong(error))
    return back("/setup/queues", "retired")


@router.get("/{queue_id}/shares")
async def split(request: Request, me: Writer, queue_id: int, day: str = "") -> Response:
    """Target against what was given: by day, and by interval of one of them."""
    today = now().date()
    chosen = _day(day, today)
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        row = await queries.get(tx, queue_id)
        context = {
            "queue": row,
            "chosen": chosen,
            "names": await teams.names(tx),
            "days": await teams.splits(tx, queue_id, today - timedelta(days=SPLIT_DAYS - 1), today),
            "intervals": await teams.splits(tx, queue_id, chosen, chosen, by_interval=True),
            "shares": teams.sum_of_shares(await teams.parts_of(tx, queue_id)),
        }
    return page("setup/queue-shares.html", **filled(shown, context))


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
