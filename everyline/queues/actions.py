"""Verbs of queues: what is done with the work that waits and with the work in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from everyline.cases import actions as cases
from everyline.cases.models import Case, Interaction
from everyline.cases.rules import Status
from everyline.channel_registry import channel
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import AgentState
from everyline.queues import queries, rules
from everyline.queues.hours import add_open_time
from everyline.queues.models import Assignment, Queue, QueueEntry, WrapUpCode

statements = queries.statements

PREFERRED_FOR = timedelta(hours=4)  # how long an answer waits for the agent who asked


@dataclass(frozen=True, slots=True)
class Waiting:
    """An interaction that is to wait in a queue."""

    queue_id: int
    interaction_id: int
    case_id: int
    channel: str
    priority: int = 3
    language: str = ""
    preferred_agent_id: int | None = None
    preferred_until: datetime | None = None
    waiting_since: datetime | None = None


async def enter(tx: Tx, entries: Sequence[Waiting]) -> None:
    """Interactions begin to wait, all at once. A case that waits already, or that somebody works on, does not twice."""
    if not entries:
        return
    at = now()
    facts = [channel(entry.channel).facts for entry in entries]
    rows = await tx.rows(
        statements.enter,
        {
            "at": at,
            "queue_ids": [entry.queue_id for entry in entries],
            "interaction_ids": [entry.interaction_id for entry in entries],
            "case_ids": [entry.case_id for entry in entries],
            "priorities": [entry.priority for entry in entries],
            "media_classes": [str(fact.media_class) for fact in facts],
            "weights": [fact.weight for fact in facts],
            "offer_seconds": [fact.offer_seconds for fact in facts],
            "languages": [entry.language for entry in entries],
            "preferred_agent_ids": [entry.preferred_agent_id for entry in entries],
            "preferred_until": [entry.preferred_until for entry in entries],
            "waiting_since": [entry.waiting_since or at for entry in entries],
        },
    )
    await events.record_all(
        tx,
        [
            events.Event(
                "queue_entry.entered",
                at,
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                queue_id=row.queue_id,
                data={"entry_id": row.id},
            )
            for row in rows
        ],
    )


async def offer(tx: Tx, proposals: Sequence[rules.Proposal]) -> int:
    """Make offers; returns how many still held."""
    at = now()
    rows = await tx.rows(
        statements.offer,
        {
            "at": at,
            "entry_ids": [proposal.entry_id for proposal in proposals],
            "agent_ids": [proposal.agent_id for proposal in proposals],
            "expires": [proposal.expires_at for proposal in proposals],
        },
    )
    await events.record_all(
        tx,
        [
            events.Event(
                "offer.made",
                at,
                agent_id=row.agent_id,
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                queue_id=row.queue_id,
                data={"offer_id": row.id, "entry_id": row.entry_id},
            )
            for row in rows
        ],
    )
    return len(rows)


async def time_out(tx: Tx) -> int:
    """End the offers whose time is over; who lets two pass is set to not answering. Returns how many there were."""
    at = now()
    rows = await tx.rows(statements.time_out, {"at": at})
    for row in rows:
        await events.record(
            tx,
            "offer.timed_out",
            agent_id=row.agent_id,
            case_id=row.case_id,
            interaction_id=row.interaction_id,
            queue_id=row.queue_id,
            offer_id=row.id,
        )
        missed = int(await tx.value(statements.missed_in_row, {"agent_id": row.agent_id}))
        if rules.after_time_out(missed) is rules.Next.NOT_ANSWERING:
            await change_state(tx, None, row.agent_id, "away", "not answering")
    return len(rows)


async def accept(tx: Tx, by: int, offer_id: int) -> int:
    """Take an offer; returns the case's id. Conflict when it is over: exactly one acceptance wins."""
    row = await tx.first(
        statements.end_offer, {"at": now(), "offer_id": offer_id, "agent_id": by, "outcome": "accepted", "reason": ""}
    )
    if row is None:
        raise Conflict(_("This offer is over: it went back to the queue, or somebody else has it."))
    return await _take(tx, by, row.entry_id, ["offered"], "accepted", offer_id=offer_id)


