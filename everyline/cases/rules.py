"""What may happen to a case, and what follows from what. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from everyline.ground.words import mark

PREVIEW = 180  # characters of the newest message kept on the case
SHORTEST_BEGUN = 3  # letters of a word that is still being typed
CALLBACK = "call back"  # tag of a case whose customer waits to be called
PRIORITIES = {1: mark("Urgent"), 2: mark("High"), 3: mark("Normal"), 4: mark("Low"), 5: mark("Lowest")}
FOLLOW_UP_DAYS = 14  # after that, an answer to a resolved case opens a new one that is linked to it


class Status(StrEnum):
    """Where a case stands."""

    NEW = "new"
    OPEN = "open"
    WAITING_FOR_CUSTOMER = "waiting for customer"
    WAITING_FOR_OTHERS = "waiting for others"
    RESOLVED = "resolved"
    CLOSED = "closed"


OPEN_STATUSES = (Status.NEW, Status.OPEN, Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS)

_MAY_BECOME: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.OPEN, Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS, Status.RESOLVED}),
    Status.OPEN: frozenset({Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS, Status.RESOLVED}),
    Status.WAITING_FOR_CUSTOMER: frozenset({Status.OPEN, Status.WAITING_FOR_OTHERS, Status.RESOLVED}),
    Status.WAITING_FOR_OTHERS: frozenset({Status.OPEN, Status.WAITING_FOR_CUSTOMER, Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.OPEN, Status.CLOSED}),
    Status.CLOSED: frozenset(),
}


def may_become(now: Status, then: Status) -> bool:
    """May a case go from one status to the other? A closed case stays closed: what comes later is a new case."""
    return then in _MAY_BECOME[now]


class Arrival(StrEnum):
    """What a customer's further message means for the case it belongs to."""

    CONTINUES = "continues"  # the case goes on as it is
    REOPENS = "reopens"  # it was resolved or waited for this very answer
    FOLLOWS = "follows"  # too late: a new case, linked to this one


def on_message(status: Status, resolved_at: datetime | None, now: datetime) -> Arrival:
    """What a message from the case's own customer does."""
    if status is Status.CLOSED:
        return Arrival.FOLLOWS
    if status is Status.RESOLVED:
        late = resolved_at is not None and now - resolved_at > timedelta(days=FOLLOW_UP_DAYS)
        return Arrival.FOLLOWS if late else Arrival.REOPENS
    if status in (Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS):
        return Arrival.REOPENS
    return Arrival.CONTINUES


def preview(text: str) -> str:
    """The beginning of a message on one line."""
    line = " ".join(text[: PREVIEW * 4].split())
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1].rstrip() + "…"


def begun(words: str) -> str:
    """What is typed as a query of PostgreSQL in which the last word is only begun; empty when it is too short for that, or
    when the words are not plain."""
    plain = re.findall(r"\w+", words)
    if not plain or len(plain[-1]) < SHORTEST_BEGUN or plain[-1].isdigit() or any(sign in words for sign in '"-'):
        return ""
    return " & ".join(plain) + ":*"


def answer_subject(subject: str) -> str:
    """``Re: `` before a subject that has none yet."""
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}".rstrip()


@dataclass(frozen=True, slots=True)
class Stale:
    """Why a reply is held back: the case has moved since the writer last read it."""

    revision: int
    news: int  # messages and notes since


def stale(written_on: int, revision: int) -> Stale | None:
    """None when the writer has seen everything there is."""
    return Stale(revision, revision - written_on) if revision > written_on else None


PLACES = {
    "customer": mark("the customer's name"),
    "agent": mark("who answers"),
    "number": mark("the number of the case"),
    "subject": mark("what the case is about"),
    "queue": mark("the queue"),
    "house": mark("the organisation"),
}


def fill_in(text: str, facts: Mapping[str, str]) -> str:
    """A canned answer with its places (``PLACES``) filled. A place that means nothing stays, so that who writes sees it."""
    return re.sub(r"\{(\w+)\}", lambda place: facts.get(place[1], place[0]), text)
