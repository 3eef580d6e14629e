"""Tables of queues."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class Hours(Base):
    """When a line or queue is open, in a zone."""

    __tablename__ = "hours"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    zone: Mapped[str] = mapped_column(Text)  # IANA name
    week: Mapped[list[Any]] = mapped_column(
        JSONB
    )  # seven lists (Monday first) of ["HH:MM", "HH:MM"]; "24:00" ends a day
    holidays_of: Mapped[str] = mapped_column(
        Text, server_default=""
    )  # country or country-subdivision, ISO 3166: "US-WA"
    closed_now: Mapped[str] = mapped_column(Text, server_default="")  # emergency closure: the message; empty: none
    closed_words: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'")
    )  # that message on a channel, where it is another there


class HoursDay(Base):
    """A day that differs from its week: closed, or open at other times."""

    __tablename__ = "hours_day"

    hours_id: Mapped[int] = mapped_column(ForeignKey("hours.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(Text, server_default="")
    times: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'")
    )  # as one day of the week; empty: closed


class Queue(Base):
    """Work waiting for agents."""

    __tablename__ = "queue"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    hue: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # 0 to 11, the small mark beside its name
    hours_id: Mapped[int | None] = mapped_column(ForeignKey("hours.id"))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # added to its entries' rank
    goal_seconds: Mapped[int] = mapped_column(Integer, server_default="14400")  # first answer, in open hours
    wrap_up_seconds: Mapped[int] = mapped_column(Integer, server_default="0")  # most; 0: ends when the agent says so
    strategy: Mapped[str] = mapped_column(Text, server_default="longest idle")
    signature: Mapped[str] = mapped_column(Text, server_default="")
    needs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # skill id to least level
    wants: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'")
    )  # an expression beside the needs, see ``expressions``
    steps: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))  # relaxation, see ``rules.Step``
    speaks: Mapped[bool] = mapped_column(
        Boolean, server_default=text("true")
    )  # entries need the case's language as a skill
    rings: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # to how many agents an entry is shown at once
    accepts: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # an offer is accepted by itself
    earlier_agent: Mapped[str] = mapped_column(Text, server_default="members")  # "off", "members", "any"
    preferred_seconds: Mapped[int] = mapped_column(Integer, server_default="14400")  # how long an entry waits for them
    answer_seconds: Mapped[int] = mapped_column(
        Integer, server_default="0"
    )  # the service level's time; 0: goal_seconds
    answer_share: Mapped[int] = mapped_column(SmallInteger, server_default="80")  # per cent within that time
    formula: Mapped[str] = mapped_column(Text, server_default="SL-off-s")  # of the service level
    short_seconds: Mapped[int] = mapped_column(SmallInteger, server_default="5")  # who leaves before did not abandon
    most_waiting: Mapped[int] = mapped_column(Integer, server_default="0")  # 0: as many as come
    most_wait_seconds: Mapped[int] = mapped_column(Integer, server_default="0")  # 0: as long as it takes
    overflow_queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))  # where what is too much goes
    rejoin_seconds: Mapped[int] = mapped_column(
        Integer, server_default="60"
    )  # who drops and is back within keeps the place
    music_hash: Mapped[str] = mapped_column(Text, server_default="")  # what callers hear; empty: the piece of the house
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Membership(Base):
    """An agent who takes from a queue."""

    __tablename__ = "membership"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True, index=True)


class Skill(Base):
    """What an agent can; a language is a skill whose ``language`` is set."""

    __tablename__ = "skill"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    language: Mapped[str | None] = mapped_column(Text, unique=True)  # ISO 639-1


class AgentSkill(Base):
    """How well an agent has a skill."""

    __tablename__ = "agent_skill"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skill.id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger)  # 1 to 5


class QueueTeam(Base):
    """What a team does in a queue: after which delay it sees an entry, and what share of them is its."""

    __tablename__ = "queue_team"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    delay_seconds: Mapped[int] = mapped_column(Integer, server_default="0")
    share: Mapped[int | None] = mapped_column(
        SmallInteger
    )  # per cent of the entries; None: of what no share is set for
    floor: Mapped[int | None] = mapped_column(SmallInteger)  # at least so many an interval, as long as enough come
    ceiling: Mapped[int | None] = mapped_column(SmallInteger)  # at most so many an interval


class ShareCount(Base):
    """How many entries of a queue a team was given in an interval."""

    __tablename__ = "share_count"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)
    begins_at: Mapped[Moment] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    given: Mapped[int] = mapped_column(Integer, server_default="0")


class Capacity(Base):
    """How much an agent has at once of a media class, or of one channel, where it differs from the rule."""

    __tablename__ = "capacity"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    media_class: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")  # empty: of the whole media class
    most: Mapped[int | None] = mapped_column(SmallInteger)  # interactions at once; None: the rule
    weight: Mapped[int | None] = mapped_column(SmallInteger)  # units of capacity that one takes; None: the channel's


class QueueEntry(Base):
    """One interaction waiting in one queue."""

    __tablename__ = "queue_entry"
    __table_args__ = (
        Index("ix_queue_entry_live", "state", "queue_id", postgresql_where=text("state in ('waiting', 'offered')")),
        Index("ix_queue_entry_interaction_id", "interaction_id"),
        Index("ix_queue_entry_left", "queue_id", "left_at", postgresql_where=text("state = 'taken'")),
        Index("uq_queue_entry_case", "case_id", unique=True, postgresql_where=text("state in ('waiting', 'offered')")),
    )

    id: Mapped[Id]
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    state: Mapped[str] = mapped_column(Text, server_default="waiting")  # waiting, offered, taken, left
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="3")  # the case's
    channel: Mapped[str] = mapped_column(Text, server_default="")
    media_class: Mapped[str] = mapped_column(Text)
    weight: Mapped[int] = mapped_column(SmallInteger)  # units of an agent's capacity of 100
    offer_seconds: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(Text, server_default="")
    needs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # skill id to least level
    wants: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # an expression of its own
    preferred_agent_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'")
    )  # who answered before, or is asked for by name; the first is asked first
    preferred_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    backup_queue_id: Mapped[int | None] = mapped_column(BigInteger)  # where it goes when they did not take it
    team_id: Mapped[int | None] = mapped_column(BigInteger)  # the partner it was given to
    team_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # afterwards it is everybody's
    callback_after: Mapped[datetime | None] = mapped_column(
        TIMESTAMP(timezone=True)
    )  # keeps its place, is called later
    expected_seconds: Mapped[int | None] = mapped_column(Integer)  # wait that was expected when it entered
    expected_low: Mapped[int | None] = mapped_column(Integer)  # the range that was announced
    expected_high: Mapped[int | None] = mapped_column(Integer)
    entered_at: Mapped[Moment] = mapped_column(server_default=func.now())  # of this queue
    waiting_since: Mapped[Moment] = mapped_column(server_default=func.now())  # kept over transfers
    left_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    outcome: Mapped[str] = mapped_column(
        Text, server_default=""
    )  # accepted, picked, transferred, answered, resolved, merged


class Offer(Base):
    """An entry shown to one agent, with a time-out."""

    __tablename__ = "offer"
    __table_args__ = (
        Index("uq_offer_open_entry", "entry_id", "agent_id", unique=True, postgresql_where=text("ended_at is null")),
        Index("ix_offer_agent_open", "agent_id", postgresql_where=text("ended_at is null")),
        Index("ix_offer_entry_id", "entry_id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    offered_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    outcome: Mapped[str] = mapped_column(Text, server_default="")  # accepted, declined, timed out, withdrawn
    reason: Mapped[str] = mapped_column(Text, server_default="")


class Assignment(Base):
    """An accepted offer: an agent's work on an interaction, until it is wrapped up."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_agent_open", "agent_id", postgresql_where=text("ended_at is null")),
        Index("ix_assignment_case_open", "case_id", postgresql_where=text("ended_at is null")),
        Index("ix_assignment_interaction_id", "interaction_id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"))
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    team_id: Mapped[int | None] = mapped_column(BigInteger)  # the agent's, when it was accepted
    channel: Mapped[str] = mapped_column(Text, server_default="")
    media_class: Mapped[str] = mapped_column(Text)
    weight: Mapped[int] = mapped_column(SmallInteger)
    accepted_at: Mapped[Moment]
    held_at: Mapped[datetime | None] = mapped_column(
        TIMESTAMP(timezone=True)
    )  # put on hold since: a call came in between
    held_seconds: Mapped[int] = mapped_column(Integer, server_default="0")  # on hold before that
    work_ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # wrap-up begins
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # wrap-up is done: the capacity is free
    wrap_up_code_id: Mapped[int | None] = mapped_column(ForeignKey("wrap_up_code.id"))
    outcome: Mapped[str] = mapped_column(Text, server_default="")


