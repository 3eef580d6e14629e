"""What a channel found out about an address, laid into the form of a new line where nobody has typed anything."""

from __future__ import annotations

from everyline.channel_contract import LineSettings, Proposal
from everyline.ground.forms import Typed
from everyline.setup import line_form

PROPOSED_FOR = "proposed_for"  # the address that what is carried was found by


def fitting(form: Typed, kind: type[LineSettings], proposal: Proposal) -> tuple[dict[str, str], dict[str, str]]:
    """What to fill in on this step, and what to carry to the step about sending. A group of which somebody has typed the first
    field is theirs; of the others every field is filled that is empty or as it was at first."""
    here: dict[str, str] = {}
    later: dict[str, str] = {}
    sends = set(line_form.names_of(kind, "sending"))
    for group in proposal.groups:
        if form.text(next(iter(group))):
            continue
        for name, value in group.items():
            if name in sends:
                later[name] = value
            elif form.text(name) in ("", str(kind.model_fields[name].default)):
                here[name] = value
    return here, {PROPOSED_FOR: form.text("address"), **later} if later else {}


def carried(form: Typed, kind: type[LineSettings]) -> list[str]:
    """The settings of a later step that came along; none when they were found by another address than the one that stands
    there now."""
    if form.text(PROPOSED_FOR) != form.text("address"):
        return []
    return [name for name in line_form.names_of(kind, "sending") if form.text(name)]
