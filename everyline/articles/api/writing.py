"""Drafts, translations, files, and what is doubtful about a text."""

from __future__ import annotations

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import JSONResponse

from everyline.articles import actions, guides, rules
from everyline.articles.api.shapes import (
    ArticleAsked,
    Made,
    ReadMe,
    VersionShape,
    WordingAsked,
    Write,
    WriteMe,
    overtaken,
)
from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.people.permit import ground_of


def add_routes(router: APIRouter) -> None:
    """Add them."""

    @router.post("/articles", status_code=201)
    async def add(request: Request, asked: ArticleAsked, me: WriteMe) -> Made:
        """Begin an article; with ``publish`` readers see it at once."""
        if asked.publish and not me.may("article.publish"):
            raise Invalid(_("You may write it, and somebody else publishes it."), {"publish": _("Leave it out.")})
        content = {name: value for name, value in asked.given().items() if name != "title"}
        async with ground_of(request).database.transaction() as tx:
            article_id = await actions.add(
                tx, me.id, asked.language, asked.title, kind=asked.kind, audience=asked.audience,
                category_id=asked.category_id, tags=asked.tags, products=asked.products, **content,
            )  # fmt: skip
            if asked.publish:
                await actions.publish(tx, me.id, article_id, asked.language)
        return Made(id=article_id)

    @router.post("/articles/{article_id}/drafts/{language}", status_code=201)
    async def open_draft(request: Request, article_id: int, language: str, me: WriteMe) -> VersionShape:
        """The version to write on, in this language: a translation begins with the words it is made of."""
        async with ground_of(request).database.transaction() as tx:
            return VersionShape.model_validate(await actions.open_draft(tx, me.id, article_id, language))

    @router.put("/articles/{article_id}/drafts/{language}", response_model=None)
    async def write(
        request: Request, article_id: int, language: str, asked: Write, me: WriteMe
    ) -> dict[str, int] | JSONResponse:
        """Write on it. 409 tells what somebody else has written since, and the difference; nothing is lost."""
        try:
            async with ground_of(request).database.transaction() as tx:
                return {
                    "revision": await actions.write(tx, me.id, article_id, language, asked.revision, **asked.given())
                }
        except actions.Overtaken as error:
            return overtaken(error)

    @router.delete("/articles/{article_id}/drafts/{language}", status_code=204)
    async def drop(request: Request, article_id: int, language: str, me: WriteMe) -> None:
        """Give a draft up; it stays among the past versions."""
        async with ground_of(request).database.transaction() as tx:
            await actions.drop_draft(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/drafts/{language}/review", status_code=204)
    async def review(request: Request, article_id: int, language: str, me: WriteMe) -> None:
        """It is written: somebody who may publish looks at it."""
        async with ground_of(request).database.transaction() as tx:
            await actions.send_to_review(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/versions/{language}/{number}/restore", status_code=201)
    async def restore(request: Request, article_id: int, language: str, number: int, me: WriteMe) -> VersionShape:
        """Begin a draft with the words of an old version."""
        async with ground_of(request).database.transaction() as tx:
            return VersionShape.model_validate(await actions.restore(tx, me.id, article_id, language, number))

    @router.post("/articles/{article_id}/files", status_code=201)
    async def add_file(
        request: Request,
        article_id: int,
        file: UploadFile,
        me: WriteMe,
        captions_of: int | None = None,
        language: str = "",
    ) -> Made:
        """Put a file with an article. The text refers to it: ``![words](file:ID)``."""
        content = await file.read(rules.LARGEST_FILE + 1)
        if len(content) > rules.LARGEST_FILE:
            raise Invalid(_("The file is too large."), {"file": _("At most %d MB.") % (rules.LARGEST_FILE // 1024**2)})
        ground, name = ground_of(request), file.filename or "file"
        kind = actions.told_type(content, name, file.content_type or "")
        digest = await ground.files.put(content)
        async with ground.database.transaction() as tx:
            file_id = await actions.add_file(
                tx, me.id, article_id, file_hash=digest, name=name, content_type=kind, size=len(content),
                captions_of=captions_of, language=language,
            )  # fmt: skip
        return Made(id=file_id)

    @router.delete("/articles/{article_id}/files/{file_id}", status_code=204)
    async def remove_file(request: Request, article_id: int, file_id: int, me: WriteMe) -> None:
        """Take a file from an article."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_file(tx, me.id, article_id, file_id)

    @router.post("/articles/guide-faults")
    async def guide_faults(asked: WordingAsked, _me: ReadMe) -> list[dict[str, str]]:
        """What is wrong with the text of a guide."""
        return [{"step": fault.step, "words": fault.words} for fault in guides.faults(guides.read(asked.text))]
