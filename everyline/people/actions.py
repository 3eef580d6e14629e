"""Verbs of people: agents, their rights and tokens, the organisation's facts, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import addresses, events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent, AgentState, ApiToken, AwayReason, Installation, QueueScope, SignIn
from everyline.people.passwords import fresh_token, hash_password
from everyline.people.rules import PERMISSIONS, Role

_AUDIT = text(
    "insert into audit (agent_id, act, subject, subject_id, address, detail) "
    "values (:by, :act, :subject, :subject_id, :address, :detail)"
)


async def add_agent(
    tx: Tx,
    by: int | None,
    *,
    email: str,
    name: str,
    role: str = Role.AGENT,
    password: str | None = None,
    all_queues: bool = False,
    **facts: Any,
) -> int:
    """Add an agent; returns their id. Without a password they are to be invited by mail."""
    email = _mailbox(email)
    if role not in list(Role):
        raise Invalid(_("There is no such role."), {"role": _("Choose admin, supervisor or agent.")})
    if not name.strip():
        raise Invalid(_("An agent needs a name."), {"name": _("Write a name.")})
    if await tx.value(select(Agent.id).where(func.lower(Agent.email) == email)) is not None:
        raise Conflict(_("There is an agent with this email address already."))
    agent_id: int = await tx.value(
        insert(Agent)
        .values(
            email=email,
            name=name.strip(),
            role=role,
            password_hash=_hashed(password) if password is not None else None,
            all_queues=all_queues,
            **facts,
        )
        .returning(Agent.id)
    )
    await tx.execute(insert(AgentState).values(agent_id=agent_id))
    await events.record(tx, "agent.added", actor_id=by, agent_id=agent_id, role=str(role))
    return agent_id


async def change_agent(tx: Tx, by: int | None, agent_id: int, **facts: Any) -> None:
    """Change an agent's name, email, role, scope (all_queues), language, zone, signature, theme, keys, or whether they are active.

    A change of rights, or of whether they may sign in at all, ends their sign-ins.
    """
    row = await tx.first(select(Agent.__table__).where(Agent.id == agent_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such agent."))
    if "email" in facts:
        facts["email"] = _mailbox(facts["email"])
        if (
            await tx.value(select(Agent.id).where(func.lower(Agent.email) == facts["email"], Agent.id != agent_id))
            is not None
        ):
            raise Conflict(_("There is an agent with this email address already."))
    loses_admin = row.role == Role.ADMIN and (
        facts.get("role", Role.ADMIN) != Role.ADMIN or facts.get("active") is False
    )
    if (
        loses_admin
        and await tx.value(select(func.count()).where(Agent.role == Role.ADMIN, Agent.active, Agent.id != agent_id))
        == 0
    ):
        raise Conflict(_("This is the last admin: make another one first."))
    changed = {name: value for name, value in facts.items() if getattr(row, name) != value}
    if not changed:
        return
    await tx.execute(update(Agent).where(Agent.id == agent_id).values(**changed))
    await events.record(tx, "agent.changed", actor_id=by, agent_id=agent_id, fields=sorted(changed))
    if {"role", "active", "all_queues", "email"} & set(changed):
        await end_sign_ins(tx, by, agent_id)


async def scope_to(tx: Tx, by: int | None, agent_id: int, queue_ids: Iterable[int]) -> None:
    """The queues that an agent may see beside those they are a member of."""
    await tx.execute(delete(QueueScope).where(QueueScope.agent_id == agent_id))
    rows = [{"agent_id": agent_id, "queue_id": queue_id} for queue_id in sorted(set(queue_ids))]
    if rows:
        await tx.many(insert(QueueScope), rows)
    await events.record(tx, "agent.changed", actor_id=by, agent_id=agent_id, fields=["scope"])


async def set_password(tx: Tx, by: int | None, agent_id: int, password: str, *, but: bytes | None = None) -> None:
    """Give an agent a new password; who is signed in with the old one is signed out (``but`` the browser with this token hash)."""
    await tx.execute(update(Agent).where(Agent.id == agent_id).values(password_hash=_hashed(password)))
    await end_sign_ins(tx, by, agent_id, but=but)
    await events.record(tx, "agent.password_set", actor_id=by, agent_id=agent_id)


async def end_sign_ins(tx: Tx, by: int | None, agent_id: int, *, but: bytes | None = None) -> None:
    """Sign an agent out everywhere (or everywhere ``but`` in the browser with this token hash)."""
    query = delete(SignIn).where(SignIn.agent_id == agent_id)
    if but is not None:
        query = query.where(SignIn.token_hash != but)
    await tx.execute(query)
    await events.record(tx, "sign_in.ended", actor_id=by, agent_id=agent_id)


async def add_token(
    tx: Tx, by: int | None, agent_id: int, name: str, scopes: Iterable[str] | None = None
) -> tuple[int, str]:
    """Let a program act as an agent; returns the token's id and the token, which is shown only now.

    ``scopes`` are permissions; None: all that the agent's role may.
    """
    role = await tx.value(select(Agent.role).where(Agent.id == agent_id, Agent.active))
    if role is None:
        raise NotFound(_("There is no such agent."))
    allowed = {permission for permission, roles in PERMISSIONS.items() if Role(role) in roles}
    chosen = allowed if scopes is None else set(scopes)
    unknown = sorted(chosen - allowed)
    if unknown:
        raise Invalid(
            _("This agent's role does not have these rights: %s.") % ", ".join(unknown),
            {"scopes": ", ".join(sorted(allowed))},
        )
    token, kept = fresh_token()
    token_id: int = await tx.value(
        insert(ApiToken)
        .values(agent_id=agent_id, name=name.strip() or "token", token_hash=kept, scopes=sorted(chosen))
        .returning(ApiToken.id)
    )
    await events.record(tx, "token.added", actor_id=by, agent_id=agent_id, token_id=token_id)
    return token_id, token


async def revoke_token(tx: Tx, by: int | None, token_id: int) -> None:
    """End a token."""
    row = await tx.first(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(ApiToken.agent_id)
    )
    if row is None:
        raise NotFound(_("There is no such token."))
    await events.record(tx, "token.revoked", actor_id=by, agent_id=row.agent_id, token_id=token_id)


async def describe_installation(tx: Tx, by: int | None, **facts: Any) -> None:
    """State facts about the organisation: organisation (its name), language, zone."""
    for name, value in facts.items():
        await tx.execute(
            upsert(Installation)
            .values(name=name, value=value)
            .on_conflict_do_update(index_elements=["name"], set_={"value": value})
        )
    await events.record(tx, "installation.changed", actor_id=by, fields=sorted(facts))


async def add_away_reason(tx: Tx, by: int | None, name: str) -> None:
    """Add a reason to be away."""
    if not name.strip():
        raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    last = select(func.coalesce(func.max(AwayReason.position), 0) + 1).scalar_subquery()
    row = upsert(AwayReason).values(name=name.strip(), position=last).on_conflict_do_nothing().returning(AwayReason.id)
    if await tx.value(row) is None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})
    await events.record(tx, "away_reason.added", actor_id=by)


async def remove_away_reason(tx: Tx, by: int | None, reason_id: int) -> None:
    """Nobody can choose it any more; who is away for it stays so."""
    if await tx.value(delete(AwayReason).where(AwayReason.id == reason_id).returning(AwayReason.id)) is None:
        raise NotFound(_("There is no such reason."))
    await events.record(tx, "away_reason.removed", actor_id=by)


async def audit(
    tx: Tx, by: int | None, act: str, subject: str, subject_id: int | None = None, *, address: str = "", **detail: Any
) -> None:
    """Write down an administrative act, or that somebody looked at a customer."""
    await tx.execute(
        _AUDIT,
        {
            "by": by,
            "act": act,
            "subject": subject,
            "subject_id": subject_id,
            "address": address,
            "detail": Jsonb(detail),
        },
    )


def _mailbox(email: str) -> str:
    try:
        return addresses.normal_mailbox(email)
    except ValueError as error:
        raise Invalid(_("This is no email address."), {"email": str(error)}) from error


def _hashed(password: str) -> str:
    try:
        return hash_password(password)
    except ValueError as error:
        raise Invalid(_("Choose a better password: %s.") % error, {"password": str(error)}) from error
