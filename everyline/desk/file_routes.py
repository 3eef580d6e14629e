"""Files, and the HTML of messages under a policy of its own."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from everyline.cases import queries as cases
from everyline.desk.queries import statements
from everyline.ground.errors import NotFound
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()

# what a browser draws without running anything; everything else is only ever saved
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_PICTURE = re.compile(r' src="cid:([^"]*)"', re.IGNORECASE)
_REMOTE = ' data-src="'
# No script, no form, nothing of ours but its pictures; of the same origin, or those would come without a sign-in.
POLICY = (
    "default-src 'none'; img-src 'self' data:{pictures}; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)


@router.get("/desk/attachments/{attachment_id}")
async def attachment(
    request: Request, me: Annotated[Me, permit("case.read")], attachment_id: int, inline: int = 0
) -> Response:
    """One file, to be saved; a picture of a message also to be shown in it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await tx.first(statements.attachment, {"id": attachment_id})
        if row is None:
            raise NotFound(_("There is no such file."))
        await cases.get(tx, me, row.case_id)
    path = ground.files.path(row.file_hash)
    if not await asyncio.to_thread(path.exists):
        raise NotFound(_("This file is not here any more."))
    kind = row.content_type.split(";")[0].strip().lower()
    shown = bool(inline) and kind in SHOWN
    headers = {
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(row.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
    return FileResponse(path, media_type=kind if shown else "application/octet-stream", headers=headers)


@router.get("/desk/messages/{message_id}/body")
async def body(request: Request, me: Annotated[Me, permit("case.read")], message_id: int, images: int = 0) -> Response:
    """The HTML of a message, cleaned when it came in, for a frame in which nothing runs. Pictures from elsewhere are
    fetched when they are asked for."""
    async with ground_of(request).database.transaction() as tx:
        row = await tx.first(statements.body, {"id": message_id})
        if row is None:
            raise NotFound(_("There is no such message."))
        await cases.get(tx, me, row.case_id)
    source = with_pictures(row.html, row.pictures)
    remote = _REMOTE in source
    if remote and images:
        source = source.replace(_REMOTE, ' src="')
    policy = POLICY.format(pictures=" https: http:" if images else "")
    return page(
        "desk/letter.html",
        headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
        source=source,
        asks=remote and not images,
        message_id=message_id,
    )


def with_pictures(source: str, pictures: dict[str, Any]) -> str:
    """The pictures that came with a message, by their address here; of those that did not come, nothing."""
    ids = {name.strip("<>").lower(): number for name, number in pictures.items()}

    def found(match: re.Match[str]) -> str:
        number = ids.get(unquote(html.unescape(match[1])).strip("<>").lower())
        return f' src="/desk/attachments/{number}?inline=1"' if number is not None else ""

    return _PICTURE.sub(found, source)
