"""Reads of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text

from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people.models import Agent, AgentState, AwayReason, Installation
from everyline.people.rules import Me, Role

# text, because the table of memberships belongs to a noun above this one
_SCOPE = text(
    "select queue_id from membership where agent_id = :agent_id union select queue_id from queue_scope where agent_id = :agent_id"
)


async def organisation_name(tx: Tx) -> str:
    """What the organisation calls itself."""
    return str(await tx.value(select(Installation.value).where(Installation.name == "organisation")) or "Everyline")


async def get(tx: Tx, agent_id: int) -> Row[Any]:
    """One agent. NotFound when there is none."""
    row = await tx.first(select(Agent.__table__).where(Agent.id == agent_id))
    if row is None:
        raise NotFound(_("There is no such agent."))
    return row


async def me(tx: Tx, agent_id: int, *, scopes: frozenset[str] | None = None, address: str = "") -> Me | None:
    """An active agent with their scope; None when they may not sign in any more."""
    row = await tx.first(select(Agent.__table__).where(Agent.id == agent_id, Agent.active))
    if row is None:
        return None
    ids = (await tx.execute(_SCOPE, {"agent_id": agent_id})).scalars().all()
    everything = row.all_queues or row.role == Role.ADMIN
    return Me(
        row.id,
        row.name,
        row.email,
        Role(row.role),
        everything,
        frozenset(ids),
        row.language,
        row.zone,
        row.theme,
        scopes,
        address,
    )


async def all_agents(tx: Tx) -> Sequence[Row[Any]]:
    """Every agent with their state, by name."""
    state = AgentState.__table__
    return await tx.rows(
        select(Agent.__table__, state.c.state, state.c.reason, state.c.since)
        .outerjoin(state, state.c.agent_id == Agent.id)
        .order_by(Agent.active.desc(), Agent.name)
    )


async def away_reasons(tx: Tx) -> list[str]:
    """The reasons to be away, in their order."""
    return [row.name for row in await tx.rows(select(AwayReason.name).order_by(AwayReason.position, AwayReason.name))]
