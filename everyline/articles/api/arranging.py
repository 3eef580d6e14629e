"""What an article is and where it stands; categories and synonyms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from everyline.articles import actions, queries, working
from everyline.articles.api.shapes import (
    ArrangeMe,
    ArticleChange,
    ArticleWhole,
    Below,
    CategoryAsked,
    CategoryChange,
    Made,
    PlaceShape,
    ReadMe,
    SynonymAsked,
    place_shape,
    whole,
)
from everyline.people.permit import ground_of


def add_routes(router: APIRouter) -> None:
    """Add them."""

    @router.patch("/articles/{article_id}")
    async def change(request: Request, article_id: int, asked: ArticleChange, me: ArrangeMe) -> ArticleWhole:
        """Change what an article is, where it stands and whose it is."""
        given = asked.model_dump(exclude_unset=True)
        async with ground_of(request).database.transaction() as tx:
            if "category_id" in given:
                await actions.move(tx, me.id, article_id, given.pop("category_id"))
            if "owner_id" in given:
                await actions.set_owner(tx, me.id, article_id, given.pop("owner_id"))
            if "review_on" in given or "review_days" in given:
                row = await queries.get(tx, article_id)
                on, days = given.pop("review_on", row.review_on), given.pop("review_days", row.review_days)
                await actions.set_review(tx, me.id, article_id, on, every_days=days)
            given = {name: value for name, value in given.items() if value is not None}
            if given:
                await actions.describe(tx, me.id, article_id, **given)
            return whole(await queries.get(tx, article_id), await working.languages_of(tx, article_id))

    @router.get("/article-categories")
    async def categories(request: Request, _me: ReadMe, language: str = "en") -> list[PlaceShape]:
        """All categories as they stand in one another."""
        async with ground_of(request).database.transaction() as tx:
            return [place_shape(place) for place in await queries.all_places(tx, language)]

    @router.post("/article-categories", status_code=201)
    async def add_category(request: Request, asked: CategoryAsked, me: ArrangeMe) -> Made:
        """Make a category, with its names by language."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.add_category(tx, me.id, **asked.model_dump()))

    @router.patch("/article-categories/{category_id}", status_code=204)
    async def change_category(request: Request, category_id: int, asked: CategoryChange, me: ArrangeMe) -> None:
        """Change a category; what is not named stays."""
        given = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
        async with ground_of(request).database.transaction() as tx:
            await actions.change_category(tx, me.id, category_id, **given)

    @router.post("/article-categories/{category_id}/move", status_code=204)
    async def move_category(request: Request, category_id: int, asked: Below, me: ArrangeMe) -> None:
        """Put a category into another, or at the top (null). 422 when it would stand in itself."""
        async with ground_of(request).database.transaction() as tx:
            await actions.move_category(tx, me.id, category_id, asked.parent_id)

    @router.delete("/article-categories/{category_id}", status_code=204)
    async def remove_category(request: Request, category_id: int, me: ArrangeMe) -> None:
        """Remove an empty category."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_category(tx, me.id, category_id)

    @router.get("/article-synonyms")
    async def synonyms(request: Request, _me: ReadMe, language: str = "") -> list[dict[str, Any]]:
        """Words that mean the same in this house."""
        async with ground_of(request).database.transaction() as tx:
            return [row._asdict() for row in await working.synonyms(tx, language)]

    @router.post("/article-synonyms", status_code=201)
    async def add_synonym(request: Request, asked: SynonymAsked, me: ArrangeMe) -> Made:
        """Say that words mean the same."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.add_synonym(tx, me.id, asked.language, asked.words))

    @router.delete("/article-synonyms/{synonym_id}", status_code=204)
    async def remove_synonym(request: Request, synonym_id: int, me: ArrangeMe) -> None:
        """They no longer do."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_synonym(tx, me.id, synonym_id)
