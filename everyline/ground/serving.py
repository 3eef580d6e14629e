"""Kept files as answers. What people have put there is drawn, played or saved; it is never a page, and nothing in it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.responses import FileResponse, Response

from everyline.ground.errors import NotFound
from everyline.ground.files import Files
from everyline.ground.words import _

_SHOWN_IN_PLACE = ("image/", "video/", "audio/", "text/vtt")


def file_answer(files: Files, digest: str, *, name: str, content_type: str, private: bool) -> FileResponse:
    """The file of this hash, or the part of it that is asked for (RFC 9110, section 14): in its place when it is a picture, a clip
    or captions, otherwise to be saved. ``private``: not everybody may see it. NotFound when it is not there."""
    path = files.path(digest)
    if not path.exists():
        raise NotFound(_("There is no such file."))
    in_place = content_type.startswith(_SHOWN_IN_PLACE) and content_type != "image/svg+xml"
    return FileResponse(
        path,
        media_type=content_type,
        filename=name,
        content_disposition_type="inline" if in_place else "attachment",
        headers={
            "cache-control": "private, no-cache" if private else "public, max-age=300",
            "etag": f'"{digest[:32]}"',
            "vary": "Cookie, Host",
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
        },
    )


def part_answer(content: bytes, wanted: str, *, content_type: str, headers: Mapping[str, str]) -> Response:
    """Bytes that are in memory, or the one part of them that a Range header asks for (RFC 9110, section 14). What it says otherwise is
    read as if it said nothing."""
    sent = {**headers, "accept-ranges": "bytes", "x-content-type-options": "nosniff"}
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted.strip())
    if match is None or not any(match.groups()):
        return Response(content, media_type=content_type, headers=sent)
    total = len(content)
    if match[1]:
        begin, end = int(match[1]), min(int(match[2]), total - 1) if match[2] else total - 1
    else:
        begin, end = max(total - int(match[2]), 0), total - 1
    if begin >= total or begin > end:
        return Response(status_code=416, headers={**sent, "content-range": f"bytes */{total}"})
    sent["content-range"] = f"bytes {begin}-{end}/{total}"
    return Response(content[begin : end + 1], 206, media_type=content_type, headers=sent)
