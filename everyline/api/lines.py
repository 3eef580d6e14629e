"""Lines, and what waits in quarantine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from everyline.api.once import OnceRoute
from everyline.api.shapes import LineAsked, LineChange, LineShape, Made, PageOf, QuarantineShape
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.intake import actions as intake
from everyline.intake import queries as intake_queries
from everyline.lines import actions, queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(tags=["lines"], route_class=OnceRoute)


@router.get("/lines")
async def lines(request: Request, _me: Annotated[Me, permit("line.read")]) -> list[LineShape]:
    """Every line with how it is doing."""
    async with ground_of(request).database.transaction() as tx:
        return [LineShape.model_validate(row) for row in await queries.with_health(tx)]


@router.get("/lines/{line_id}")
async def line(request: Request, line_id: int, _me: Annotated[Me, permit("line.read")]) -> LineShape:
    """One line."""
    async with ground_of(request).database.transaction() as tx:
        return LineShape.model_validate(await queries.get(tx, line_id))


@router.post("/lines", status_code=201)
async def add_line(request: Request, asked: LineAsked, me: Annotated[Me, permit("line.write")]) -> Made:
    """Add a line."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        line_id = await actions.add(
            tx, ground.vault, me.id, channel_name=asked.channel, **asked.model_dump(exclude={"channel"})
        )
        await audit(tx, me.id, "line.added", "line", line_id, address=me.address)
    return Made(id=line_id)


@router.patch("/lines/{line_id}")
async def change_line(
    request: Request, line_id: int, asked: LineChange, me: Annotated[Me, permit("line.write")]
) -> LineShape:
    """Change a line; what is not named stays."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await actions.change(tx, ground.vault, me.id, line_id, **asked.model_dump(exclude_unset=True))
        await audit(tx, me.id, "line.changed", "line", line_id, address=me.address)
        return LineShape.model_validate(await queries.get(tx, line_id))


@router.delete("/lines/{line_id}", status_code=204)
async def retire_line(request: Request, line_id: int, me: Annotated[Me, permit("line.write")]) -> None:
    """Take a line out of service for good; its history stays."""
    async with ground_of(request).database.transaction() as tx:
        await actions.retire(tx, me.id, line_id)
        await audit(tx, me.id, "line.retired", "line", line_id, address=me.address)


@router.get("/quarantine", tags=["quarantine"])
async def quarantine(
    request: Request, me: Annotated[Me, permit("quarantine.read")], after: Annotated[int | None, Query()] = None
) -> PageOf[QuarantineShape]:
    """What could not be processed, newest first, with its cause."""
    async with ground_of(request).database.transaction() as tx:
        rows = await intake_queries.quarantined(tx, me, before=after, most=50)
    items = [QuarantineShape.model_validate(row) for row in rows]
    return PageOf(items=items, after=str(items[-1].id) if len(items) == 50 else None)


@router.get("/quarantine/{inbound_id}/raw", tags=["quarantine"], response_class=Response)
async def raw(request: Request, inbound_id: int, me: Annotated[Me, permit("quarantine.read")]) -> Response:
    """The bytes as they came."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await intake_queries.piece(tx, me, inbound_id)
        await audit(tx, me.id, "inbound.viewed", "inbound", inbound_id, address=me.address)
    content = await intake_queries.body(ground, row)
    headers = {"content-disposition": f'attachment; filename="inbound-{inbound_id}.raw"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _one(request: Request, me: Me, inbound_id: int, *, again: bool) -> None:
    async with ground_of(request).database.transaction() as tx:
        ours = await intake_queries.within(tx, me, [inbound_id])
        if not ours:
            raise NotFound(_("There is nothing of that number in quarantine."))
        await (intake.retry if again else intake.discard)(tx, me.id, ours)
        await audit(
            tx, me.id, "inbound.retried" if again else "inbound.discarded", "inbound", inbound_id, address=me.address
        )


@router.post("/quarantine/{inbound_id}/retry", tags=["quarantine"], status_code=204)
async def retry(request: Request, inbound_id: int, me: Annotated[Me, permit("quarantine.act")]) -> None:
    """Process it again."""
    await _one(request, me, inbound_id, again=True)


@router.post("/quarantine/{inbound_id}/discard", tags=["quarantine"], status_code=204)
async def discard(request: Request, inbound_id: int, me: Annotated[Me, permit("quarantine.act")]) -> None:
    """It is not wanted. Its bytes are kept, nothing is made of them."""
    await _one(request, me, inbound_id, again=False)
