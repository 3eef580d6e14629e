"""Files of articles: pictures, clips with their captions, and what readers take along."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, queries, working
from everyline.articles.arranging import CAPTIONS
from everyline.articles.rendering import FILE_PATH, FileRow
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.serving import file_answer
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
Reader = Annotated[Me, permit("article.read")]
CALLED = ("image/", "video/", "audio/", "application/pdf", CAPTIONS)  # what a file may call itself, and then has to be


@router.get(f"{FILE_PATH}{{file_id}}")
async def file(request: Request, file_id: int, _me: Reader) -> Response:
    """A file of an article, also of one that readers do not see yet."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await working.file(tx, file_id)
    return file_answer(ground.files, row.file_hash, name=row.name, content_type=row.content_type, private=True)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file in the list beside the text."""

    id: int
    name: str
    kind: str  # picture, clip, captions, file
    size: int  # bytes
    language: str  # of captions
    of: str  # the clip's name, of captions
    markdown: str  # what puts it into the text; empty for captions
    url: str


def _kind(row: FileRow) -> str:
    if row.captions_of is not None:
        return "captions"
    return {"image": "picture", "video": "clip"}.get(row.content_type.partition("/")[0], "file")


def _markdown(row: FileRow) -> str:
    words = "".join(one for one in row.name.rpartition(".")[0] or row.name if one not in "[]\\`*_<>")
    return f"{'' if _kind(row) == 'file' else '!'}[{words.strip() or row.name}](file:{row.id})"


async def shown_files(tx: Tx, article_id: int) -> list[FileLine]:
    """The files of an article."""
    rows = await queries.files_of(tx, article_id)
    known = {row.id: row.name for row in rows}
    return [
        FileLine(
            row.id,
            row.name,
            _kind(row),
            row.size,
            row.language,
            known.get(row.captions_of or 0, ""),
            "" if row.captions_of is not None else _markdown(row),
            f"{FILE_PATH}{row.id}",
        )
        for row in rows
    ]


async def markdown_of(tx: Tx, article_id: int, file_id: str) -> str:
    """What puts a file of the article into its text. NotFound."""
    for row in await queries.files_of(tx, article_id):
        if str(row.id) == file_id and row.captions_of is None:
            return _markdown(row)
    raise NotFound(_("There is no such file."))


def honest_type(content: bytes, name: str, told: str) -> str:
    """What a file is. Invalid when it calls itself a picture, a clip, captions or a PDF, by its name or by what its sender says,
    and its first bytes are those of something else."""
    found = actions.told_type(content, name, told)
    guessed = CAPTIONS if name.lower().endswith(".vtt") else mimetypes.guess_type(name)[0] or ""
    for called in (guessed, told.partition(";")[0].strip().lower()):
        if called.startswith(CALLED) and called.partition("/")[0] != found.partition("/")[0]:
            raise Invalid(
                _("“%s” is not what it calls itself, so it was not kept.") % name[:100],
                {
                    "file": _(
                        "Save it anew as PNG, JPEG, WebP or GIF, as MP4 or WebM, as WebVTT or as PDF, and choose it again."
                    )
                },
            )
    return found
