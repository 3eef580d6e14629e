"""Agents who are wanted in a call that is in other hands: asked, added, passed on to. They are offered no other meanwhile, and whoever is
offered one cannot be asked. Both look at the agent's state, and wait for each other there."""

from __future__ import annotations

from sqlalchemy import select

from everyline.calls.queries import statements
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.words import _
from everyline.people.models import AgentState

ASKED_SECONDS = 15.0  # longer than an order waits for whoever carries it out; from then on the call tells who is in it


async def ask(tx: Tx, agent_id: int) -> None:
    """Somebody wants this agent in a call. Conflict while a call is offered to them, or they are in one. NotFound."""
    state = select(AgentState.agent_id).where(AgentState.agent_id == agent_id).with_for_update()
    if await tx.value(state) is None:
        raise NotFound(_("There is no such agent."))
    row = await tx.one(
        statements.asked, {"agent_id": agent_id, "at": now()}
    )  # what was committed until the lock was ours
    if row.offered:
        raise Conflict(_("They are being offered a call at this moment. Try again when that is over."))
    if row.in_call:
        raise Conflict(_("They are in a call already."))
    await tx.execute(statements.ask, {"agent_id": agent_id, "at": now(), "seconds": ASKED_SECONDS})
    await _changed(tx, agent_id, wanted=True)


async def ask_no_more(tx: Tx, agent_id: int) -> None:
    """It was refused."""
    if await tx.value(statements.ask_no_more, {"agent_id": agent_id}) is not None:
        await _changed(tx, agent_id, wanted=False)


async def take_part(tx: Tx, key: str) -> None:
    """Who takes part in a call may be otherwise now."""
    for row in await tx.rows(statements.take_part, {"key": key}):
        await _changed(tx, row.agent_id, wanted=row.takes_part)


async def _changed(tx: Tx, agent_id: int, *, wanted: bool) -> None:
    """Which the distributor reads."""
    await events.record(tx, "agent.wanted_in_call", agent_id=agent_id, wanted=wanted)
