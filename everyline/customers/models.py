"""Tables of customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Customer(Base):
    """The person or firm that is served; one record, however many addresses."""

    __tablename__ = "customer"
    __table_args__ = (
        Index("ix_customer_name_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
        Index("ix_customer_merged_into_id", "merged_into_id", postgresql_where=text("merged_into_id is not null")),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, server_default="person")  # person, firm
    language: Mapped[str] = mapped_column(Text, server_default="")
    zone: Mapped[str] = mapped_column(Text, server_default="")
    remarks: Mapped[str] = mapped_column(Text, server_default="")  # what an agent should know first
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ContactPoint(Base):
    """One address of one customer. Its kind is one of ``ground.addresses.KINDS``."""

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("kind", "address"),
        Index("ix_contact_point_customer_id", "customer_id"),
        Index(
            "ix_contact_point_address_trgm",
            "address",
            postgresql_using="gin",
            postgresql_ops={"address": "gin_trgm_ops"},
        ),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)  # normal form
    label: Mapped[str] = mapped_column(Text, server_default="")
    preferred: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    verified_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    bad_since: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # nothing arrives there any more
    bad_reason: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class CustomerMerge(Base):
    """Two records that were one person, and what it takes to part them again."""

    __tablename__ = "customer_merge"

    id: Mapped[Id]
    kept_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    moved: Mapped[dict[str, Any]] = mapped_column(JSONB)  # ids by table that moved from gone to kept
    agent_id: Mapped[int | None] = mapped_column(BigInteger)
    merged_at: Mapped[Moment] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
