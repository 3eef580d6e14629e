"""Customers and their contact points."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from everyline.api.once import OnceRoute
from everyline.api.shapes import (
    CaseShape,
    ContactPointAsked,
    ContactPointChange,
    ContactPointShape,
    CustomerAsked,
    CustomerChange,
    CustomerShape,
    CustomerWhole,
    Made,
    MergeAsked,
    PageOf,
)
from everyline.cases import queries as case_queries
from everyline.channel_contract import Address
from everyline.customers import actions, queries
from everyline.ground import addresses
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(tags=["customers"], route_class=OnceRoute)

MOST = 50


async def _whole(tx: Tx, customer_id: int) -> CustomerWhole:
    row = await queries.get(tx, customer_id)
    points = [ContactPointShape.model_validate(point) for point in await queries.points(tx, row.id)]
    return CustomerWhole(**CustomerShape.model_validate(row).model_dump(), contact_points=points)


@router.get("/customers")
async def customers(
    request: Request,
    me: Annotated[Me, permit("customer.read")],
    q: Annotated[str, Query(description="A part of a name or an address.")] = "",
    after: Annotated[int, Query()] = 0,
) -> PageOf[CustomerShape]:
    """Customers by a part of their name or address, or all of them by id."""
    async with ground_of(request).database.transaction() as tx:
        rows = await queries.find(tx, q, most=MOST) if q else await queries.after(tx, after, most=MOST)
        await audit(tx, me.id, "customer.listed", "customer", None, address=me.address, q=q)
    items = [CustomerShape.model_validate(row) for row in rows]
    return PageOf(items=items, after=str(items[-1].id) if not q and len(items) == MOST else None)


@router.post("/customers", status_code=201)
async def find_or_create(
    request: Request, asked: CustomerAsked, me: Annotated[Me, permit("customer.write")]
) -> CustomerWhole:
    """The customer behind an address, made when there is none."""
    try:
        normal = addresses.normal(asked.kind, asked.address)
    except (KeyError, ValueError) as error:
        raise Invalid(_("This is no address."), {"address": str(error)}) from error
    async with ground_of(request).database.transaction() as tx:
        known = await actions.find_or_create(tx, [Address(asked.kind, normal, asked.name)])
        await audit(tx, me.id, "customer.viewed", "customer", known[asked.kind, normal].customer_id, address=me.address)
        return await _whole(tx, known[asked.kind, normal].customer_id)


@router.get("/customers/{customer_id}")
async def customer(request: Request, customer_id: int, me: Annotated[Me, permit("customer.read")]) -> CustomerWhole:
    """One customer with their contact points; one that was merged leads to what it became."""
    async with ground_of(request).database.transaction() as tx:
        found = await _whole(tx, customer_id)
        await audit(tx, me.id, "customer.viewed", "customer", found.id, address=me.address)
    return found


@router.patch("/customers/{customer_id}")
async def change(
    request: Request, customer_id: int, asked: CustomerChange, me: Annotated[Me, permit("customer.write")]
) -> CustomerWhole:
    """Change a customer; what is not named stays."""
    async with ground_of(request).database.transaction() as tx:
        await actions.change(tx, me.id, customer_id, **asked.model_dump(exclude_unset=True))
        return await _whole(tx, customer_id)


@router.get("/customers/{customer_id}/cases")
async def cases(
    request: Request,
    customer_id: int,
    me: Annotated[Me, permit("case.read")],
    after: Annotated[str | None, Query()] = None,
) -> PageOf[CaseShape]:
    """A customer's cases that are within one's scope, newest first."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, customer_id)
        page = await case_queries.listed(tx, me, case_queries.Filters(customer_id=row.id), after=after)
    return PageOf(items=[CaseShape.model_validate(one) for one in page.rows], after=page.after)


@router.post("/customers/{customer_id}/contact-points", status_code=201)
async def add_point(
    request: Request, customer_id: int, asked: ContactPointAsked, me: Annotated[Me, permit("customer.write")]
) -> Made:
    """Give a customer a further address."""
    async with ground_of(request).database.transaction() as tx:
        return Made(id=await actions.add_point(tx, me.id, customer_id, **asked.model_dump()))


@router.patch("/customers/{customer_id}/contact-points/{point_id}", status_code=204)
async def change_point(
    request: Request,
    customer_id: int,
    point_id: int,
    asked: ContactPointChange,
    me: Annotated[Me, permit("customer.write")],
) -> None:
    """Make it the preferred one, or say that it works again."""
    async with ground_of(request).database.transaction() as tx:
        if asked.preferred:
            await actions.prefer_point(tx, me.id, customer_id, point_id)
        if asked.good:
            await actions.mark_good(tx, me.id, customer_id, point_id)


@router.post("/customers/{customer_id}/merge", status_code=201)
async def merge(
    request: Request, customer_id: int, asked: MergeAsked, me: Annotated[Me, permit("customer.merge")]
) -> Made:
    """Two records were one person; the answer's id undoes it."""
    async with ground_of(request).database.transaction() as tx:
        merge_id = await actions.merge(tx, me.id, customer_id, asked.gone_id)
        await audit(tx, me.id, "customer.merged", "customer", customer_id, address=me.address, gone_id=asked.gone_id)
    return Made(id=merge_id)


@router.post("/customer-merges/{merge_id}/undo")
async def undo_merge(request: Request, merge_id: int, me: Annotated[Me, permit("customer.merge")]) -> Made:
    """Part them again; answers with the customer that is back."""
    async with ground_of(request).database.transaction() as tx:
        customer_id = await actions.undo_merge(tx, me.id, merge_id)
        await audit(tx, me.id, "customer.parted", "customer", customer_id, address=me.address)
    return Made(id=customer_id)
