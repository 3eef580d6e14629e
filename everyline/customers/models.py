"""Tables of customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
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
    quiet_from: Mapped[str] = mapped_column(Text, server_default="")  # HH:MM in the customer's zone; empty: never quiet
    quiet_until: Mapped[str] = mapped_column(Text, server_default="")
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


class Consent(Base):
    """What may be sent to a contact point for which purpose, and how we know."""

    __tablename__ = "consent"

    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)  # see rules.PURPOSES
    granted: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    proof: Mapped[str] = mapped_column(Text, server_default="")  # where it was said


class CustomerSignIn(Base):
    """A browser in which a customer is signed in. Whose it is follows from the contact point, through every merge."""

    __tablename__ = "customer_sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    used_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment]
    browser: Mapped[str] = mapped_column(Text, server_default="")  # in words


class ProofCode(Base):
    """A code that was sent to an address, to prove that who asked for it reads what is sent there.

    There is a row for an address that nobody has, too: it looks the same from outside.
    """

    __tablename__ = "proof_code"

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # the browser holds the challenge
    purpose: Mapped[str] = mapped_column(Text)  # sign in, add
    kind: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)  # normal form
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))  # who adds an address
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)  # of challenge and code together
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt_id: Mapped[int | None] = mapped_column(BigInteger)  # the asking as it was counted
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    expires_at: Mapped[Moment] = mapped_column(index=True)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Brand(Base):
    """A name under which the organisation shows itself to customers."""

    __tablename__ = "brand"
    __table_args__ = (Index("uq_brand_domain", "domain", unique=True, postgresql_where=text("retired_at is null")),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    domain: Mapped[str | None] = mapped_column(Text)  # of its own; None: it stands on the installation's address
    greeting: Mapped[str] = mapped_column(Text, server_default="")  # on the first page; empty: the usual one
    about: Mapped[str] = mapped_column(Text, server_default="")  # at the foot: postal address, what to do in need
    colour: Mapped[str] = mapped_column(Text, server_default="")  # as it was chosen, #rrggbb
    hue: Mapped[int] = mapped_column(SmallInteger, server_default="252")  # of OKLCH, degrees
    chroma: Mapped[float] = mapped_column(Float, server_default="0.16")  # of OKLCH
    logo_hash: Mapped[str] = mapped_column(Text, server_default="")  # in the file store
    logo_type: Mapped[str] = mapped_column(Text, server_default="")
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # the first is the usual one
    line_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))  # empty: every line
    category_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))  # empty: every one
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
