"""What the desk says of live talks: how long a customer waits for us, what time will do, who looks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from everyline.ground.moments import span
from everyline.ground.words import _

DUE_SECONDS = 45  # a customer who waits so long in a talk wants an answer
LATE_SECONDS = 120  # and now wonders whether anybody is there
AWAY_SECONDS = 45.0  # who looks is written down every 20 seconds


@dataclass(frozen=True, slots=True)
class Wait:
    """How a customer of a talk waits for us. ``state``: answered, calm, due or late; ``since``: their newest words."""

    state: str
    since: datetime
    seconds: int
    words: str


def wait(said_at: datetime, answered_at: datetime | None, at: datetime) -> Wait:
    """Who has our answer does not wait; who has none waits from calm to due to late."""
    if answered_at is not None and answered_at >= said_at:
        return Wait("answered", said_at, 0, _("Answered"))
    seconds = max(0, int((at - said_at).total_seconds()))
    state = "late" if seconds >= LATE_SECONDS else "due" if seconds >= DUE_SECONDS else "calm"
    return Wait(state, said_at, seconds, wait_words(state, span(seconds)))


def wait_words(state: str, time: str) -> str:
    """The same in words: a colour alone tells nobody."""
    words = {
        "calm": _("waits %(time)s"),
        "due": _("answer soon: %(time)s"),
        "late": _("waits too long: %(time)s"),
    }
    return words[state] % {"time": time}


@dataclass(frozen=True, slots=True)
class Ahead:
    """What time will do to a talk in which the customer is silent. ``what``: warn or end."""

    what: str
    at: datetime
    seconds: int  # the whole span


def ahead(
    rules: Mapping[str, Any], said_at: datetime, answered_at: datetime | None, warned_at: datetime | None
) -> Ahead | None:
    """The next thing that happens by itself; None while the customer waits for us, or when nothing is ruled."""
    warn_after, end_after = int(rules.get("warn_after", 0)), int(rules.get("end_after", 0))
    if warned_at is not None:
        return Ahead("end", warned_at + timedelta(seconds=end_after), end_after)
    if answered_at is None or answered_at < said_at or warn_after <= 0:
        return None
    return Ahead("warn", answered_at + timedelta(seconds=warn_after), warn_after)


def is_here(here_at: datetime, at: datetime) -> bool:
    """Does the customer look at the talk now?"""
    return (at - here_at).total_seconds() < AWAY_SECONDS
