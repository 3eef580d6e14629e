"""Tables of figures.

Facts are kept from events and hold nothing else: a ``stay`` is one queue entry, a ``work`` one assignment, a ``state_span``
one state of one agent, a ``case_span`` one time that a case was open in one queue, a ``matter`` one case as a whole. Ledgers
count facts by interval of a quarter of an hour, queue, channel, language and team: the ``cohort_ledger`` in the interval
in which an entry arrived, the ``event_ledger`` in the interval in which something happened, the ``time_ledger`` time as it
passed, split at the intervals' bounds, with the agent whose it was; the ``agent_ledger`` holds agents' states the same way.
``cohort_total`` and ``event_total`` are the first two over all channels, languages and teams.
Facts and ledgers are written by set-based statements only (``measure.sql``), so they have no class here.
"""

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
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment

KEY = ("begins_at", "queue_id", "channel", "language", "team_id")
TOTAL_KEY = KEY[:2]  # of the totals over all channels, languages and teams
# what stays count for, in the interval of their arrival and in those of what happened to them; times in milliseconds
ARRIVALS = (
    "entered", "moved", "withdrawn", "answered", "in_time", "abandoned", "abandoned_in_time", "short", "flowed_out",
    "called_back", "called_back_in_time", "goal_events", "goal_abandoned", "answer_ms", "abandon_ms",
)  # fmt: skip
WORKS = ("handled", "talk_ms", "hold_ms", "wrap_up_ms", "charged_ms", "handle_ms", "transferred")
CASES = ("opened", "reopened", "came", "resolved", "went")
OFFERS = ("offers", "offers_missed", "offers_declined")
HAPPENINGS = (*ARRIVALS, *WORKS, *CASES, *OFFERS)
TIMES = ("talk_ms", "hold_ms", "wrap_up_ms", "charged_ms")
STATES = ("state_ms", "engaged_ms")


class Follower(Base):
    """How far somebody has followed the events."""

    __tablename__ = "follower"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)  # xid8: with the id, a position in commit order
    id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # the newest moment seen


class Promise(Base):
    """What a queue promises from a moment on; entries that arrive are held against what is promised then."""

    __tablename__ = "promise"

    queue_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    since: Mapped[Moment] = mapped_column(primary_key=True)
    answer_seconds: Mapped[int] = mapped_column(Integer)
    hours_id: Mapped[int | None] = mapped_column(BigInteger)  # the time runs while these are open; None: always
    short_seconds: Mapped[int] = mapped_column(Integer)
    share: Mapped[int] = mapped_column(SmallInteger)  # per cent
    formula: Mapped[str] = mapped_column(Text)


class Report(Base):
    """A report that somebody put together and keeps."""

    __tablename__ = "report"

    id: Mapped[Id]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    shape: Mapped[dict[str, Any]] = mapped_column(JSONB)  # see ``rules.Asked``, as a web address has it
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ReportMail(Base):
    """A report that goes out by mail."""

    __tablename__ = "report_mail"

    id: Mapped[Id]
    report_id: Mapped[int] = mapped_column(ForeignKey("report.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))  # within whose scope it is made
    address: Mapped[str] = mapped_column(Text)
    rhythm: Mapped[str] = mapped_column(Text)  # daily, weekly, monthly
    hour: Mapped[int] = mapped_column(SmallInteger)  # in the agent's zone
    sent_for: Mapped[date | None] = mapped_column(Date)  # the day on which it went out last
    fault: Mapped[str] = mapped_column(Text, server_default="")  # why it did not


class SurveySetting(Base):
    """What the customers of a queue are asked when their case is settled."""

    __tablename__ = "survey_setting"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # satisfaction, recommendation, effort
    every_days: Mapped[int] = mapped_column(Integer, server_default="30")  # a customer is asked at most once in so many
    share: Mapped[int] = mapped_column(SmallInteger, server_default="100")  # per cent of the cases
    after_minutes: Mapped[int] = mapped_column(Integer, server_default="60")
    since: Mapped[Moment] = mapped_column(server_default=func.now())  # cases settled before are not asked about


class Survey(Base):
    """One question to one customer about one case, and what they said."""

    __tablename__ = "survey"
    __table_args__ = (Index("ix_survey_customer_id", "customer_id", "asked_at"),)

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    agent_id: Mapped[int | None] = mapped_column(BigInteger)  # who settled it
    channel: Mapped[str] = mapped_column(Text, server_default="")
    language: Mapped[str] = mapped_column(Text, server_default="")
    kind: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)
    expires_at: Mapped[Moment]
    answered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    words: Mapped[str] = mapped_column(Text, server_default="")


class SurveyRefusal(Base):
    """An address whose owner wants no surveys."""

    __tablename__ = "survey_refusal"

    address: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Moment] = mapped_column(server_default=func.now())
