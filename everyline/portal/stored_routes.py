"""What is stored of a customer, in words and as a file; and the browsers in which they are signed in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from everyline.customers import queries as customers
from everyline.customers import sign_ins
from everyline.ground.clock import now
from everyline.ground.moments import language_names
from everyline.people.passwords import token_hash
from everyline.people.permit import public
from everyline.people.queries import installation
from everyline.portal import queries
from everyline.portal.exporting import archive
from everyline.portal.hosts import PREFIX
from everyline.portal.preference_routes import KINDS
from everyline.portal.saying import day_and_time, day_in_words, size_in_words
from everyline.portal.visiting import Own, PortalRoute, show

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])


@router.get("/{language}/stored")
async def stored(visit: Own) -> Response:
    """What there is."""
    customer_id = visit.own.customer_id
    async with visit.ground.database.transaction() as tx:
        row = await customers.get(tx, customer_id)
        context = {
            "kept": row,
            "spoken": language_names([row.language])[0][1] if row.language else "",
            "points": [point for point in await customers.points(tx, customer_id) if point.kind in KINDS],
            "amount": await queries.stored(tx, customer_id),
            "sign_ins": await sign_ins.of_customer(tx, customer_id),
            "zone": row.zone or str((await installation(tx))["zone"]),
        }
    return show(
        visit,
        "stored.html",
        current="preferences",
        kinds=KINDS,
        size=size_in_words,
        day=day_in_words,
        day_and_time=day_and_time,
        today=now().date(),
        this=token_hash(visit.token).hex()[:16],
        **context,
    )


@router.get("/{language}/stored/export")
async def export(visit: Own) -> Response:
    """All of it as one file, which is written while it is sent."""
    name = f"{now():%Y-%m-%d}-my-data.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        archive(visit.ground, visit.own.customer_id), media_type="application/zip", headers=headers
    )


@router.post("/{language}/stored/sign-ins/end")
async def end_others(visit: Own) -> Response:
    """Sign out everywhere but here."""
    async with visit.ground.database.transaction() as tx:
        await sign_ins.end_others(tx, visit.own.customer_id, visit.token)
    return visit.go("stored", done="ended")
