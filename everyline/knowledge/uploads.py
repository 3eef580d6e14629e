"""Uploads: what is put with an article, and what is taken away again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.articles import actions, rules
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.forms import Typed, back, wrong
from everyline.ground.words import _
from everyline.knowledge.article import known_language
from everyline.knowledge.editing import editor_page
from everyline.knowledge.files import honest_type
from everyline.knowledge.frame import HOME
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Writer = Annotated[Me, permit("article.write")]


@router.post("/{article_id}/{language}/files")
async def upload(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """Put a file with the article."""
    known_language(language)
    fields = await request.form(max_part_size=rules.LARGEST_FILE)
    form, given = Typed(fields), fields.get("file")
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            raise Invalid(_("Choose a file."), {"file": _("Choose one.")})
        content = await given.read(rules.LARGEST_FILE + 1)
        if len(content) > rules.LARGEST_FILE:
            most = _("At most %d MB.") % (rules.LARGEST_FILE // 1024**2)
            raise Invalid(_("The file is too large."), {"file": most})
        kind = honest_type(content, given.filename, given.content_type or "")
        ground = ground_of(request)
        digest = await ground.files.put(content)
        async with ground.database.transaction() as tx:
            await actions.add_file(
                tx, me.id, article_id, file_hash=digest, name=given.filename, content_type=kind, size=len(content),
                captions_of=form.id("captions_of"), language=form.text("captions_language", longest=12) if form.id("captions_of") else "",
            )  # fmt: skip
    except ProductError as error:
        return await editor_page(request, me, article_id, language, status=error.status, **wrong(error))
    finally:
        await fields.close()
    return back(f"{HOME}/articles/{article_id}/{language}#files", "uploaded")


@router.post("/{article_id}/{language}/files/{file_id}/remove")
async def remove(request: Request, me: Writer, article_id: int, language: str, file_id: int) -> Response:
    """Take a file away."""
    async with ground_of(request).database.transaction() as tx:
        await actions.remove_file(tx, me.id, article_id, file_id)
    return back(f"{HOME}/articles/{article_id}/{known_language(language)}#files", "removed")
