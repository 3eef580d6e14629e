"""What may be wanted of a call, by whom, and how it stands in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from everyline.call_contract import CallState, Deed, LegState
from everyline.ground.words import _, mark

OVERSEES = frozenset({Deed.LISTEN, Deed.WHISPER, Deed.BARGE})
NEEDED: Mapping[Deed, str] = {Deed.PRESS: "keys", Deed.DROP: "leg"}  # without these they mean nothing
CALLS_SOMEBODY = frozenset({Deed.CONSULT, Deed.ADD, Deed.TRANSFER})
KEYS = frozenset("0123456789*#ABCD")
MOST_KEYS = 40
LEG_STATES = {
    LegState.RINGING: (mark("ringing"), "bell"),
    LegState.IN: (mark("talking"), "talk"),
    LegState.HELD: (mark("on hold"), "pause"),
    LegState.APART: (mark("apart"), "people"),
}
SOUND = ((4.0, mark("Good sound"), "good"), (3.1, mark("Fair sound"), "warn"), (0.0, mark("Bad sound"), "bad"))

ENDED_BY = {
    "customer": mark("the customer hung up"),
    "agent": mark("we hung up"),
    "us": mark("it was ended by rule"),
    "trunk": mark("the line ended it"),
    "lost": mark("it was cut off"),
    "": mark("it ended"),
}


def sound(quality: Mapping[str, float]) -> dict[str, str] | None:
    """How good a leg is, in words; None while nothing is known."""
    score = quality.get("score")
    if score is None:
        return None
    words, tone = next((_(words), tone) for least, words, tone in SOUND if score >= least or not least)
    parts = [_("%.1f of 5") % score]
    if "loss" in quality:
        parts.append(_("%.1f %% lost") % (quality["loss"] * 100))
    if "jitter_ms" in quality:
        parts.append(_("jitter %d ms") % quality["jitter_ms"])
    if quality.get("delay_ms"):
        parts.append(_("delay %d ms") % quality["delay_ms"])
    return {"words": words, "tone": tone, "title": ", ".join(parts)}


def takes_part(legs: Sequence[Mapping[str, Any]], agent_id: int) -> bool:
    """Is this agent one of the parties now?"""
    return any(leg["agent_id"] == agent_id and leg["state"] != LegState.GONE for leg in legs)


def makes_sense(deed: Deed, state: str, values: Mapping[str, Any]) -> str:
    """The name of what is missing or wrong; empty when nothing is."""
    if state == CallState.ENDED:
        return "call"
    needed = NEEDED.get(deed)
    if needed is not None and not values.get(needed):
        return needed
    if deed is Deed.PRESS and (len(values["keys"]) > MOST_KEYS or not set(values["keys"]) <= KEYS):
        return "keys"
    if deed in CALLS_SOMEBODY and bool(values.get("number")) == bool(values.get("with")):
        return "number"
    return ""
