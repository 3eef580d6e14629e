"""What the API gives and takes. Times are ISO 8601 in UTC; ids are numbers; lists are read page by page by ``after``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Shape(BaseModel):
    """Reads rows as they come from the database."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What comes in: a field that is not known is an error, never silence."""

    model_config = ConfigDict(extra="forbid")


class PageOf(Shape, Generic[T]):
    """One page; ``after`` asks for the next, null when this was the last."""

    items: list[T]
    after: str | None = None


class Made(Shape):
    """What was made."""

    id: int


class LineShape(Shape):
    id: int
    channel: str
    address: str
    name: str
    language: str
    queue_id: int | None
    hours_id: int | None
    answer_line_id: int | None
    open: bool
    settings: dict[str, Any] = Field(description="The channel's settings, without those that are secret.")
    received_at: datetime | None = None
    sent_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None


class LineAsked(Asked):
    channel: str
    address: str
    name: str = ""
    language: str = "en"
    queue_id: int | None = None
    hours_id: int | None = None
    answer_line_id: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class LineChange(Asked):
    address: str | None = None
    name: str | None = None
    language: str | None = None
    queue_id: int | None = None
    hours_id: int | None = None
    answer_line_id: int | None = None
    open: bool | None = None
    settings: dict[str, Any] | None = Field(
        None, description="All settings; a secret that is left empty stays as it was."
    )


class ContactPointShape(Shape):
    id: int
    kind: str
    address: str
    label: str
    preferred: bool
    bad_since: datetime | None
    bad_reason: str


class CustomerShape(Shape):
    id: int
    name: str
    kind: str
    language: str
    zone: str
    remarks: str
    created_at: datetime


class CustomerWhole(CustomerShape):
    contact_points: list[ContactPointShape]


class CustomerAsked(Asked):
    kind: str = Field("mailbox", description="The kind of address: mailbox, number, handle or postal.")
    address: str
    name: str = ""


class CustomerChange(Asked):
    name: str | None = None
    kind: Literal["person", "firm"] | None = None
    language: str | None = None
    zone: str | None = None
    remarks: str | None = None


class ContactPointAsked(Asked):
    kind: str
    address: str
    label: str = ""


class ContactPointChange(Asked):
    preferred: Literal[True] | None = None
    good: Literal[True] | None = Field(None, description="It works again.")


class MergeAsked(Asked):
    gone_id: int = Field(description="What goes into this one.")


class CaseShape(Shape):
    id: int
    number: int
    customer_id: int
    customer_name: str | None = None
    subject: str
    status: str
    priority: int
    queue_id: int | None
    owner_id: int | None
    line_id: int | None
    language: str
    tags: list[str]
    opened_at: datetime
    moved_at: datetime
    wakes_at: datetime | None
    resolved_at: datetime | None
    answered_at: datetime | None
    due_at: datetime | None
    revision: int
    last_words: str
    last_direction: str
    unread: bool


class CaseAsked(Asked):
    customer_id: int
    subject: str
    queue_id: int | None = None
    text: str = Field("", description="A first message to the customer; empty: none is sent.")


class CaseChange(Asked):
    subject: str | None = None
    priority: int | None = Field(None, ge=1, le=5)
    tags: list[str] | None = None
    language: str | None = None
    owner_id: int | None = Field(None, description="null gives the case back to its queue.")


class Resolve(Asked):
    wrap_up_code_id: int | None = None


class WaitFor(Asked):
    what_for: Literal["customer", "others"] = "customer"


class Snooze(Asked):
    until: datetime


class Transfer(Asked):
    queue_id: int
    note: str = ""


class LinkAsked(Asked):
    other_id: int


class SplitAsked(Asked):
    message_id: int
    subject: str = ""


class InteractionShape(Shape):
    id: int
    case_id: int
    line_id: int | None
    contact_point_id: int | None
    channel: str
    media_class: str
    direction: str
    started_at: datetime
    ended_at: datetime | None


class AttachmentShape(Shape):
    id: int
    message_id: int | None
    note_id: int | None
    name: str
    content_type: str
    size: int


class MessageShape(Shape):
    id: int
    interaction_id: int
    direction: str
    kind: str
    agent_id: int | None
    contact_point_id: int | None
    external_id: str
    subject: str
    text: str
    quoted: str
    html: str
    at: datetime
    sent_at: datetime | None
    facts: dict[str, Any]


class ReplyAsked(Asked):
    text: str = Field(description="May hold a little Markdown: bold, italic, links, lists, quotes and code.")
    contact_point_id: int | None = None
    answer_to: str | None = Field(
        None,
        description="The address in reply_to of the customer's newest message, when the reply is to go there. Without it "
        "the reply goes to a contact point of the customer's, whatever their message asks for.",
    )
    copies: list[str] = Field(
        default_factory=list, description="Who else gets it: name@example.org, or Name <name@example.org>."
    )
    replies: list[str] = Field(
        default_factory=list, max_length=5, description="In a talk: quick replies that the customer may choose from."
    )
    revision: int | None = Field(None, description="The case's when you read it: refused when there is news since.")
    then: Literal["wait for customer", "wait for others", "resolve"] | None = None
    wrap_up_code_id: int | None = None


class NoteShape(Shape):
    id: int
    agent_id: int | None
    text: str
    at: datetime
    edited_at: datetime | None


class NoteAsked(Asked):
    text: str
    mentions: list[int] = Field(default_factory=list, description="Ids of agents.")


class DeliveryShape(Shape):
    id: int
    message_id: int | None
    kind: str
    address: str
    state: str
    attempts: int
    answer: str
    due_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class QueueShape(Shape):
    id: int
    name: str
    hours_id: int | None
    priority: int
    goal_seconds: int
    wrap_up_seconds: int
    strategy: str
    waiting: int = 0
    oldest: datetime | None = None


class EntryShape(Shape):
    id: int
    case_id: int
    interaction_id: int
    state: str
    priority: int
    media_class: str
    waiting_since: datetime


class AgentShape(Shape):
    id: int
    name: str
    role: str
    active: bool
    state: str | None
    reason: str | None
    since: datetime | None


class StateAsked(Asked):
    state: Literal["available", "away", "offline"]
    reason: str = ""
    afterwards: bool = Field(default=False, description="When the present work ends, instead of now.")


class OfferShape(Shape):
    id: int
    case_id: int
    queue_id: int
    number: int
    subject: str
    customer_name: str
    channel: str
    offered_at: datetime
    expires_at: datetime


class Decline(Asked):
    reason: str = ""


class EventShape(Shape):
    position: str
    kind: str
    at: datetime
    actor_id: int | None
    agent_id: int | None
    customer_id: int | None
    case_id: int | None
    interaction_id: int | None
    queue_id: int | None
    line_id: int | None
    data: dict[str, Any]


class QuarantineShape(Shape):
    id: int
    line_id: int
    line_name: str
    channel: str
    external_id: str
    size: int
    received_at: datetime
    attempts: int
    cause: str
