"""Tables of cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment

MESSAGE_WORDS = "setweight(to_tsvector('simple', left(subject, 1000)), 'A') || to_tsvector('simple', left(text, 50000))"


class Case(Base):
    """The customer's matter, over days and channels."""

    __tablename__ = "case"
    __table_args__ = (
        # the lists of the desk, newest words first; closed cases are read by their own view only
        Index(
            "ix_case_queue_open",
            "queue_id",
            literal("moved_at desc"),
            literal("id desc"),
            postgresql_where=literal("status <> 'closed'"),
        ),
        Index(
            "ix_case_owner_open",
            "owner_id",
            literal("moved_at desc"),
            literal("id desc"),
            postgresql_where=literal("status <> 'closed'"),
        ),
        Index("ix_case_moved_at", literal("moved_at desc"), literal("id desc")),
        Index("ix_case_customer_id", "customer_id", literal("id desc")),
        Index("ix_case_tags", "tags", postgresql_using="gin"),
        Index("ix_case_subject_trgm", "subject", postgresql_using="gin", postgresql_ops={"subject": "gin_trgm_ops"}),
        Index("ix_case_wakes_at", "wakes_at", postgresql_where=literal("wakes_at is not null")),
        # lists over all queues, and of what nobody owns: what is open is little beside what was
        Index(
            "ix_case_in_hand",
            literal("moved_at desc"),
            literal("id desc"),
            postgresql_where=literal("status in ('new', 'open')"),
        ),
        Index("ix_case_due_at", "due_at", postgresql_where=literal("due_at is not null")),
        Index("ix_case_resolved_at", "resolved_at", postgresql_where=literal("status = 'resolved'")),
    )

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, Identity(start=10001), unique=True)  # what customers quote
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    subject: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="new")  # see cases.rules.Status
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="3")  # 1 most urgent to 5
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))  # whose work it is
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))  # where it began
    language: Mapped[str] = mapped_column(Text, server_default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=literal("'{}'"))
    opened_at: Mapped[Moment] = mapped_column(server_default=func.now())
    moved_at: Mapped[Moment] = mapped_column(server_default=func.now())  # last time that anything was said
    wakes_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # snoozed until then
    resolved_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # first answer by a person
    due_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # the queue's goal for the next answer
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    wrap_up_code_id: Mapped[int | None] = mapped_column(ForeignKey("wrap_up_code.id"))
    revision: Mapped[int] = mapped_column(Integer, server_default="0")  # grows with every message and note
    last_words: Mapped[str] = mapped_column(Text, server_default="")  # the beginning of the newest message
    last_channel: Mapped[str] = mapped_column(Text, server_default="")
    last_direction: Mapped[str] = mapped_column(Text, server_default="in")
    unread: Mapped[bool] = mapped_column(
        Boolean, server_default=literal("true")
    )  # the customer wrote and nobody looked


class CaseLink(Base):
    """Two cases that belong together. ``related``, or ``quotes``: opened by a stranger who quoted the other."""

    __tablename__ = "case_link"

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(Text, server_default="related")
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Interaction(Base):
    """One contact, beginning to end, on one channel, inside a case."""

    __tablename__ = "interaction"
    __table_args__ = (
        Index("ix_interaction_case_id", "case_id", "id"),
        Index(
            "ix_interaction_contact_point_id",
            "contact_point_id",
            literal("id desc"),
            postgresql_where=literal("contact_point_id is not null"),
        ),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    channel: Mapped[str] = mapped_column(Text)
    media_class: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text, server_default="in")  # who began: in, out
    started_at: Mapped[Moment] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Talk(Base):
    """What is live about an interaction of media class chat or call: who it is, who looks, and how far both sides have read."""

    __tablename__ = "talk"
    __table_args__ = (
        Index("ix_talk_unsettled", "interaction_id", postgresql_where=literal("settled_at is null")),
        Index("uq_talk_key", "key", unique=True, postgresql_where=literal("key <> ''")),
    )

    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, server_default="")  # channel_contract.Address.talk
    mode: Mapped[str] = mapped_column(Text, server_default="live")  # live, later (answered by mail)
    verification: Mapped[str] = mapped_column(Text, server_default="none")  # channel_contract.Verification
    claimed: Mapped[str] = mapped_column(Text, server_default="")  # a mailbox that they say is theirs
    proven_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # somebody answered from that mailbox
    said_at: Mapped[Moment] = mapped_column(server_default=func.now())  # the customer's newest words
    answered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # our newest words
    warned_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # that it ends soon
    here_at: Mapped[Moment] = mapped_column(server_default=func.now())  # when the customer was known to look
    seen_upto: Mapped[int] = mapped_column(BigInteger, server_default="0")  # our newest message that they have seen
    seen_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # when they saw it
    read_upto: Mapped[int] = mapped_column(BigInteger, server_default="0")  # their newest message that we have read
    mailed_upto: Mapped[int] = mapped_column(BigInteger, server_default="0")  # our newest message that went by mail
    trail: Mapped[list[Any]] = mapped_column(JSONB, server_default=literal("'[]'"))  # pages: [moment, url, title]
    transcript_to: Mapped[str] = mapped_column(Text, server_default="")  # the mailbox that gets the whole of it
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=literal("'{}'"))  # channel_contract.TalkRules
    survey: Mapped[str] = mapped_column(Text, server_default="")  # the kind of question that stands open at its end
    ended_by: Mapped[str] = mapped_column(Text, server_default="")  # customer, agent, idle, gone, continued
    settled_at: Mapped[datetime | None] = mapped_column(
        TIMESTAMP(timezone=True)
    )  # nothing is to be done for it any more


