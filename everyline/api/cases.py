"""Cases: read, change, and bring forward."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import select

from everyline.api.once import OnceRoute
from everyline.api.shapes import (
    CaseAsked,
    CaseChange,
    CaseShape,
    LinkAsked,
    Made,
    MergeAsked,
    PageOf,
    Resolve,
    Snooze,
    SplitAsked,
    Transfer,
    WaitFor,
)
from everyline.cases import actions, queries
from everyline.cases.models import Case
from everyline.cases.rules import Status
from everyline.customers import queries as customer_queries
from everyline.dispatch import actions as dispatch
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import actions as queues
from everyline.queues import queries as queue_queries

router = APIRouter(prefix="/cases", tags=["cases"], route_class=OnceRoute)

Reads = Annotated[Me, permit("case.read")]
Writes = Annotated[Me, permit("case.write")]


async def shape(tx: Tx, me: Me, case_id: int) -> CaseShape:
    """A case as the API gives it."""
    return CaseShape.model_validate(await queries.get(tx, me, case_id))


@router.get("")
async def cases(
    request: Request,
    me: Reads,
    status: Annotated[list[str] | None, Query(description="May be given again.")] = None,
    queue_id: int | None = None,
    owner_id: int | None = None,
    tag: str = "",
    language: str = "",
    after: str | None = None,
    q: Annotated[str, Query(description="Words, or a number; best first, without further pages.")] = "",
) -> PageOf[CaseShape]:
    """Cases within one's scope, newest words first."""
    unknown = sorted(set(status or ()) - set(Status))
    if unknown:
        raise Invalid(_("There is no such status."), {"status": ", ".join(Status)})
    async with ground_of(request).database.transaction() as tx:
        if q:
            return PageOf(items=[CaseShape.model_validate(row) for row in await queries.find(tx, me, q)])
        filters = queries.Filters(tuple(status or ()), queue_id, owner_id, tag=tag, language=language)
        page = await queries.listed(tx, me, filters, after=after)
    return PageOf(items=[CaseShape.model_validate(row) for row in page.rows], after=page.after)


@router.post("", status_code=201)
async def open_case(request: Request, asked: CaseAsked, me: Writes) -> CaseShape:
    """Open a case for a customer, and write to them when there is a text. Who opens it owns it."""
    ground = ground_of(request)
    if not asked.subject.strip():
        raise Invalid(_("A case needs a subject."), {"subject": _("Write a subject.")})
    async with ground.database.transaction() as tx:
        customer = await customer_queries.get(tx, asked.customer_id)
        if asked.queue_id is not None:
            await queue_queries.get(tx, asked.queue_id)
        case_id = await actions.open_for(
            tx, me.id, customer.id, asked.subject, queue_id=asked.queue_id, language=customer.language
        )
        if asked.text.strip():
            await dispatch.answer(tx, ground.signer, me.id, case_id, asked.text)
        return await shape(tx, me, case_id)


@router.get("/{case_id}")
async def case(request: Request, case_id: int, me: Reads) -> CaseShape:
    """One case."""
    async with ground_of(request).database.transaction() as tx:
        return await shape(tx, me, case_id)


@router.patch("/{case_id}")
async def change(request: Request, case_id: int, asked: CaseChange, me: Writes) -> CaseShape:
    """Change subject, priority, tags, language or owner; what is not named stays."""
    facts = asked.model_dump(exclude_unset=True)
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        if "owner_id" in facts:
            await queues.give(tx, me.id, case_id, facts.pop("owner_id"))
        if facts:
            await actions.describe(tx, me.id, case_id, **facts)
        return await _after(tx, case_id)


async def _after(tx: Tx, case_id: int) -> CaseShape:
    """The case after a change that may have led it out of one's own scope: the answer is given all the same."""
    row = await tx.first(select(Case.__table__).where(Case.id == case_id))
    return CaseShape.model_validate(row)


@router.post("/{case_id}/pick")
async def pick(request: Request, case_id: int, me: Annotated[Me, permit("queue.work")]) -> CaseShape:
    """Take it out of its queue by hand."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        await queues.pick(tx, me.id, case_id)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/resolve")
async def resolve(request: Request, case_id: int, asked: Resolve, me: Writes) -> CaseShape:
    """Settle it."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await queues.resolve(tx, me.id, case_id, asked.wrap_up_code_id)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/reopen")
async def reopen(request: Request, case_id: int, me: Writes) -> CaseShape:
    """Take it up again."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await queues.reopen(tx, me.id, case_id)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/wait")
async def wait(request: Request, case_id: int, asked: WaitFor, me: Writes) -> CaseShape:
    """Wait for the customer, or for others."""
    what_for = Status.WAITING_FOR_CUSTOMER if asked.what_for == "customer" else Status.WAITING_FOR_OTHERS
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await queues.put_aside(tx, me.id, case_id, what_for)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/snooze")
async def snooze(request: Request, case_id: int, asked: Snooze, me: Writes) -> CaseShape:
    """Out of sight until then."""
    if asked.until.tzinfo is None:
        raise Invalid(
            _("A time needs its zone."), {"until": _("Write it with a zone, such as 2026-03-17T09:00:00-07:00.")}
        )
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await queues.snooze(tx, me.id, case_id, asked.until)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/transfer")
async def transfer(request: Request, case_id: int, asked: Transfer, me: Writes) -> CaseShape:
    """Give it to another queue, with a note for those who take it."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await queues.transfer(tx, me.id, case_id, asked.queue_id, asked.note)
        return await _after(tx, case_id)


@router.post("/{case_id}/merge")
async def merge(request: Request, case_id: int, asked: MergeAsked, me: Writes) -> CaseShape:
    """The other case becomes a part of this one."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        await queries.get(tx, me, asked.gone_id)
        await queues.merge(tx, me.id, case_id, asked.gone_id)
        return await shape(tx, me, case_id)


@router.post("/{case_id}/split", status_code=201)
async def split(request: Request, case_id: int, asked: SplitAsked, me: Writes) -> Made:
    """A message, and what followed it in its interaction, become a case of their own."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        return Made(id=await actions.split(tx, me.id, case_id, asked.message_id, asked.subject))


@router.post("/{case_id}/links", status_code=204)
async def link(request: Request, case_id: int, asked: LinkAsked, me: Writes) -> None:
    """Say that two cases belong together."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        await queries.get(tx, me, asked.other_id)
        await actions.link(tx, me.id, case_id, asked.other_id)


@router.delete("/{case_id}/links/{other_id}", status_code=204)
async def unlink(request: Request, case_id: int, other_id: int, me: Writes) -> None:
    """Take a link away."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        await actions.unlink(tx, me.id, case_id, other_id)
