"""Where a piece that came in belongs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from everyline.cases.rules import Arrival, Status, on_message
from everyline.channel_contract import Inbound, InboundKind

MOST_ATTEMPTS = 4  # after that a piece waits in quarantine for a person
MOST_ACKNOWLEDGEMENTS = 8  # to one address within three hours: a person does not write more, a loop does


class Placing(StrEnum):
    """What becomes of a piece."""

    OPENS = "opened"  # a new case
    CONTINUES = "continued"  # a message of a case that is there
    LINKED = "linked"  # a new case beside the one it names: by a stranger, or too late
    GATHERED = "gathered"  # a message of the newest case of a sender who opened too many


OPENING = (Placing.OPENS, Placing.LINKED)


@dataclass(frozen=True, slots=True)
class Flood:
    """Where many cases of one sender with one subject on one line become a flood: two programs that answer each other, or a
    mad one. With subjects of its own each it is none: a website whose mails all come from one address writes so."""

    most: int  # cases; 0: it is never one
    within: timedelta


_ANSWERED = re.compile(r"^(?:\s*(?:re|aw|fwd?|wg|sv|rv|tr)\s*(?:\[\d+\])?\s*:)+", re.IGNORECASE)


def matter(subject: str) -> str:
    """A subject without the marks of answers and forwards, and without regard to case and blanks."""
    return " ".join(_ANSWERED.sub("", subject).split()).casefold()


@dataclass(frozen=True, slots=True)
class CaseKnown:
    """What placing needs to know of a case that a piece refers to."""

    id: int
    customer_id: int
    status: Status
    resolved_at: datetime | None
    addresses: frozenset[tuple[str, str]]  # to whom we wrote on it, copies of our agents' answers among them


@dataclass(frozen=True, slots=True)
class Place:
    """The decision: the case it belongs to or is linked with, and whether that is opened again."""

    placing: Placing
    case: CaseKnown | None = None
    reopens: bool = False


def place(piece: Inbound, customer_id: int, referred: CaseKnown | None, now: datetime) -> Place:
    """A reference leads into a case only for those who are part of it: its customer, or somebody we wrote to on it. The
    subject never does. A stranger who quotes a reference opens a case of their own, linked to the one they quoted."""
    # Somebody who got a copy of an agent's answer is no stranger: an agent of ours sent them what stands on the case, and
    # who answers all answers on that case. Whom only the customer copied is one until an agent writes to them.
    if referred is None or piece.sender is None:
        return Place(Placing.OPENS)
    sender = (piece.sender.kind, piece.sender.address)
    if referred.customer_id != customer_id and sender not in referred.addresses:
        return Place(Placing.LINKED, referred)
    if piece.kind is InboundKind.AUTOMATIC:
        return Place(Placing.CONTINUES, referred)  # a machine's answer is kept, and changes nothing
    arrival = on_message(referred.status, referred.resolved_at, now)
    if arrival is Arrival.FOLLOWS:
        return Place(Placing.LINKED, referred)
    return Place(Placing.CONTINUES, referred, reopens=arrival is Arrival.REOPENS)


def acknowledges(piece: Inbound, placed: Place, *, channel_does: bool, point_bad: bool, lately: int) -> bool:
    """Is a piece answered at once? Only what opens a case, was written by a person, and is not part of a loop."""
    return (
        channel_does
        and placed.placing in OPENING
        and piece.kind is InboundKind.MESSAGE
        and piece.answerable
        and not point_bad
        and lately < MOST_ACKNOWLEDGEMENTS
    )


def retry_after(attempts: int) -> timedelta:
    """How long a piece that stumbled waits before it is tried again."""
    return timedelta(seconds=2 * 4**attempts)