class Message(Base):
    """One utterance or piece inside an interaction."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_case_id", "case_id", "id"),
        Index("ix_message_external_id", "external_id", postgresql_where=literal("external_id <> ''")),
        Index("ix_message_search", "search", postgresql_using="gin"),
        Index("ix_message_inbound_id", "inbound_id", postgresql_where=literal("inbound_id is not null")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id"), index=True)
    inbound_id: Mapped[int | None] = mapped_column(BigInteger)
    direction: Mapped[str] = mapped_column(Text)  # in, out
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))  # who wrote it, when we did
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))  # the other side
    external_id: Mapped[str] = mapped_column(Text, server_default="")  # how the wire refers to it
    subject: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text, server_default="")
    quoted: Mapped[str] = mapped_column(Text, server_default="")
    html: Mapped[str] = mapped_column(Text, server_default="")
    at: Mapped[Moment]  # when we took it in or were told to send it
    sent_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # what the sender's clock said
    kind: Mapped[str] = mapped_column(Text, server_default="message")  # message, automatic, bounce, acknowledgement
    facts: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=literal("'{}'")
    )  # recipients, form fields, remarks
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed(MESSAGE_WORDS, persisted=True))


class Attachment(Base):
    """A file that belongs to a message, a note or a draft."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_message_id", "message_id", postgresql_where=literal("message_id is not null")),
        Index("ix_attachment_note_id", "note_id", postgresql_where=literal("note_id is not null")),
        Index("ix_attachment_draft_id", "draft_id", postgresql_where=literal("draft_id is not null")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    note_id: Mapped[int | None] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id", ondelete="SET NULL"))
    file_hash: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    content_id: Mapped[str] = mapped_column(Text, server_default="")
    inline: Mapped[bool] = mapped_column(Boolean, server_default=literal("false"))


class Note(Base):
    """Internal text on a case."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_case_id", "case_id", "id"),)

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    edited_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Mention(Base):
    """An agent who was called by name in a note."""

    __tablename__ = "mention"
    __table_args__ = (Index("ix_mention_agent_id", "agent_id", literal("note_id desc")),)

    note_id: Mapped[int] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Draft(Base):
    """What an agent has begun to write on a case: one reply and one note each."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("case_id", "agent_id", "kind"), Index("ix_draft_agent_id", "agent_id"))

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)  # reply, note
    text: Mapped[str] = mapped_column(Text, server_default="")
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    answer_to: Mapped[str] = mapped_column(
        Text, server_default=""
    )  # where the customer asked answers to go, when that is chosen
    copies: Mapped[list[Any] | None] = mapped_column(
        JSONB
    )  # as typed; None: nobody has touched those that are proposed
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))
    revision: Mapped[int] = mapped_column(Integer, server_default="0")  # of the case when it was begun
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())


class CannedAnswer(Base):
    """Words that agents use again and again. Places such as ``{customer}`` are filled in, see ``rules.PLACES``."""

    __tablename__ = "canned_answer"
    __table_args__ = (Index("ix_canned_answer_queue_id", "queue_id", postgresql_where=literal("retired_at is null")),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)  # what it is found by
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"))  # None: of every queue
    agent_id: Mapped[int | None] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE")
    )  # whose own; None: everybody's
    language: Mapped[str] = mapped_column(Text, server_default="")  # empty: for every language
    text: Mapped[str] = mapped_column(Text)
    used: Mapped[int] = mapped_column(Integer, server_default="0")  # how often
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class SavedView(Base):
    """A list of cases by filters, kept under a name."""

    __tablename__ = "saved_view"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[int | None] = mapped_column(
        ForeignKey("agent.id", ondelete="CASCADE"), index=True
    )  # None: everybody's
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
