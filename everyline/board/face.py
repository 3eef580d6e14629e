"""What every page of the board has: the frame with its side bar, and the way to the process's watch."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.requests import HTTPConnection

from everyline.board.watch import Watch
from everyline.ground.database import Tx
from everyline.ground.words import _, mark
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell

CUT_NAMES = {
    "queue": mark("Queues"),
    "channel": mark("Channels"),
    "language": mark("Languages"),
    "team": mark("Teams and partners"),
}
DONE = {
    "moved": mark("Moved. It keeps the time it has waited."),
    "raised": mark("The priority is changed."),
    "given": mark("Given."),
    "taken": mark("The case is yours."),
    "state": mark("The state is changed."),
    "hung-up": mark("The call is ended."),
    "threshold": mark("Saved. The board goes by it at once."),
}


def watch_of(connection: HTTPConnection) -> Watch:
    """The board of this process."""
    found: Watch = connection.app.state.board
    return found


async def frame(tx: Tx, request: Request, me: Me, current: str) -> dict[str, Any]:
    """The context of a page; ``current`` is a cut, "agents" or "thresholds"."""
    ways = [
        item(_(name), f"/board?by={cut}", icon=symbol, current=cut == current)
        for (cut, name), symbol in zip(CUT_NAMES.items(), ("inbox", "layers", "globe", "people"), strict=True)
    ]
    ways.append(item(_("Agents"), "/board/agents", icon="person", current=current == "agents", key="g p"))
    ways.append(item(_("Calls"), "/board/calls", icon="phone", current=current == "calls", key="g c"))
    if me.may("entry.direct"):
        ways.append(item(_("Live talks"), "/desk/talks", icon="talk", key="g t"))
    if me.may("threshold.write"):
        ways.append(item(_("Thresholds"), "/board/thresholds", icon="bell", current=current == "thresholds"))
    context = await shell(tx, me, face=_("Everyline board"), home="/board", nav=[group("", ways)], nav_label=_("Board"))
    done = request.query_params.get("done", "")
    return {**context, "may": me.may, "done": _(DONE[done]) if done in DONE else "", "zone": me.zone}
