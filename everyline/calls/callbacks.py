"""What comes of calling those who asked for it: reached, tried again later, or left to a person."""

from __future__ import annotations

from datetime import datetime

from everyline.calls.queries import statements
from everyline.cases import actions as cases
from everyline.cases import queries as case_queries
from everyline.cases.rules import CALLBACK, OPEN_STATUSES
from everyline.dispatch.rules import undisturbed_until
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.moments import zone
from everyline.queues import actions as queues
from everyline.queues import callbacks as waiting_to_be_called
from everyline.queues import hours, work
from everyline.queues import queries as queue_queries
from everyline.queues.callbacks import MOST_TRIES, PAUSE

NOT_REACHED = "not reached"  # tag of a case whose customer was called in vain
MOST_STEPS = 10  # between quiet hours and closing, until a moment that suits both
AT_ONCE = 100


async def begin(tx: Tx, case_id: int, interaction_id: int) -> bool:
    """An agent calls about a case: whoever waits in it to be called is called now. Returns whether somebody does."""
    waiting = await waiting_to_be_called.of_case(tx, case_id, lock=True)
    if waiting is not None:
        await waiting_to_be_called.change(tx, waiting.id, trying_id=interaction_id)
    return waiting is not None


async def reached(tx: Tx, interaction_id: int) -> None:
    """They answered: they wait no more."""
    waiting = await waiting_to_be_called.of_try(tx, interaction_id)
    if waiting is None:
        return
    await _settle(tx, waiting, "reached")
    await _say(tx, "callback.reached", waiting, tries=waiting.tries + 1)


async def missed(tx: Tx, interaction_id: int, *, counts: bool = True, answered_by: str = "") -> bool:
    """Nobody was reached, a machine was (``answered_by``), or the call was never made (``counts`` is false then). Who waits to be called waits on in their place
    until the next try; after the last one a person decides. Returns whether the call was of somebody who waits."""
    waiting = await waiting_to_be_called.of_try(tx, interaction_id)
    if waiting is None:
        return False
    case = await case_queries.locked(tx, waiting.case_id)
    waiting = await waiting_to_be_called.of_case(tx, case.id, lock=True)
    if waiting is None or waiting.trying_id != interaction_id:
        return False  # somebody else has seen to it
    await cases.end_talks(tx, None, case.id, "gone")
    await work.end_work(tx, case.id, NOT_REACHED)
    tries = waiting.tries + counts
    queue_id = case.queue_id or await queue_queries.default_queue(tx)
    if case.status not in OPEN_STATUSES or queue_id is None:
        await waiting_to_be_called.drop(tx, case.id)
    elif tries >= MOST_TRIES:
        await _settle(tx, waiting, "given up", NOT_REACHED)
        await _say(tx, "callback.given_up", waiting, tries=tries, answered_by=answered_by)
        await queues.wait_in(
            tx, case.id, queue_id, waiting_since=waiting.asked_at, preferred_agent_id=case.owner_id, moved=True
        )
    else:
        at = await _next(tx, case, waiting.number, queue_id)
        await waiting_to_be_called.change(tx, waiting.id, tries=tries, trying_id=None)
        await cases.give(tx, None, case.id, None)
        await _say(tx, "callback.put_off", waiting, tries=tries, not_before=at.timestamp(), answered_by=answered_by)
        await queues.wait_in(tx, case.id, queue_id, waiting_since=waiting.asked_at, not_before=at, moved=True)
    return True


async def _settle(tx: Tx, waiting: Row, outcome: str, tag: str = "") -> None:
    await waiting_to_be_called.change(tx, waiting.id, settled_at=now(), trying_id=None, outcome=outcome)
    case = await case_queries.locked(tx, waiting.case_id)
    tags = [*(one for one in case.tags if one != CALLBACK), *([tag] if tag else [])]
    await cases.describe(tx, None, case.id, tags=tags)


async def _say(tx: Tx, kind: str, waiting: Row, **facts: object) -> None:
    case = await case_queries.locked(tx, waiting.case_id)
    await events.record(
        tx,
        kind,
        agent_id=case.owner_id,
        case_id=case.id,
        customer_id=case.customer_id,
        queue_id=case.queue_id,
        asked_at=waiting.asked_at.isoformat(),
        **facts,
    )


async def _next(tx: Tx, case: Row, number: str, queue_id: int) -> datetime:
    """When it is tried again: after a pause, while the queue is open and the customer may be disturbed."""
    at = now() + PAUSE
    queue = await queue_queries.get(tx, queue_id)
    open_at = await queue_queries.opening_hours(tx, queue.hours_id)
    manners = await tx.one(statements.manners, {"number": number, "customer_id": case.customer_id})
    for _step in range(MOST_STEPS):
        opens = hours.next_opening(open_at, at) or at
        at = undisturbed_until(manners.quiet_from, manners.quiet_until, zone(manners.zone), opens) or opens
        if at == opens:
            break
    return at


async def sweep(tx: Tx) -> int:
    """Calls back that ended unseen, because nobody took the order or its process is gone, are tried again; returns how many."""
    rows = await tx.rows(statements.lost_tries, {"most": AT_ONCE})
    for row in rows:
        await missed(tx, row.trying_id, counts=row.rang)
    return len(rows)
