"""What every page of the reports has: the frame with its side bar, names of what rows stand for, and what may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import text

from everyline.channel_registry import all_channels
from everyline.ground.database import Tx
from everyline.ground.moments import clock, language_names, zone
from everyline.ground.moments import day as day_words
from everyline.ground.words import _, mark
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell
from everyline.queues import queries as queues

PLACES = (
    ("interval", mark("Intervals"), "chart"),
    ("queue", mark("Queues"), "inbox"),
    ("agent", mark("Agents"), "people"),
    ("channel", mark("Channels"), "layers"),
    ("language", mark("Languages"), "globe"),
    ("team", mark("Teams and partners"), "external"),
)
DONE = {
    "kept": mark("Kept."),
    "removed": mark("Removed."),
    "mailed": mark("It goes out by mail."),
    "stopped": mark("It goes out no more."),
    "saved": mark("Saved."),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called."""

    queues: dict[int, str]
    teams: dict[int, str]
    agents: dict[int, str]
    languages: dict[str, str]
    zone: str
    step: str

    def of(self, dimension: str, key: Any) -> str:
        """What a row stands for."""
        if dimension == "interval":
            return self._moment(key)
        if dimension == "queue":
            return self.queues.get(key, _("a queue of before"))
        if dimension == "team":
            return self.teams.get(key, _("no team")) if key else _("no team")
        if dimension == "agent":
            return self.agents.get(key, _("somebody of before"))
        if dimension == "language":
            return self.languages.get(key, key) if key else _("not known")
        found = all_channels().get(key)
        return _(found.facts.label) if found else key or _("not known")

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(zone(self.zone))
        if self.step in ("day", "week"):
            return day_words(local.date(), local.date())
        return f"{local:%H:%M}"


_LANGUAGES = text("select distinct language from stay where language <> '' order by 1")
_TEAMS = text("select id, name from team order by name")
_AGENTS = text("select id, name from agent order by name")


async def names(tx: Tx, me: Me, step: str) -> Names:
    """The names of all that rows can stand for."""
    spoken = [row.language for row in await tx.rows(text("select language from skill where language is not null"))]
    return Names(
        {row.id: row.name for row in await tx.rows(text("select id, name from queue order by position, name"))},
        {row.id: row.name for row in await tx.rows(_TEAMS)},
        {row.id: row.name for row in await tx.rows(_AGENTS)},
        dict(language_names([*dict.fromkeys(["en", *spoken])])),
        me.zone,
        step,
    )


async def scope(tx: Tx, me: Me) -> Sequence[int]:
    """The queues within one's scope; who sees all sees those of before too."""
    if me.all_queues:
        return await tx.column(text("select id from queue order by position, name"))
    return [row.id for row in await queues.seen_by(tx, me)]


async def frame(tx: Tx, request: Request, me: Me, current: str) -> dict[str, Any]:
    """The context of a page; ``current`` is the key of its place in the side bar."""
    history = [
        item(_(name), "/reports" if key == "interval" else f"/reports?by={key}", icon=symbol, current=key == current)
        for key, name, symbol in PLACES
    ]
    kept = await tx.rows(
        text("select id, name from report where agent_id = :me or shared order by name limit 30"), {"me": me.id}
    )
    own = [
        item(_("Put a report together"), "/reports/builder", icon="table", current=current == "builder"),
        *(item(row.name, f"/reports/kept/{row.id}", icon="flag", current=current == f"kept-{row.id}") for row in kept),
    ]
    quality = [item(_("Surveys"), "/reports/surveys", icon="star", current=current == "surveys")]
    nav = [group(_("History"), history), group(_("Own reports"), own), group(_("Quality"), quality)]
    context = await shell(tx, me, face=_("Everyline reports"), home="/reports", nav=nav, nav_label=_("Reports"))
    done = request.query_params.get("done", "")
    return {**context, "done": _(DONE[done]) if done in DONE else "", "clock": clock, "may": me.may}