async def decline(tx: Tx, by: int, offer_id: int, reason: str = "") -> None:
    """Let an offer go to somebody else."""
    row = await tx.first(
        statements.end_offer,
        {"at": now(), "offer_id": offer_id, "agent_id": by, "outcome": "declined", "reason": reason[:200]},
    )
    if row is None:
        raise Conflict(_("This offer is over already."))
    entry = await tx.first(
        statements.move_entry,
        {"at": now(), "entry_id": row.entry_id, "before": ["offered"], "after": "waiting", "outcome": ""},
    )
    if entry is not None:
        await events.record(
            tx,
            "offer.declined",
            actor_id=by,
            agent_id=by,
            case_id=entry.case_id,
            interaction_id=entry.interaction_id,
            queue_id=entry.queue_id,
            offer_id=offer_id,
            reason=reason[:200],
        )


async def pick(tx: Tx, by: int, case_id: int) -> None:
    """Take a case out of its queue by hand. Conflict when somebody else has it."""
    entry_id = await tx.value(
        select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(["waiting", "offered"]))
    )
    if entry_id is None:
        raise Conflict(_("This case does not wait any more: somebody else has it, or it is settled."))
    await _withdraw(tx, "picked", entry_id=entry_id, but=by)
    await _take(tx, by, entry_id, ["waiting", "offered"], "picked")


async def _take(tx: Tx, by: int, entry_id: int, before: list[str], outcome: str, **data: Any) -> int:
    entry = await tx.first(
        statements.move_entry,
        {"at": now(), "entry_id": entry_id, "before": before, "after": "taken", "outcome": outcome},
    )
    if entry is None:
        raise Conflict(_("Somebody else was faster."))
    await tx.execute(
        insert(Assignment).values(
            entry_id=entry.id,
            interaction_id=entry.interaction_id,
            case_id=entry.case_id,
            queue_id=entry.queue_id,
            agent_id=by,
            media_class=entry.media_class,
            weight=entry.weight,
            accepted_at=now(),
        )
    )
    await tx.execute(update(Case).where(Case.id == entry.case_id).values(owner_id=by))
    await events.record(
        tx,
        f"interaction.{outcome}",
        actor_id=by,
        agent_id=by,
        case_id=entry.case_id,
        interaction_id=entry.interaction_id,
        queue_id=entry.queue_id,
        **data,
    )
    status = await tx.value(select(Case.status).where(Case.id == entry.case_id))
    if status == Status.NEW:
        await cases.begin(tx, by, entry.case_id)
    return int(entry.case_id)


async def _withdraw(
    tx: Tx, reason: str, *, entry_id: int | None = None, agent_id: int | None = None, but: int | None = None
) -> list[Row]:
    rows = await tx.rows(
        statements.withdraw, {"at": now(), "reason": reason, "entry_id": entry_id, "agent_id": agent_id}
    )
    for row in rows:
        if row.agent_id != but:
            await events.record(tx, "offer.withdrawn", agent_id=row.agent_id, offer_id=row.id, reason=reason)
    return list(rows)


async def leave(tx: Tx, case_id: int, outcome: str) -> None:
    """A case stops waiting: answered, resolved, transferred or merged meanwhile."""
    for row in await tx.rows(
        select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(["waiting", "offered"]))
    ):
        await _withdraw(tx, outcome, entry_id=row.id)
        entry = await tx.first(
            statements.move_entry,
            {"at": now(), "entry_id": row.id, "before": ["waiting", "offered"], "after": "left", "outcome": outcome},
        )
        if entry is not None:
            await events.record(
                tx,
                "queue_entry.left",
                case_id=case_id,
                interaction_id=entry.interaction_id,
                queue_id=entry.queue_id,
                entry_id=entry.id,
                outcome=outcome,
            )


async def end_work(tx: Tx, case_id: int, outcome: str, *, wrap_up_code_id: int | None = None) -> None:
    """The work in hand on a case ends. With a wrap-up code, or where the queue knows no wrap-up time, the capacity is free
    at once; otherwise the agent wraps up first."""
    rows = await tx.rows(
        select(Assignment.__table__, Queue.wrap_up_seconds)
        .join(Queue, Queue.id == Assignment.queue_id)
        .where(Assignment.case_id == case_id, Assignment.ended_at.is_(None))
    )
    at = now()
    for row in rows:
        wraps_up = row.wrap_up_seconds > 0 and wrap_up_code_id is None and outcome == "resolved"
        await tx.execute(
            update(Assignment)
            .where(Assignment.id == row.id)
            .values(
                work_ended_at=row.work_ended_at or at,
                ended_at=None if wraps_up else at,
                outcome=outcome,
                wrap_up_code_id=wrap_up_code_id,
            )
        )
        kind = "interaction.wraps_up" if wraps_up else "interaction.wrapped_up"
        await events.record(
            tx,
            kind,
            agent_id=row.agent_id,
            case_id=case_id,
            interaction_id=row.interaction_id,
            queue_id=row.queue_id,
            outcome=outcome,
            wrap_up_code_id=wrap_up_code_id,
        )
        if not wraps_up:
            await _idle_from_now(tx, row.agent_id)


