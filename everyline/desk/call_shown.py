"""A call as agents see it: in the bar, and among the pieces of its case. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from everyline.call_contract import CallState, Deed, Direction, Heard, Keeping, LegKind, LegState
from everyline.calls.rules import ENDED_BY, LEG_STATES, sound
from everyline.desk import phrases
from everyline.desk.lists import channel_facts
from everyline.ground.moments import span
from everyline.ground.words import _, mark, read
from everyline.queues.callbacks import MOST_TRIES
from everyline.selfservice.putting import shown
from everyline.selfservice.slots import Kind, Value

OVERSEEN = {
    Heard.NOBODY: mark("You listen. Nobody hears you."),
    Heard.AGENT: mark("You whisper. Only the agent hears you."),
    Heard.ALL: mark("Everybody hears you."),
}
OVERSEES = {Heard.NOBODY: Deed.LISTEN, Heard.AGENT: Deed.WHISPER, Heard.ALL: Deed.BARGE}
KEPT = {Keeping.ON: mark("Recording"), Keeping.PAUSED: mark("Recording paused")}


def _leg(leg: Mapping[str, Any], me_id: int) -> dict[str, Any]:
    words, icon = LEG_STATES[LegState(leg["state"])]
    mine = leg["agent_id"] == me_id
    who = _("You") if mine else leg["shown"] or leg["number"] or _("Withheld number")
    if leg["kind"] == LegKind.SUPERVISOR and not mine:
        words = (
            mark("listening")
            if leg["heard"] == Heard.NOBODY
            else mark("whispering")
            if leg["heard"] == Heard.AGENT
            else words
        )
        icon = "ear"
    return {
        "name": leg["name"],
        "who": who,
        "mine": mine,
        "kind": leg["kind"],
        "state": leg["state"],
        "words": _(words),
        "icon": icon,
        "muted": leg["muted"],
        "sound": sound(leg["quality"]),
        "remark": read(leg["remark"]),
    }


def _states(row: Any, legs: Sequence[Mapping[str, Any]], mine: Mapping[str, Any] | None) -> tuple[str, str]:
    """Where the call stands for whoever looks, in a word or two, and how it looks."""
    customers = [leg for leg in legs if leg["kind"] == LegKind.CUSTOMER]
    if mine is not None and mine["kind"] == LegKind.SUPERVISOR:
        return _(OVERSEEN[Heard(mine["heard"])]), "talking"
    if row.state == CallState.RINGING:
        return (_("Calling") if row.direction == Direction.OUT else _("Ringing")), "ringing"
    if mine is None or mine["state"] == LegState.RINGING:
        return _("Your phone rings"), "ringing"
    if any(leg["state"] == LegState.APART for leg in legs):
        return _("You talk apart, the customer is on hold"), "held"
    if customers and all(leg["state"] == LegState.HELD for leg in customers):
        return _("On hold"), "held"
    if mine["state"] == LegState.HELD:
        return _("You are on hold"), "held"
    return (_("Talking, you are muted") if mine["muted"] else _("Talking")), "talking"


def bar(row: Any, me_id: int) -> dict[str, Any]:
    """A call that goes on, with what this agent can do about it now."""
    legs = [leg for leg in row.legs if leg["state"] != LegState.GONE]
    mine = next((leg for leg in legs if leg["agent_id"] == me_id), None)
    state, look = _states(row, legs, mine)
    watches = mine is not None and mine["kind"] == LegKind.SUPERVISOR
    held = any(leg["kind"] == LegKind.CUSTOMER and leg["state"] == LegState.HELD for leg in legs)
    others = [leg for leg in legs if leg["kind"] in (LegKind.AGENT, LegKind.GUEST) and leg is not mine]
    apart = [leg for leg in others if leg["state"] in (LegState.APART, LegState.IN)]
    up = row.state == CallState.UP and mine is not None and mine["state"] != LegState.RINGING
    asked = mine is not None and mine["state"] == LegState.RINGING and row.owner_id != me_id and not mine["number"]
    can = {
        "mute": up and not watches,
        "hold": up and not watches and not any(leg["state"] == LegState.APART for leg in legs),
        "press": up and not watches,
        "add": up and not watches,
        "join": up and not watches and ((held and bool(apart)) or any(leg["state"] == LegState.APART for leg in legs)),
        "hand_over": up and not watches and bool(apart) and row.owner_id == me_id,
        "keep": up and not watches and row.keeping != Keeping.OFF,
        "oversee": watches,
        "answer": asked,
        "end": row.owner_id == me_id and not watches,
        "leave": mine is not None and row.owner_id != me_id and not watches and not asked,
    }
    return {
        "id": row.interaction_id,
        "case_id": row.case_id,
        "channel": channel_facts(row.channel),
        "customer": row.customer_name,
        "number": row.number or _("Withheld number"),
        "line": row.line_name,
        "language": phrases.language_name(row.language) if row.language else "",
        "state": state,
        "says": ", ".join(
            filter(None, (row.customer_name, state, _(KEPT[row.keeping]) if row.keeping in KEPT else ""))
        ),
        "look": look,
        "since": row.answered_at or row.began_at,
        "held": held,
        "muted": bool(mine and mine["muted"]),
        "mine": mine["name"] if mine is not None else "",
        "oversees": OVERSEES[Heard(mine["heard"])] if mine is not None else "",
        "keeping": row.keeping,
        "legs": [_leg(leg, me_id) for leg in legs],
        "can": can,
    }


def slug(deed: Deed) -> str:
    """A deed as addresses have it."""
    return deed.replace(" ", "-")


def piece(row: Any, now: datetime, there: ZoneInfo, *, traces: bool = False) -> dict[str, Any]:
    """A call among the pieces of its case: which way, over which line, for how long, who took part, how it ended.
    ``traces``: may its signalling be looked at?"""
    ended = row.ended_at is not None
    out = row.direction == Direction.OUT
    if row.answered_at is not None:
        length = span(((row.ended_at or now) - row.answered_at).total_seconds())
        gist = (_("Call to %(number)s, %(time)s") if out else _("Call from %(number)s, %(time)s")) % {
            "number": row.number or _("a withheld number"),
            "time": length,
        }
    else:
        gist = (_("Call to %s, not answered") if out else _("Call from %s, not answered")) % (
            row.number or _("a withheld number")
        )
    parties = list(dict.fromkeys(leg["shown"] or leg["number"] for leg in row.legs if leg["joined"]))
    facts = [(_("Line"), row.line_name)]
    if parties:
        facts.append((_("Took part"), ", ".join(filter(None, parties))))
    if ended:
        words = ENDED_BY.get(row.ended_by) or ENDED_BY[""]
        how = read(row.reason) or _(words)
        facts.append((_("Ended"), how[:1].upper() + how[1:]))
    worst = min((leg["score"] for leg in row.legs if leg["score"] is not None), default=None)
    return {
        "kind": "call",
        "id": row.interaction_id,
        "channel": channel_facts(row.channel),
        "gist": gist,
        "goes_on": not ended,
        "trace": f"/setup/calls/{row.key}" if traces else "",
        "icon": "up" if out else "down",
        "facts": facts,
        "sound": sound({"score": worst}) if worst is not None else None,
        "recordings": [{**one, "length": span(one["seconds"])} for one in row.recordings],
        "at": row.began_at,
        "when": phrases.clock(row.began_at, there),
        "title": phrases.day_and_time(row.began_at, now, there),
    }


def callback(row: Any, now: datetime, there: ZoneInfo) -> str:
    """That a customer waits to be called (columns callback_number, callback_asked_at, callback_tries); empty when they do not."""
    if not row.callback_number:
        return ""
    return _("Call back %(number)s, asked at %(when)s, attempt %(attempt)s of %(most)s") % {
        "number": shown(Value(Kind.PHONE, row.callback_number)),
        "when": phrases.moment(row.callback_asked_at, now, there),
        "attempt": row.callback_tries + 1,
        "most": MOST_TRIES,
    }
