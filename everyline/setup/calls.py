"""One call as it went on the wire, for whoever sets up telephones: its messages in words, its trunk, its legs, and how it ended."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from everyline.call_contract import Direction, Traced, TracedMessage, TracedWire
from everyline.calls import actions, asking, queries
from everyline.calls.rules import ENDED_BY, LEG_STATES, sound
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import Conflict
from everyline.ground.moments import span, zone
from everyline.ground.words import _, mark, read
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller, show

router = APIRouter(prefix="/setup/calls")
Keeper = Annotated[Me, permit("line.write")]

ASKED = {
    "INVITE": mark("wants to talk"),
    "ACK": mark("has the answer"),
    "BYE": mark("hangs up"),
    "CANCEL": mark("takes the call back"),
    "OPTIONS": mark("asks whether the other side is there"),
    "PRACK": mark("has heard that it rings"),
    "UPDATE": mark("changes the call, or shows a sign of life"),
    "REFER": mark("wants to pass the call on"),
    "NOTIFY": mark("tells how passing on goes"),
    "INFO": mark("sends keys"),
    "MESSAGE": mark("sends a message"),
    "REGISTER": mark("signs in"),
}
ANSWERED = {
    100: mark("is at it"),
    180: mark("rings"),
    181: mark("passes the call on"),
    183: mark("lets something be heard before anybody answers"),
    200: mark("says yes"),
    202: mark("will see to it"),
    302: mark("says where else to call"),
    401: mark("wants a password"),
    403: mark("does not allow it"),
    404: mark("does not know the number"),
    407: mark("wants a password"),
    408: mark("says that nobody answered in time"),
    480: mark("says that nobody is there"),
    481: mark("knows of no such call"),
    482: mark("says that the call goes in circles"),
    483: mark("says that the call went over too many hops"),
    484: mark("says that digits are missing"),
    486: mark("is busy"),
    487: mark("has ended the call before it was answered"),
    488: mark("knows none of the codecs"),
    491: mark("wants something at the same moment"),
    503: mark("can take no more calls now"),
    603: mark("does not take the call"),
}
KINDS = {
    1: mark("is at it"),
    2: mark("says yes"),
    3: mark("says where else to call"),
    4: mark("refuses"),
    5: mark("cannot do it now"),
    6: mark("refuses for good"),
}
_FIRST = re.compile(r"(?:SIP/2\.0[ ](\d{3})[ ]?(.{0,200})|([A-Z]{2,20})[ ](.{0,400}?)[ ]SIP/2\.0)\s*$")
_AGAIN = re.compile(r"^(?:to|t)[ \t]*:.*;[ \t]*tag=", re.IGNORECASE | re.MULTILINE)
_CODECS = re.compile(r"^a=rtpmap:\d+ ([\w.-]+/\d+)", re.MULTILINE)
_PLACE = re.compile(r"^c=IN IP[46] (\S+)\s*$.*?^m=audio (\d+)", re.MULTILINE | re.DOTALL)


def in_words(text: str) -> tuple[str, str, str]:
    """A message's name on the wire, in words, and how it looks: "", good or bad."""
    found = _FIRST.match(text.replace("\r\n", "\n").partition("\n")[0])
    if found is None:
        return text.strip()[:40], _("cannot be read"), "bad"
    if found[1]:
        code = int(found[1])
        tone = "bad" if code >= 400 and code not in (401, 407, 487) else "good" if 200 <= code < 300 else ""
        return f"{code} {found[2]}".strip(), _(ANSWERED.get(code) or KINDS.get(code // 100, KINDS[4])), tone
    if found[3] == "INVITE" and _AGAIN.search(text):
        return "INVITE", _("changes the call: hold, resume or other sound"), ""
    return found[3], _(ASKED.get(found[3]) or mark("wants something")), ""


def sound_in(text: str) -> str:
    """Where a message says that sound is to go, and by which codecs; empty when it says nothing of sound."""
    body = text.replace("\r\n", "\n")
    place, codecs = (
        _PLACE.search(body),
        [one for one in dict.fromkeys(_CODECS.findall(body)) if not one.startswith("telephone-event")],
    )
    if place is None:
        return ""
    return _("sound to %(place)s, %(codecs)s") % {
        "place": f"{place[1]}:{place[2]}",
        "codecs": ", ".join(codecs) or _("by the usual codecs"),
    }


def _message(one: TracedMessage, began: datetime, there: ZoneInfo) -> dict[str, Any]:
    name, words, tone = in_words(one.text)
    return {
        "at": one.at,
        "clock": f"{one.at.astimezone(there):%H:%M:%S}.{one.at.microsecond // 1000:03d}",
        "after": f"+{max((one.at - began).total_seconds(), 0):.3f} s",
        "ours": one.ours,
        "peer": one.peer,
        "name": name,
        "words": words,
        "tone": tone,
        "sound": sound_in(one.text),
        "raw": one.text.replace("\r\n", "\n").strip(),
        "left_out": one.left_out,
    }


def _wire(one: TracedWire, there: ZoneInfo) -> dict[str, Any]:
    began = one.messages[0].at if one.messages else now()
    shown = [_message(message, began, there) for message in sorted(one.messages, key=lambda message: message.at)]
    return {"name": one.name, "shown": one.shown or _("Withheld number"), "trunk": one.trunk, "messages": shown}


def _facts(row: Row) -> list[tuple[str, str]]:
    out = row.direction == Direction.OUT
    found = [
        (_("Direction"), _("we called them") if out else _("they called us")),
        (_("Number"), row.number or _("Withheld number")),
        (_("Dialled"), row.dialled),
        (_("Line"), row.line_name),
        (_("Trunk"), row.trunk),
        (_("Codec"), row.codec),
        (_("Process"), row.node),
    ]
    if row.answered_at is not None:
        found.append((_("Talked for"), span(((row.ended_at or now()) - row.answered_at).total_seconds())))
    else:
        found.append((_("Talked for"), _("not answered")))
    words = ENDED_BY.get(row.ended_by) or ENDED_BY[""]
    how = read(row.reason) or _(words)
    found.append((_("Ended"), how[:1].upper() + how[1:] if row.ended_at is not None else _("It goes on")))
    return [(name, value) for name, value in found if value]


def _leg(leg: dict[str, Any]) -> dict[str, Any]:
    words = _("gone") if leg["ended_at"] else _(LEG_STATES[leg["state"]][0]) if leg["state"] in LEG_STATES else ""
    return {
        **leg,
        "remark": read(leg["remark"]),
        "words": words,
        "sound": sound(leg["quality"]),
        "who": leg["shown"] or leg["number"] or leg["name"],
    }


@router.get("/{key}")
async def trace(request: Request, me: Keeper, key: str) -> Response:
    """What the process that has the call, or had it, still knows of its wires; else what was written down."""
    ground = ground_of(request)
    why, told = "", Traced()
    async with ground.database.transaction() as tx:
        row = await queries.by_key(tx, me, key)
        await audit(tx, me.id, "call.traced", "case", row.case_id, address=caller(request), key=key)
    try:
        async with ground.database.transaction() as tx:
            order_id = await actions.ask_trace(tx, me, row)
        told = Traced.model_validate_json(await asking.answered(ground, order_id))
    except Conflict as error:
        why = error.message
    except ValidationError:
        why = _("What this call said on the wire cannot be read.")
    there = zone(me.zone)
    return await show(
        request,
        me,
        "lines",
        "call.html",
        call=row,
        facts_of_call=_facts(row),
        legs=[_leg(leg) for leg in row.legs],
        wires=[_wire(one, there) for one in told.wires],
        why=why,
        began_words=f"{row.began_at.astimezone(there):%Y-%m-%d %H:%M:%S}",
    )
