"""Live talks for supervisors: all within their scope, one to look on at, words that only we see, and taking over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from everyline.call_contract import Deed
from everyline.calls import queries as calls
from everyline.cases import queries as cases
from everyline.desk import call_shown, phrases, reads, talks
from everyline.desk.answering import CASE_CHANGED, by_script, done
from everyline.desk.call_routes import CALLS_CHANGED, obey
from everyline.desk.lists import channel_facts, frame, topics_of_scope
from everyline.desk.places import Place
from everyline.desk.queries import statements as desk
from everyline.desk.talk_routes import statements
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.intake import talking
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import actions as queues

router = APIRouter(prefix="/desk/talks")
Director = Annotated[Me, permit("entry.direct")]
SHOWN = 100  # at a time: who waits longest stands first
HERE = Place("talks")  # in the side bar


async def _found(tx: Tx, me: Me, agent_id: int | None, queue_id: int | None) -> list[dict[str, Any]]:
    at, there = now(), zone(me.zone)
    rows = await talking.live(tx, me, agent_id=agent_id)
    return [
        {
            "case_id": row.case_id,
            "number": row.number,
            "customer": row.customer_name,
            "subject": row.subject or _("(no subject)"),
            "last": row.last_words,
            "queue": row.queue_name or "",
            "agent": {"id": row.agent_id, "name": row.agent_name, "initials": phrases.initials(row.agent_name)}
            if row.agent_id is not None
            else None,
            "mine": row.agent_id == me.id,
            "wait": talks.wait(row.said_at, row.answered_at, at),
            "here": talks.is_here(row.here_at, at),
            "channel": channel_facts(row.channel),
            "began": row.started_at,
            "since": phrases.moment(row.started_at, at, there),
            "sees": me.sees_queue(row.queue_id),
        }
        for row in rows
        if queue_id is None or row.queue_id == queue_id
    ]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@router.get("")
async def every_talk(request: Request, me: Director, agent: str = "", queue: str = "") -> Response:
    """The talks that go on, who waits longest first; the table alone when it reads itself again."""
    async with ground_of(request).database.transaction() as tx:
        shown = await _found(tx, me, _number(agent), _number(queue))
        context: dict[str, Any] = {
            "talks": shown[:SHOWN],
            "more": max(0, len(shown) - SHOWN),
            "late": sum(one["wait"].state == "late" for one in shown),
            "due_after": talks.DUE_SECONDS,
            "late_after": talks.LATE_SECONDS,
            "narrowed": bool(agent or queue),
        }
        if by_script(request):
            return page("desk/live-table.html", **context)
        rows = await tx.rows(desk.queues)
        everybody = await talking.live(tx, me)
        context |= await frame(tx, me, HERE, rows)
    own = [(row.id, row.name) for row in rows if me.sees_queue(row.id)]
    context |= {
        "agents": _agents(everybody),
        "queues": own,
        "agent": agent,
        "queue": queue,
        "topics": topics_of_scope(me),
    }
    return page("desk/live.html", **context)


def _agents(rows: Sequence[Row]) -> list[tuple[int, str]]:
    found = {row.agent_id: row.agent_name for row in rows if row.agent_id is not None}
    return sorted(found.items(), key=lambda one: one[1].casefold())


async def _one(tx: Tx, me: Me, case_id: int) -> Row:
    """The live talk of a case within one's scope. NotFound, or Conflict when none goes on."""
    await cases.get(tx, me, case_id)
    row = await tx.first(statements.one_live, {"case_id": case_id})
    if row is None:
        raise Conflict(_("This talk has ended."))
    return row


async def _overseen(tx: Tx, me: Me, row: Row) -> dict[str, Any] | None:
    """The call that a talk is, as whoever leads sees it; None when it is none."""
    found = await calls.of_interaction(tx, row.id)
    return call_shown.bar(found, me.id) if found is not None and found.ended_at is None else None


async def _pieces(tx: Tx, me: Me, case_id: int) -> list[dict[str, Any]]:
    """What was said, with nothing that can be done about it."""
    case = await cases.get(tx, me, case_id)
    facts = await tx.one(desk.case_facts, {"case_id": case_id, "me": me.id})
    await reads.look_at_customer(tx, me, facts)
    pieces = await reads.read_timeline(tx, me, case, facts, now(), zone(me.zone))
    for one in pieces:
        if one["kind"] == "piece":
            one |= {"splits": False, "makes": False}
            if one["foot"]:
                one["foot"] |= {"take_back": False, "again": 0}
    return pieces


