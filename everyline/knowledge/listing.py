"""The list of articles, and the form that begins one."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, listing, queries, working
from everyline.articles.listing import Filters
from everyline.articles.queries import PAGE
from everyline.articles.rules import Audience, Kind
from everyline.ground.errors import ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.knowledge.article import agents, house_languages, known_language, names
from everyline.knowledge.frame import (
    AUDIENCES,
    HOME,
    KIND_SYMBOLS,
    KINDS,
    STATES,
    frame,
    options,
    place_options,
)
from everyline.people.permit import ground_of, permit
from everyline.people.queries import installation
from everyline.people.rules import Me

router = APIRouter(prefix=HOME)
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]

NOBODY = "0"  # chosen as the owner: articles that have none
CHOSEN = ("draft", "in review", "published", "scheduled", "archived")


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 19 else None


def filters_of(request: Request, me: Me) -> Filters:
    """What an address asks for; what it says that is no choice is not heard."""
    given = request.query_params
    owner = given.get("owner", "")
    return Filters(
        words=" ".join(given.get("q", "").replace("\x00", "").split())[:200],
        state=given["state"] if given.get("state") in CHOSEN else "",
        category_id=_number(given.get("category", "")),
        owner_id=_number(owner) if owner != NOBODY else None,
        kind=given["kind"] if given.get("kind") in list(Kind) else "",
        tag=given.get("tag", "").replace("\x00", "").strip().lower()[:50],
        language=given.get("language", "").replace("\x00", "")[:12],
        audience=given["audience"] if given.get("audience") in list(Audience) else "",
        stale="stale" in given,
        nobodys=owner == NOBODY,
        spoken=me.language,
    )


@router.get("")
async def every(request: Request, me: Reader) -> Response:
    """The list, the newest first."""
    given = request.query_params
    filters = filters_of(request, me)
    begin = _number(given.get("before", "")) or 0
    async with ground_of(request).database.transaction() as tx:
        rows = await listing.listed(tx, filters, before=begin, most=PAGE + 1)
        more, rows = len(rows) > PAGE, rows[:PAGE]
        current = {"draft": "drafts", "in review": "review"}.get(filters.state, "all")
        if filters.owner_id == me.id:
            current = "mine"
        shown = await frame(tx, request, me, current)
        states = await working.languages_of_all(tx, {row.id: row.language for row in rows}) if rows else {}
        called = await names(tx, {row.owner_id for row in rows} | {row.changed_by for row in rows})
        places = await queries.all_places(tx, me.language)
        spoken = await queries.published_languages(tx)
        tags = await listing.tags(tx)
        everybody = await agents(tx)
    kept = {name: value for name, value in given.items() if name not in ("before", "done") and value}
    return page(
        "knowledge/list.html",
        **shown,
        rows=rows,
        states=states,
        names=called,
        categories=dict(place_options(places)),
        places=place_options(places),
        languages=language_names(dict.fromkeys([*spoken, *([filters.language] if filters.language else [])])),
        tags=tags,
        agents=everybody,
        filters=filters,
        values=kept,
        narrowed=bool(kept),
        kinds=options(KINDS),
        kind_symbols=KIND_SYMBOLS,
        kind_words={kind: _(word) for kind, word in KINDS.items()},
        audiences=options(AUDIENCES),
        audience_words={one: _(word) for one, word in AUDIENCES.items()},
        state_options=[(one, _(STATES[one][0])) for one in CHOSEN],
        nobody=NOBODY,
        older=f"{HOME}?{urlencode({**kept, 'before': rows[-1].id})}" if more else "",
        newer=f"{HOME}?{urlencode(kept)}" if begin else "",
    )


async def _form(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "all")
        places = place_options(await queries.all_places(tx, me.language))
        spoken = await house_languages(tx)
        usual = (await installation(tx))["language"]
    values = {"title": "", "kind": request.query_params.get("kind", Kind.ANSWER), "language": usual}
    values |= {"audience": Audience.PUBLIC, "category_id": ""}
    context = {
        "values": values,
        "kinds": [
            (Kind.ANSWER, _(KINDS[Kind.ANSWER]), _("Text with headings, pictures, tables and whatever else it takes.")),
            (Kind.GUIDE, _(KINDS[Kind.GUIDE]), _("Asks what is the case, and leads step by step to what helps.")),
            (Kind.NEWS, _(KINDS[Kind.NEWS]), _("Stands on the first page of the portal, with its day.")),
        ],
        "audiences": options(AUDIENCES),
        "places": places,
        "languages": language_names(dict.fromkeys([*spoken, usual])),
    }
    return page("knowledge/new.html", status=status, **filled(shown, context, more))


@router.get("/new")
async def ask_new(request: Request, me: Writer) -> Response:
    """The form."""
    return await _form(request, me)


def _typed_again(form: Typed) -> dict[str, Any]:
    return {"values": {name: form.text(name) for name in ("title", "kind", "language", "audience", "category_id")}}


@router.post("/new")
async def begin(request: Request, me: Writer) -> Response:
    """Begin an article."""
    form = await typed(request)
    try:
        title = form.text("title", longest=200, required=True)
        kind, audience = form.one_of("kind", list(Kind)), form.one_of("audience", list(Audience))
        language, category_id = form.text("language", longest=12), form.id("category_id")
        form.done()
        known_language(language)
        async with ground_of(request).database.transaction() as tx:
            article_id = await actions.add(tx, me.id, language, title, kind=kind, audience=audience)
            if category_id is not None:
                await actions.move(tx, me.id, article_id, category_id)
    except ProductError as error:
        return await _form(request, me, status=error.status, **filled(_typed_again(form), wrong(error)))
    return back(f"{HOME}/articles/{article_id}/{language}", "added")
