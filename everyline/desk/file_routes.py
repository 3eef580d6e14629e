"""Files, and the HTML of messages under a policy of its own."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from everyline.cases import queries as cases
from everyline.desk.shell import statements
from everyline.ground.errors import NotFound
from everyline.ground.words import _, language
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()

# what a browser draws without running anything; everything else is only ever saved
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
_PICTURE = re.compile(r' src="cid:([^"]*)"', re.IGNORECASE)
_REMOTE = ' data-src="'
_SANDBOX = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"  # no script, no form, nothing of ours but its pictures


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
    path = Path(ground.files.path(row.file_hash))
    if not path.exists():
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
    """The HTML of a message, cleaned when it came in, shown in a frame where nothing runs. Pictures from elsewhere are fetched when asked for."""
    async with ground_of(request).database.transaction() as tx:
        row = await tx.first(statements.body, {"id": message_id})
        if row is None:
            raise NotFound(_("There is no such message."))
        await cases.get(tx, me, row.case_id)
    source = with_pictures(row.html, row.pictures)
    remote = _REMOTE in source
    if remote and images:
        source = source.replace(_REMOTE, ' src="')
    policy = f"default-src 'none'; img-src 'self' data:{' https: http:' if images else ''}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; {_SANDBOX}"
    return HTMLResponse(
        document(source, asks=remote and not images, message_id=message_id),
        headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
    )


def with_pictures(source: str, pictures: dict[str, Any]) -> str:
    """The pictures that came with a message, by their address here; of those that did not come, nothing."""
    ids = {name.strip("<>").lower(): number for name, number in pictures.items()}

    def found(match: re.Match[str]) -> str:
        number = ids.get(unquote(html.unescape(match[1])).strip("<>").lower())
        return f' src="/desk/attachments/{number}?inline=1"' if number is not None else ""

    return _PICTURE.sub(found, source)


def document(source: str, *, asks: bool, message_id: int) -> str:
    """The message as a document of its own."""
    bar = ""
    if asks:
        words = html.escape(_("Pictures from elsewhere are not shown: they would tell the sender that you read this."))
        bar = f'<p class="everyline-bar"><span>{words}</span> <a href="/desk/messages/{message_id}/body?images=1" target="_self">{html.escape(_("Show them"))}</a></p>'
    style = (
        "body{margin:0;padding:12px;font:14px/1.5 system-ui,sans-serif;color:#1b1f27;background:#fff;overflow-wrap:anywhere}"
        "img{max-width:100%;height:auto}pre{white-space:pre-wrap}blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #ccc}"
        ".everyline-bar{margin:0 0 12px;padding:8px 12px;border-radius:6px;background:#eef2f7;font:13px/1.5 system-ui,sans-serif}"
        ".everyline-bar a{color:#0a58b5;font-weight:600}"
    )
    return f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8"><title>{html.escape(_("Message"))}</title><base target="_blank"><style>{style}</style></head><body>{bar}{source}</body></html>'
