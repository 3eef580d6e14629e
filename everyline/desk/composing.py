"""The composer: over which contact point an answer goes, and who is called in a note. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from everyline.channel_contract import Facts
from everyline.ground.words import _


@dataclass(frozen=True, slots=True)
class Way:
    """A contact point that an answer can go to, and what to say when it is chosen although another is better."""

    point_id: int
    channel: Facts
    address: str
    preferred: bool
    used: bool
    chosen: bool
    undo_seconds: int
    longest_text: int | None
    warning: str = ""
    reason: str = ""


def ways(
    points: Sequence[Any],
    able: Mapping[str, Facts],
    used_id: int | None,
    wanted_id: int | None,
    customer: str,
) -> list[Way]:
    """The ways to answer, the best first: the preferred contact point, else the one the customer wrote from last.

    ``able`` gives the channel that reaches a kind of contact point. ``wanted_id`` is what a draft remembers.
    """
    reachable = [point for point in points if point.kind in able]
    if not reachable:
        return []

    def rank(point: Any) -> tuple[bool, bool, bool]:
        return (point.bad_since is not None, not point.preferred, point.id != used_id)

    best = min(reachable, key=rank)
    chosen = next((point for point in reachable if point.id == wanted_id), best)
    found = []
    for point in sorted(reachable, key=rank):
        facts = able[point.kind]
        warning, reason = _warning(point, best, used_id, customer)
        found.append(
            Way(
                point.id,
                facts,
                point.address,
                point.preferred,
                point.id == used_id,
                point.id == chosen.id,
                facts.undo_seconds,
                facts.longest_text,
                warning,
                reason,
            )
        )
    return found


def _warning(point: Any, best: Any, used_id: int | None, customer: str) -> tuple[str, str]:
    if point.bad_since is not None:
        why = " ".join(point.bad_reason.split())[:200]
        return _("Nothing arrives at %s any more.") % point.address, why or _("The last answer came back.")
    if point.id == best.id:
        return "", ""
    if best.preferred:
        return _("%(customer)s prefers %(address)s.") % {"customer": customer, "address": best.address}, _(
            "The answer goes to another address than they asked for."
        )
    if best.id == used_id:
        return _("%(customer)s wrote from %(address)s.") % {"customer": customer, "address": best.address}, _(
            "The answer goes to another address than it came from."
        )
    return "", ""


def fresh_key() -> str:
    """What makes the same answer sent twice one answer."""
    return secrets.token_urlsafe(12)


def called(text: str, agents: Sequence[Any]) -> list[int]:
    """The agents whose name stands in a note behind an @: the longest name that fits, whatever its case."""
    found: list[int] = []
    folded = text.casefold()
    at = folded.find("@")
    while at >= 0:
        rest = folded[at + 1 :]
        fitting = [agent for agent in agents if rest.startswith(agent.name.casefold())]
        if fitting:
            chosen = max(fitting, key=lambda agent: len(agent.name))
            if chosen.id not in found:
                found.append(chosen.id)
        at = folded.find("@", at + 1)
    return found
