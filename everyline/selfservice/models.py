"""Tables of flows. What a version says is its JSON form (``flows.written``); a version that was published never changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, UniqueConstraint, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class FlowRow(Base):
    """A flow by its name."""

    __tablename__ = "flow"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    offered: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))  # on the website


class FlowVersion(Base):
    """A flow as it was at one time: ``draft`` while somebody works on it, ``published``, and ``former`` once another is."""

    __tablename__ = "flow_version"
    __table_args__ = (
        UniqueConstraint("flow_id", "number"),
        Index(
            "ix_flow_version_current",
            "flow_id",
            "state",
            unique=True,
            postgresql_where=literal("state in ('draft', 'published')"),
        ),
    )

    id: Mapped[Id]
    flow_id: Mapped[int] = mapped_column(ForeignKey("flow.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default="draft")
    form: Mapped[dict[str, Any]] = mapped_column(JSON)  # whose order is kept: of languages, of choices
    revision: Mapped[int] = mapped_column(Integer, server_default="1")  # grows with every write
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class FlowTrial(Base):
    """A trial that was recorded: it is played again before a version is published (``trials.Recorded``)."""

    __tablename__ = "flow_trial"
    __table_args__ = (Index("ix_flow_trial_flow_id", "flow_id", "id"),)

    id: Mapped[Id]
    flow_id: Mapped[int] = mapped_column(ForeignKey("flow.id", ondelete="CASCADE"))
    recorded: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class FlowRun(Base):
    """Somebody going through a flow. All of it stands in the row: it goes on days later, over another channel, in another process."""

    __tablename__ = "flow_run"
    __table_args__ = (
        Index("ix_flow_run_ends_at", "ends_at", postgresql_where=literal("ended_at is null")),
        Index("ix_flow_run_waits", "id", postgresql_where=literal("waits = 'outside' and ended_at is null")),
        Index(
            "uq_flow_run_interaction_id",
            "interaction_id",
            unique=True,
            postgresql_where=literal("ended_at is null and interaction_id is not null"),
        ),
        Index("ix_flow_run_interaction_id", "interaction_id", postgresql_where=literal("interaction_id is not null")),
        Index("ix_flow_run_case_id", "case_id", postgresql_where=literal("case_id is not null")),
        Index(
            "ix_flow_run_customer_id",
            "customer_id",
            literal("id desc"),
            postgresql_where=literal("customer_id is not null"),
        ),
    )

    id: Mapped[Id]
    flow: Mapped[str] = mapped_column(Text)  # that it began with
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)  # walking.State without its secrets
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # those, locked
    told: Mapped[list[Any]] = mapped_column(JSONB, server_default=literal("'[]'"))  # in the newest turn
    turns: Mapped[int] = mapped_column(Integer, server_default="0")
    waits: Mapped[str] = mapped_column(Text, server_default="")  # for somebody (""), or for what is done outside
    held_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # by who does it
    facts: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=literal("'{}'")
    )  # of where it began: page, product
    channel: Mapped[str] = mapped_column(Text, server_default="")  # on which it went on last
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id", ondelete="SET NULL"))
    level: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # identity.Level
    holder: Mapped[bytes | None] = mapped_column(LargeBinary)  # hash of what the browser shows in which it goes on
    origins: Mapped[list[str]] = mapped_column(JSONB, server_default=literal("'[]'"))  # identity.Who.origins
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # in a row, of who did what it waits for
    interaction_id: Mapped[int | None] = mapped_column(ForeignKey("interaction.id", ondelete="CASCADE"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    began_at: Mapped[Moment] = mapped_column(server_default=func.now())
    moved_at: Mapped[Moment] = mapped_column(server_default=func.now())
    ends_at: Mapped[Moment]  # nobody is waited for any longer
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    outcome: Mapped[str] = mapped_column(Text, server_default="")  # solved, left, person; failed: it could not go on


class FlowPass(Base):
    """A step that was come to, in a turn of a run."""

    __tablename__ = "flow_pass"
    __table_args__ = (Index("ix_flow_pass_flow", "flow", "version", "at"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id", ondelete="CASCADE"), primary_key=True)
    turn: Mapped[int] = mapped_column(Integer, primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # within the turn
    flow: Mapped[str] = mapped_column(Text)  # which a flow within the run's may be
    version: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default="")
    at: Mapped[Moment]
    failed: Mapped[bool] = mapped_column(server_default=literal("false"))  # what was to be done there was tried in vain


class FlowLink(Base):
    """How a run goes on elsewhere: once, by a link or by a code that is typed. Kept are the hashes of both."""

    __tablename__ = "flow_link"
    __table_args__ = (Index("ix_flow_link_run_id", "run_id"), Index("ix_flow_link_ends_at", "ends_at"))

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id", ondelete="CASCADE"))
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())
    ends_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
