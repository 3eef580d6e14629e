"""Kept files as answers. What people have put there is drawn, played or saved; it is never a page, and nothing in it runs."""

from __future__ import annotations

from starlette.responses import FileResponse

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
