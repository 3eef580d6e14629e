"""What supervisors do from the board: each deed within their scope, with its event by the verb and its line in the audit."""

from __future__ import annotations

from sqlalchemy import select

from everyline.board.reading import statements
from everyline.cases.models import Case
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.events import record
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.rules import Me
from everyline.queues import actions, queries


async def entry_of(tx: Tx, me: Me, entry_id: int) -> Row:
    """An entry that waits within one's scope. NotFound otherwise."""
    row = await tx.first(statements.entry, {"entry_id": entry_id})
    if row is None or not me.sees_queue(row.queue_id):
        raise NotFound(_("This does not wait any more: somebody else has it, or it is settled."))
    return row


async def move(tx: Tx, me: Me, entry_id: int, queue_id: int) -> Row:
    """Let an entry wait in another queue; it keeps its age."""
    entry = await entry_of(tx, me, entry_id)
    queue = await queries.get(tx, queue_id)
    await actions.move_entry(tx, me.id, entry_id, queue.id)
    await audit(
        tx,
        me.id,
        "queue_entry.moved",
        "case",
        entry.case_id,
        address=me.address,
        before=entry.queue_id,
        queue_id=queue.id,
    )
    return entry


async def change_priority(tx: Tx, me: Me, entry_id: int, priority: int) -> Row:
    """Make an entry more or less urgent: 1 most to 5."""
    entry = await entry_of(tx, me, entry_id)
    await actions.raise_entry(tx, me.id, entry_id, priority)
    await audit(
        tx,
        me.id,
        "queue_entry.raised",
        "case",
        entry.case_id,
        address=me.address,
        before=entry.priority,
        priority=priority,
    )
    return entry


async def give(tx: Tx, me: Me, entry_id: int, agent_id: int) -> Row:
    """Give an entry to an agent past the order of the queue."""
    entry = await entry_of(tx, me, entry_id)
    await queries.agent_of(tx, me, agent_id)
    await actions.give_entry(tx, me.id, entry_id, agent_id)
    await audit(tx, me.id, "queue_entry.given", "case", entry.case_id, address=me.address, agent_id=agent_id)
    return entry


async def take_over(tx: Tx, me: Me, case_id: int) -> Row:
    """Take a case from whoever has it, waiting or in hand."""
    row = await tx.first(select(Case.id, Case.number, Case.queue_id, Case.owner_id).where(Case.id == case_id))
    if row is None or not me.sees_queue(row.queue_id):
        raise NotFound(_("There is no such case."))
    await actions.take_over(tx, me.id, case_id)
    await audit(tx, me.id, "case.taken_over", "case", case_id, address=me.address, before=row.owner_id)
    return row


async def change_state(tx: Tx, me: Me, agent_id: int, state: str, reason: str, *, afterwards: bool = False) -> Row:
    """Change an agent's state: available, away or offline; now, or when their work ends."""
    agent = await queries.agent_of(tx, me, agent_id)
    await actions.change_state(tx, me.id, agent_id, state, reason, afterwards=afterwards)
    await audit(tx, me.id, "agent.directed", "agent", agent_id, address=me.address, state=state, reason=reason)
    return agent


async def set_threshold(
    tx: Tx, me: Me, queue_id: int | None, figure: str, warn: int | None, bad: int | None, *, rings: bool
) -> None:
    """From when on a figure of a queue asks for attention; of every queue (None) only by who sees every queue."""
    if queue_id is None and not me.all_queues:
        raise NotFound(_("Thresholds of every queue are set by who sees every queue."))
    if queue_id is not None:
        await queries.get(tx, queue_id)
        if not me.sees_queue(queue_id):
            raise NotFound(_("There is no such queue."))
    await tx.execute(
        statements.set_threshold,
        {"queue_id": queue_id, "figure": figure, "warn": warn, "bad": bad, "rings": rings, "by": me.id, "at": now()},
    )
    await record(tx, "threshold.changed", actor_id=me.id, queue_id=queue_id, figure=figure)
    await audit(
        tx,
        me.id,
        "threshold.changed",
        "queue",
        queue_id,
        address=me.address,
        figure=figure,
        warn=warn,
        bad=bad,
        rings=rings,
    )
