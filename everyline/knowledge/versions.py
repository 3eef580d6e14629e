"""Versions of an article: which there were, how two of them differ, and one of them taken up again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, working
from everyline.articles.publishing import CONTENT
from everyline.ground.forms import back
from everyline.ground.pages import page
from everyline.knowledge.article import article_frame, known_language, names, working_on
from everyline.knowledge.comparing import parts
from everyline.knowledge.frame import HOME
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]
MOST = 200


@router.get("/{article_id}/{language}/versions")
async def every(
    request: Request, me: Reader, article_id: int, language: str, before: int = 0, after: int = 0, look: str = "inline"
) -> Response:
    """All versions, and how two of them differ: without a choice the newest and the one before it."""
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        context = await article_frame(tx, request, me, found, "versions")
        rows = (await working.versions(tx, article_id, language))[:MOST]
        context["names"] |= await names(tx, {row.changed_by for row in rows} | {row.published_by for row in rows})
        after = after or (rows[0].number if rows else 0)
        before = before or (rows[1].number if len(rows) > 1 else 0)
        compared = []
        if before and after and before != after:
            old = await working.version(tx, article_id, language, before)
            new = await working.version(tx, article_id, language, after)
            compared = parts(*({name: getattr(row, name) for name in CONTENT} for row in (old, new)))
    return page(
        "knowledge/versions.html",
        **context,
        rows=rows,
        before=before,
        after=after,
        look="side" if look == "side" else "inline",
        parts=[part for part in compared if not part.same],
    )


@router.post("/{article_id}/{language}/versions/{number}/restore")
async def restore(request: Request, me: Writer, article_id: int, language: str, number: int) -> Response:
    """Begin a draft with the words of an old version."""
    async with ground_of(request).database.transaction() as tx:
        await actions.restore(tx, me.id, article_id, known_language(language), number)
    return back(f"{HOME}/articles/{article_id}/{language}", "restored")
