"""What is said on a case: interactions, messages, replies, notes, files, and what became of what went out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.api.once import OnceRoute
from everyline.api.shapes import (
    AttachmentShape,
    DeliveryShape,
    InteractionShape,
    Made,
    MessageShape,
    NoteAsked,
    NoteShape,
    PageOf,
    ReplyAsked,
)
from everyline.cases import actions, queries
from everyline.cases.models import Attachment, Interaction, Message
from everyline.cases.rules import Status
from everyline.dispatch import actions as dispatch
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(tags=["messages"], route_class=OnceRoute)

MOST = 100
THEN = {
    "wait for customer": Status.WAITING_FOR_CUSTOMER,
    "wait for others": Status.WAITING_FOR_OTHERS,
    "resolve": Status.RESOLVED,
}

Reads = Annotated[Me, permit("case.read")]
Writes = Annotated[Me, permit("case.write")]


@router.get("/cases/{case_id}/interactions")
async def interactions(request: Request, case_id: int, me: Reads) -> list[InteractionShape]:
    """The interactions of a case, oldest first."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        rows = await tx.rows(
            select(Interaction.__table__).where(Interaction.case_id == case_id).order_by(Interaction.id)
        )
    return [InteractionShape.model_validate(row) for row in rows]


@router.get("/cases/{case_id}/messages")
async def messages(
    request: Request, case_id: int, me: Reads, after: Annotated[int, Query(ge=0)] = 0
) -> PageOf[MessageShape]:
    """The messages of a case, oldest first."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        rows = await tx.rows(
            select(Message.__table__)
            .where(Message.case_id == case_id, Message.id > after)
            .order_by(Message.id)
            .limit(MOST)
        )
    items = [MessageShape.model_validate(row) for row in rows]
    return PageOf(items=items, after=str(items[-1].id) if len(items) == MOST else None)


@router.post("/cases/{case_id}/replies", status_code=201)
async def reply(request: Request, case_id: int, asked: ReplyAsked, me: Writes) -> Made:
    """Write to the customer; answers with the message's id. It goes out when the undo window has passed."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        message_id = await dispatch.answer(
            tx,
            ground.signer,
            me.id,
            case_id,
            asked.text,
            contact_point_id=asked.contact_point_id,
            answer_to=asked.answer_to or "",
            copies=asked.copies,
            replies=asked.replies,
            revision=asked.revision,
            then=THEN.get(asked.then or ""),
            wrap_up_code_id=asked.wrap_up_code_id,
        )
    return Made(id=message_id)


@router.delete("/cases/{case_id}/replies/{message_id}", status_code=204)
async def take_back(request: Request, case_id: int, message_id: int, me: Writes) -> None:
    """Take one's own reply back while its undo window is open."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await dispatch.take_back(tx, me.id, case_id, message_id)


@router.get("/cases/{case_id}/deliveries")
async def deliveries(request: Request, case_id: int, me: Reads) -> list[DeliveryShape]:
    """What became of everything that the case sent out."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        return [
            DeliveryShape.model_validate(row)
            for row in await tx.rows(dispatch.statements.of_case, {"case_id": case_id})
        ]


@router.post("/cases/{case_id}/deliveries/{delivery_id}/send-again", status_code=204)
async def send_again(request: Request, case_id: int, delivery_id: int, me: Writes) -> None:
    """Send once more what failed, or of which nobody knows whether it went out."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await dispatch.send_again(tx, me.id, case_id, delivery_id)


@router.get("/cases/{case_id}/notes")
async def notes(request: Request, case_id: int, me: Reads) -> list[NoteShape]:
    """The notes of a case, oldest first."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        return [NoteShape.model_validate(row) for row in await queries.notes(tx, case_id)]


@router.post("/cases/{case_id}/notes", status_code=201)
async def note(request: Request, case_id: int, asked: NoteAsked, me: Writes) -> Made:
    """Write an internal note."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        return Made(id=await actions.note(tx, me.id, case_id, asked.text, mentions=asked.mentions))


@router.get("/cases/{case_id}/attachments")
async def attachments(request: Request, case_id: int, me: Reads) -> list[AttachmentShape]:
    """The files of a case's messages and notes."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id)
        rows = await queries.attachments(tx, case_id)
    return [AttachmentShape.model_validate(row) for row in rows if row.message_id or row.note_id]


@router.get("/cases/{case_id}/attachments/{attachment_id}/content", response_class=Response)
async def content(request: Request, case_id: int, attachment_id: int, me: Reads) -> Response:
    """A file's bytes. Always as a download: a browser must never run what came in."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await queries.get(tx, me, case_id)
        row = await tx.first(
            select(Attachment.file_hash, Attachment.name).where(
                Attachment.id == attachment_id,
                Attachment.case_id == case_id,
                Attachment.message_id.is_not(None) | Attachment.note_id.is_not(None),
            )
        )
    if row is None:
        raise NotFound(_("There is no such file."))
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(row.name, safe='')}"}
    return Response(await ground.files.read(row.file_hash), media_type="application/octet-stream", headers=headers)
