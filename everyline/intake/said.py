"""What a batch says, on its way from read pieces to messages of cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from everyline.cases.rules import preview
from everyline.channel_contract import Inbound, InboundKind, MediaClass, TalkRules
from everyline.channel_registry import channel
from everyline.customers.actions import Known
from everyline.ground.words import _
from everyline.intake.reading import KeptFile, Piece
from everyline.intake.rules import OPENING, Place
from everyline.lines.conditions import Route
from everyline.queues.hours import OpeningHours


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What intake needs of a line beside what its channel sees."""

    queue_id: int | None
    due_at: datetime | None  # the queue's goal for what comes in now
    acknowledges: bool = True
    attended: bool = True  # would somebody answer live what comes now?
    talks: TalkRules = field(default_factory=TalkRules)
    flow: str = ""  # the flow that answers first
    routes: tuple[Route, ...] = ()
    hours: OpeningHours | None = None  # of the line, or of its queue; only where there are routes


@dataclass(slots=True)
class Said:
    """One message to be written."""

    piece: Piece
    read: Inbound
    files: tuple[KeptFile, ...]
    known: Known
    place: Place
    facts: LineFacts  # of its line, or of the route that it takes
    priority: int = 3
    preferred_agent_id: int | None = None
    message_id: int = 0
    case_id: int = 0
    interaction_id: int = 0
    media_class: str = ""  # of its interaction
    mode: str = ""  # of its talk, when it is part of one
    begins_talk: bool = False
    meets_flow: bool = False  # it begins with the line's flow
    held: bool = False  # it waits, somebody has it in hand, or a flow answers it: it need not enter a queue
    waiting_since: datetime | None = None  # kept from the talk before
    into: Said | None = None  # the piece of the same batch that opens the case this one is gathered in

    @property
    def subject(self) -> str:
        """What its case is called when it opens one."""
        return self.read.subject.strip() or preview(self.read.text)[:120] or _("(no subject)")

    @property
    def opens(self) -> bool:
        """Does it open a case?"""
        return self.place.placing in OPENING

    @property
    def in_talk(self) -> bool:
        """Does it come over a channel on which people talk?"""
        return channel(self.piece.line.channel).facts.media_class is not MediaClass.MAIL

    @property
    def talk(self) -> str:
        """Which of the talks of its sender's address it is part of, where there may be several at once."""
        return self.read.sender.talk if self.read.sender is not None else ""

    @property
    def by_person(self) -> bool:
        """Did a person write it?"""
        return self.read.kind is InboundKind.MESSAGE


@dataclass(slots=True)
class Settled:
    """What a batch became."""

    said: list[Said] = field(default_factory=list)
    outcomes: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    opened: list[tuple[Said, int]] = field(default_factory=list)  # with the case's number
