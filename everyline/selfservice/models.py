"""Tables of flows. What a version says is its JSON form (``flows.written``); a version that was published never changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, Text, UniqueConstraint, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
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
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
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
