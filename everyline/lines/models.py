"""Tables of lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Line(Base):
    """One public address of ours on a channel."""

    __tablename__ = "line"
    __table_args__ = (
        Index(
            "uq_line_channel_address", "channel", "address", unique=True, postgresql_where=text("retired_at is null")
        ),
    )

    id: Mapped[Id]
    channel: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)  # normal form of the channel
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text, server_default="en")
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="SET NULL"))
    hours_id: Mapped[int | None] = mapped_column(ForeignKey("hours.id", ondelete="SET NULL"))
    answer_line_id: Mapped[int | None] = mapped_column(
        ForeignKey("line.id", ondelete="SET NULL")
    )  # where answers go out
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)  # locked JSON of the settings marked secret
    per_minute: Mapped[int] = mapped_column(Integer, server_default="120")  # most deliveries a minute
    acknowledges: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))  # a first message, at once
    flow: Mapped[str] = mapped_column(Text, server_default="")  # that answers first; empty: people do at once
    open: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Route(Base):
    """Where what begins on a line goes when conditions hold (``lines.conditions.Route``), tried in the order of ``position``."""

    __tablename__ = "route"
    __table_args__ = (Index("ix_route_line_id", "line_id", "position"),)

    id: Mapped[Id]
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # lines.conditions.When
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="SET NULL"))
    flow: Mapped[str | None] = mapped_column(Text)  # None: the line's; empty: people at once
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    follows_case: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    last_agent: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class LineHealth(Base):
    """How a line is doing. Apart from the line because it changes with every message."""

    __tablename__ = "line_health"

    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"), primary_key=True)
    received_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    healthy_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    error: Mapped[str] = mapped_column(Text, server_default="")
    error_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    failing_since: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # None: it works


class LineCursor(Base):
    """What a poller remembers, committed with what it took in."""

    __tablename__ = "line_cursor"

    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"), primary_key=True)
    cursor: Mapped[dict[str, Any]] = mapped_column(JSONB)
    moved_at: Mapped[Moment] = mapped_column(server_default=func.now())
