"""The table of what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Inbound(Base):
    """What came in from the wire, kept as it came."""

    __tablename__ = "inbound"
    __table_args__ = (
        UniqueConstraint("line_id", "external_id"),
        Index("ix_inbound_due", "due_at", "id", postgresql_where=text("state = 'new'")),
        Index("ix_inbound_writer", "line_id", "writer", "id", postgresql_where=text("state = 'new' and writer <> ''")),
        Index("ix_inbound_quarantine", text("id desc"), postgresql_where=text("state = 'quarantined'")),
    )

    id: Mapped[Id]
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))
    external_id: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)  # None: it is large and stands in the file store
    file_hash: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    envelope: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    writer: Mapped[str] = mapped_column(Text, server_default="")  # whose pieces keep their order; "": they need not
    received_at: Mapped[Moment] = mapped_column(server_default=func.now())
    state: Mapped[str] = mapped_column(Text, server_default="new")  # new, done, quarantined, discarded
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[Moment] = mapped_column(server_default=func.now())  # claimed by moving it ahead
    cause: Mapped[str] = mapped_column(Text, server_default="")  # of the quarantine, in words for an admin
    outcome: Mapped[str] = mapped_column(Text, server_default="")  # opened, continued, linked, gathered, or its kind
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    done_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Turn(Base):
    """One piece that a writer sent lately on a line that counts them; forgotten when its time is over."""

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_writer", "line_id", "writer", "at"), Index("ix_turn_ends_at", "ends_at"))

    id: Mapped[Id]
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"))
    writer: Mapped[str] = mapped_column(Text)  # a digest: whose it is cannot be read from it
    at: Mapped[Moment]
    ends_at: Mapped[Moment] = mapped_column(server_default=text("now() + interval '1 hour'"))
