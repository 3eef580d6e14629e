"""The pages of the board."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.board import behind, calls, deeds, parts, thresholds, words
from everyline.board.behind import Place
from everyline.board.face import CUT_NAMES, frame, watch_of
from everyline.board.facts import Picture
from everyline.board.figures import CUTS, STATES
from everyline.cases.rules import PRIORITIES
from everyline.ground.clock import now
from everyline.ground.moments import clock, day, zone
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.people.shell import STATES as STATE_WORDS

router = APIRouter()
Reader = Annotated[Me, permit("board.read")]

FIRST_COLUMN = {"queue": mark("Queue"), "channel": mark("Channel"), "language": mark("Language"), "team": mark("Team")}
TITLES = {
    "waiting": mark("Waiting"),
    "now": mark("Ended in the last 30 minutes"),
    "today": mark("Ended today"),
}


@router.get("/board")
async def board(request: Request, me: Reader, by: str = "queue", wall: str = "") -> Response:
    """The live board; its body alone for its script, when rows came or went."""
    by = by if by in CUTS else "queue"
    watch = watch_of(request)
    audience = await watch.join(me, by)
    found = await watch.board(me, by)
    context: dict[str, Any] = {
        "board": found,
        "cells": watch.cells(audience),
        "heading": _(CUT_NAMES[by]),
        "first": _(FIRST_COLUMN[by]),
        "tones": parts.tones(found),
    }
    if request.headers.get("hx-request"):
        return page("board/body.html", **context)
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, by)
    at = now()
    local = at.astimezone(zone(me.zone))
    context |= {
        "by": by,
        "cuts": [
            {
                "href": "/board?" + urlencode({"by": cut} | ({"wall": "1"} if wall else {})),
                "text": _(name),
                "current": cut == by,
                "key": str(number),
                "action": _(name),
            }
            for number, (cut, name) in enumerate(CUT_NAMES.items(), 1)
        ],
        "wall": bool(wall),
        "wall_href": f"/board?by={by}" + ("" if wall else "&wall=1"),
        "body_href": f"/board?by={by}",
        "at": at,
        "clock_text": f"{local:%H:%M}",
        "day_text": day(local.date(), local.date()),
    }
    return page("board/board.html", **{**shown, **context})


def row_name(place: Place, picture: Picture) -> str:
    """What the row of a figure is called."""
    if place.key == "all":
        return _("All queues")
    if place.by == "queue":
        queue = picture.queues.get(int(place.value))
        return queue.name if queue else _("A queue that is not there any more")
    if place.by == "team":
        return picture.teams.get(int(place.value), (_("No team"), False))[0]
    if place.by == "channel":
        return words.channel_label(place.value)
    return words.language_label(place.value)


@router.get("/board/entries")
async def entries(request: Request, me: Reader, after: str = "") -> Response:
    """The entries behind a figure; the list alone for its live refresh."""
    place = Place.read(request.query_params)
    picture = await watch_of(request).picture()
    async with ground_of(request).database.transaction() as tx:
        rows, end = await behind.entries(tx, me, place, picture, after)
        context: dict[str, Any] = {
            "place": place,
            "entries": rows,
            "at": now(),
            "labels": {name: words.channel_label(name) for name in {one["row"].channel for one in rows}},
            "channels": {name: words.channel_of(name) for name in {one["row"].channel for one in rows}},
            "more": f"/board/entries?{urlencode(_query(place) | {'after': end})}" if end else "",
            "self_href": f"/board/entries?{urlencode(_query(place) | ({'after': after} if after else {}))}",
            "priorities": PRIORITIES,
            "zone": me.zone,
        }
        if request.headers.get("hx-request"):
            return page("board/entries-table.html", **context)
        shown = await frame(tx, request, me, place.by)
    topics = (
        f"queue:{place.value}"
        if place.by == "queue" and place.key != "all"
        else " ".join(f"queue:{number}" for number in sorted(picture.queues) if me.sees_queue(number))
    )
    context |= {
        "heading": _("%(figure)s: %(name)s") % {"figure": _(TITLES[place.figure]), "name": row_name(place, picture)},
        "topics": " ".join(topics.split()[:40]) if place.figure == "waiting" else "",
        "others": [
            {
                "href": f"/board/entries?{urlencode(_query(place) | {'figure': name})}",
                "text": _(title),
                "current": name == place.figure,
            }
            for name, title in TITLES.items()
        ],
    }
    return page("board/entries.html", **{**shown, **context})


def _query(place: Place) -> dict[str, str]:
    return {"by": place.by, "key": place.key, "figure": place.figure}


@router.get("/board/agents")
async def agents(request: Request, me: Reader, state: str = "") -> Response:
    """The agents of a row; the list alone for its live refresh."""
    place = Place.read({**request.query_params, "figure": "waiting"})
    picture = await watch_of(request).picture()
    found = behind.agents(me, place, picture, state)
    query = {"by": place.by, "key": place.key}
    context: dict[str, Any] = {
        "agents": [
            {
                "agent": agent,
                "initials": words.initials(agent.name),
                "team": picture.teams.get(agent.team_id, ("", False))[0],
                "works": [work for work in agent.works if me.sees_queue(work.queue_id)],
                "hidden": sum(not me.sees_queue(work.queue_id) for work in agent.works),
            }
            for agent in found[: deeds.MOST_AGENTS]
        ],
        "more": max(len(found) - deeds.MOST_AGENTS, 0),
        "states": STATE_WORDS,
        "queues": picture.queues,
        "self_href": f"/board/agents?{urlencode(query | {'state': state})}",
        "zone": me.zone,
        "clock": clock,
    }
    if request.headers.get("hx-request"):
        return page("board/agents-table.html", **context)
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "agents")
    context |= {
        "heading": _("Agents: %s") % row_name(place, picture),
        "choices": [
            {
                "href": f"/board/agents?{urlencode(query | {'state': name})}",
                "text": _(text),
                "current": state == name,
                "count": "",
            }
            for name, text in (("", mark("On duty")), *((name, STATE_WORDS[name]) for name in STATES))
        ],
    }
    return page("board/agents.html", **{**shown, **context})


for part in (calls, deeds, thresholds):
    router.routes.extend(part.router.routes)
