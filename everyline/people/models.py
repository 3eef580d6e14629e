"""Tables of people: agents, their sign-ins and tokens, states, scopes, and what was done by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Team(Base):
    """Agents who belong together; a partner is a team of another firm, which sees its own scope alone."""

    __tablename__ = "team"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    partner: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Agent(Base):
    """A human who serves, supervises or administers."""

    __tablename__ = "agent"
    __table_args__ = (Index("uq_agent_email", text("lower(email)"), unique=True),)

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)  # admin, supervisor, agent
    all_queues: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # scope: every queue there is
    password_hash: Mapped[str | None] = mapped_column(Text)  # argon2id; None: invited, not yet set
    second_factor: Mapped[bytes | None] = mapped_column(LargeBinary)  # locked TOTP secret (RFC 6238)
    second_factor_since: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    second_factor_used: Mapped[int | None] = mapped_column(
        BigInteger
    )  # last time step taken, so that no code works twice
    language: Mapped[str] = mapped_column(Text, server_default="en")
    zone: Mapped[str] = mapped_column(Text, server_default="UTC")
    theme: Mapped[str] = mapped_column(Text, server_default="system")
    signature: Mapped[str] = mapped_column(Text, server_default="")
    keys: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # changed shortcuts; {"off": true}
    enter_sends: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))  # in a talk
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class QueueScope(Base):
    """A queue whose cases an agent may see beside those they are a member of."""

    __tablename__ = "queue_scope"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)


class SignIn(Base):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    used_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment]
    browser: Mapped[str] = mapped_column(Text, server_default="")
    address: Mapped[str] = mapped_column(Text, server_default="")
    second_factor_pending: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class SignInAttempt(Base):
    """A try to sign in, for throttling by name and by address."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_name_at", "name", "at"),
        Index("ix_sign_in_attempt_address_at", "address", "at"),
    )

    id: Mapped[Id]
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    succeeded: Mapped[bool] = mapped_column(Boolean)


class OneTimeLink(Base):
    """A link sent by mail that works once: an invitation or a password reset. Only its hash is kept."""

    __tablename__ = "one_time_link"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(Text)  # invitation, password reset
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class RecoveryCode(Base):
    """A code that stands in for the second factor, once. Only its hash is kept."""

    __tablename__ = "recovery_code"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class ApiToken(Base):
    """Lets a program act as an agent, within scopes."""

    __tablename__ = "api_token"

    id: Mapped[Id]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class AgentState(Base):
    """What an agent is doing now. Changes are events (``agent.state_changed``)."""

    __tablename__ = "agent_state"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(
        Text, server_default="offline"
    )  # available, away, offline; busy and wrap-up follow from work
    reason: Mapped[str] = mapped_column(Text, server_default="")
    since: Mapped[Moment] = mapped_column(server_default=func.now())
    next_state: Mapped[str | None] = mapped_column(Text)  # taken when the present work ends
    next_reason: Mapped[str] = mapped_column(Text, server_default="")
    idle_since: Mapped[Moment] = mapped_column(server_default=func.now())  # for the longest idle
    # until then at most somebody waits for them to be called into a call
    asked_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    # they are rung for a call that is in other hands, or in it
    takes_part: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class AwayReason(Base):
    """A reason to be away, chosen by the organisation."""

    __tablename__ = "away_reason"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class Audit(Base):
    """An administrative act, or a view of a customer."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject", "subject", "subject_id", "id"),
        Index("ix_audit_agent_id", "agent_id", "id"),
    )

    id: Mapped[Id]
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    act: Mapped[str] = mapped_column(Text)  # line.changed, customer.viewed
    subject: Mapped[str] = mapped_column(Text)  # the noun
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(Text, server_default="")  # where the request came from
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class IdempotencyKey(Base):
    """The answer to a write that came with a key, so that the same write again gets the same answer."""

    __tablename__ = "idempotency_key"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    code: Mapped[int | None] = mapped_column(Integer)  # HTTP status of the answer; None: still at work
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Installation(Base):
    """Facts about the organisation as a whole: its name, its language, its zone."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
