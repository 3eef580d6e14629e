"""Verbs of what agents write on a case: notes, what is begun, and the files that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.cases import queries
from everyline.cases.models import Attachment, Case, Draft, Mention, Note
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent


async def note(
    tx: Tx, by: int | None, case_id: int, text: str, *, mentions: Sequence[int] = (), files: Sequence[int] = ()
) -> int:
    """Write an internal note; returns its id. ``files`` are attachments of the draft that it was written in."""
    if not text.strip() and not files:
        raise Invalid(_("The note is empty."), {"text": _("Write something.")})
    row = await queries.locked(tx, case_id)
    note_id: int = await tx.value(
        insert(Note).values(case_id=case_id, agent_id=by, text=text, at=now()).returning(Note.id)
    )
    called = await tx.column(select(Agent.id).where(Agent.id.in_(mentions), Agent.active)) if mentions else []
    if called:
        await tx.many(insert(Mention), [{"note_id": note_id, "agent_id": agent_id} for agent_id in called])
    if files:
        await tx.execute(
            update(Attachment)
            .where(Attachment.id.in_(files), Attachment.case_id == case_id, Attachment.message_id.is_(None))
            .values(note_id=note_id, draft_id=None)
        )
    await tx.execute(update(Case).where(Case.id == case_id).values(revision=Case.revision + 1))
    await events.record(
        tx, "note.written", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=row.owner_id, note_id=note_id
    )
    for agent_id in called:
        await events.record(
            tx,
            "agent.mentioned",
            actor_id=by,
            agent_id=agent_id,
            case_id=case_id,
            queue_id=row.queue_id,
            note_id=note_id,
        )
    return note_id


async def draft(
    tx: Tx,
    by: int,
    case_id: int,
    kind: str,
    text: str,
    *,
    contact_point_id: int | None = None,
    answer_to: str | None = None,
    copies: Sequence[str] | None = None,
    line_id: int | None = None,
    revision: int | None = None,
) -> int:
    """Keep what an agent has begun to write; returns the draft's id. ``answer_to`` and ``copies`` stay as they were when
    they are not told."""
    values: dict[str, Any] = {
        "text": text,
        "contact_point_id": contact_point_id,
        "line_id": line_id,
        "changed_at": now(),
    }
    if answer_to is not None:
        values["answer_to"] = answer_to
    if copies is not None:
        values["copies"] = list(copies)
    if revision is not None:
        values["revision"] = revision
    draft_id: int = await tx.value(
        upsert(Draft)
        .values(case_id=case_id, agent_id=by, kind=kind, **values)
        .on_conflict_do_update(index_elements=["case_id", "agent_id", "kind"], set_=values)
        .returning(Draft.id)
    )
    return draft_id


async def drop_draft(tx: Tx, by: int, case_id: int, kind: str) -> None:
    """Throw a draft away."""
    await tx.execute(delete(Draft).where(Draft.case_id == case_id, Draft.agent_id == by, Draft.kind == kind))


async def attach(
    tx: Tx, by: int, case_id: int, draft_id: int, *, file_hash: str, name: str, content_type: str, size: int
) -> int:
    """Put a file with a draft; returns the attachment's id."""
    owned = await tx.value(select(Draft.id).where(Draft.id == draft_id, Draft.case_id == case_id, Draft.agent_id == by))
    if owned is None:
        raise NotFound(_("There is no such draft."))
    attachment_id: int = await tx.value(
        insert(Attachment)
        .values(
            case_id=case_id,
            draft_id=draft_id,
            file_hash=file_hash,
            name=name[:255],
            content_type=content_type,
            size=size,
        )
        .returning(Attachment.id)
    )
    return attachment_id


async def detach(tx: Tx, by: int, case_id: int, attachment_id: int) -> None:
    """Take a file off one's draft again."""
    own = select(Draft.id).where(Draft.case_id == case_id, Draft.agent_id == by)
    await tx.execute(
        delete(Attachment).where(
            Attachment.id == attachment_id, Attachment.case_id == case_id, Attachment.draft_id.in_(own)
        )
    )
