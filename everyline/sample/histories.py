"""Sample cases with all that happened to them: messages, notes, deliveries, waiting, work, events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update

from everyline.cases.models import Case, Interaction, Message, Note
from everyline.cases.rules import OPEN_STATUSES, answer_subject, preview
from everyline.channel_registry import channel
from everyline.customers.models import ContactPoint
from everyline.customers.queries import statements as customer_statements
from everyline.dispatch.models import Delivery
from everyline.ground import events
from everyline.ground.addresses import MAILBOX
from everyline.ground.database import Base, Tx
from everyline.ground.events import Event
from everyline.ground.installation import Ground
from everyline.queues import queries as queue_queries
from everyline.queues.models import Assignment, QueueEntry
from everyline.sample import topics
from everyline.sample.generator import Person, Piece, SampleCase
from everyline.sample.house import House


async def ids(tx: Tx, table: type[Base], n: int) -> list[int]:
    """Ids set aside for rows that refer to each other."""
    return [row.id for row in await tx.rows(customer_statements.next_ids, {"tbl": f'"{table.__tablename__}"', "n": n})]


class _Rows:
    """What is to be written, by table."""

    def __init__(self) -> None:
        self.by_table: dict[type[Base], list[dict[str, Any]]] = {}
        self.events: list[Event] = []

    def add(self, table: type[Base], **values: Any) -> None:
        self.by_table.setdefault(table, []).append(values)

    async def write(self, tx: Tx) -> None:
        for table, rows in self.by_table.items():
            columns = ", ".join(f'"{column}"' for column in rows[0])
            await tx.execute(  # all at once: a statement for each row takes four times as long
                text(
                    f'insert into "{table.__tablename__}" ({columns}) '  # noqa: S608 -- names of our own columns
                    f'select {columns} from jsonb_populate_recordset(null::"{table.__tablename__}", cast(:rows as jsonb))'
                ),
                {"rows": json.dumps(rows, default=_as_json)},
            )
        await events.record_all(tx, sorted(self.events, key=lambda event: event.at))


def _as_json(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not a value of a column: {value!r}")


async def write(
    tx: Tx,
    ground: Ground,
    house: House,
    customers: list[Person],
    points: list[int],
    cases: Sequence[SampleCase],
) -> None:
    """Write the cases with all that happened to them. ``points``: the customers' mailboxes, in their order."""
    rows = _Rows()
    case_ids = await ids(tx, Case, len(cases))
    interaction_ids = await ids(tx, Interaction, len(cases))
    entry_ids = await ids(tx, QueueEntry, len(cases))
    assignment_ids = await ids(tx, Assignment, len(cases))
    message_ids = iter(await ids(tx, Message, sum(len(found.pieces) for found in cases)))
    customer_of = {
        row.id: row.customer_id
        for row in await tx.rows(select(ContactPoint.id, ContactPoint.customer_id).where(ContactPoint.kind == MAILBOX))
    }
    for case_id, interaction_id, entry_id, assignment_id, found in zip(
        case_ids, interaction_ids, entry_ids, assignment_ids, cases, strict=True
    ):
        point = points[found.customer]
        one = _One(
            case_id,
            interaction_id,
            entry_id,
            assignment_id,
            customer_of[point],
            point,
            house.queues[found.topic.queue],
            house.lines[found.line],
            house.answer_lines[found.line],
        )
        _case(rows, house, one, found)
        for piece in found.pieces:
            _piece(rows, ground, house, one, found, piece, customers[found.customer], next(message_ids))
        _work(rows, house, one, found)
    await rows.write(tx)
    for found, case_id in zip(cases, case_ids, strict=True):
        if found.status == "new":
            due_at = await queue_queries.goal(tx, house.queues[found.topic.queue], found.opened_at)
            await tx.execute(update(Case).where(Case.id == case_id).values(due_at=due_at))


