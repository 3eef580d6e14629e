"""Views, votes, uses, flags and gaps."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from everyline.articles import actions, queries, working
from everyline.articles.api.shapes import (
    ArrangeMe,
    FeedbackAsked,
    FlagAsked,
    GapAsked,
    GapSettled,
    GapShape,
    Made,
    ReadMe,
    UseAsked,
    WriteMe,
)
from everyline.cases.queries import get as get_case
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people.permit import ground_of


def add_routes(router: APIRouter) -> None:
    """Add them."""

    @router.post("/articles/{article_id}/views", status_code=204)
    async def viewed(request: Request, article_id: int, _me: WriteMe, language: str = "en", channel: str = "") -> None:
        """Somebody read it."""
        async with ground_of(request).database.transaction() as tx:
            await actions.viewed(tx, article_id, language, channel=channel)

    @router.post("/articles/{article_id}/feedback", status_code=201)
    async def feedback(request: Request, article_id: int, asked: FeedbackAsked, _me: WriteMe) -> Made:
        """Somebody said whether it helped."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.feedback(tx, article_id, **asked.model_dump()))

    @router.get("/articles/{article_id}/feedback")
    async def all_feedback(request: Request, article_id: int, _me: ReadMe) -> list[dict[str, Any]]:
        """What readers said of it, the newest first."""
        async with ground_of(request).database.transaction() as tx:
            return [row._asdict() for row in await working.feedback(tx, article_id)]

    @router.post("/articles/{article_id}/uses", status_code=201)
    async def used(request: Request, article_id: int, asked: UseAsked, me: WriteMe) -> Made:
        """It was given in an answer."""
        async with ground_of(request).database.transaction() as tx:
            await get_case(tx, me, asked.case_id)
            use_id = await actions.used(
                tx, article_id, asked.case_id, asked.message_id, asked.channel, asked.wording,
                language=asked.language, by=me.id,
            )  # fmt: skip
        return Made(id=use_id)

    @router.post("/articles/{article_id}/flags", status_code=201)
    async def flag(request: Request, article_id: int, asked: FlagAsked, me: WriteMe) -> Made:
        """Say what is wrong with it."""
        async with ground_of(request).database.transaction() as tx:
            flag_id = await actions.flag(
                tx, me.id, article_id, asked.words, language=asked.language, case_id=asked.case_id
            )
        return Made(id=flag_id)

    @router.post("/article-flags/{flag_id}/settle", status_code=204)
    async def settle_flag(request: Request, flag_id: int, me: WriteMe) -> None:
        """It is put right, or was not wrong."""
        async with ground_of(request).database.transaction() as tx:
            await actions.settle_flag(tx, me.id, flag_id)

    @router.get("/gaps")
    async def gaps(request: Request, _me: ReadMe, language: str = "", settled: bool = False) -> list[GapShape]:  # noqa: FBT001, FBT002 -- a query's own
        """What was asked and not found, grouped by what it means, most asked first."""
        async with ground_of(request).database.transaction() as tx:
            rows = await working.gap_groups(tx, language=language, settled=settled)
            return [GapShape.model_validate(row) for row in rows]

    @router.post("/gaps", status_code=201)
    async def found_nothing(request: Request, asked: GapAsked, _me: WriteMe) -> Made:
        """Keep what somebody asked and did not find; answers with its group."""
        given = asked.model_dump()
        async with ground_of(request).database.transaction() as tx:
            group_id = await actions.found_nothing(tx, given.pop("words"), given.pop("language"), **given)
        if group_id is None:
            raise Invalid(_("Nothing was asked."), {"words": _("Write a word of three letters or more.")})
        return Made(id=group_id)

    @router.post("/gaps/{group_id}/article", status_code=201)
    async def write_for_gap(request: Request, group_id: int, me: WriteMe) -> Made:
        """Begin the article that it asks for."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.write_for_gap(tx, me.id, group_id))

    @router.post("/gaps/{group_id}/settle", status_code=204)
    async def settle_gap(request: Request, group_id: int, asked: GapSettled, me: ArrangeMe) -> None:
        """Nothing is to be written, or an article answers it already."""
        async with ground_of(request).database.transaction() as tx:
            if asked.article_id is not None and (await queries.get(tx, asked.article_id)).archived_at is not None:
                raise NotFound(_("There is no such article."))
            await actions.settle_gap(tx, me.id, group_id, article_id=asked.article_id)
