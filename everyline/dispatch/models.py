"""Tables of what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, Text, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Delivery(Base):
    """One thing to send to one contact point."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_due", "due_at", "id", postgresql_where=literal("state = 'due'")),
        Index("ix_delivery_claimed", "due_at", postgresql_where=literal("state in ('claimed', 'on wire')")),
        Index("ix_delivery_case_id", "case_id"),
        Index("ix_delivery_message_id", "message_id", postgresql_where=literal("message_id is not null")),
        Index("ix_delivery_external_id", "external_id", postgresql_where=literal("external_id <> ''")),
        Index("ix_delivery_line_sent", "line_id", "sent_at", postgresql_where=literal("sent_at is not null")),
    )

    id: Mapped[Id]
    idempotency_key: Mapped[str] = mapped_column(Text, unique=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    with_message_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=literal("'{}'")
    )  # further messages that it says: their files go with it
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    kind: Mapped[str] = mapped_column(Text)  # reply, acknowledgement, confirmation, notice
    address_kind: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    address_name: Mapped[str] = mapped_column(Text, server_default="")
    copies: Mapped[list[Any]] = mapped_column(JSONB, server_default=literal("'[]'"))  # [kind, address, name]
    files: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=literal("'[]'")
    )  # of a notice: [hash, name, media type]; those of a message are its own
    sender_name: Mapped[str] = mapped_column(Text, server_default="")
    subject: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text, server_default="")  # of a notice: locked by the vault
    html: Mapped[str] = mapped_column(Text, server_default="")
    language: Mapped[str] = mapped_column(Text, server_default="")
    automatic: Mapped[bool] = mapped_column(server_default=literal("false"))
    references: Mapped[list[Any]] = mapped_column(JSONB, server_default=literal("'[]'"))
    external_id: Mapped[str] = mapped_column(Text, server_default="")
    state: Mapped[str] = mapped_column(
        Text, server_default="due"
    )  # due, claimed, on wire, sent, arrived, bounced, failed, unknown, taken back
    due_at: Mapped[Moment] = mapped_column(server_default=func.now())  # not before; while claimed: when the claim ends
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    answer: Mapped[str] = mapped_column(Text, server_default="")  # what the wire said last
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class DeliveryAttempt(Base):
    """One try on the wire."""

    __tablename__ = "delivery_attempt"

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    outcome: Mapped[str] = mapped_column(Text)  # sent, temporary, permanent, unknown
    answer: Mapped[str] = mapped_column(Text, server_default="")
