"""The frame of every signed-in page: ``shell(tx, me, face=…, nav=…)`` gives what ``app.html`` reads.

The faces do not know each other; what they have in common is here::

    ways = group(_("Set-up"), [item(_("Lines"), "/setup/lines", icon="inbox", current=True)])
    context = await shell(tx, me, face=_("Everyline set-up"), nav=[ways], home="/setup")
    return page("setup/lines.html", **context, lines=lines)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.moments import span
from everyline.ground.words import _, mark
from everyline.people.rules import Me, Role

# text, because the tables of assignments and mentions belong to nouns above this one
_FRAME = text(
    """
    select (select value #>> '{}' from installation where name = 'organisation') as organisation, a.keys,
        coalesce(s.state, 'offline') as state, coalesce(s.reason, '') as reason, coalesce(s.since, a.created_at) as since,
        coalesce(s.next_state, '') as next_state, coalesce(s.next_reason, '') as next_reason,
        (select count(*) from mention where agent_id = a.id and seen_at is null) as mentions,
        array(select name from away_reason order by position, name) as reasons, w.in_hand, w.wrapping_up, w.load
    from agent a
    left join agent_state s on s.agent_id = a.id
    cross join lateral (
        select count(*) filter (where work_ended_at is null) as in_hand,
            count(*) filter (where work_ended_at is not null) as wrapping_up, coalesce(sum(weight), 0) as load
        from assignment where agent_id = a.id and ended_at is null
    ) w
    where a.id = :me
    """
)
FULL = 100  # units of capacity: who has so much in hand is busy

STATES = {
    "available": mark("Available"),
    "busy": mark("Busy"),
    "wrapping_up": mark("Wrapping up"),
    "away": mark("Away"),
    "offline": mark("Offline"),
}
ROLES = {Role.ADMIN: mark("admin"), Role.SUPERVISOR: mark("supervisor"), Role.AGENT: mark("agent")}
AFTERWARDS = "next:"  # begins a choice of state that is taken when the present work ends


def item(text: str, href: str, **facts: Any) -> dict[str, Any]:
    """One way to go; facts as ``app.html`` reads them: ``icon`` or ``hue``, ``count``, ``tone``, ``meaning``, ``key``."""
    return {"text": text, "href": href, **facts}


def group(title: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Ways to go under one heading, which may be empty."""
    return {"title": title, "items": list(items)}


def person(me: Me) -> dict[str, Any]:
    """Whoever looks at the page, as templates read them."""
    return {
        "id": me.id,
        "name": me.name,
        "initials": me.initials,
        "hue": me.hue,
        "role": _(ROLES[me.role]),
        "email": me.email,
        "zone": me.zone,
    }


async def shell(
    tx: Tx,
    me: Me,
    *,
    face: str,
    nav: Sequence[dict[str, Any]],
    home: str = "/desk",
    nav_label: str = "",
    add: dict[str, Any] | None = None,
    faces: Sequence[dict[str, Any]] | None = None,
    live: str = "",
) -> dict[str, Any]:
    """The whole context of ``app.html``: ``me``, ``theme`` and ``shell``.

    ``face`` is the face's name, translated; ``nav`` groups made with ``group`` and ``item``; ``faces`` stand at the
    foot of the side bar (by default the ways to the other faces); ``live`` are topics that the whole page listens to,
    beside the agent's own.
    """
    row = await tx.one(_FRAME, {"me": me.id})
    return {
        "me": person(me),
        "theme": me.theme,
        "shell": {
            "organisation": row.organisation or "Everyline",
            "face": face,
            "home": home,
            "nav": list(nav),
            "nav_label": nav_label or face,
            "add": add,
            "faces": list(other_faces(me, home) if faces is None else faces),
            **state_of(row),
            "state_choices": state_choices(row, row.reasons),
            "state_href": "/desk/state",
            "notices": row.mentions,
            "notices_href": "/desk/notices",
            "offers_href": "/desk/offers",
            "bar_href": "/desk/wrap-ups",
            "calls_href": "/desk/calls",
            "phone_href": "/desk/phone/switch",
            "find_href": "/desk/find",
            "profile_href": "/profile",
            "sign_out_href": "/sign-out",
            "theme_href": "/profile/theme",
            "keys": changed_keys(row.keys),
            "sound": not (row.keys or {}).get("silent", False),
            "live": f"agent:{me.id} {live}".strip(),
            "position": me.position,
        },
    }


def other_faces(me: Me, home: str) -> list[dict[str, Any]]:
    """The ways to the faces that one may use beside the one that begins at ``home``."""
    found = [item(_("Desk"), "/desk", icon="desk", key="g d")] if home != "/desk" else []
    if me.may("article.read") and home != "/knowledge":
        found.append(item(_("Knowledge"), "/knowledge", icon="book", key="g y"))
    if me.may("board.read") and home != "/board":
        found.append(item(_("Board"), "/board", icon="board", key="g b"))
    if me.may("figure.read") and home != "/reports":
        found.append(item(_("Reports"), "/reports", icon="chart", key="g r"))
    if me.may("line.read") and home != "/setup":
        found.append(item(_("Set-up"), "/setup", icon="sliders", key="g u"))
    return found


def changed_keys(keys: dict[str, Any] | None) -> str:
    """An agent's own keys as ``data-keys`` has them."""
    if not keys:
        return ""
    if keys.get("off"):
        return "off"
    own = {name: key for name, key in keys.items() if isinstance(key, str)}
    return json.dumps(own) if own else ""


def state_of(row: Row) -> dict[str, Any]:
    """The agent state that is shown, from what was chosen and what is in hand."""
    state = str(row.state)
    if state == "available":
        state = "wrapping_up" if row.wrapping_up else "busy" if row.load >= FULL else state
    return {
        "state": state,
        "state_label": _(STATES[state]),
        "state_reason": _(row.reason) if row.state == "away" and row.reason else "",
        "state_next": (_(row.next_reason) if row.next_reason else _(STATES[row.next_state])) if row.next_state else "",
        "state_since": row.since,
        "state_for": _("for %s") % span((now() - row.since).total_seconds()),
    }


def state_choices(row: Row, reasons: Sequence[str]) -> list[dict[str, Any]]:
    """The states to choose from: now, and, while there is work in hand, for when it ends."""

    def choices(prefix: str, state: str, reason: str) -> list[dict[str, Any]]:
        away = [(f"away:{one}", _(one), "away") for one in reasons] or [("away:", _(STATES["away"]), "away")]
        every = [
            ("available", _(STATES["available"]), "available"),
            *away,
            ("offline", _(STATES["offline"]), "offline"),
        ]
        chosen = f"away:{reason}" if state == "away" else state
        return [
            {"value": prefix + value, "label": label, "state": look, "current": value == chosen}
            for value, label, look in every
        ]

    found = [{"title": _("Now"), "choices": choices("", row.state, row.reason)}]
    if row.in_hand or row.wrapping_up:
        found.append(
            {"title": _("When the present work ends"), "choices": choices(AFTERWARDS, row.next_state, row.next_reason)}
        )
    return found
