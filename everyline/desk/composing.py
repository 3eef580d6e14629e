"""The composer: over which contact point an answer goes, and who is called in a note. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from everyline.channel_contract import Address, Facts
from everyline.dispatch.rules import copies
from everyline.ground.errors import Invalid
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
    asked: bool = False  # not a contact point: where the customer's newest message asks answers to go

    @property
    def value(self) -> str:
        """What stands for it in the form; read by ``chosen``."""
        return ASKED + self.address if self.asked else str(self.point_id)


@dataclass(frozen=True, slots=True)
class Chip:
    """Somebody who gets a copy, as they stand in the composer."""

    value: str
    label: str
    title: str = ""
    bad: bool = False  # what was typed is no address


ASKED = "to:"


def chosen(value: str) -> tuple[int | None, str]:
    """What a form's choice means: a contact point, or an address that answers were asked to go to."""
    if value.startswith(ASKED):
        return None, value[len(ASKED) :]
    return (int(value) if value.isdigit() else None), ""


def chips(proposed: Sequence[Address], kept: Sequence[str] | None) -> list[Chip]:
    """Who gets a copy: those that the customer's last message went to, unless somebody has changed them (``kept``)."""
    if kept is None:
        return [Chip(_typed(one), one.name or one.address, one.address) for one in proposed]
    found: list[Chip] = []
    for text in kept:
        try:
            found += [Chip(_typed(one), one.name or one.address, one.address) for one in copies([text], (), "")]
        except Invalid:
            found.append(Chip(text, text, _("This is no email address."), bad=True))
    return found


def _typed(one: Address) -> str:
    return f"{one.name} <{one.address}>" if one.name else one.address


def ways(
    points: Sequence[Any],
    able: Mapping[str, Facts],
    used_id: int | None,
    wanted_id: int | None,
    customer: str,
    asked: Address | None = None,
    wanted: str = "",
) -> list[Way]:
    """The ways to answer, the best first: the preferred contact point, else where the customer's newest message asks
    answers to go (``asked``), else the contact point they wrote from last.

    ``able`` gives the channel that reaches a kind of contact point. ``wanted_id`` or the address ``wanted`` is what a
    draft remembers. An address asked for that is no contact point of the customer's stands there with its warning, for
    it may be a stranger's; what they prefer was set by one of us, so it goes before what any message says.
    """
    reachable = [point for point in points if point.kind in able]
    if asked is not None:
        known = next((point for point in reachable if (point.kind, point.address) == (asked.kind, asked.address)), None)
        if known is not None:
            used_id, asked = known.id, None
    elsewhere = _elsewhere(asked, able, points, used_id, customer)
    if not reachable:
        return [elsewhere] if elsewhere else []

    def rank(point: Any) -> tuple[bool, bool, bool]:
        return (point.bad_since is not None, not point.preferred, point.id != used_id)

    best = min(reachable, key=rank)
    to_asked = elsewhere is not None and (
        wanted == elsewhere.address or (wanted_id is None and not (best.preferred and best.bad_since is None))
    )
    picked = next((point for point in reachable if point.id == wanted_id), best)
    found = [replace(elsewhere, chosen=to_asked)] if elsewhere else []
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
                point.id == picked.id and not to_asked,
                facts.undo_seconds,
                facts.longest_text,
                warning,
                reason,
            )
        )
    return found


def _elsewhere(
    asked: Address | None, able: Mapping[str, Facts], points: Sequence[Any], used_id: int | None, customer: str
) -> Way | None:
    if asked is None or asked.kind not in able:
        return None
    facts = able[asked.kind]
    wrote = next((point.address for point in points if point.id == used_id), "")
    title = _("%(customer)s asks for answers at %(address)s.") % {"customer": customer, "address": asked.address}
    reason = _(
        "Their message came from %s. Whoever reads the other address can read your answer and write on this case."
    ) % (wrote or _("another address"))
    return Way(
        0,
        facts,
        asked.address,
        preferred=False,
        used=False,
        chosen=True,
        undo_seconds=facts.undo_seconds,
        longest_text=facts.longest_text,
        warning=title,
        reason=reason,
        asked=True,
    )


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
