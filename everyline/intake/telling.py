"""A talk as its customer may see it: from rows to what the contract says. Pure, but for the words of places and waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from everyline.channel_contract import (
    Card,
    Person,
    SurveyQuestion,
    Talk,
    TalkFile,
    TalkMessage,
    Wait,
)
from everyline.ground import markdown
from everyline.ground.database import Row
from everyline.intake.acknowledgements import wait_in_words
from everyline.queues.waits import expect, rounded

NEWEST = 4  # interactions of somebody on a line that are told of


def person(agent_id: int, name: str) -> Person:
    """One of us, as customers may see them."""
    parts = name.split()
    initials = "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()
    return Person(name, initials, agent_id % 12)


def message(row: Row) -> TalkMessage:
    """One message."""
    own = row.direction == "in"
    agent = person(row.agent_id, row.agent_name) if row.agent_id is not None else None
    kept: Mapping[str, Any] = row.facts or {}
    return TalkMessage(
        row.id,
        own,
        agent,
        row.at,
        row.text,
        html="" if own else markdown.formatted(row.text),
        client_id=str(kept.get("client_id", "")),
        files=tuple(TalkFile(*one) for one in row.files or ()),
        card=Card(**kept["card"]) if "card" in kept else None,
        replies=tuple(kept.get("replies", ())),
        hint=kept.get("hint"),
        turn=kept.get("turn"),
    )


def phase(row: Row) -> str:
    """Where a talk stands."""
    if row.ended_at is not None:
        return "ended"
    if row.mode == "later":
        return "mail"
    return "waiting" if row.entry_id is not None else "talking"


def wait(place: int, served: Sequence[float], at: float) -> Wait | None:
    """What is still ahead of who stands at a place; None when too little is known."""
    found = expect(place, served, at)
    if found is None:
        return None
    low, high = rounded(found.low), rounded(found.high)
    return Wait(low, high, wait_in_words(low, high))


def talk(row: Row, place: int | None, ahead: Wait | None, survey: SurveyQuestion | None) -> Talk:
    """A talk."""
    stands = phase(row)
    return Talk(
        row.id,
        stands,
        row.number,
        row.subject,
        row.queue_name or "",
        row.started_at,
        row.ended_at,
        row.ended_by,
        place if stands == "waiting" else None,
        ahead if stands == "waiting" else None,
        person(row.agent_id, row.agent_name) if row.agent_id is not None else None,
        row.read_upto,
        row.seen_upto,
        row.mailbox,
        row.warned_at is not None,
        survey,
        row.in_flow,
        row.agent_id,
    )


def read_position(text: str) -> dict[int, int]:
    """A position: by interaction, the newest message that is known. ValueError when it is none."""
    found: dict[int, int] = {}
    if len(text) > 400:
        raise ValueError("this is no position")
    for part in text.split(".") if text else ():
        one, minus, newest = part.partition("-")
        if not minus or not (one + newest).isalnum() or not (one + newest).isascii():
            raise ValueError("this is no position")
        found[int(one, 36)] = int(newest, 36)
    if any(number >= 2**63 for pair in found.items() for number in pair):
        raise ValueError("this is no position")
    return found


def position(after: Mapping[int, int]) -> str:
    """The same in text, of the newest interactions."""
    return ".".join(f"{_base36(one)}-{_base36(after[one])}" for one in sorted(after)[-NEWEST:])


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    found = ""
    while number:
        number, rest = divmod(number, 36)
        found = digits[rest] + found
    return found or "0"