async def wrap_up(tx: Tx, by: int, assignment_id: int, wrap_up_code_id: int | None) -> None:
    """Say how it ended; the capacity is free again."""
    row = await tx.first(
        update(Assignment)
        .where(Assignment.id == assignment_id, Assignment.agent_id == by, Assignment.ended_at.is_(None))
        .values(
            ended_at=now(),
            work_ended_at=func.coalesce(Assignment.work_ended_at, now()),
            wrap_up_code_id=wrap_up_code_id,
        )
        .returning(Assignment.case_id, Assignment.interaction_id, Assignment.queue_id)
    )
    if row is None:
        raise Conflict(_("This work was wrapped up already."))
    await events.record(
        tx,
        "interaction.wrapped_up",
        actor_id=by,
        agent_id=by,
        case_id=row.case_id,
        interaction_id=row.interaction_id,
        queue_id=row.queue_id,
        wrap_up_code_id=wrap_up_code_id,
    )
    await _idle_from_now(tx, by)


async def end_wrap_ups(tx: Tx) -> int:
    """End the wrap-ups whose time is over, without a code; returns how many there were."""
    rows = await tx.rows(statements.wrapped_up_by_time, {"at": now()})
    for row in rows:
        await events.record(
            tx,
            "interaction.wrapped_up",
            agent_id=row.agent_id,
            case_id=row.case_id,
            interaction_id=row.interaction_id,
            queue_id=row.queue_id,
            outcome="time was over",
        )
        await _idle_from_now(tx, row.agent_id)
    return len(rows)


async def _idle_from_now(tx: Tx, agent_id: int) -> None:
    """The longest idle is who has had nothing in hand for longest; then a state chosen for afterwards is taken."""
    busy = await tx.value(
        select(Assignment.id).where(Assignment.agent_id == agent_id, Assignment.ended_at.is_(None)).limit(1)
    )
    if busy is not None:
        return
    row = await tx.first(
        update(AgentState)
        .where(AgentState.agent_id == agent_id)
        .values(idle_since=now())
        .returning(AgentState.next_state, AgentState.next_reason)
    )
    if row is not None and row.next_state:
        await change_state(tx, agent_id, agent_id, row.next_state, row.next_reason)


async def change_state(
    tx: Tx, by: int | None, agent_id: int, state: str, reason: str = "", *, afterwards: bool = False
) -> None:
    """Available, away with a reason, or offline: now, or when the present work ends."""
    if state not in ("available", "away", "offline"):
        raise Invalid(_("There is no such state."), {"state": _("Choose available, away or offline.")})
    if afterwards and await queries.in_hand(tx, agent_id):
        await tx.execute(
            update(AgentState).where(AgentState.agent_id == agent_id).values(next_state=state, next_reason=reason)
        )
        await events.record(tx, "agent.state_planned", actor_id=by, agent_id=agent_id, state=state, reason=reason)
        return
    before = await tx.first(select(AgentState.__table__).where(AgentState.agent_id == agent_id).with_for_update())
    if before is None:
        raise NotFound(_("There is no such agent."))
    if (before.state, before.reason) == (state, reason) and not before.next_state:
        return
    at = now()
    values: dict[str, Any] = {"state": state, "reason": reason, "since": at, "next_state": None, "next_reason": ""}
    if state == "available" and before.state != "available":
        values["idle_since"] = at
    await tx.execute(update(AgentState).where(AgentState.agent_id == agent_id).values(**values))
    if state != "available":
        for row in await _withdraw(tx, "no longer available", agent_id=agent_id, but=None):
            await tx.execute(
                statements.move_entry,
                {"at": at, "entry_id": row.entry_id, "before": ["offered"], "after": "waiting", "outcome": ""},
            )
    await events.record(
        tx,
        "agent.state_changed",
        actor_id=by,
        agent_id=agent_id,
        state=state,
        reason=reason,
        before=before.state,
        since=before.since.isoformat(),
    )


