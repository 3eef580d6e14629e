"""What an article is, whose it is, where it stands; and what came back of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, queries, working
from everyline.articles.rules import Audience, Kind
from everyline.cases.queries import get as get_case
from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.knowledge.article import agents, article_frame, known_language, names, working_on
from everyline.knowledge.frame import AUDIENCES, HOME, KINDS, options, place_options
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]
Arranger = Annotated[Me, permit("article.arrange")]
PERIODS = (30, 90, 365)  # days
FIELDS = ("kind", "audience", "category_id", "owner_id", "tags", "products", "position", "review_on", "review_days")
WHERE = {"portal": mark("Portal"), "": mark("Not said")}


async def _about(
    request: Request, me: Me, article_id: int, language: str, *, status: int = 200, **more: Any
) -> Response:
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        article = found.article
        context = await article_frame(tx, request, me, found, "about")
        context |= {
            "kinds": options(KINDS),
            "audiences": options(AUDIENCES),
            "categories": place_options(await queries.all_places(tx, me.language)),
            "agents": await agents(tx, article.owner_id),
            "addresses": await working.addresses(tx, article_id, language),
        }
    values = {name: getattr(article, name) for name in FIELDS}
    values |= {"tags": ", ".join(article.tags), "products": ", ".join(article.products)}
    shown = {"values": {name: "" if value is None else value for name, value in values.items()}}
    return page("knowledge/about.html", status=status, **filled(context, shown, more))


@router.get("/{article_id}/{language}/about")
async def about(request: Request, me: Reader, article_id: int, language: str) -> Response:
    """The form, and the addresses under which it is found."""
    return await _about(request, me, article_id, language)


def _day(form: Typed, name: str) -> date | None:
    words = form.text(name, longest=20)
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        form.errors[name] = _("Write a day such as 2026-12-01.")
        return None


@router.post("/{article_id}/{language}/about")
async def change(request: Request, me: Arranger, article_id: int, language: str) -> Response:
    """Change what it is."""
    form = await typed(request)
    try:
        facts = {
            "kind": form.one_of("kind", list(Kind)),
            "audience": form.one_of("audience", list(Audience)),
            "tags": form.text("tags", longest=2000).split(","),
            "products": form.text("products", longest=2000).split(","),
            "position": form.number("position", -100_000, 100_000),
        }
        on, days = _day(form, "review_on"), form.maybe_number("review_days", 1, 3650)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            article = await queries.get(tx, article_id)
            await actions.move(tx, me.id, article_id, form.id("category_id"))
            await actions.set_owner(tx, me.id, article_id, form.id("owner_id"))
            if (on, days) != (article.review_on, article.review_days):
                await actions.set_review(tx, me.id, article_id, on, every_days=days)
            await actions.describe(tx, me.id, article_id, **facts)
    except ProductError as error:
        if isinstance(error, NotFound) and not form.came("kind"):
            raise
        values = {"values": {name: form.text(name) for name in FIELDS}}
        return await _about(request, me, article_id, language, status=error.status, **filled(values, wrong(error)))
    return back(f"{HOME}/articles/{article_id}/{known_language(language)}/about", "saved")


@router.get("/{article_id}/{language}/heard")
async def heard(request: Request, me: Reader, article_id: int, language: str, days: int = 90) -> Response:
    """Figures, the cases in which it was given, flags, and what readers said."""
    days = days if days in PERIODS else 90
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        context = await article_frame(tx, request, me, found, "heard")
        flags = await working.flags(tx, article_id)
        said = await working.feedback(tx, article_id)
        uses = await working.uses(tx, article_id)
        context["names"] |= await names(tx, {row.agent_id for row in (*flags, *uses)})
        figures = await working.figures(tx, article_id, now().date() - timedelta(days=days))
        cases = await seen_cases(tx, me, {row.case_id for row in (*uses, *flags) if row.case_id is not None})
    counted = ("views", "helped", "not_helped", "deflected", "used")
    return page(
        "knowledge/heard.html",
        **context,
        flags=flags,
        said=said,
        uses=uses,
        cases=cases,
        figures=[(channel_name(row.channel), row) for row in figures],
        together={name: sum(getattr(row, name) for row in figures) for name in counted},
        days=days,
        periods=PERIODS,
        channel_name=channel_name,
    )


def channel_name(name: str) -> str:
    """What a channel, or a place where articles are read, is called."""
    known = all_channels().get(name)
    return _(known.facts.label) if known else _(WHERE[name]) if name in WHERE else name


async def seen_cases(tx: Tx, me: Me, case_ids: set[int]) -> dict[int, Row]:
    """Those of some cases that one may see."""
    found = {}
    for case_id in sorted(case_ids, reverse=True)[:60]:
        try:
            found[case_id] = await get_case(tx, me, case_id)
        except NotFound:
            continue
    return found


@router.post("/{article_id}/{language}/heard")
async def settle(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """A flag is put right, or what a reader said has been looked at."""
    form = await typed(request)
    flag_id, feedback_id = form.id("flag"), form.id("feedback")
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, article_id)
        if flag_id is not None:
            await actions.settle_flag(tx, me.id, flag_id)
        if feedback_id is not None:
            await actions.settle_feedback(tx, me.id, feedback_id)
    return back(f"{HOME}/articles/{article_id}/{known_language(language)}/heard", "settled")
