"""What is missing and what is not well: gaps, and the health of what there is. Each with its next step."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import Response

from everyline.articles import actions, finding, queries, working
from everyline.articles.queries import Reader as ArticleReader
from everyline.articles.rules import Audience
from everyline.articles.wordings import NAMES
from everyline.ground.errors import NotFound
from everyline.ground.forms import back, typed
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.knowledge.article import names
from everyline.knowledge.facts import seen_cases
from everyline.knowledge.frame import HOME, frame
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=HOME)
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]
Arranger = Annotated[Me, permit("article.arrange")]
NEAR = 3  # articles that are offered as the answer to a gap
SEARCHED = 10  # groups for which they are looked for
_TITLES = text(
    "select a.id, (select v.title from article_version v where v.article_id = a.id and v.language = a.language "
    "order by v.number desc limit 1) as title from article a where a.id = any(:ids)"
)


@router.get("/gaps")
async def gaps(request: Request, me: Reader, settled: int = 0, language: str = "") -> Response:
    """What was asked and not found, most asked first."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "gaps")
        rows = await working.gap_groups(tx, language=language.replace("\x00", "")[:12], settled=bool(settled))
        cases = await seen_cases(tx, me, {case_id for row in rows for case_id in row.case_ids})
        taken = [row.article_id for row in rows if row.article_id is not None]
        titles = {row.id: row.title for row in await tx.rows(_TITLES, {"ids": taken})}
        near = {}
        for row in [one for one in rows if one.article_id is None][:SEARCHED]:
            reader = ArticleReader(Audience.AGENTS, row.language)
            hits = await finding.find(tx, finding.Asked(row.words, reader, most=NEAR))
            near[row.id] = [(hit.article_id, hit.title) for hit in hits]
    return page(
        "knowledge/gaps.html",
        **shown,
        rows=rows,
        cases=cases,
        titles=titles,
        near=near,
        settled=bool(settled),
        spoken=dict(language_names({row.language for row in rows})),
    )


@router.post("/gaps/{group_id}/write")
async def write(request: Request, me: Writer, group_id: int) -> Response:
    """Begin the article that a gap asks for."""
    async with ground_of(request).database.transaction() as tx:
        article_id = await actions.write_for_gap(tx, me.id, group_id)
        language = (await queries.get(tx, article_id)).language
    return back(f"{HOME}/articles/{article_id}/{language}", "added")


@router.post("/gaps/{group_id}/settle")
async def settle(request: Request, me: Arranger, group_id: int) -> Response:
    """Nothing is to be written, or an article that there is answers it."""
    form = await typed(request)
    article_id = form.id("article_id")
    async with ground_of(request).database.transaction() as tx:
        if article_id is not None and (await queries.get(tx, article_id)).archived_at is not None:
            raise NotFound(_("There is no such article."))
        await actions.settle_gap(tx, me.id, group_id, article_id=article_id)
    return back(f"{HOME}/gaps", "answered" if article_id is not None else "settled")


@router.get("/health")
async def health(request: Request, me: Reader) -> Response:
    """What is not well with the articles."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "health")
        wanted = await queries.published_languages(tx)
        found = await working.health(tx, wanted)
        called = await names(tx, {row.agent_id for row in found.flags})
        titles = {row.id: row.title for row in await tx.rows(_TITLES, {"ids": [row.article_id for row in found.flags]})}
    return page(
        "knowledge/health.html",
        **shown,
        health=found,
        names=called,
        titles=titles,
        spoken=dict(language_names(wanted)),
        wording_words={kind: _(name) for kind, name in NAMES.items()},
        well=not any((found.stale, found.pairs, found.lacking, found.flags, found.nobodys, found.uncompared)),
    )


@router.post("/health/flags/{flag_id}/settle")
async def settle_flag(request: Request, me: Writer, flag_id: int) -> Response:
    """What was wrong is put right, or was not wrong."""
    async with ground_of(request).database.transaction() as tx:
        await actions.settle_flag(tx, me.id, flag_id)
    return back(f"{HOME}/health#flags", "settled")


@router.post("/health/own/{article_id}")
async def own(request: Request, me: Arranger, article_id: int) -> Response:
    """Answer for an article of which nobody does."""
    async with ground_of(request).database.transaction() as tx:
        await actions.set_owner(tx, me.id, article_id, me.id)
    return back(f"{HOME}/health#nobodys", "saved")
