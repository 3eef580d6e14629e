"""Skills: what agents can, and what needs it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import back, filled, typed, wrong
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import abilities, asks, queries
from everyline.queues.models import Skill
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup")
Writer = Annotated[Me, permit("queue.write")]


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
            skill_id = await abilities.add_skill(tx, me.id, name, language or None)
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
                await abilities.remove_skill(tx, me.id, skill_id)
            else:
                await abilities.rename_skill(tx, me.id, skill_id, form.text("name", longest=100))
            await audit(
                tx, me.id, "skill.removed" if removes else "skill.changed", "skill", skill_id, address=caller(request)
            )
    except ProductError as error:
        return await _skills(request, me, status=422, trouble=error.message)
    return back("/setup/skills", "removed" if removes else "saved")


@router.get("/skills/{skill_id}/remove")
async def ask_removal(request: Request, me: Writer, skill_id: int) -> Response:
    """Where a skill is needed, before it is removed."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "skills")
        row = await tx.first(select(Skill.__table__).where(Skill.id == skill_id))
        if row is None:
            raise NotFound(_("There is no such skill."))
        needed = await asks.where_needed(tx, skill_id)
    return page("setup/skill-removal.html", **filled(shown, {"skill": row, "needed": needed}))