@dataclass(frozen=True)
class _One:
    case_id: int
    interaction_id: int
    entry_id: int
    assignment_id: int
    customer_id: int
    point_id: int
    queue_id: int
    line_id: int
    answer_line_id: int


def _case(rows: _Rows, house: House, one: _One, found: SampleCase) -> None:
    said = [piece for piece in found.pieces if piece.who in ("customer", "agent")]
    owner = house.agents[found.agent] if found.agent is not None else None
    rows.add(
        Case,
        id=one.case_id,
        customer_id=one.customer_id,
        subject=found.subject,
        status=found.status,
        priority=found.priority,
        queue_id=one.queue_id,
        owner_id=owner,
        line_id=one.line_id,
        language=found.topic.language,
        tags=list(found.topic.tags),
        opened_at=found.opened_at,
        moved_at=said[-1].at,
        resolved_at=found.resolved_at,
        closed_at=found.resolved_at + timedelta(days=14) if found.status == "closed" and found.resolved_at else None,
        answered_at=found.answered_at,
        wrap_up_code_id=house.codes[found.topic.code] if found.resolved_at else None,
        revision=len(found.pieces),
        last_words=preview(said[-1].text),
        last_channel=topics.LINES[found.line].channel,
        last_direction="in" if said[-1].who == "customer" else "out",
        unread=said[-1].who == "customer" and found.status in OPEN_STATUSES,
    )
    rows.add(
        Interaction,
        id=one.interaction_id,
        case_id=one.case_id,
        line_id=one.line_id,
        contact_point_id=one.point_id,
        channel=topics.LINES[found.line].channel,
        media_class=str(channel(topics.LINES[found.line].channel).facts.media_class),
        started_at=found.opened_at,
        ended_at=found.resolved_at,
    )
    shared = _shared(one)
    rows.events.append(Event("case.opened", found.opened_at, **shared))
    if found.resolved_at and owner is not None:
        rows.events.append(Event("case.resolved", found.resolved_at, owner, owner, **shared, data={"before": "open"}))


def _shared(one: _One) -> dict[str, Any]:
    return {
        "customer_id": one.customer_id,
        "case_id": one.case_id,
        "interaction_id": one.interaction_id,
        "queue_id": one.queue_id,
    }


def _piece(
    rows: _Rows,
    ground: Ground,
    house: House,
    one: _One,
    found: SampleCase,
    piece: Piece,
    person: Person,
    message_id: int,
) -> None:
    owner = house.agents[found.agent] if found.agent is not None else None
    shared = _shared(one)
    if piece.who == "note":
        rows.add(Note, case_id=one.case_id, agent_id=owner, text=piece.text, at=piece.at)
        rows.events.append(Event("note.written", piece.at, owner, owner, **shared))
        return
    ours = piece.who != "customer"
    line = topics.LINES[found.line]
    domain = (line.answers_on or line.address).partition("@")[2]
    external_id = (
        f"{ground.signer.sign(one.case_id)}.{message_id:x}@{domain}"
        if ours
        else f"{message_id:x}.sample@{person.mailbox.partition('@')[2]}"
    )
    subject = answer_subject(found.subject) if ours or piece is not found.pieces[0] else found.subject
    words = piece.text
    if piece.who == "automatic":
        words = "Thank you for writing to us. Your message has arrived.\n\nHarbor County\n"
    rows.add(
        Message,
        id=message_id,
        case_id=one.case_id,
        interaction_id=one.interaction_id,
        direction="out" if ours else "in",
        agent_id=owner if piece.who == "agent" else None,
        contact_point_id=one.point_id,
        external_id=external_id,
        subject=subject,
        text=words,
        at=piece.at,
        sent_at=None if ours else piece.at,
        kind="acknowledgement" if piece.who == "automatic" else "message",
        facts={"fields": piece.fields} if piece.fields else {},
    )
    if ours:
        rows.add(
            Delivery,
            idempotency_key=f"sample:{message_id}",
            line_id=one.answer_line_id,
            case_id=one.case_id,
            message_id=message_id,
            contact_point_id=one.point_id,
            kind="reply" if piece.who == "agent" else "acknowledgement",
            address_kind=MAILBOX,
            address=person.mailbox,
            subject=subject,
            text=words,
            automatic=piece.who == "automatic",
            external_id=external_id,
            state="sent",
            attempts=1,
            answer="250 2.0.0 Ok",
            created_at=piece.at,
            due_at=piece.at,
            sent_at=piece.at + timedelta(seconds=2),
        )
    kind = "message.written" if piece.who == "agent" else "message.received"
    if piece.who != "automatic":
        rows.events.append(
            Event(kind, piece.at, owner if ours else None, owner, **shared, data={"message_id": message_id})
        )


