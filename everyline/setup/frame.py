"""What every page of the set-up has: the frame with its side bar, what was just done, and the way back after a form."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from everyline.ground.database import Tx
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.intake import queries as intake
from everyline.people.permit import ground_of
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell

# key, words, symbol, permission, shortcut
PLACES = (
    (
        mark("Reach"),
        (
            ("lines", mark("Lines"), "layers", "line.read", "g l"),
            ("hours", mark("Hours"), "clock", "queue.write", "g h"),
            ("queues", mark("Queues"), "inbox", "queue.write", "g q"),
            ("prompts", mark("What callers hear"), "ear", "line.write", "g v"),
            ("contacts", mark("Interpreters and offices"), "globe", "line.write", "g i"),
        ),
    ),
    (
        mark("People"),
        (
            ("agents", mark("Agents"), "people", "agent.write", "g a"),
            ("teams", mark("Teams and partners"), "people", "agent.write", "g m"),
            ("skills", mark("Skills"), "star", "queue.write", "g k"),
            ("codes", mark("Codes and reasons"), "tag", "queue.write", "g c"),
            ("canned", mark("Canned answers"), "quote", "own", "g w"),
        ),
    ),
    (
        mark("Self-service"),
        (
            ("bot", mark("Bot"), "robot", "flow.write", "g b"),
            ("flows", mark("Flows"), "merge", "flow.write", "g f"),
            ("errands", mark("Errands"), "check", "flow.write", "g d"),
            ("appointments", mark("Appointments"), "calendar", "flow.write", "g p"),
            ("sources", mark("Customer sources"), "table", "flow.write", "g u"),
        ),
    ),
    (
        mark("House"),
        (
            ("organisation", mark("Organisation"), "home", "installation.write", "g o"),
            ("brands", mark("Brands"), "globe", "installation.write", "g e"),
            ("quarantine", mark("Quarantine"), "quarantine", "quarantine.read", "g x"),
            ("tokens", mark("Tokens"), "key", "token.write", "g t"),
            ("audit", mark("Audit trail"), "shield", "audit.read", "g j"),
        ),
    ),
)

DONE = {
    "added": mark("Added."),
    "saved": mark("Saved."),
    "published": mark("Published."),
    "removed": mark("Removed."),
    "retired": mark("Taken out of use."),
    "opened": mark("Open."),
    "line": mark("The line is open. What comes in now becomes a case."),
    "closed": mark("Closed."),
    "invited": mark("The invitation is on its way."),
    "no-mail": mark("Added. No line can send mail yet, so set a password for them, or invite them once there is one."),
    "ended": mark("Signed out everywhere."),
    "reset": mark("The second factor is off: the password alone lets them in."),
    "revoked": mark("The token works no more."),
    "retried": mark("It is processed again."),
    "discarded": mark("Discarded."),
}


async def frame(tx: Tx, request: Request, me: Me, current: str) -> dict[str, Any]:
    """The context of a page; ``current`` is the key of its place in the side bar."""
    waiting = await intake.how_many_quarantined(tx, me) if me.may("quarantine.read") else 0
    groups = []
    for title, places in PLACES:
        items = []
        for key, words, symbol, permission, shortcut in places:
            if me.may(permission):
                facts: dict[str, Any] = {"icon": symbol, "current": key == current, "key": shortcut}
                if key == "quarantine" and waiting:
                    facts |= {
                        "count": f"{waiting}" if waiting < 100 else "99+",
                        "tone": "bad",
                        "meaning": _("%s in quarantine") % waiting,
                    }
                items.append(item(_(words), f"/setup/{key}", **facts))
        if items:
            groups.append(group(_(title), items))
    done = request.query_params.get("done", "")
    context = await shell(
        tx, me, face=_("Everyline set-up"), home="/setup", nav=groups, nav_label=_("Set-up"), live="quarantine"
    )
    if not me.may("line.read"):
        context["shell"]["home"] = "/desk"  # who comes here for words of their own alone
    return {**context, "may": me.may, "done": _(DONE[done]) if done in DONE else "", "trouble": "", "errors": {}}


async def show(request: Request, me: Me, current: str, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page of the set-up."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, current)
    return page(f"setup/{template}", status=status, **{**shown, **context})


def caller(request: Request) -> str:
    """The address that a request came from."""
    return request.client.host if request.client else ""
