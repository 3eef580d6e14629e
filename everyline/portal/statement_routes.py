"""The statement that a customer asked for, at a link that nobody can guess and that does not hold for long."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from everyline.ground.errors import NotFound
from everyline.ground.pages import page
from everyline.ground.words import _, accepted, speaking
from everyline.people.permit import ground_of, public
from everyline.people.queries import organisation_name
from everyline.selfservice.errands import stating

router = APIRouter(dependencies=[public()])

_PRIVATE = {"referrer-policy": "no-referrer", "cache-control": "no-store", "x-robots-tag": "noindex"}
LOOK_AGAIN_SECONDS = 3


@router.get("/statement/{token}")
async def statement(request: Request, token: str) -> Response:
    """The PDF, or that it is being made."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        organisation = await organisation_name(tx)
        try:
            row = await stating.found(tx, ground.key, token)
        except NotFound:
            row = None
    if row is None:
        with speaking(next(iter(accepted(request.headers.get("accept-language", ""))), "")):
            said = _("There is no such statement, or its link is over. Ask for a new one.")
            return _said(organisation, said, status=404)
    with speaking(row.language):
        if row.state == "failed":
            return _said(organisation, _("We could not make your statement. Please ask us for it."))
        path = ground.files.path(row.file_hash) if row.state == "made" else None
        if path is None or not await asyncio.to_thread(path.exists):
            answer = _said(organisation, _("Your statement is being made. It is here in a moment."), status=202)
            answer.headers["refresh"] = str(LOOK_AGAIN_SECONDS)
            return answer
    headers = {**_PRIVATE, "content-security-policy": "sandbox; default-src 'none'"}
    return FileResponse(path, media_type="application/pdf", filename=stating.file_name(row), headers=headers)


def _said(organisation: str, text: str, *, status: int = 200) -> Response:
    return page(
        "portal/statement.html",
        status=status,
        organisation=organisation,
        text=text,
        page_class="embed",
        headers=_PRIVATE,
    )
