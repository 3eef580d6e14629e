"""Verbs of cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.cases import queries
from everyline.cases.models import Attachment, Case, CaseLink, Draft, Interaction, Mention, Message, Note, SavedView
from everyline.cases.rules import Status, may_become
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent

statements = queries.statements


async def _locked(tx: Tx, case_id: int) -> Row:
    row = await tx.first(select(Case.__table__).where(Case.id == case_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such case."))
    return row


async def _become(tx: Tx, by: int | None, case_id: int, then: Status, kind: str, **values: Any) -> Row:
    """One step of a case's life, with its event."""
    row = await _locked(tx, case_id)
    if row.status == then:
        return row
    if not may_become(Status(row.status), then):
        raise Conflict(
            _("Case %(number)s is %(status)s and cannot become %(then)s.")
            % {"number": row.number, "status": _(row.status), "then": _(then)}
        )
    await tx.execute(update(Case).where(Case.id == case_id).values(status=then, **values))
    await events.record(
        tx,
        kind,
        actor_id=by,
        case_id=case_id,
        customer_id=row.customer_id,
        queue_id=row.queue_id,
        agent_id=row.owner_id,
        before=row.status,
    )
    return row


async def open_for(
    tx: Tx, by: int, customer_id: int, subject: str, *, queue_id: int | None = None, language: str = ""
) -> int:
    """An agent opens a case for a customer and owns it; returns its id."""
    case_id: int = await tx.value(
        insert(Case)
        .values(
            customer_id=customer_id,
            subject=subject,
            queue_id=queue_id,
            owner_id=by,
            language=language,
            status=Status.OPEN,
            unread=False,
        )
        .returning(Case.id)
    )
    await events.record(
        tx, "case.opened", actor_id=by, case_id=case_id, customer_id=customer_id, queue_id=queue_id, agent_id=by
    )
    return case_id


async def begin(tx: Tx, by: int | None, case_id: int) -> None:
    """Somebody works on it."""
    await _become(tx, by, case_id, Status.OPEN, "case.begun", wakes_at=None)


async def wait_for_customer(tx: Tx, by: int | None, case_id: int) -> None:
    """We asked back; the case comes to its owner again when the answer comes."""
    await _become(tx, by, case_id, Status.WAITING_FOR_CUSTOMER, "case.waits_for_customer", due_at=None)


async def wait_for_others(tx: Tx, by: int | None, case_id: int) -> None:
    """Somebody else has to do something first."""
    await _become(tx, by, case_id, Status.WAITING_FOR_OTHERS, "case.waits_for_others")


async def resolve(tx: Tx, by: int | None, case_id: int, *, wrap_up_code_id: int | None = None) -> None:
    """The matter is settled."""
    await _become(
        tx,
        by,
        case_id,
        Status.RESOLVED,
        "case.resolved",
        resolved_at=now(),
        wakes_at=None,
        due_at=None,
        unread=False,
        wrap_up_code_id=wrap_up_code_id,
    )


async def reopen(tx: Tx, by: int | None, case_id: int) -> None:
    """It was not settled after all, or what it waited for is there."""
    await _become(tx, by, case_id, Status.OPEN, "case.reopened", resolved_at=None, wakes_at=None)


async def close(tx: Tx, by: int | None, case_id: int) -> None:
    """For good: whatever comes later is a new case."""
    await _become(tx, by, case_id, Status.CLOSED, "case.closed", closed_at=now())


async def snooze(tx: Tx, by: int | None, case_id: int, until: datetime) -> None:
    """Out of sight until then, or until the customer writes."""
    if until <= now():
        raise Invalid(_("Choose a time in the future."), {"until": _("This time has passed.")})
    row = await _locked(tx, case_id)
    if row.status in (Status.RESOLVED, Status.CLOSED):
        raise Conflict(_("Case %s is settled; there is nothing to snooze.") % row.number)
    await tx.execute(update(Case).where(Case.id == case_id).values(wakes_at=until))
    await events.record(
        tx,
        "case.snoozed",
        actor_id=by,
        case_id=case_id,
        queue_id=row.queue_id,
        agent_id=row.owner_id,
        until=until.isoformat(),
    )


async def wake(tx: Tx, by: int | None, case_id: int) -> None:
    """Back in sight."""
    row = await _locked(tx, case_id)
    if row.wakes_at is not None:
        await tx.execute(update(Case).where(Case.id == case_id).values(wakes_at=None, moved_at=now(), unread=True))
        await events.record(
            tx, "case.woken", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=row.owner_id
        )


async def give(tx: Tx, by: int | None, case_id: int, agent_id: int | None) -> None:
    """Make an agent the owner, or nobody."""
    row = await _locked(tx, case_id)
    if agent_id is not None and await tx.value(select(Agent.id).where(Agent.id == agent_id, Agent.active)) is None:
        raise NotFound(_("There is no such agent."))
    if row.owner_id == agent_id:
        return
    await tx.execute(update(Case).where(Case.id == case_id).values(owner_id=agent_id))
    await events.record(
        tx, "case.given", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=agent_id, before=row.owner_id
    )


async def describe(tx: Tx, by: int | None, case_id: int, **facts: Any) -> None:
    """Change the subject, the priority (1 to 5), the tags or the language."""
    row = await _locked(tx, case_id)
    if "subject" in facts and not str(facts["subject"]).strip():
        raise Invalid(_("A case needs a subject."), {"subject": _("Write a subject.")})
    if "priority" in facts and facts["priority"] not in range(1, 6):
        raise Invalid(_("A priority is a number from 1 to 5."), {"priority": _("Choose 1 to 5.")})
    if "tags" in facts:
        facts["tags"] = sorted({str(tag).strip().lower()[:50] for tag in facts["tags"] if str(tag).strip()})
    changed = {name: value for name, value in facts.items() if getattr(row, name) != value}
    if changed:
        await tx.execute(update(Case).where(Case.id == case_id).values(**changed))
        await events.record(
            tx,
            "case.described",
            actor_id=by,
            case_id=case_id,
            queue_id=row.queue_id,
            agent_id=row.owner_id,
            fields=sorted(changed),
        )


async def read(tx: Tx, by: int, case_id: int) -> None:
    """The owner, or anybody while it has none, has seen what is new."""
    row = await tx.first(statements.read, {"case_id": case_id, "by": by})
    if row is not None:
        await events.record(tx, "case.read", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=row.owner_id)


async def note(
    tx: Tx, by: int | None, case_id: int, text: str, *, mentions: Sequence[int] = (), files: Sequence[int] = ()
) -> int:
    """Write an internal note; returns its id. ``files`` are attachments of the draft that it was written in."""
    if not text.strip() and not files:
        raise Invalid(_("The note is empty."), {"text": _("Write something.")})
    row = await _locked(tx, case_id)
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
    row = await _locked(tx, case_id)
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


async def save_view(tx: Tx, agent_id: int | None, name: str, filters: dict[str, Any]) -> int:
    """Keep a list under a name, for oneself or (``agent_id`` None) for everybody; returns its id."""
    if not name.strip():
        raise Invalid(_("A view needs a name."), {"name": _("Write a name.")})
    view_id: int = await tx.value(
        insert(SavedView).values(name=name.strip()[:80], agent_id=agent_id, filters=filters).returning(SavedView.id)
    )
    return view_id


async def drop_view(tx: Tx, view_id: int, agent_id: int | None) -> None:
    """Throw away a saved list of one's own, or (``agent_id`` None) of everybody."""
    await tx.execute(
        delete(SavedView).where(SavedView.id == view_id, SavedView.agent_id.is_not_distinct_from(agent_id))
    )