@router.get("/{case_id}")
async def look_on(request: Request, me: Director, case_id: int) -> Response:
    """One talk, live and to be read only. It is written down who looks on, and whoever talks is told."""
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, case_id)
        await talking.monitor(tx, me.id, case_id)
        await audit(tx, me.id, "talk.monitored", "case", case_id, address=me.address, agent_id=row.agent_id)
        context: dict[str, Any] = {
            "talk": row,
            "call": await _overseen(tx, me, row),
            "wait": talks.wait(row.said_at, row.answered_at, now()),
            "due_after": talks.DUE_SECONDS,
            "late_after": talks.LATE_SECONDS,
            "timeline": await _pieces(tx, me, case_id),
            "initials": phrases.initials(row.customer_name),
            **await frame(tx, me, HERE, await tx.rows(desk.queues)),
        }
    return page("desk/look-on.html", base=f"/desk/cases/{case_id}", case_id=case_id, **context)


@router.get("/{case_id}/timeline")
async def timeline(request: Request, me: Director, case_id: int) -> Response:
    """What was said alone."""
    async with ground_of(request).database.transaction() as tx:
        pieces = await _pieces(tx, me, case_id)
    return page("desk/timeline.html", timeline=pieces, base=f"/desk/cases/{case_id}")


@router.get("/{case_id}/head")
async def head(request: Request, me: Director, case_id: int) -> Response:
    """How it stands, or that it is over."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        row = await tx.first(statements.one_live, {"case_id": case_id})
        call = await _overseen(tx, me, row) if row is not None else None
    wait = talks.wait(row.said_at, row.answered_at, now()) if row is not None else None
    return page(
        "desk/look-on-head.html",
        talk=row,
        call=call,
        wait=wait,
        case_id=case_id,
        me_id=me.id,
        due_after=talks.DUE_SECONDS,
        late_after=talks.LATE_SECONDS,
    )


@router.get("/{case_id}/whisper")
async def ask_whisper(request: Request, me: Director, case_id: int) -> HTMLResponse:
    """What is to be said to whoever talks."""
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, case_id)
    return _ask_whisper(row, case_id, {})


def _ask_whisper(row: Row, case_id: int, errors: dict[str, str]) -> HTMLResponse:
    return page(
        "desk/ask/whisper.html",
        status=422 if errors else 200,
        fragment=True,
        talk=row,
        case_id=case_id,
        errors=errors,
    )


@router.post("/{case_id}/whisper")
async def whisper(request: Request, me: Director, case_id: int, text: Annotated[str, Form()] = "") -> Response:
    """Say something that only we see: it stands as a note in the case, and whoever talks hears of it at once."""
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, case_id)
        if not text.strip():
            return _ask_whisper(row, case_id, {"text": _("Write something.")})
        await talking.whisper(tx, me.id, case_id, text.strip())
        await audit(tx, me.id, "talk.whispered", "case", case_id, address=me.address, agent_id=row.agent_id)
    return done(request, f"/desk/talks/{case_id}", _("Only we see it. Whoever talks hears of it at once."))


OVERSEEING = {"listen": Deed.LISTEN, "whisper": Deed.WHISPER, "barge": Deed.BARGE, "leave": Deed.LEAVE}


@router.post("/{case_id}/oversee")
async def oversee(request: Request, me: Director, case_id: int, deed: Annotated[str, Form()] = "") -> Response:
    """Listen to a call, whisper to the agent, join in, leave again. It is written down, and shown to all of us who are in it."""
    wanted = OVERSEEING.get(deed)
    if wanted is None:
        raise NotFound(_("There is nothing at this address."))
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, case_id)
        if wanted is not Deed.LEAVE:
            await audit(tx, me.id, f"call.{deed}", "case", case_id, address=me.address, agent_id=row.agent_id)
    await obey(request, me, row.id, wanted)
    return done(request, f"/desk/talks/{case_id}", changed=(CALLS_CHANGED, CASE_CHANGED))


@router.post("/{case_id}/take-over")
async def take_over(request: Request, me: Director, case_id: int) -> Response:
    """Take a talk from whoever has it, and go on with it."""
    async with ground_of(request).database.transaction() as tx:
        row = await _one(tx, me, case_id)
        await queues.take_over(tx, me.id, case_id)
        await audit(tx, me.id, "case.taken_over", "case", case_id, address=me.address, before=row.agent_id)
    return done(request, f"/desk/cases/{case_id}", _("The talk is yours."), leave=True)
