"""Tables of customer sources. What a source says of itself is its JSON form (``declared``); its secrets are locked by the vault."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class CustomerSource(Base):
    """A system of the organisation that flows read from, by its name."""

    __tablename__ = "customer_source"
    __table_args__ = (
        Index("uq_customer_source_name", "name", unique=True, postgresql_where=literal("retired_at is null")),
        Index(
            "uq_customer_source_proof", "proof", unique=True, postgresql_where=literal("proof and retired_at is null")
        ),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # declared.Kind
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)  # locked JSON of declared.Secrets
    inputs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    seconds: Mapped[float] = mapped_column(Float)  # all the time there is
    keep_seconds: Mapped[int] = mapped_column(Integer)  # how long an answer is kept; 0: not at all
    most_failures: Mapped[int] = mapped_column(Integer)  # in a row, then it is not asked
    pause_seconds: Mapped[int] = mapped_column(Integer)  # for so long
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=literal("true"))
    proof: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))  # what it knows shows who somebody is
    revision: Mapped[int] = mapped_column(Integer, server_default="1")  # grows with every change
    loaded: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # the file that its rows came from (files.Report)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class CustomerSourceHealth(Base):
    """How a source is doing, and whether it is asked at all. One for all processes."""

    __tablename__ = "customer_source_health"

    source_id: Mapped[int] = mapped_column(ForeignKey("customer_source.id", ondelete="CASCADE"), primary_key=True)
    answered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    error: Mapped[str] = mapped_column(Text, server_default="")
    error_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    failures: Mapped[int] = mapped_column(Integer, server_default="0")  # in a row
    opened_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # the breaker; None: closed
    trial_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # when somebody last tried it again


class CustomerSourceRow(Base):
    """A row of a table of ours: what is found under a key. A secret that is part of the key stands in the digest alone."""

    __tablename__ = "customer_source_row"
    __table_args__ = (UniqueConstraint("source_id", "digest"),)

    id: Mapped[Id]
    source_id: Mapped[int] = mapped_column(ForeignKey("customer_source.id", ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # of the values of its inputs
    cells: Mapped[dict[str, str]] = mapped_column(JSONB)  # by input and field, in the form of slots.Value


class KnowledgeTry(Base):
    """A try to show who one is by what one knows, that did not succeed: once for each name under which it is counted."""

    __tablename__ = "knowledge_try"
    __table_args__ = (Index("ix_knowledge_try_counted_at", "counted", "at"),)

    id: Mapped[Id]
    counted: Mapped[str] = mapped_column(Text)  # customer:ID, or one of selfservice.origins
    at: Mapped[Moment] = mapped_column(server_default=func.now())
