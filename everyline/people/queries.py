"""Reads of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text

from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people.models import Agent, AgentState, ApiToken, Audit, Installation, QueueScope
from everyline.people.rules import Me, Role

# text, because the table of memberships belongs to a noun above this one
_SCOPE = text(
    "select queue_id from membership where agent_id = :agent_id union select queue_id from queue_scope where agent_id = :agent_id"
)


async def organisation_name(tx: Tx) -> str:
    """What the organisation calls itself."""
    return str(await tx.value(select(Installation.value).where(Installation.name == "organisation")) or "Everyline")


async def get(tx: Tx, agent_id: int) -> Row:
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
    ids = await tx.column(_SCOPE, {"agent_id": agent_id})
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


async def all_agents(tx: Tx) -> Sequence[Row]:
    """Every agent with their state, by name."""
    state = AgentState.__table__
    return await tx.rows(
        select(Agent.__table__, state.c.state, state.c.reason, state.c.since)
        .outerjoin(state, state.c.agent_id == Agent.id)
        .order_by(Agent.active.desc(), Agent.name)
    )


async def installation(tx: Tx) -> dict[str, Any]:
    """The facts about the organisation, each with its default."""
    facts = {row.name: row.value for row in await tx.rows(select(Installation.__table__))}
    return {"organisation": "Everyline", "language": "en", "zone": "UTC", **facts}


async def all_tokens(tx: Tx) -> Sequence[Row]:
    """The tokens that are good, with whom they act as."""
    query = select(ApiToken.__table__, Agent.name.label("agent_name")).join(Agent, Agent.id == ApiToken.agent_id)
    return await tx.rows(query.where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.id.desc()))


async def scope_of(tx: Tx, agent_id: int) -> set[int]:
    """The queues that an agent may see beside those they are a member of."""
    return set(await tx.column(select(QueueScope.queue_id).where(QueueScope.agent_id == agent_id)))


async def trail(
    tx: Tx,
    *,
    before: int | None = None,
    agent_id: int | None = None,
    subject: str = "",
    subject_id: int | None = None,
    most: int = 50,
) -> Sequence[Row]:
    """The audit trail, newest first: what was done before an id, by an agent, or to a subject."""
    query = select(Audit.__table__, Agent.name.label("agent_name")).outerjoin(Agent, Agent.id == Audit.agent_id)
    if before is not None:
        query = query.where(Audit.id < before)
    if agent_id is not None:
        query = query.where(Audit.agent_id == agent_id)
    if subject:
        query = query.where(Audit.subject == subject)
    if subject_id is not None:
        query = query.where(Audit.subject_id == subject_id)
    return await tx.rows(query.order_by(Audit.id.desc()).limit(most))
