"""Tables of errands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Integer, LargeBinary, SmallInteger, Text, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment


class ErrandDone(Base):
    """An errand that was carried out, once for its key."""

    __tablename__ = "errand_done"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    errand: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id", ondelete="SET NULL"))
    channel: Mapped[str] = mapped_column(Text, server_default="")
    level: Mapped[int] = mapped_column(SmallInteger)  # identity.Level as it was shown then
    origins: Mapped[list[str]] = mapped_column(
        JSONB, server_default=literal("'[]'")
    )  # of strangers (selfservice.origins)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=literal("'{}'"))  # without secrets
    inputs_hash: Mapped[bytes] = mapped_column(LargeBinary)  # of all of them, under the installation's key
    outcome: Mapped[bytes] = mapped_column(LargeBinary)  # locked: it may hold what is for the customer alone
    undo: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # what it takes to undo it; None: it cannot be
    undo_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))  # None: the customer


class ErrandSetting(Base):
    """What the house says of an errand. One without a row is offered, and its cases go where a line's go."""

    __tablename__ = "errand_setting"
    __table_args__ = (CheckConstraint("strangers_an_hour between 1 and 10000", name="strangers"),)

    errand: Mapped[str] = mapped_column(Text, primary_key=True)
    offered: Mapped[bool] = mapped_column(server_default=literal("true"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="SET NULL"))
    strangers_an_hour: Mapped[int] = mapped_column(
        Integer, server_default="5"
    )  # cases of who is not known, from one place


class AppointmentKind(Base):
    """What customers make appointments for."""

    __tablename__ = "appointment_kind"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="SET NULL"))  # whose work it is
    hours_id: Mapped[int] = mapped_column(ForeignKey("hours.id"))
    minutes: Mapped[int] = mapped_column(Integer, server_default="30")
    places: Mapped[int] = mapped_column(Integer, server_default="1")  # how many at the same time
    ahead_days: Mapped[int] = mapped_column(Integer, server_default="30")
    lead_minutes: Mapped[int] = mapped_column(Integer, server_default="120")  # from booking to the earliest start
    remind_minutes: Mapped[int] = mapped_column(
        Integer, server_default="1440"
    )  # before it begins; 0: nobody is reminded
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Appointment(Base):
    """A time that a customer has with us. Its id is the number that they quote."""

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(BigInteger, Identity(start=1001), primary_key=True)
    kind_id: Mapped[int] = mapped_column(ForeignKey("appointment_kind.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(Text, server_default="booked")  # booked, cancelled
    remarks: Mapped[str] = mapped_column(Text, server_default="")  # what it is about, in the customer's words
    contact_point_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_point.id", ondelete="SET NULL")
    )  # that it was booked by
    revision: Mapped[int] = mapped_column(Integer, server_default="0")  # grows with every change
    tell: Mapped[str] = mapped_column(Text, server_default="")  # what is still to be written: booked, moved, cancelled
    reminded_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Outage(Base):
    """Something that does not work at a place, as customers told it."""

    __tablename__ = "outage"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(Text)  # outages.KINDS
    place: Mapped[str] = mapped_column(Text)
    place_key: Mapped[str] = mapped_column(Text)  # the same place written in another way has the same
    since: Mapped[str] = mapped_column(Text, server_default="")
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    reports: Mapped[int] = mapped_column(Integer, server_default="1")
    began_at: Mapped[Moment] = mapped_column(server_default=func.now())
    reported_at: Mapped[Moment] = mapped_column(server_default=func.now())  # last


class Statement(Base):
    """What stands in our books of a customer, as a document that they asked for."""

    __tablename__ = "statement"

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_point_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_point.id", ondelete="SET NULL")
    )  # where it is mailed to
    way: Mapped[str] = mapped_column(Text)  # mail, download
    language: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="asked")  # asked, made, failed
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    file_hash: Mapped[str] = mapped_column(Text, server_default="")
    asked_at: Mapped[Moment] = mapped_column(server_default=func.now())  # it says what was so at this moment
    due_at: Mapped[Moment] = mapped_column(server_default=func.now())
    made_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[Moment]  # of the link
