"""What is done with cases where their queue matters: given on, settled, put aside, made one.

The verbs of what waits (``waiting``), of offers (``offers``) and of agents at work (``work``) that others use are named here too.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from everyline.cases import actions as cases
from everyline.cases import queries as case_queries
from everyline.cases.models import Case, Interaction
from everyline.cases.rules import Status
from everyline.channel_contract import MediaClass
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.queues import callbacks, offers, queries, waiting, work
from everyline.queues.models import QueueEntry, WrapUpCode
from everyline.queues.offers import accept as accept
from everyline.queues.offers import accept_all as accept_all
from everyline.queues.offers import decline as decline
from everyline.queues.offers import give_entry as give_entry
from everyline.queues.offers import offer as offer
from everyline.queues.offers import pick as pick
from everyline.queues.offers import time_out as time_out
from everyline.queues.waiting import allot as allot
from everyline.queues.waiting import enter as enter
from everyline.queues.waiting import expected_wait as expected_wait
from everyline.queues.waiting import leave as leave
from everyline.queues.waiting import move_entry as move_entry
from everyline.queues.waiting import overflow as overflow
from everyline.queues.waiting import put_off as put_off
from everyline.queues.waiting import raise_entry as raise_entry
from everyline.queues.waiting import wait_in as wait_in
from everyline.queues.work import change_state as change_state
from everyline.queues.work import end_wrap_ups as end_wrap_ups
from everyline.queues.work import hand_over as hand_over
from everyline.queues.work import wrap_up as wrap_up


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
    await waiting.leave(tx, case_id, "transferred")
    await work.end_work(tx, case_id, "transferred")
    due_at = await queries.goal(tx, queue_id, now())
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
    await waiting.wait_in(tx, case_id, queue.id, waiting_since=since, moved=True)


async def resolve(tx: Tx, by: int | None, case_id: int, wrap_up_code_id: int | None = None) -> None:
    """Settle a case: it stops waiting, and the work on it ends with the outcome chosen."""
    if (
        wrap_up_code_id is not None
        and await tx.value(select(WrapUpCode.id).where(WrapUpCode.id == wrap_up_code_id)) is None
    ):
        raise Invalid(_("There is no such wrap-up code."), {"wrap_up_code": _("Choose one of the list.")})
    await waiting.leave(tx, case_id, "resolved")
    await callbacks.drop(tx, case_id)
    await cases.resolve(tx, by, case_id, wrap_up_code_id=wrap_up_code_id)
    await cases.end_talks(tx, by, case_id, "agent")
    await work.end_work(tx, case_id, "resolved", wrap_up_code_id=wrap_up_code_id)


async def end_talk(tx: Tx, by: int | None, case_id: int, ended_by: str) -> None:
    """A talk ends by the customer, an agent, the idle rule, or because the customer is gone; whose it was wraps it up.
    Conflict when none goes on in this case."""
    await case_queries.locked(tx, case_id)
    if not await cases.end_talks(tx, by, case_id, ended_by):
        raise Conflict(_("This talk has ended already."))
    await waiting.leave(tx, case_id, "abandoned" if ended_by in ("customer", "gone") else "ended")
    await work.end_work(tx, case_id, "ended")


async def answer_later(tx: Tx, by: int | None, case_id: int, interaction_id: int, outcome: str) -> None:
    """Who waits in a talk is answered by mail instead: it waits on as mail does, with its age. The case must be locked."""
    entry = await tx.first(
        select(QueueEntry.queue_id, QueueEntry.waiting_since, QueueEntry.priority).where(
            QueueEntry.case_id == case_id, QueueEntry.state.in_(waiting.LIVE)
        )
    )
    await waiting.leave(tx, case_id, outcome)
    await cases.answer_later(tx, interaction_id)
    row = await case_queries.locked(tx, case_id)
    queue_id = entry.queue_id if entry is not None else row.queue_id
    await events.record(
        tx, "talk.answered_later", actor_id=by, case_id=case_id, queue_id=queue_id, interaction_id=interaction_id
    )
    if queue_id is not None:
        await waiting.wait_in(
            tx,
            case_id,
            queue_id,
            waiting_since=entry.waiting_since if entry is not None else None,
            preferred_agent_id=row.owner_id,
            priority=entry.priority if entry is not None else None,
            moved=True,
        )


async def put_aside(tx: Tx, by: int, case_id: int, what_for: Status) -> None:
    """Wait for the customer, or for others: the owner keeps the case, their capacity is free."""
    await waiting.leave(tx, case_id, "put aside")
    await cases.end_talks(tx, by, case_id, "agent")
    if what_for is Status.WAITING_FOR_CUSTOMER:
        await cases.wait_for_customer(tx, by, case_id)
    else:
        await cases.wait_for_others(tx, by, case_id)
    await work.end_work(tx, case_id, "put aside")


async def reopen(tx: Tx, by: int, case_id: int) -> None:
    """Take a settled case up again; who reopens it owns it."""
    await cases.reopen(tx, by, case_id)
    await cases.give(tx, by, case_id, by)


async def snooze(tx: Tx, by: int, case_id: int, until: datetime) -> None:
    """Out of sight until then; the capacity is free."""
    await cases.snooze(tx, by, case_id, until)
    await waiting.leave(tx, case_id, "snoozed")
    await cases.end_talks(tx, by, case_id, "agent")
    await work.end_work(tx, case_id, "snoozed")


async def give(tx: Tx, by: int, case_id: int, agent_id: int | None) -> None:
    """Make somebody the owner past the queue. Without an owner, it waits again."""
    row = await tx.first(select(Case.owner_id, Case.queue_id).where(Case.id == case_id))
    if row is None or row.owner_id == agent_id:
        return
    await waiting.leave(tx, case_id, "given")
    await work.end_work(tx, case_id, "given")
    await cases.give(tx, by, case_id, agent_id)
    if agent_id is None and row.queue_id is not None:
        await waiting.wait_in(tx, case_id, row.queue_id)
    elif agent_id is not None:
        await _go_on_talking(tx, by, case_id, row.queue_id, agent_id)


async def _go_on_talking(tx: Tx, by: int, case_id: int, queue_id: int | None, agent_id: int) -> None:
    """A talk that goes on is in the hands of whoever owns its case now: it counts as their work, and stands among their talks."""
    talks = select(Interaction.id).where(
        Interaction.case_id == case_id, Interaction.ended_at.is_(None), Interaction.media_class != str(MediaClass.MAIL)
    )
    if queue_id is None or await tx.value(talks.limit(1)) is None:
        return
    await waiting.wait_in(tx, case_id, queue_id, moved=True)
    entry_id = await tx.value(
        select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(waiting.LIVE))
    )
    if entry_id is not None:
        await offers.give_entry(tx, by, entry_id, agent_id)


async def talk_oneself(tx: Tx, by: int, case_id: int, queue_id: int | None) -> None:
    """An agent began a talk in a case: what they had in hand of it is over, and the talk is their work. The case must be theirs."""
    await waiting.leave(tx, case_id, "given")
    await work.end_work(tx, case_id, "given", stays=True)
    await _go_on_talking(tx, by, case_id, queue_id or await queries.default_queue(tx), by)


async def merge(tx: Tx, by: int, kept_id: int, gone_id: int) -> None:
    """Make two cases one."""
    await waiting.leave(tx, gone_id, "merged")
    await callbacks.drop(tx, gone_id)
    await work.end_work(tx, gone_id, "merged")
    await cases.merge(tx, by, kept_id, gone_id)


async def take_over(tx: Tx, by: int, case_id: int) -> None:
    """Take a case from whoever has it, in hand or waiting."""
    row = await tx.first(select(Case.owner_id, Case.queue_id).where(Case.id == case_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such case."))
    if row.owner_id == by:
        return
    entry_id = await tx.value(
        select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(waiting.LIVE))
    )
    if entry_id is not None:
        await offers.give_entry(tx, by, entry_id, by)
        return
    await work.end_work(tx, case_id, "taken over")
    await cases.give(tx, by, case_id, by)
    await _go_on_talking(tx, by, case_id, row.queue_id, by)
