"""Verbs of cases: their life, their facts, and saved lists of them. Those of writing and joining are named here too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from everyline.cases import queries
from everyline.cases.drafting import attach as attach
from everyline.cases.drafting import detach as detach
from everyline.cases.drafting import draft as draft
from everyline.cases.drafting import drop_draft as drop_draft
from everyline.cases.drafting import note as note
from everyline.cases.joining import link as link
from everyline.cases.joining import merge as merge
from everyline.cases.joining import split as split
from everyline.cases.joining import unlink as unlink
from everyline.cases.models import Case, Interaction, Message, SavedView
from everyline.cases.rules import Status, may_become, preview
from everyline.cases.talks import add_canned_answer as add_canned_answer
from everyline.cases.talks import answer_later as answer_later
from everyline.cases.talks import canned_answer as canned_answer
from everyline.cases.talks import canned_answers as canned_answers
from everyline.cases.talks import change_canned_answer as change_canned_answer
from everyline.cases.talks import end_talks as end_talks
from everyline.cases.talks import kept_canned_answers as kept_canned_answers
from everyline.cases.talks import may_change as may_change
from everyline.cases.talks import retire_canned_answer as retire_canned_answer
from everyline.cases.talks import use_canned_answer as use_canned_answer
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent

statements = queries.statements


async def _become(tx: Tx, by: int | None, case_id: int, then: Status, kind: str, **values: Any) -> Row:
    """One step of a case's life, with its event."""
    row = await queries.locked(tx, case_id)
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that a customer opened, with what they said."""

    case_id: int
    number: int
    interaction_id: int
    message_id: int


async def open_by_customer(
    tx: Tx,
    customer_id: int,
    *,
    subject: str,
    text: str,
    contact_point_id: int,
    line_id: int | None,
    channel: str,
    media_class: str,
    queue_id: int | None,
    language: str = "",
    tags: Sequence[str] = (),
    due_at: datetime | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Opened:
    """A customer opens a case without writing to a line: ``text`` is its first message. It does not wait in a queue yet."""
    at = now()
    shared = {"line_id": line_id, "queue_id": queue_id}
    row = await tx.one(
        insert(Case)
        .values(
            customer_id=customer_id,
            subject=subject,
            language=language,
            tags=list(tags),
            opened_at=at,
            moved_at=at,
            due_at=due_at,
            last_words=preview(text),
            last_channel=channel,
            **shared,
        )
        .returning(Case.id, Case.number)
    )
    interaction_id: int = await tx.value(
        insert(Interaction)
        .values(
            case_id=row.id,
            line_id=line_id,
            contact_point_id=contact_point_id,
            channel=channel,
            media_class=media_class,
            started_at=at,
        )
        .returning(Interaction.id)
    )
    message_id: int = await tx.value(
        insert(Message)
        .values(
            case_id=row.id,
            interaction_id=interaction_id,
            direction="in",
            contact_point_id=contact_point_id,
            subject=subject,
            text=text,
            facts=dict(facts or {}),
            at=at,
        )
        .returning(Message.id)
    )
    told = {"customer_id": customer_id, "case_id": row.id, "interaction_id": interaction_id, **shared}
    await events.record_at(tx, at, "case.opened", **told)
    await events.record_at(tx, at, "message.received", message_id=message_id, **told)
    return Opened(row.id, row.number, interaction_id, message_id)


async def begin(tx: Tx, by: int | None, case_id: int) -> None:
    """Somebody works on it."""
    await _become(tx, by, case_id, Status.OPEN, "case.begun", wakes_at=None)


async def begin_all(tx: Tx, by: Mapping[int, int]) -> None:
    """Somebody works on each of these new cases (case to agent)."""
    if not by:
        return
    at = now()
    rows = await tx.rows(statements.begin_all, {"ids": list(by)})
    await events.record_all(
        tx,
        [
            events.Event(
                "case.begun",
                at,
                actor_id=by[row.id],
                agent_id=row.owner_id,
                customer_id=row.customer_id,
                case_id=row.id,
                queue_id=row.queue_id,
                data={"before": "new"},
            )
            for row in rows
        ],
    )


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
    row = await queries.locked(tx, case_id)
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
    row = await queries.locked(tx, case_id)
    if row.wakes_at is not None:
        await tx.execute(update(Case).where(Case.id == case_id).values(wakes_at=None, moved_at=now(), unread=True))
        await events.record(
            tx, "case.woken", actor_id=by, case_id=case_id, queue_id=row.queue_id, agent_id=row.owner_id
        )


async def give(tx: Tx, by: int | None, case_id: int, agent_id: int | None) -> None:
    """Make an agent the owner, or nobody."""
    row = await queries.locked(tx, case_id)
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
    row = await queries.locked(tx, case_id)
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
