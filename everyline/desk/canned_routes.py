"""Canned answers in the composer: offered where / was typed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.pages import page
from everyline.intake import talking
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
LONGEST_QUERY = 80  # characters


@router.get("/desk/cases/{case_id}/canned")
async def canned(request: Request, me: Annotated[Me, permit("case.write")], case_id: int, q: str = "") -> Response:
    """Those that fit the case, with their places filled in."""
    async with ground_of(request).database.transaction() as tx:
        found = await talking.canned(tx, me, case_id, q.strip()[:LONGEST_QUERY])
    return page("desk/pick-canned.html", found=found)