async def transfer(tx: Tx, by: int, case_id: int, queue_id: int, note: str = "") -> None:
    """Give a case to another queue, with a note for those who take it. It keeps the time it has waited."""
    queue = await queries.get(tx, queue_id)
    row = await tx.first(select(Case.__table__).where(Case.id == case_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such case."))
    if row.status == Status.CLOSED:
        raise Conflict(_("Case %s is closed.") % row.number)
    if note.strip():
        await cases.note(tx, by, case_id, note)
    since = await tx.value(
        select(QueueEntry.waiting_since).where(QueueEntry.case_id == case_id).order_by(QueueEntry.id.desc()).limit(1)
    )
    await leave(tx, case_id, "transferred")
    await end_work(tx, case_id, "transferred")
    due_at = await goal(tx, queue_id, now())
    await tx.execute(
        update(Case).where(Case.id == case_id).values(queue_id=queue_id, owner_id=None, due_at=due_at, unread=True)
    )
    await events.record(
        tx,
        "case.transferred",
        actor_id=by,
        case_id=case_id,
        customer_id=row.customer_id,
        queue_id=queue_id,
        agent_id=row.owner_id,
        before=row.queue_id,
    )
    if row.status in (Status.RESOLVED, Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS):
        await cases.reopen(tx, by, case_id)
    await wait_in(tx, case_id, queue.id, waiting_since=since)


async def wait_in(
    tx: Tx, case_id: int, queue_id: int, *, waiting_since: datetime | None = None, preferred_agent_id: int | None = None
) -> None:
    """Put a case's newest interaction into a queue."""
    row = await tx.first(
        select(Interaction.__table__, Case.priority, Case.language)
        .join(Case, Case.id == Interaction.case_id)
        .where(Interaction.case_id == case_id)
        .order_by(Interaction.id.desc())
        .limit(1)
    )
    if row is None:
        return
    await enter(
        tx,
        [
            Waiting(
                queue_id,
                row.id,
                case_id,
                row.channel,
                row.priority,
                row.language,
                preferred_agent_id,
                now() + PREFERRED_FOR if preferred_agent_id else None,
                waiting_since,
            )
        ],
    )


async def goal(tx: Tx, queue_id: int, start: datetime) -> datetime | None:
    """Until when a queue promises its first answer to what came at ``start``."""
    queue = await queries.get(tx, queue_id)
    return add_open_time(await queries.opening_hours(tx, queue.hours_id), start, timedelta(seconds=queue.goal_seconds))


async def resolve(tx: Tx, by: int | None, case_id: int, wrap_up_code_id: int | None = None) -> None:
    """Settle a case: it stops waiting, and the work on it ends with the outcome chosen."""
    if (
        wrap_up_code_id is not None
        and await tx.value(select(WrapUpCode.id).where(WrapUpCode.id == wrap_up_code_id)) is None
    ):
        raise Invalid(_("There is no such wrap-up code."), {"wrap_up_code": _("Choose one of the list.")})
    await leave(tx, case_id, "resolved")
    await cases.resolve(tx, by, case_id, wrap_up_code_id=wrap_up_code_id)
    await end_work(tx, case_id, "resolved", wrap_up_code_id=wrap_up_code_id)


async def put_aside(tx: Tx, by: int, case_id: int, what_for: Status) -> None:
    """Wait for the customer, or for others: the owner keeps the case, their capacity is free."""
    await leave(tx, case_id, "put aside")
    if what_for is Status.WAITING_FOR_CUSTOMER:
        await cases.wait_for_customer(tx, by, case_id)
    else:
        await cases.wait_for_others(tx, by, case_id)
    await end_work(tx, case_id, "put aside")


async def reopen(tx: Tx, by: int, case_id: int) -> None:
    """Take a settled case up again; who reopens it owns it."""
    await cases.reopen(tx, by, case_id)
    await cases.give(tx, by, case_id, by)


async def snooze(tx: Tx, by: int, case_id: int, until: datetime) -> None:
    """Out of sight until then; the capacity is free."""
    await cases.snooze(tx, by, case_id, until)
    await leave(tx, case_id, "snoozed")
    await end_work(tx, case_id, "snoozed")


async def give(tx: Tx, by: int, case_id: int, agent_id: int | None) -> None:
    """Make somebody the owner past the queue. Without an owner, it waits again."""
    row = await tx.first(select(Case.owner_id, Case.queue_id).where(Case.id == case_id))
    if row is None or row.owner_id == agent_id:
        return
    await leave(tx, case_id, "given")
    await end_work(tx, case_id, "given")
    await cases.give(tx, by, case_id, agent_id)
    if agent_id is None and row.queue_id is not None:
        await wait_in(tx, case_id, row.queue_id)


async def merge(tx: Tx, by: int, kept_id: int, gone_id: int) -> None:
    """Make two cases one."""
    await leave(tx, gone_id, "merged")
    await end_work(tx, gone_id, "merged")
    await cases.merge(tx, by, kept_id, gone_id)
