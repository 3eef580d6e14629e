"""Categories as they stand in one another, and words that mean the same."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.articles import actions, queries, rules, working
from everyline.articles.models import Category
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.knowledge.article import house_languages
from everyline.knowledge.frame import HOME, frame, place_options
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=HOME)
Arranger = Annotated[Me, permit("article.arrange")]
SYMBOLS = ("book", "drop", "receipt", "home", "permit", "paw", "ballot", "road", "archive", "calendar", "phone", "info")


async def _row(tx: Tx, category_id: int) -> Row:
    row = await tx.first(select(Category.__table__).where(Category.id == category_id))
    if row is None:
        raise NotFound(_("There is no such category."))
    return row


async def _categories(request: Request, me: Me, category_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "categories")
        row = await _row(tx, category_id) if category_id is not None else None
        places = await queries.all_places(tx, me.language)
        spoken = sorted(language_names(await house_languages(tx)), key=lambda one: one[0] != me.language)
    values: dict[str, Any] = {"parent_id": row.parent_id or "" if row else "", "icon": row.icon if row else ""}
    values["position"] = row.position if row else ""
    for code, _name in spoken:
        values[f"name-{code}"] = row.names.get(code, "") if row else ""
        values[f"remark-{code}"] = row.remarks.get(code, "") if row else ""
    context = {
        "row": row,
        "places": places,
        "parents": place_options(places),
        "spoken": spoken,
        "values": values,
        "symbols": SYMBOLS,
        "heading": row.names.get(me.language) or next(iter(row.names.values())) if row else "",
    }
    return page("knowledge/categories.html", status=status, **filled(shown, context, more))


@router.get("/categories")
async def categories(request: Request, me: Arranger) -> Response:
    """The tree, and the form that adds one."""
    return await _categories(request, me, None)


@router.get("/categories/{category_id}")
async def category(request: Request, me: Arranger, category_id: int) -> Response:
    """The form of one."""
    return await _categories(request, me, category_id)


def _texts(form: Typed, begin: str, codes: list[str], kept: dict[str, str]) -> dict[str, str]:
    """By language; what is kept in one that the form does not ask for stays."""
    given = {code: form.text(f"{begin}-{code}", longest=rules.LONGEST_SUMMARY) for code in codes}
    return {**{code: text for code, text in kept.items() if code not in given}, **given}


def _again(form: Typed, codes: list[str]) -> dict[str, Any]:
    fields = ["parent_id", "icon", "position", *(f"{what}-{code}" for code in codes for what in ("name", "remark"))]
    return {"values": {name: form.text(name) for name in fields}}


@router.post("/categories")
async def add(request: Request, me: Arranger) -> Response:
    """Add a category."""
    return await _keep(request, me, None)


@router.post("/categories/{category_id}")
async def change(request: Request, me: Arranger, category_id: int) -> Response:
    """Change a category, and put it where it was said to stand."""
    return await _keep(request, me, category_id)


async def _keep(request: Request, me: Me, category_id: int | None) -> Response:
    form, ground = await typed(request), ground_of(request)
    async with ground.database.transaction() as tx:
        codes = await house_languages(tx)
        row = await _row(tx, category_id) if category_id is not None else None
    try:
        position = form.maybe_number("position", -100_000, 100_000)
        facts: dict[str, Any] = {
            "names": _texts(form, "name", codes, row.names if row else {}),
            "remarks": _texts(form, "remark", codes, row.remarks if row else {}),
            "icon": form.text("icon", longest=50),
        }
        parent_id = form.id("parent_id")
        form.done()
        async with ground.database.transaction() as tx:
            if category_id is None:
                await actions.add_category(tx, me.id, parent_id=parent_id, position=position, **facts)
            else:
                facts |= {} if position is None else {"position": position}
                await actions.change_category(tx, me.id, category_id, **facts)
                await actions.move_category(tx, me.id, category_id, parent_id)
    except ProductError as error:
        said = filled(_again(form, codes), wrong(error))
        return await _categories(request, me, category_id, status=error.status, **said)
    return back(f"{HOME}/categories", "added" if category_id is None else "saved")


@router.post("/categories/{category_id}/remove")
async def remove(request: Request, me: Arranger, category_id: int) -> Response:
    """Remove an empty category."""
    try:
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_category(tx, me.id, category_id)
    except NotFound:
        raise
    except ProductError as error:
        return await _categories(request, me, category_id, status=error.status, **wrong(error))
    return back(f"{HOME}/categories", "removed")


async def _synonyms(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "synonyms")
        rows = await working.synonyms(tx)
        codes = dict.fromkeys([*await house_languages(tx), *(row.language for row in rows)])
    spoken = language_names(codes)
    context = {
        "rows": rows,
        "languages": spoken,
        "called": dict(spoken),
        "values": {"language": me.language, "words": ""},
    }
    return page("knowledge/synonyms.html", status=status, **filled(shown, context, more))


@router.get("/synonyms")
async def synonyms(request: Request, me: Arranger) -> Response:
    """All of them, and the form that adds one."""
    return await _synonyms(request, me)


@router.post("/synonyms")
async def add_synonym(request: Request, me: Arranger) -> Response:
    """Say that words mean the same."""
    form = await typed(request)
    try:
        language, words = form.text("language", longest=12, required=True), form.text("words", longest=1000)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await actions.add_synonym(tx, me.id, language, words.replace("\n", ",").split(","))
    except ProductError as error:
        typed_again = {"values": {"language": form.text("language"), "words": form.text("words")}}
        return await _synonyms(request, me, status=error.status, **filled(typed_again, wrong(error)))
    return back(f"{HOME}/synonyms", "added")


@router.post("/synonyms/{synonym_id}/remove")
async def remove_synonym(request: Request, me: Arranger, synonym_id: int) -> Response:
    """They do not any more."""
    async with ground_of(request).database.transaction() as tx:
        await actions.remove_synonym(tx, me.id, synonym_id)
    return back(f"{HOME}/synonyms", "removed")
