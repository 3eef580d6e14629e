"""Tables of calls. A call is a talk with sound: what it is about, who waits and who answers stands with its interaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class SoundNode(Base):
    """A process that moves sound, as long as it says so."""

    __tablename__ = "sound_node"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    beat_at: Mapped[Moment]
    holds: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=literal("'{}'"))  # legs, mixes and tasks now


class Call(Base):
    """One call, as the process that has its sound tells it (``call_contract.CallNow``)."""

    __tablename__ = "call"
    __table_args__ = (
        Index(
            "uq_call_interaction_id",
            "interaction_id",
            unique=True,
            postgresql_where=literal("interaction_id is not null"),
        ),
        Index("ix_call_going_on", "node", postgresql_where=literal("ended_at is null")),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)  # talk.key
    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))
    interaction_id: Mapped[int | None] = mapped_column(ForeignKey("interaction.id", ondelete="CASCADE"))
    node: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text, server_default="")  # of the other side; empty: withheld
    dialled: Mapped[str] = mapped_column(Text, server_default="")
    trunk: Mapped[str] = mapped_column(Text, server_default="")
    codec: Mapped[str] = mapped_column(Text, server_default="")
    keeping: Mapped[str] = mapped_column(Text, server_default="off")
    began_at: Mapped[Moment]
    answered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    ended_by: Mapped[str] = mapped_column(Text, server_default="")  # customer, agent, us, trunk, lost
    reason: Mapped[str] = mapped_column(Text, server_default="")


class Leg(Base):
    """One party of a call (``call_contract.LegNow``)."""

    __tablename__ = "leg"
    __table_args__ = (
        UniqueConstraint("call_key", "name", name="uq_leg_call_key"),
        Index("ix_leg_agent_id", "agent_id", postgresql_where=literal("agent_id is not null and ended_at is null")),
    )

    id: Mapped[Id]
    call_key: Mapped[str] = mapped_column(ForeignKey("call.key", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(Text, server_default="")
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    number: Mapped[str] = mapped_column(Text, server_default="")
    muted: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))
    heard: Mapped[str] = mapped_column(Text, server_default="all")
    quality: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=literal("'{}'"))
    remark: Mapped[str] = mapped_column(Text, server_default="")
    began_at: Mapped[Moment] = mapped_column(server_default=func.now())
    joined_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # first heard
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class CallOrder(Base):
    """A deed that somebody wants of a call (``call_contract.Order``), or of their browser's leg where it has no call."""

    __tablename__ = "call_order"
    __table_args__ = (
        Index("ix_call_order_waiting", "id", postgresql_where=literal("taken_at is null")),
        Index("ix_call_order_asked_at", "asked_at"),
    )

    id: Mapped[Id]
    node: Mapped[str] = mapped_column(Text, server_default="")  # that is to do it; empty: any
    call_key: Mapped[str] = mapped_column(Text, server_default="")
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    deed: Mapped[str] = mapped_column(Text)
    values: Mapped[dict[str, Any]] = mapped_column("values", JSONB, server_default=literal("'{}'"))
    asked_at: Mapped[Moment] = mapped_column(server_default=func.now())
    taken_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    answer: Mapped[str] = mapped_column(Text, server_default="")
    refused: Mapped[str] = mapped_column(Text, server_default="")  # why not


class Recording(Base):
    """What was said, sealed in the file store."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_case_id", "case_id"),
        Index("ix_recording_interaction_id", "interaction_id"),
        Index("ix_recording_kept_until", "kept_until", postgresql_where=literal("deleted_at is null and not held")),
    )

    id: Mapped[Id]
    call_key: Mapped[str] = mapped_column(ForeignKey("call.key", ondelete="CASCADE"))
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id", ondelete="CASCADE"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    file_hash: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float] = mapped_column(Float)
    began_at: Mapped[Moment]
    marks: Mapped[list[Any]] = mapped_column(JSONB, server_default=literal("'[]'"))  # gaps: [from, to, why], seconds
    peaks: Mapped[bytes] = mapped_column(
        LargeBinary, server_default=literal("''::bytea")
    )  # one for each 100 ms, 0 to 255
    transcript: Mapped[str] = mapped_column(Text, server_default="")
    failure: Mapped[str] = mapped_column(Text, server_default="")  # why it ends before the call does
    kept_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # None: for ever
    held: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))  # legal hold: kept whatever the date
    deleted_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class CallContact(Base):
    """Somebody whom agents can add to a call: an interpreter, another office."""

    __tablename__ = "call_contact"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)  # normal form
    kind: Mapped[str] = mapped_column(Text, server_default="interpreter")  # interpreter, office
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=literal("'{}'"))  # ISO 639-1
    fee: Mapped[str] = mapped_column(Text, server_default="")  # in words, for agents before they call
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Prompt(Base):
    """Words that the house has recorded to be said to callers."""

    __tablename__ = "prompt"
    __table_args__ = (UniqueConstraint("language", "words_hash", name="uq_prompt_language"),)

    id: Mapped[Id]
    language: Mapped[str] = mapped_column(Text)
    words_hash: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of the words without what nobody hears
    words: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text, server_default="")  # where they were said when they were recorded
    file_hash: Mapped[str] = mapped_column(Text)  # a WAV file at 8 kHz, as loud as the voices
    seconds: Mapped[float] = mapped_column(Float)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="SET NULL"))
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())


class HeardSound(Base):
    """A recording or voicemail that was made into words, or is now."""

    __tablename__ = "heard_sound"

    file_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    taken_at: Mapped[Moment]
    heard_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    failure: Mapped[str] = mapped_column(Text, server_default="")  # why there are no words