class WrapUpCode(Base):
    """An outcome that agents choose when the work is done."""

    __tablename__ = "wrap_up_code"
    __table_args__ = (UniqueConstraint("queue_id", "name", postgresql_nulls_not_distinct=True),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"))  # None: of every queue
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Reach(Base):
    """Where an agent hears calls: a telephone that is called, else the browser while that is there."""

    __tablename__ = "reach"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[str] = mapped_column(Text, server_default="")  # E.164 or a sip: address
    node: Mapped[str] = mapped_column(Text, server_default="")  # the process that has the browser's sound
    ready: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # the browser is there


class Callback(Base):
    """Somebody waits in a case to be called."""

    __tablename__ = "callback"
    __table_args__ = (
        Index("uq_callback_case_id", "case_id", unique=True, postgresql_where=text("settled_at is null")),
        Index("ix_callback_trying_id", "trying_id", postgresql_where=text("settled_at is null")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(Text)  # E.164; theirs to say, proved by nobody
    asked_at: Mapped[Moment]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # that reached nobody
    trying_id: Mapped[int | None] = mapped_column(
        ForeignKey("interaction.id", ondelete="SET NULL")
    )  # the call that is made now
    settled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    outcome: Mapped[str] = mapped_column(Text, server_default="")  # reached, given up, resolved
