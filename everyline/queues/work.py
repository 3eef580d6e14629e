"""The verbs of agents at work: their states, work in hand, hold, and wrap-up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import AgentState
from everyline.queues import queries, waiting
from everyline.queues.models import Assignment
from everyline.queues.rules import INTERRUPTS

statements = queries.statements
HANDED_OVER = ["given", "transferred", "taken over"]  # how work ends that somebody else goes on with


async def end_work(
    tx: Tx, case_id: int, outcome: str, *, wrap_up_code_id: int | None = None, stays: bool = False
) -> None:
    """The work in hand on a case ends. With a wrap-up code, or where the queue knows no wrap-up time, the capacity is free
    at once; otherwise the agent wraps up first. Who hands a call over wraps up their part, and does so also when the case
    is settled meanwhile by who has it now. ``stays``: they go on with the case themselves."""
    rows = await tx.rows(
        statements.end_work,
        {
            "at": now(),
            "case_id": case_id,
            "outcome": outcome,
            "code": wrap_up_code_id,
            "may_wrap_up": wrap_up_code_id is None and outcome in ("resolved", "ended"),
            "leaves": outcome in HANDED_OVER and not stays,
            "handed_over": HANDED_OVER,
        },
    )
    await _record_ends(tx, rows, None)


async def hand_over(tx: Tx, interaction_id: int, agent_id: int, outcome: str = "transferred") -> None:
    """An agent leaves a talk to somebody who is none of us, or to whoever is rung: their part of it is over, and the talk goes on. Nothing
    happens when it is not in their hands."""
    values = {"at": now(), "interaction_id": interaction_id, "agent_id": agent_id, "outcome": outcome}
    await _record_ends(tx, await tx.rows(statements.hand_over, values), None)


async def wrap_up(tx: Tx, by: int, assignment_id: int, wrap_up_code_id: int | None) -> None:
    """Say how it ended; the capacity is free again."""
    rows = await tx.rows(statements.wrap_up, {"at": now(), "id": assignment_id, "by": by, "code": wrap_up_code_id})
    if not rows:
        raise Conflict(_("This work was wrapped up already."))
    await _record_ends(tx, rows, by)


async def end_wrap_ups(tx: Tx) -> int:
    """End the wrap-ups whose time is over, without a code; returns how many there were."""
    rows = await tx.rows(statements.wrapped_up_by_time, {"at": now(), "handed_over": HANDED_OVER})
    await _record_ends(tx, rows, None)
    return len(rows)


async def _record_ends(tx: Tx, rows: Iterable[Row], by: int | None) -> None:
    """Write down which work ended, or is wrapped up from now on; take up what it had put on hold."""
    at = now()
    for row in rows:
        ended = row.ended_at is not None
        work_ended_at = row.work_ended_at or at
        await events.record_at(
            tx,
            at,
            "interaction.wrapped_up" if ended else "interaction.wraps_up",
            actor_id=by,
            agent_id=row.agent_id,
            case_id=row.case_id,
            interaction_id=row.interaction_id,
            queue_id=row.queue_id,
            assignment_id=row.id,
            entry_id=row.entry_id,
            outcome=row.outcome,
            wrap_up_code_id=row.wrap_up_code_id,
            channel=row.channel,
            media_class=row.media_class,
            weight=row.weight,
            team_id=row.team_id,
            accepted_at=row.accepted_at.isoformat(),
            work_ended_at=work_ended_at.isoformat(),
            work_seconds=round((work_ended_at - row.accepted_at).total_seconds() - row.held_seconds, 3),
            held_seconds=row.held_seconds,
            wrap_up_seconds=round((at - work_ended_at).total_seconds(), 3) if ended else None,
        )
        if row.media_class in INTERRUPTS:
            await _resume(tx, row.agent_id)
        if ended:
            await _idle(tx, row.agent_id, at)


async def hold_for(tx: Tx, agent_id: int, media_class: str) -> None:
    """Put on hold what an interaction of this media class interrupts."""
    held = INTERRUPTS.get(media_class)
    if not held:
        return
    for row in await tx.rows(statements.hold, {"at": now(), "agent_id": agent_id, "media_classes": sorted(held)}):
        await _tell(tx, "interaction.held", row)


async def hold(tx: Tx, interaction_id: int) -> None:
    """A customer is put on hold; whose they are stays as busy as before."""
    for row in await tx.rows(statements.hold_one, {"at": now(), "interaction_id": interaction_id}):
        await _tell(tx, "interaction.held", row)


async def take_up(tx: Tx, interaction_id: int) -> None:
    """A customer is talked with again."""
    for row in await tx.rows(statements.resume_one, {"at": now(), "interaction_id": interaction_id}):
        await _tell(tx, "interaction.resumed", row)


async def _resume(tx: Tx, agent_id: int) -> None:
    for row in await tx.rows(
        statements.resume, {"at": now(), "agent_id": agent_id, "interrupting": sorted(INTERRUPTS)}
    ):
        await _tell(tx, "interaction.resumed", row)


async def _tell(tx: Tx, kind: str, row: Row) -> None:
    await events.record(
        tx,
        kind,
        agent_id=row.agent_id,
        case_id=row.case_id,
        interaction_id=row.interaction_id,
        queue_id=row.queue_id,
        assignment_id=row.id,
        media_class=row.media_class,
        held_seconds=row.held_seconds,
    )


async def _idle(tx: Tx, agent_id: int, at: datetime) -> None:
    """The longest idle is who has had nothing in hand for longest; then a state chosen for afterwards is taken."""
    busy = await tx.value(
        select(Assignment.id).where(Assignment.agent_id == agent_id, Assignment.ended_at.is_(None)).limit(1)
    )
    if busy is not None:
        return
    row = await tx.first(
        update(AgentState)
        .where(AgentState.agent_id == agent_id)
        .values(idle_since=at)
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
        gone = await waiting.withdraw(tx, "no longer available", agent_id=agent_id)
        await waiting.wait_again(tx, [row.entry_id for row in gone])
    await events.record_at(
        tx,
        at,
        "agent.state_changed",
        actor_id=by,
        agent_id=agent_id,
        state=state,
        reason=reason,
        before=before.state,
        since=before.since.isoformat(),
    )