def _work(rows: _Rows, house: House, one: _One, found: SampleCase) -> None:
    channel_name = topics.LINES[found.line].channel
    facts = channel(channel_name).facts
    waiting = found.accepted_at is None or found.agent is None
    rows.add(
        QueueEntry,
        id=one.entry_id,
        queue_id=one.queue_id,
        interaction_id=one.interaction_id,
        case_id=one.case_id,
        state="waiting" if waiting else "taken",
        priority=found.priority,
        channel=channel_name,
        media_class=str(facts.media_class),
        weight=facts.weight,
        offer_seconds=facts.offer_seconds,
        language=found.topic.language,
        entered_at=found.opened_at,
        waiting_since=found.opened_at,
        left_at=found.accepted_at,
        outcome="" if waiting else "accepted",
    )
    shared = _shared(one)
    kind = {
        "channel": channel_name,
        "media_class": str(facts.media_class),
        "language": found.topic.language,
        "weight": facts.weight,
    }
    entered = {
        "entry_id": one.entry_id,
        "priority": found.priority,
        "offer_seconds": facts.offer_seconds,
        "waiting_since": found.opened_at.isoformat(),
        "moved": False,
    }
    rows.events.append(Event("queue_entry.entered", found.opened_at, **shared, data={**entered, **kind}))
    if waiting or found.agent is None or found.accepted_at is None:
        return
    agent_id = house.agents[found.agent]
    work_ended = min(
        (found.answered_at or found.accepted_at) + timedelta(seconds=40), found.accepted_at + timedelta(minutes=25)
    )
    wrap_up = timedelta(seconds=15 + one.entry_id % 50)
    ended = work_ended + wrap_up
    outcome = "resolved" if found.resolved_at and found.resolved_at <= ended + timedelta(hours=1) else "put aside"
    rows.add(
        Assignment,
        id=one.assignment_id,
        entry_id=one.entry_id,
        interaction_id=one.interaction_id,
        case_id=one.case_id,
        queue_id=one.queue_id,
        agent_id=agent_id,
        channel=channel_name,
        media_class=str(facts.media_class),
        weight=facts.weight,
        accepted_at=found.accepted_at,
        work_ended_at=work_ended,
        ended_at=ended,
        wrap_up_code_id=house.codes[found.topic.code] if found.resolved_at else None,
        outcome=outcome,
    )
    work = {"entry_id": one.entry_id, "assignment_id": one.assignment_id, **kind}
    waited = (found.accepted_at - found.opened_at).total_seconds()
    over = {
        "outcome": outcome,
        "accepted_at": found.accepted_at.isoformat(),
        "work_seconds": (work_ended - found.accepted_at).total_seconds(),
        "held_seconds": 0,
        "wrap_up_seconds": wrap_up.total_seconds(),
        "wrap_up_code_id": house.codes[found.topic.code] if found.resolved_at else None,
    }
    rows.events += [
        Event(
            "interaction.accepted",
            found.accepted_at,
            agent_id,
            agent_id,
            **shared,
            data={**work, "waited_seconds": waited},
        ),
        Event("interaction.wrapped_up", ended, agent_id, agent_id, **shared, data={**work, **over}),
    ]
