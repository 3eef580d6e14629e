"""Verbs by which cases become related, one, or two."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.cases import queries
from everyline.cases.models import Attachment, Case, CaseLink, Draft, Interaction, Message, Note
from everyline.cases.rules import Status
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _


async def link(tx: Tx, by: int | None, case_id: int, other_id: int, kind: str = "related") -> None:
    """Say that two cases belong together."""
    if case_id == other_id:
        raise Invalid(_("A case cannot be linked to itself."))
    await tx.execute(upsert(CaseLink).values(case_id=case_id, other_id=other_id, kind=kind).on_conflict_do_nothing())
    await events.record(tx, "case.linked", actor_id=by, case_id=case_id, other_id=other_id, link=kind)


async def unlink(tx: Tx, by: int | None, case_id: int, other_id: int) -> None:
    """Take a link away, whichever side it was made from."""
    for one, two in ((case_id, other_id), (other_id, case_id)):
        await tx.execute(delete(CaseLink).where(CaseLink.case_id == one, CaseLink.other_id == two))
    await events.record(tx, "case.unlinked", actor_id=by, case_id=case_id, other_id=other_id)


async def merge(tx: Tx, by: int | None, kept_id: int, gone_id: int) -> None:
    """Two cases were one matter: everything of the one goes into the other, and answers to either arrive there."""
    if kept_id == gone_id:
        raise Invalid(_("A case cannot be merged with itself."))
    rows = {
        row.id: row
        for row in await tx.rows(
            select(Case.__table__).where(Case.id.in_([kept_id, gone_id])).order_by(Case.id).with_for_update()
        )
    }
    if len(rows) < 2:
        raise NotFound(_("There is no such case."))
    kept, gone = rows[kept_id], rows[gone_id]
    if kept.merged_into_id is not None or gone.merged_into_id is not None:
        raise Conflict(_("One of these cases is part of another already."))
    if kept.status == Status.CLOSED:
        raise Conflict(_("Case %s is closed: merge the other way round.") % kept.number)
    for table in (Message, Interaction, Note, Attachment):
        await tx.execute(update(table).where(table.case_id == gone_id).values(case_id=kept_id))
    held = select(Draft.agent_id).where(Draft.case_id == kept_id, Draft.kind == "reply")
    await tx.execute(
        update(Draft)
        .where(Draft.case_id == gone_id, Draft.kind == "reply", Draft.agent_id.not_in(held))
        .values(case_id=kept_id)
    )
    await tx.execute(
        update(Case)
        .where(Case.id == gone_id)
        .values(merged_into_id=kept_id, status=Status.CLOSED, closed_at=now(), wakes_at=None, due_at=None)
    )
    tags = sorted({*kept.tags, *gone.tags})
    await tx.execute(
        update(Case)
        .where(Case.id == kept_id)
        .values(
            tags=tags,
            revision=Case.revision + 1,
            moved_at=max(kept.moved_at, gone.moved_at),
            priority=min(kept.priority, gone.priority),
        )
    )
    await events.record(
        tx,
        "case.merged",
        actor_id=by,
        case_id=kept_id,
        customer_id=kept.customer_id,
        queue_id=kept.queue_id,
        agent_id=kept.owner_id,
        gone_id=gone_id,
    )
    await events.record(
        tx,
        "case.merged_away",
        actor_id=by,
        case_id=gone_id,
        queue_id=gone.queue_id,
        agent_id=gone.owner_id,
        kept_id=kept_id,
    )


async def split(tx: Tx, by: int | None, case_id: int, message_id: int, subject: str) -> int:
    """A message was another matter: it and what followed it in the same interaction become a case of their own."""
    row = await queries.locked(tx, case_id)
    piece = await tx.first(select(Message.__table__).where(Message.id == message_id, Message.case_id == case_id))
    if piece is None:
        raise NotFound(_("There is no such message on this case."))
    began = await tx.first(select(Interaction.__table__).where(Interaction.id == piece.interaction_id))
    assert began is not None
    new_id: int = await tx.value(
        insert(Case)
        .values(
            customer_id=row.customer_id,
            subject=subject.strip() or piece.subject or row.subject,
            queue_id=row.queue_id,
            owner_id=row.owner_id,
            line_id=began.line_id,
            language=row.language,
            priority=row.priority,
            status=Status.OPEN,
            last_words=row.last_words,
            last_channel=began.channel,
        )
        .returning(Case.id)
    )
    interaction_id: int = await tx.value(
        insert(Interaction)
        .values(
            case_id=new_id,
            line_id=began.line_id,
            contact_point_id=began.contact_point_id,
            channel=began.channel,
            media_class=began.media_class,
            direction=began.direction,
            started_at=piece.at,
        )
        .returning(Interaction.id)
    )
    moved = select(Message.id).where(Message.interaction_id == piece.interaction_id, Message.id >= message_id)
    await tx.execute(update(Attachment).where(Attachment.message_id.in_(moved)).values(case_id=new_id))
    await tx.execute(
        update(Message)
        .where(Message.interaction_id == piece.interaction_id, Message.id >= message_id)
        .values(case_id=new_id, interaction_id=interaction_id)
    )
    await tx.execute(update(Case).where(Case.id == case_id).values(revision=Case.revision + 1))
    await link(tx, by, new_id, case_id)
    await events.record(
        tx, "case.split", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=row.owner_id, other_id=new_id
    )
    await events.record(
        tx,
        "case.opened",
        actor_id=by,
        case_id=new_id,
        customer_id=row.customer_id,
        queue_id=row.queue_id,
        agent_id=row.owner_id,
        split_from=case_id,
    )
    return new_id
