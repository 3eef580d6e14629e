"""A live talk beside its case: who talks, what they look at, that we write, and its end."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from everyline.cases import queries as cases
from everyline.desk import phrases
from everyline.desk.answering import done
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.intake import talking
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
Writer = Annotated[Me, permit("case.write")]
PAGES = 8  # of the trail

WHO = {
    "none": (mark("Not verified"), "warn", "warning"),
    "site": (mark("Signed in on the site"), "good", "check-circle"),
    "code": (mark("Showed their mailbox by a code"), "good", "check-circle"),
}


def shown(talks: list[Row], me: Me) -> dict[str, Any] | None:
    """The newest talk of a case as ``desk/talk.html`` has it; None when none goes on live."""
    row = talks[0] if talks else None
    if row is None or row.ended_at is not None or row.mode != "live":
        return None
    at, there = now(), zone(me.zone)
    words, tone, icon = WHO[row.verification]
    return {
        "who": _(words),
        "tone": tone,
        "icon": icon,
        "claimed": row.claimed if row.verification == "none" else "",
        "pages": [
            {"url": url, "title": title or url, "when": phrases.moment(row.started_at.fromisoformat(moment), at, there)}
            for moment, url, title in reversed(row.trail[-PAGES:])
        ],
        "seen_upto": row.seen_upto,
        "warned": row.warned_at is not None,
    }


@router.get("/desk/cases/{case_id}/talk")
async def talk(request: Request, me: Annotated[Me, permit("case.read")], case_id: int) -> Response:
    """The strip alone. Who reads it has read what the customer wrote."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        talks = list(await talking.of_case(tx, case_id))
        if case.owner_id == me.id and talks:
            await talking.read(tx, ground.bus, case_id)
    return page("desk/talk.html", talk=shown(talks, me), base=f"/desk/cases/{case_id}")


@router.post("/desk/cases/{case_id}/talk/typing")
async def typing(request: Request, me: Writer, case_id: int, on: Annotated[str, Form()] = "") -> Response:
    """An agent writes, or no longer."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await cases.get(tx, me, case_id)
    talking.typing(ground.bus, me, case_id, on=bool(on))
    return Response(status_code=204)


@router.post("/desk/cases/{case_id}/talk/end")
async def end(request: Request, me: Writer, case_id: int) -> Response:
    """End the talk; the case stays open."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        await talking.end(tx, me.id, case_id)
    return done(request, f"/desk/cases/{case_id}", _("The talk is over."))
