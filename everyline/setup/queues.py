"""Queues: their goals, who takes from them and what they need; skills; wrap-up codes and away reasons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.ground.errors import ProductError
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people import actions as people_actions
from everyline.people import queries as people
from everyline.people.actions import audit
from everyline.people.models import AwayReason
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries, set_up
from everyline.queues.models import WrapUpCode
from everyline.queues.rules import Strategy
from everyline.setup.frame import back, caller, filled, frame, wrong
from everyline.setup.typed import Typed, typed

router = APIRouter(prefix="/setup")
Writer = Annotated[Me, permit("queue.write")]

STRATEGIES = {
    Strategy.LONGEST_IDLE: (mark("Longest idle"), mark("who has had nothing in hand for longest")),
    Strategy.LEAST_OCCUPIED: (mark("Least occupied"), mark("who has the least in hand")),
    Strategy.MOST_SKILLED: (mark("Most skilled"), mark("who knows best what is needed")),
}
GOAL_UNITS = {"minutes": 60, "hours": 3600}


@router.get("/queues")
async def every_queue(request: Request, me: Writer) -> Response:
    """The list."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        rows, members, waiting = await queries.all_queues(tx), await queries.members(tx), await queries.summary(tx)
        hours = {row.id: row.name for row in await queries.all_hours(tx)}
    return page(
        "setup/queues.html", **shown, queues=rows, members=members, waiting=waiting, hours=hours, strategies=STRATEGIES
    )


