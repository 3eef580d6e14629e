"""The one table of the board."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Threshold(Base):
    """From which value on a figure asks for attention: of one queue, or, without one, of every queue that has no own."""

    __tablename__ = "threshold"
    __table_args__ = (
        Index("uq_threshold_queue_figure", "queue_id", "figure", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Id]
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"))
    figure: Mapped[str] = mapped_column(Text)  # one of rules.WATCHED
    warn: Mapped[int | None] = mapped_column(Integer)  # seconds, per cent or a count, as the figure has it; None: never
    bad: Mapped[int | None] = mapped_column(Integer)
    rings: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # a sound, once, when it turns bad
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())
