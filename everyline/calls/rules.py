"""What may be wanted of a call, by whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from everyline.call_contract import CallState, Deed, LegState

OVERSEES = frozenset({Deed.LISTEN, Deed.WHISPER, Deed.BARGE})
NEEDED: Mapping[Deed, str] = {Deed.PRESS: "keys", Deed.DROP: "leg"}  # without these they mean nothing
CALLS_SOMEBODY = frozenset({Deed.CONSULT, Deed.ADD, Deed.TRANSFER})
KEYS = frozenset("0123456789*#ABCD")
MOST_KEYS = 40


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
