"""The calls that go on: who talks with whom, how good it sounds, and what whoever leads can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.board import words
from everyline.board.deeds import Back, answer
from everyline.board.face import frame
from everyline.call_contract import CallState, Deed, Direction, Heard, Keeping, LegKind, LegState
from everyline.calls import actions, asking, queries
from everyline.calls.rules import LEG_STATES, sound
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.pages import page
from everyline.ground.words import _, mark, read
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me, own_path

router = APIRouter(prefix="/board/calls")
Reader = Annotated[Me, permit("board.read")]
Director = Annotated[Me, permit("entry.direct")]
MOST_TOPICS = 40
HEARS = {
    Heard.NOBODY: (mark("listens"), "listen"),
    Heard.AGENT: (mark("whispers"), "whisper"),
    Heard.ALL: (mark("talks too"), "barge"),
}


@router.get("")
async def going_on(request: Request, me: Reader) -> Response:
    """The list; the table alone when it reads itself again."""
    async with ground_of(request).database.transaction() as tx:
        rows = await queries.going_on(tx, me)
        reach, node = await queries.reach(tx, me.id)
        context: dict[str, Any] = {
            "calls": [shown(row, me) for row in rows],
            "hears": bool(reach.number or node),
            "may": me.may,
            "zone": me.zone,
        }
        if request.headers.get("hx-request"):
            return page("board/calls-table.html", **context)
        around = await frame(tx, request, me, "calls")
    topics = ["calls"] if me.all_queues else [f"queue:{number}" for number in sorted(me.queue_ids)[:MOST_TOPICS]]
    return page("board/calls.html", topics=" ".join(topics), **{**around, **context})


def shown(row: Row, me: Me) -> dict[str, Any]:
    """A call as the list has it."""
    legs = [leg for leg in row.legs if leg["state"] != LegState.GONE]
    mine = next((leg for leg in legs if leg["agent_id"] == me.id), None)
    state, tone = _state(row, legs)
    return {
        "row": row,
        "channel": words.channel_of(row.channel),
        "who": row.customer_name or row.number or _("Withheld number"),
        "out": row.direction == Direction.OUT,
        "state": state,
        "tone": tone,
        "since": row.answered_at or row.began_at,
        "keeping": row.keeping if row.keeping != Keeping.OFF else "",
        "legs": [_leg(leg, me, alone=len(legs) == 1) for leg in legs],
        "hears": HEARS[Heard(mine["heard"])][1] if mine and mine["kind"] == LegKind.SUPERVISOR else "",
        "talks": mine is not None and mine["kind"] != LegKind.SUPERVISOR,
        "can_hear": row.interaction_id is not None and row.state == CallState.UP,
    }


def _state(row: Row, legs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Where it stands, in words, and the tone of it."""
    if row.state == CallState.RINGING:
        return (_("We call them") if row.direction == Direction.OUT else _("It rings")), ""
    agents = [leg for leg in legs if leg["kind"] == LegKind.AGENT]
    if any(leg["kind"] == LegKind.CUSTOMER and leg["state"] == LegState.HELD for leg in legs):
        return _("On hold"), "warn"
    if any(leg["state"] == LegState.IN for leg in agents):
        return _("They talk"), "good"
    if agents:
        return _("An agent's phone rings"), ""
    return (_("No agent yet") if row.interaction_id is not None else _("Is greeted")), ""


def _leg(leg: Mapping[str, Any], me: Me, *, alone: bool) -> dict[str, Any]:
    name, icon = LEG_STATES[LegState(leg["state"])]
    if alone and leg["state"] == LegState.IN:
        name, icon = mark("waiting"), "clock"
    if leg["kind"] == LegKind.SUPERVISOR:
        name, icon = HEARS[Heard(leg["heard"])][0], "ear"
    return {
        "who": _("You") if leg["agent_id"] == me.id else leg["shown"] or leg["number"] or _("Withheld number"),
        "words": _(name),
        "icon": "mic-off" if leg["muted"] else icon,
        "muted": leg["muted"],
        "sound": sound(leg["quality"]),
        "remark": read(leg["remark"]),
    }


async def _one(tx: Tx, me: Me, interaction_id: int) -> Row:
    row = await queries.of_interaction(tx, interaction_id)
    if row is None or not me.sees_queue(row.queue_id):
        raise NotFound(_("There is no such call."))
    return row


@router.get("/{interaction_id}/hang-up")
async def ask_hang_up(request: Request, me: Director, interaction_id: int) -> Response:
    """Is it really to end?"""
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, interaction_id)
        context = {"call": row, "back": own_path(request.query_params.get("back", ""), "/board/calls")}
        if request.headers.get("hx-request") == "true":
            return page("board/call-end.html", fragment=True, **context)
        return page("board/call-end.html", fragment=False, **{**await frame(tx, request, me, "calls"), **context})


@router.post("/{interaction_id}/hang-up")
async def hang_up(request: Request, me: Director, interaction_id: int, back: Back = "") -> Response:
    """End a call, whoever talks in it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await _one(tx, me, interaction_id)
        order_id = await actions.order(tx, me, interaction_id, Deed.HANG_UP)
        await audit(tx, me.id, "call.hung_up", "case", row.case_id, address=me.address, key=row.key)
    await asking.answered(ground, order_id)
    return answer(request, back or "/board/calls", "hung-up", _("The call is ended."))
