"""Brands: under which names, domains and colours customers see the organisation, in which languages, and over which lines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.articles import queries as articles
from everyline.channel_registry import channel
from everyline.customers import brands, colours
from everyline.ground.errors import Invalid, NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, languages
from everyline.lines import queries as lines
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/brands")
Housekeeper = Annotated[Me, permit("installation.write")]

NEW = {"name": "", "domain": "", "greeting": "", "about": "", "colour": "#0061b8"}


@router.get("")
async def every_brand(request: Request, me: Housekeeper) -> Response:
    """The list."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        shown = await frame(tx, request, me, "brands")
        rows = await brands.every(tx)
        first = (await brands.shown(tx))[0]
    looks = {row.id: colours.shades(row.hue, round(row.chroma, 3)) for row in rows}
    context: dict[str, Any] = {"brands": rows, "looks": looks, "first": first, "address": ground.settings.address}
    return page("setup/brands.html", **shown, **context)


async def _brand(request: Request, me: Me, brand_id: int | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "brands")
        row = await brands.get(tx, brand_id) if brand_id is not None else None
        every_line = await lines.with_health(tx)
        places = await articles.all_places(tx, me.language)
        first = (await brands.shown(tx))[0]
    values = (
        {name: getattr(row, name) or "" for name in NEW} if row else {**NEW, "name": "" if first.id else first.name}
    )
    chosen = {
        "languages": list(row.languages) if row else list(languages()),
        "line_ids": set(row.line_ids) if row else set(),
        "category_ids": set(row.category_ids) if row else set(),
    }
    context = {
        "row": row,
        "values": {**values, **chosen},
        "spoken": language_names(languages()),
        "places": places,
        "lines": [(line, channel(line.channel).facts) for line in every_line],
        "look": colours.shades(row.hue, round(row.chroma, 3)) if row else None,
        "usual": "en",
        "address": ground_of(request).settings.address,
    }
    return page("setup/brand.html", status=status, **filled(shown, context, more))


def _typed_again(form: Typed) -> dict[str, Any]:
    values = {name: form.text(name) for name in NEW}
    chosen = {name: set(form.ids(name)) for name in ("line_ids", "category_ids")}
    return {"values": {**values, "languages": form.texts("languages"), **chosen}}


async def _facts(request: Request, form: Typed, upload: Any) -> dict[str, Any]:
    """What was typed, and the logo, kept."""
    usual = form.text("usual")
    spoken = [one for one in form.texts("languages") if one in languages()]
    facts: dict[str, Any] = {
        "name": form.text("name", longest=100, required=True),
        "domain": form.text("domain", longest=253),
        "greeting": form.text("greeting", longest=120),
        "about": form.text("about", longest=1000),
        "colour": form.text("colour", longest=7),
        "languages": sorted(spoken, key=lambda one: one != usual),
        "line_ids": form.ids("line_ids"),
        "category_ids": form.ids("category_ids"),
    }
    if not spoken:
        form.errors["languages"] = _("Choose at least one.")
    if form.yes("no_logo"):
        facts |= {"logo_hash": "", "logo_type": ""}
    elif isinstance(upload, UploadFile) and upload.filename:
        content = await upload.read(brands.LARGEST_LOGO + 1)
        try:
            facts["logo_type"] = brands.picture_type(content)
            facts["logo_hash"] = await ground_of(request).files.put(content)
        except ValueError as error:
            form.errors["logo"] = str(error)
    form.done()
    return facts


@router.get("/new")
async def ask_new(request: Request, me: Housekeeper) -> Response:
    """The form."""
    return await _brand(request, me, None)


@router.post("")
async def add(request: Request, me: Housekeeper) -> Response:
    """Add a brand."""
    return await _keep(request, me, None)


@router.get("/{brand_id}")
async def one(request: Request, me: Housekeeper, brand_id: int) -> Response:
    """The form of one."""
    return await _brand(request, me, brand_id)


@router.post("/{brand_id}")
async def change(request: Request, me: Housekeeper, brand_id: int) -> Response:
    """Change a brand."""
    return await _keep(request, me, brand_id)


async def _keep(request: Request, me: Me, brand_id: int | None) -> Response:
    form, uploads = await typed(request), await request.form()
    try:
        facts = await _facts(request, form, uploads.get("logo"))
        async with ground_of(request).database.transaction() as tx:
            if brand_id is None:
                kept = await brands.add(tx, me.id, **facts)
            else:
                kept = brand_id
                await brands.change(tx, me.id, brand_id, **facts)
            act = "brand.added" if brand_id is None else "brand.changed"
            await audit(
                tx, me.id, act, "brand", kept, address=caller(request), name=facts["name"], domain=facts["domain"]
            )
    except NotFound:
        raise
    except ProductError as error:
        said = wrong(error) if isinstance(error, Invalid) else {**wrong(error), "errors": {"domain": error.message}}
        return await _brand(request, me, brand_id, status=error.status, **_typed_again(form), **said)
    finally:
        await uploads.close()
    request.app.state.brands.forget()
    return back(f"/setup/brands/{kept}", "added" if brand_id is None else "saved")


@router.post("/{brand_id}/retire")
async def retire(request: Request, me: Housekeeper, brand_id: int) -> Response:
    """Take a brand out of use."""
    async with ground_of(request).database.transaction() as tx:
        await brands.retire(tx, me.id, brand_id)
        await audit(tx, me.id, "brand.retired", "brand", brand_id, address=caller(request))
    request.app.state.brands.forget()
    return back("/setup/brands", "retired")
