"""From draft to reader and back, and what is taken in from elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from everyline.articles import actions, imports
from everyline.articles.api.shapes import ImportAsked, PublishMe, ScheduleAsked, overtaken
from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.people.permit import ground_of


def add_routes(router: APIRouter) -> None:
    """Add them."""

    @router.post("/articles/{article_id}/drafts/{language}/publish", response_model=None)
    async def publish(
        request: Request, article_id: int, language: str, me: PublishMe, revision: int | None = None
    ) -> dict[str, str] | JSONResponse:
        """Show readers the open version; ``revision``: the one that was looked at."""
        try:
            async with ground_of(request).database.transaction() as tx:
                return {"slug": await actions.publish(tx, me.id, article_id, language, revision=revision)}
        except actions.Overtaken as error:
            return overtaken(error)

    @router.put("/articles/{article_id}/drafts/{language}/schedule", status_code=204)
    async def schedule(request: Request, article_id: int, language: str, asked: ScheduleAsked, me: PublishMe) -> None:
        """Have it published then."""
        if asked.at is not None and asked.at.tzinfo is None:
            raise Invalid(_("Say in which zone."), {"at": _("Write a time with its zone, such as 2026-12-01T09:00Z.")})
        async with ground_of(request).database.transaction() as tx:
            await actions.schedule(tx, me.id, article_id, language, asked.at)

    @router.post("/articles/{article_id}/drafts/{language}/send-back", status_code=204)
    async def send_back(request: Request, article_id: int, language: str, me: PublishMe) -> None:
        """It is not good enough yet."""
        async with ground_of(request).database.transaction() as tx:
            await actions.send_back(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/archive", status_code=204)
    async def archive(request: Request, article_id: int, me: PublishMe) -> None:
        """Take it from readers."""
        async with ground_of(request).database.transaction() as tx:
            await actions.archive(tx, me.id, article_id)

    @router.post("/articles/{article_id}/bring-back", status_code=204)
    async def bring_back(request: Request, article_id: int, me: PublishMe) -> None:
        """Show an archived one again."""
        async with ground_of(request).database.transaction() as tx:
            await actions.bring_back(tx, me.id, article_id)

    @router.post("/articles/{article_id}/languages/{language}/withdraw", status_code=204)
    async def withdraw(request: Request, article_id: int, language: str, me: PublishMe) -> None:
        """Take one language from readers."""
        async with ground_of(request).database.transaction() as tx:
            await actions.withdraw(tx, me.id, article_id, language)

    @router.post("/articles/import")
    async def take_in(request: Request, asked: ImportAsked, me: PublishMe) -> dict[str, Any]:
        """Take articles in from one file: Markdown, HTML, or a table of questions and answers."""
        ending = asked.name.lower().rpartition(".")[2]
        if ending in ("csv", "tsv"):
            pieces = list(imports.from_table(asked.content, asked.name))
        elif ending in ("md", "markdown"):
            pieces = [imports.from_markdown(asked.content, asked.name)]
        elif ending in ("html", "htm"):
            pieces = [imports.from_html(asked.content, asked.name)]
        else:
            raise Invalid(_("Its name must end in .md, .html or .csv."), {"name": _("Choose one of these.")})
        async with ground_of(request).database.transaction() as tx:
            done = await imports.take_in(
                tx, me.id, pieces, language=asked.language, category_id=asked.category_id, publish=asked.publish
            )
            await imports.count_words(tx)
        refused = [str(one) for one in done.refused]
        return {"added": done.added, "changed": done.changed, "same": done.same, "refused": refused}