async def _queue(request: Request, me: Me, queue_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        row = await queries.get(tx, queue_id) if queue_id is not None else None
        goal = row.goal_seconds if row else 14_400
        unit = "hours" if goal % 3600 == 0 else "minutes"
        values: dict[str, Any] = {
            "name": row.name if row else "",
            "hue": row.hue if row else 0,
            "hours_id": (row.hours_id or "") if row else "",
            "goal": goal // GOAL_UNITS[unit],
            "goal_unit": unit,
            "wrap_up_seconds": row.wrap_up_seconds if row else 0,
            "strategy": row.strategy if row else "longest idle",
            "priority": row.priority if row else 0,
            "signature": row.signature if row else "",
            "speaks": row.speaks if row else True,
            "position": row.position if row else 0,
        }
        skills = await queries.all_skills(tx)
        values |= {f"need-{skill.id}": row.needs.get(str(skill.id), 0) if row else 0 for skill in skills}
        context = {
            "queue": row,
            "values": values,
            "members": (await queries.members(tx)).get(queue_id or 0, set()),
            "agents": [agent for agent in await people.all_agents(tx) if agent.active],
            "skills": [skill for skill in skills if not skill.language],
            "hours": [(hours.id, hours.name) for hours in await queries.all_hours(tx)],
            "strategies": [(str(key), _(words), _(help_words)) for key, (words, help_words) in STRATEGIES.items()],
        }
    return page("setup/queue.html", status=status, **filled(shown, context, more))


def _facts(form: Typed) -> dict[str, Any]:
    unit = form.one_of("goal_unit", GOAL_UNITS, "hours")
    return {
        "name": form.text("name", longest=100),
        "hue": form.number("hue", 0, 11),
        "hours_id": form.id("hours_id"),
        "goal_seconds": form.number("goal", 1, 10_000, 4) * GOAL_UNITS.get(unit, 3600),
        "wrap_up_seconds": form.number("wrap_up_seconds", 0, 7200),
        "strategy": form.one_of("strategy", [str(key) for key in Strategy], "longest idle"),
        "priority": form.number("priority", -5, 5),
        "position": form.number("position", 0, 1000),
        "signature": form.text("signature", longest=4000),
        "speaks": form.yes("speaks"),
        "needs": {
            int(name[5:]): level
            for name in form.values
            if name.startswith("need-") and name[5:].isdecimal() and (level := form.number(name, 0, 5))
        },
    }


def _typed_again(form: Typed) -> dict[str, Any]:
    return {**form.values, "speaks": form.yes("speaks")}


@router.get("/queues/new")
async def ask_new_queue(request: Request, me: Writer) -> Response:
    """The form."""
    return await _queue(request, me, None)


@router.post("/queues")
async def create_queue(request: Request, me: Writer) -> Response:
    """Make a queue with its members."""
    form = await typed(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            queue_id = await set_up.create_queue(tx, me.id, **facts)
            await set_up.set_members(tx, me.id, queue_id, form.ids("member"))
            await audit(tx, me.id, "queue.created", "queue", queue_id, address=caller(request), name=facts["name"])
    except ProductError as error:
        return await _queue(
            request, me, None, status=422, values=_typed_again(form), members=set(form.ids("member")), **wrong(error)
        )
    return back(f"/setup/queues/{queue_id}", "added")


@router.get("/queues/{queue_id}")
async def one_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """The form of one."""
    return await _queue(request, me, queue_id)


@router.post("/queues/{queue_id}")
async def change_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """Change a queue and who takes from it."""
    form = await typed(request)
    try:
        facts = _facts(form)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await set_up.change_queue(tx, me.id, queue_id, **facts)
            await set_up.set_members(tx, me.id, queue_id, form.ids("member"))
            await audit(tx, me.id, "queue.changed", "queue", queue_id, address=caller(request), name=facts["name"])
    except ProductError as error:
        return await _queue(
            request,
            me,
            queue_id,
            status=422,
            values=_typed_again(form),
            members=set(form.ids("member")),
            **wrong(error),
        )
    return back(f"/setup/queues/{queue_id}", "saved")


@router.post("/queues/{queue_id}/retire")
async def retire_queue(request: Request, me: Writer, queue_id: int) -> Response:
    """Take a queue out of use."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await set_up.retire_queue(tx, me.id, queue_id)
            await audit(tx, me.id, "queue.retired", "queue", queue_id, address=caller(request))
    except ProductError as error:
        return await _queue(request, me, queue_id, status=409, **wrong(error))
    return back("/setup/queues", "retired")


# --- skills ----------------------------------------------------------------------------------------------------------


async def _skills(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "skills")
        rows = await queries.all_skills(tx)
    values = {"name": "", "language": ""}
    taken = {row.language for row in rows}
    spoken = [pair for pair in language_names(LIKELY) if pair[0] not in taken]
    return page(
        "setup/skills.html",
        status=status,
        **filled(shown, {"skills": rows, "values": values, "languages": spoken}, more),
    )


@router.get("/skills")
async def every_skill(request: Request, me: Writer) -> Response:
    """The list, and the form to add one."""
    return await _skills(request, me)


@router.post("/skills")
async def add_skill(request: Request, me: Writer) -> Response:
    """Add a skill; a language takes the language's name when it is given none."""
    form = await typed(request)
    try:
        language = form.text("language")
        if language:
            form.one_of("language", LIKELY)
        name = (
            form.text("name", longest=100) or dict(language_names([language])).get(language, "")
            if language
            else form.text("name", longest=100)
        )
        form.done()
        async with ground_of(request).database.transaction() as tx:
            skill_id = await set_up.add_skill(tx, me.id, name, language or None)
            await audit(tx, me.id, "skill.added", "skill", skill_id, address=caller(request), name=name)
    except ProductError as error:
        return await _skills(
            request, me, status=422, values={"name": "", "language": "", **form.values}, **wrong(error)
        )
    return back("/setup/skills", "added")


@router.post("/skills/{skill_id}")
async def change_skill(request: Request, me: Writer, skill_id: int) -> Response:
    """Rename or remove one."""
    form = await typed(request)
    removes = form.yes("remove")
    try:
        async with ground_of(request).database.transaction() as tx:
            if removes:
                await set_up.remove_skill(tx, me.id, skill_id)
            else:
                await set_up.rename_skill(tx, me.id, skill_id, form.text("name", longest=100))
            await audit(
                tx, me.id, "skill.removed" if removes else "skill.changed", "skill", skill_id, address=caller(request)
            )
    except ProductError as error:
        return await _skills(request, me, status=422, trouble=error.message)
    return back("/setup/skills", "removed" if removes else "saved")


# --- wrap-up codes and away reasons ----------------------------------------------------------------------------------


async def _codes(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "codes")
        codes = await tx.rows(
            select(WrapUpCode.__table__)
            .where(WrapUpCode.retired_at.is_(None))
            .order_by(WrapUpCode.position, WrapUpCode.name)
        )
        reasons = await tx.rows(select(AwayReason.__table__).order_by(AwayReason.position, AwayReason.name))
        queues = await queries.all_queues(tx)
    context = {
        "codes": codes,
        "reasons": reasons,
        "queues": [(row.id, row.name) for row in queues],
        "code_errors": {},
        "reason_errors": {},
        "values": {"name": "", "queue_id": ""},
    }
    return page("setup/codes.html", status=status, **filled(shown, context, more))


@router.get("/codes")
async def every_code(request: Request, me: Writer) -> Response:
    """Both lists."""
    return await _codes(request, me)


@router.post("/codes")
async def add_code(request: Request, me: Writer) -> Response:
    """Add a wrap-up code."""
    form = await typed(request)
    try:
        name, queue_id = form.text("name", longest=100), form.id("queue_id")
        form.done()
        async with ground_of(request).database.transaction() as tx:
            code_id = await set_up.add_wrap_up_code(tx, me.id, name, queue_id)
            await audit(tx, me.id, "wrap_up_code.added", "wrap_up_code", code_id, address=caller(request), name=name)
    except ProductError as error:
        return await _codes(
            request, me, status=422, values=form.values, code_errors=wrong(error)["errors"], trouble=error.message
        )
    return back("/setup/codes", "added")


@router.post("/codes/{code_id}/retire")
async def retire_code(request: Request, me: Writer, code_id: int) -> Response:
    """Nobody can choose it any more."""
    async with ground_of(request).database.transaction() as tx:
        await set_up.retire_wrap_up_code(tx, me.id, code_id)
        await audit(tx, me.id, "wrap_up_code.retired", "wrap_up_code", code_id, address=caller(request))
    return back("/setup/codes", "retired")


@router.post("/away-reasons")
async def add_reason(request: Request, me: Writer) -> Response:
    """Add a reason to be away."""
    form = await typed(request)
    try:
        name = form.text("name", longest=60)
        async with ground_of(request).database.transaction() as tx:
            await people_actions.add_away_reason(tx, me.id, name)
            await audit(tx, me.id, "away_reason.added", "away_reason", address=caller(request), name=name)
    except ProductError as error:
        return await _codes(request, me, status=422, reason_errors=wrong(error)["errors"], trouble=error.message)
    return back("/setup/codes#reasons", "added")


@router.post("/away-reasons/{reason_id}/remove")
async def remove_reason(request: Request, me: Writer, reason_id: int) -> Response:
    """Nobody can choose it any more."""
    async with ground_of(request).database.transaction() as tx:
        await people_actions.remove_away_reason(tx, me.id, reason_id)
        await audit(tx, me.id, "away_reason.removed", "away_reason", reason_id, address=caller(request))
    return back("/setup/codes#reasons", "removed")
