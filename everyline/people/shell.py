"""What the frame of every signed-in page shows: who is signed in, their state, the side bar, the ways to the other faces.

The faces do not know each other; what they have in common is gathered here. The addresses are those of the desk and of
the account pages; a face that has not been built yet is left out by its permission.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.words import _, ngettext
from everyline.people import queries
from everyline.people.rules import Me, Role

STATE_HREF = "/desk/state"
OFFERS_HREF = "/desk/offers"
FIND_HREF = "/desk/find"
NOTICES_HREF = "/desk/notices"
PROFILE_HREF = "/profile"
SIGN_OUT_HREF = "/sign-out"
THEME_HREF = "/profile/theme"

# text, because the tables of assignments and mentions belong to nouns above this one
_STATE = text(
    """
    select s.state, s.reason, s.since, s.next_state, s.next_reason, a.keys,
        (select min(w.accepted_at) from assignment w where w.agent_id = s.agent_id and w.work_ended_at is null and w.ended_at is null) as busy_since,
        (select min(w.work_ended_at) from assignment w where w.agent_id = s.agent_id and w.work_ended_at is not null and w.ended_at is null) as wraps_up_since
    from agent_state s join agent a on a.id = s.agent_id where s.agent_id = :agent_id
    """
)
_NOTICES = text("select count(*) from (select from mention where agent_id = :agent_id and seen_at is null limit 100) as newest")


def role_word(role: str) -> str:
    """A role, in words for people."""
    return {Role.ADMIN: _("Admin"), Role.SUPERVISOR: _("Supervisor")}.get(Role(role), _("Agent"))


def state_word(state: str) -> str:
    """An agent state, in words for people."""
    words = {"available": _("Available"), "busy": _("Busy"), "wrapping_up": _("Wrapping up"), "away": _("Away")}
    return words.get(state, _("Offline"))


def reason_word(reason: str) -> str:
    """A reason to be away. Those of the organisation stand as they were written, ours are translated."""
    return _("not answering") if reason == "not answering" else reason


def since_words(since: datetime, at: datetime) -> str:
    """How long something has been so: "for 6 min"."""
    minutes = max(int((at - since).total_seconds() // 60), 0)
    if minutes < 60:
        return _("for %s min") % minutes
    hours = minutes // 60
    if hours < 24:
        return _("for %s h") % hours
    return ngettext("for %s day", "for %s days", hours // 24) % (hours // 24)


def shown_state(row: Row[Any]) -> tuple[str, datetime]:
    """What is shown of an agent's state, and since when: who has work in hand is busy, whatever they chose for afterwards."""
    if row.state != "offline" and row.busy_since is not None:
        return "busy", row.busy_since
    if row.state != "offline" and row.wraps_up_since is not None:
        return "wrapping_up", row.wraps_up_since
    return str(row.state), row.since


async def state(tx: Tx, me: Me) -> dict[str, Any]:
    """The part of ``shell`` that ``state-switch.html`` reads. A choice's value is ``available``, ``away:<reason>`` or ``offline``."""
    row = await tx.first(_STATE, {"agent_id": me.id})
    assert row is not None, "every agent has a state"
    shown, since = shown_state(row)
    return {
        "state": shown,
        "state_label": state_word(shown),
        "state_reason": reason_word(row.reason) if shown == "away" else "",
        "state_next": state_word(row.next_state) if row.next_state else "",
        "state_since": since,
        "state_for": since_words(since, now()),
        "state_choices": list(_choices(row, await queries.away_reasons(tx))),
        "state_href": STATE_HREF,
        "keys": keys_of(row.keys),
    }


def _choices(row: Row[Any], reasons: Sequence[str]) -> Iterator[dict[str, Any]]:
    def choice(value: str, label: str, chosen: str) -> dict[str, Any]:
        reason = value.partition(":")[2]
        return {"value": value, "label": label, "state": chosen, "current": row.state == chosen and (not reason or row.reason == reason)}

    yield {"title": _("Your state"), "choices": [choice("available", _("Available"), "available")]}
    away = [choice(f"away:{reason}", _("Away: %s") % reason, "away") for reason in reasons]
    yield {"title": _("Away"), "choices": away or [choice("away:", _("Away"), "away")]}
    yield {"title": _("Not at work"), "choices": [choice("offline", _("Offline"), "offline")]}


def read_choice(value: str) -> tuple[str, str]:
    """State and reason of a choice that was posted."""
    chosen, _colon, reason = value.partition(":")
    return chosen, reason


def keys_of(kept: Mapping[str, Any]) -> str:
    """What ``<body data-keys>`` says: nothing, ``off``, or the changed keys as JSON."""
    if kept.get("off"):
        return "off"
    return json.dumps(kept, separators=(",", ":")) if kept else ""


def faces(me: Me, current: str) -> list[dict[str, Any]]:
    """The ways to the other faces, for those who may go there. ``current``: ``desk`` or ``setup``."""
    found = [{"text": _("Desk"), "href": "/desk", "icon": "desk", "key": "g d", "current": current == "desk"}]
    if me.may("line.read"):
        found.append({"text": _("Set-up"), "href": "/setup", "icon": "sliders", "key": "g u", "current": current == "setup"})
    return found


async def frame(
    tx: Tx,
    me: Me,
    *,
    face: str,
    home: str,
    nav: Sequence[Mapping[str, Any]],
    nav_label: str,
    add: Mapping[str, Any] | None = None,
    theme: str | None = None,
    current: str = "",
    **more: Any,
) -> dict[str, Any]:
    """The context of ``app.html``: ``me``, ``theme`` and ``shell``.

    ``face`` is the face's name in words, ``current`` which of the faces it is, ``theme`` the browser's cookie of that name;
    ``more`` goes into ``shell`` and may replace anything in it (``live``, ``offers_href``).
    """
    notices = int(await tx.value(_NOTICES, {"agent_id": me.id}))
    shell: dict[str, Any] = {
        "organisation": await queries.organisation_name(tx),
        "face": face,
        "home": home,
        "nav": nav,
        "nav_label": nav_label,
        "add": add,
        "faces": faces(me, current),
        "notices": notices,
        "notices_href": NOTICES_HREF,
        "offers_href": OFFERS_HREF,
        "find_href": FIND_HREF,
        "profile_href": PROFILE_HREF,
        "sign_out_href": SIGN_OUT_HREF,
        "theme_href": THEME_HREF,
        "sound": True,
        "live": f"agent:{me.id}",
        **await state(tx, me),
        **more,
    }
    shown = {"id": me.id, "name": me.name, "initials": me.initials, "hue": me.hue, "role": role_word(me.role), "email": me.email}
    return {"me": shown, "shell": shell, "theme": theme or me.theme}
