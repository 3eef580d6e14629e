"""Tables of the bot: what it is taught, what it learned of that, and what it was asked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Float, ForeignKey, Index, Integer, LargeBinary, Numeric, Text, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment

_NONE = literal("'{}'")


class BotIntent(Base):
    """Something that customers want, and what it leads to: an article's slug, a flow or an errand by its name."""

    __tablename__ = "bot_intent"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    target: Mapped[str] = mapped_column(Text)  # replies.Target
    target_name: Mapped[str] = mapped_column(Text, server_default="")
    words: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=_NONE
    )  # by language: as a choice, or small talk's answer
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))


class BotExample(Base):
    """A way in which an intent is put."""

    __tablename__ = "bot_example"
    __table_args__ = (Index("ix_bot_example_intent_id", "intent_id", "id"),)

    id: Mapped[Id]
    intent_id: Mapped[int] = mapped_column(ForeignKey("bot_intent.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)


class BotModel(Base):
    """What was learned of all examples at one time. One is in use."""

    __tablename__ = "bot_model"
    __table_args__ = (Index("ix_bot_model_in_use", "in_use", unique=True, postgresql_where=literal("in_use")),)

    id: Mapped[Id]
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())
    examples_hash: Mapped[str] = mapped_column(Text)  # of what it was made of
    weights: Mapped[bytes] = mapped_column(LargeBinary)  # see classifier.Classifier.packed
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_NONE)
    in_use: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))


class BotSetting(Base):
    """The house's settings of the bot; one row. The key is locked in the vault."""

    __tablename__ = "bot_setting"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    distress: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=_NONE
    )  # language: words that mean it, one a line
    comfort: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_NONE)  # language: what is told first then
    phone: Mapped[str] = mapped_column(Text, server_default="")  # a number to call in distress
    address: Mapped[str] = mapped_column(Text, server_default="")  # of the language model; empty: none
    model: Mapped[str] = mapped_column(Text, server_default="")
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    seconds: Mapped[float] = mapped_column(Float, server_default="8")
    price_in: Mapped[Decimal] = mapped_column(Numeric(12, 6), server_default="0")  # of a million tokens read
    price_out: Mapped[Decimal] = mapped_column(Numeric(12, 6), server_default="0")  # of a million written
    drafts: Mapped[int] = mapped_column(Integer, server_default="60")  # for one agent in an hour; 0: none


class BotDraft(Base):
    """An agent had the language model draft something on a case. What it wrote is not kept."""

    __tablename__ = "bot_draft"
    __table_args__ = (Index("ix_bot_draft_agent_id", "agent_id", "at"), Index("ix_bot_draft_case_id", "case_id"))

    id: Mapped[Id]
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)  # drafting.Kind


class BotQuestion(Base):
    """What the bot was asked and what came of it. ``words`` hold no secret (``masking``); of distress nothing is kept."""

    __tablename__ = "bot_question"
    __table_args__ = (
        Index("ix_bot_question_at", "at"),
        Index("ix_bot_question_talk", "talk", "id", postgresql_where=literal("talk <> ''")),
        Index("ix_bot_question_customer_id", "customer_id", postgresql_where=literal("customer_id is not null")),
    )

    id: Mapped[Id]
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    talk: Mapped[str] = mapped_column(Text, server_default="")
    words: Mapped[str] = mapped_column(Text, server_default="")
    language: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default="")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id", ondelete="SET NULL"))
    outcome: Mapped[str] = mapped_column(Text)  # replies.Outcome
    intent: Mapped[str] = mapped_column(Text, server_default="")
    name: Mapped[str] = mapped_column(Text, server_default="")  # of the flow or errand that was begun
    score: Mapped[float] = mapped_column(Float, server_default="0")
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id", ondelete="SET NULL"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("bot_model.id", ondelete="SET NULL"))
    helped: Mapped[bool | None] = mapped_column(Boolean)
    worded: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))  # by the language model
    milliseconds: Mapped[int] = mapped_column(Integer, server_default="0")
    cost: Mapped[Decimal] = mapped_column(Numeric(12, 6), server_default="0")
    settled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # somebody has looked at it
