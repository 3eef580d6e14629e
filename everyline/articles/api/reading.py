"""What readers and writers look at: lists, search, versions, figures, health."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from everyline.articles import finding, listing, queries, rules, wordings, working
from everyline.articles.api.shapes import (
    ArticleRow,
    ArticleWhole,
    Audience,
    FindingShape,
    HitShape,
    Language,
    ReadMe,
    ShownShape,
    VersionShape,
    WordingAsked,
    WordingKind,
    reader_of,
    shown_shape,
    whole,
)
from everyline.articles.finding import Asked as Search
from everyline.articles.queries import Moved, Shown
from everyline.articles.wordings import Wording
from everyline.ground.clock import now
from everyline.people.permit import ground_of


def add_routes(router: APIRouter) -> None:
    """Add them."""

    @router.get("/articles")
    async def articles(
        request: Request,
        _me: ReadMe,
        q: Annotated[str, Query(description="A part of the title.")] = "",
        state: Literal["", "draft", "in review", "published", "scheduled", "archived"] = "",
        category_id: int | None = None,
        owner_id: int | None = None,
        kind: str = "",
        tag: str = "",
        after: int = 0,
    ) -> dict[str, Any]:
        """Articles by id, page by page, with their title in the language they are written in."""
        filters = listing.Filters(q, state, category_id, owner_id, kind, tag)
        async with ground_of(request).database.transaction() as tx:
            rows = await listing.listed(tx, filters, after=after)
        items = [ArticleRow.model_validate(row) for row in rows]
        return {"items": items, "after": str(items[-1].id) if len(items) == queries.PAGE else None}

    @router.get("/articles/find")
    async def find(
        request: Request,
        me: ReadMe,
        q: str,
        language: str = "",
        audience: Audience = "agents",
        otherwise: str = "",
        most: Annotated[int, Query(ge=1, le=50)] = 8,
    ) -> list[HitShape]:
        """Search by words and by meaning, as readers of an audience would find it."""
        async with ground_of(request).database.transaction() as tx:
            reader = reader_of(me, language, audience)
            hits = await finding.find(tx, Search(q, reader, most=most, otherwise=otherwise))
        return [
            HitShape(
                article_id=hit.article_id,
                language=hit.language,
                slug=hit.slug,
                title=str(hit.title),
                extract=str(hit.extract),
                score=hit.score,
                kind=hit.kind,
                useful=hit.useful,
            )
            for hit in hits
        ]

    @router.get("/articles/shown/{slug}")
    async def shown(request: Request, slug: str, me: ReadMe, audience: Audience = "agents") -> ShownShape:
        """A published article under its name, or an old one of its names."""
        reader = reader_of(me, "", audience)
        async with ground_of(request).database.transaction() as tx:
            found = await queries.shown(tx, reader, slug)
            if isinstance(found, Moved):
                found = await queries.shown(tx, reader, found.slug)
        assert isinstance(found, Shown)
        return shown_shape(found)

    @router.get("/articles/files/{file_id}")
    async def file(request: Request, file_id: int, me: ReadMe) -> Response:
        """The content of a file, to be kept and never shown by a browser as a page."""
        ground = ground_of(request)
        async with ground.database.transaction() as tx:
            found = await queries.shown_file(tx, reader_of(me, ""), file_id)
        headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
        return Response(await ground.files.read(found.file_hash), media_type=found.content_type, headers=headers)

    @router.get("/articles/{article_id}")
    async def article(request: Request, article_id: int, _me: ReadMe) -> ArticleWhole:
        """An article with how far each of its languages is."""
        async with ground_of(request).database.transaction() as tx:
            return whole(await queries.get(tx, article_id), await working.languages_of(tx, article_id))

    @router.get("/articles/{article_id}/versions")
    async def versions(request: Request, article_id: int, language: Language, _me: ReadMe) -> list[VersionShape]:
        """Every version in one language, the newest first."""
        async with ground_of(request).database.transaction() as tx:
            await queries.get(tx, article_id)
            return [VersionShape.model_validate(row) for row in await working.versions(tx, article_id, language)]

    @router.get("/articles/{article_id}/difference")
    async def difference(
        request: Request, article_id: int, language: Language, before: int, after: int, _me: ReadMe
    ) -> list[dict[str, str]]:
        """The texts of two versions compared by lines: same, gone, new."""
        async with ground_of(request).database.transaction() as tx:
            old = await working.version(tx, article_id, language, before)
            new = await working.version(tx, article_id, language, after)
        return [{"mark": line.mark, "text": line.text} for line in rules.difference(old.text, new.text)]

    @router.get("/articles/{article_id}/wordings/{kind}")
    async def wording(
        request: Request, article_id: int, kind: WordingKind, _me: ReadMe, language: str = "en"
    ) -> dict[str, Any]:
        """The text of a published article for one way of giving it, and what is doubtful about it."""
        async with ground_of(request).database.transaction() as tx:
            text = await queries.wording(tx, article_id, kind, language)
        found = wordings.lint(Wording(kind), text)
        return {"text": text, "findings": [FindingShape.model_validate(one) for one in found]}

    @router.post("/articles/lint")
    async def lint(asked: WordingAsked, _me: ReadMe) -> list[FindingShape]:
        """What is wrong with a wording that is being written."""
        return [FindingShape.model_validate(one) for one in wordings.lint(Wording(asked.kind), asked.text)]

    @router.get("/articles/{article_id}/figures")
    async def figures(
        request: Request, article_id: int, _me: ReadMe, days: Annotated[int, Query(ge=1, le=3660)] = 90
    ) -> list[dict[str, Any]]:
        """Views, votes, deflected and used of the last days, by channel."""
        async with ground_of(request).database.transaction() as tx:
            await queries.get(tx, article_id)
            rows = await working.figures(tx, article_id, now().date() - timedelta(days=days))
        return [row._asdict() for row in rows]

    @router.get("/articles-health")
    async def health(request: Request, _me: ReadMe, languages: str = "en") -> dict[str, Any]:
        """Stale articles, pairs that say nearly the same, what is missing, open flags. Languages are separated by commas."""
        wanted = [one.strip() for one in languages.split(",") if one.strip()]
        async with ground_of(request).database.transaction() as tx:
            found = await working.health(tx, wanted)
        return {
            "stale": [
                {
                    "article_id": row.article_id,
                    "language": row.language,
                    "title": row.title,
                    "review_was_on": why.review_was_on,
                    "not_helped": why.not_helped,
                    "voted": why.voted,
                }
                for row, why in found.stale
            ],
            "pairs": found.pairs,
            "lacking": found.lacking,
            "flags": [
                {"id": row.id, "article_id": row.article_id, "words": row.words, "at": row.at} for row in found.flags
            ],
        }
