"""A live talk beside its case: who talks, what they look at, that either writes, what was seen, its end; and all of one's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from everyline.cases import queries as cases
from everyline.channel_contract import Card, MediaClass
from everyline.desk import phrases, talks
from everyline.desk.answering import done
from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.moments import span, zone
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.intake import talking
from everyline.people import actions as people
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
statements = sql.beside(__file__, "talks.sql")
Reader = Annotated[Me, permit("case.read")]
Writer = Annotated[Me, permit("case.write")]
PAGES = 8  # of the trail
TALKS_CHANGED = "talks-changed"  # event on the page's body: what is read and unread of one's talks has changed

WHO = {
    "none": (mark("Not verified"), "warn", "warning"),
    "site": (mark("Signed in on the site"), "good", "check-circle"),
    "code": (mark("Showed their mailbox by a code"), "good", "check-circle"),
}


def going_on(rows: list[Row]) -> Row | None:
    """The newest talk of a case, when it goes on live."""
    row = rows[0] if rows else None
    return None if row is None or row.ended_at is not None or row.mode != "live" else row


async def strip(tx: Tx, me: Me, case_id: int, row: Row | None) -> dict[str, Any] | None:
    """A talk as ``desk/talk.html`` has it; None when none goes on live."""
    if row is None:
        return None
    at, there = now(), zone(me.zone)
    facts = await tx.one(statements.strip, {"me": me.id, "case_id": case_id, "interaction_id": row.id})
    listeners = await tx.rows(statements.listeners, {"case_id": case_id, "since": row.started_at, "me": me.id})
    words, tone, icon = WHO[row.verification]
    ahead = talks.ahead(row.rules, row.said_at, row.answered_at, row.warned_at)
    return {
        "case_id": case_id,
        "name": facts.customer_name,
        "who": _(words),
        "tone": tone,
        "icon": icon,
        "claimed": row.claimed if row.verification == "none" else "",
        "pages": [
            {"url": url, "title": title or url, "when": phrases.moment(row.started_at.fromisoformat(moment), at, there)}
            for moment, url, title in reversed(row.trail[-PAGES:])
        ],
        "here": talks.is_here(row.here_at, at),
        "left": phrases.clock(row.here_at, there),
        "said": facts.newest_out is not None,
        "seen": phrases.clock(row.seen_at, there)
        if row.seen_at is not None and facts.newest_out is not None and row.seen_upto >= facts.newest_out
        else "",
        "ahead": _shown_ahead(ahead, at) if ahead else None,
        "enter": facts.enter_sends,
        "written": row.media_class != MediaClass.CALL,
        "listeners": [{"name": one.name, "since": phrases.clock(one.since, there)} for one in listeners],
    }


def _shown_ahead(ahead: talks.Ahead, at: datetime) -> dict[str, Any]:
    left = (ahead.at - at).total_seconds()
    return {
        "what": ahead.what,
        "due": ahead.at,
        "seconds": max(ahead.seconds, 1),
        "left": max(0.0, min(100.0, left / max(ahead.seconds, 1) * 100)),
        "text": span(max(left, 0)),
    }


@router.get("/desk/cases/{case_id}/talk")
async def talk(request: Request, me: Reader, case_id: int) -> Response:
    """The strip alone. Who reads it has read what the customer wrote."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        rows = list(await talking.of_case(tx, case_id))
        shown = await strip(tx, me, case_id, going_on(rows))
        mine = case.owner_id == me.id and bool(rows)
        if mine:
            await talking.read(tx, ground.bus, case_id)
    headers = {"HX-Trigger": TALKS_CHANGED} if mine and shown else None
    return page("desk/talk.html", headers=headers, talk=shown, base=f"/desk/cases/{case_id}")


@router.get("/desk/talks/mine")
async def mine(request: Request, me: Annotated[Me, permit("queue.work")]) -> Response:
    """One's own live talks, for the row at the head of the desk."""
    at = now()
    async with ground_of(request).database.transaction() as tx:
        rows = await tx.rows(statements.mine, {"me": me.id})
    shown = [
        {
            "case_id": row.case_id,
            "name": row.customer_name,
            "last": (_("You: %s") if row.last_direction == "out" else "%s") % row.last_words,
            "unread": row.unread,
            "wait": talks.wait(row.said_at, row.answered_at, at),
            "warned": row.warned_at is not None,
        }
        for row in rows
    ]
    return page("desk/talk-row.html", talks=shown, due=talks.DUE_SECONDS, late=talks.LATE_SECONDS)


@router.post("/desk/talks/enter")
async def enter(request: Request, me: Annotated[Me, permit("own")], on: Annotated[str, Form()] = "") -> Response:
    """Whether Enter sends in a talk, for this agent from now on."""
    async with ground_of(request).database.transaction() as tx:
        await people.change_agent(tx, me.id, me.id, enter_sends=bool(on))
    return done(request, "/desk", changed=())


@router.post("/desk/cases/{case_id}/talk/typing")
async def typing(request: Request, me: Writer, case_id: int, on: Annotated[str, Form()] = "") -> Response:
    """An agent writes, or no longer."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await cases.get(tx, me, case_id)
    talking.typing(ground.bus, me, case_id, on=bool(on))
    return Response(status_code=204)


@router.get("/desk/cases/{case_id}/talk/page")
async def ask_page(request: Request, me: Writer, case_id: int) -> HTMLResponse:
    """Which page is to be shown to the customer."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
    return _ask_page(case_id)


def _ask_page(case_id: int, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> HTMLResponse:
    return page(
        "desk/ask/push-page.html",
        status=422 if errors else 200,
        fragment=True,
        base=f"/desk/cases/{case_id}",
        typed=typed or {"url": "https://", "title": "", "extract": ""},
        errors=errors or {},
    )


@router.post("/desk/cases/{case_id}/talk/page")
async def push_page(
    request: Request,
    me: Writer,
    case_id: int,
    url: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
    extract: Annotated[str, Form()] = "",
) -> Response:
    """Push a page as a card: its address with a title."""
    ground = ground_of(request)
    try:
        async with ground.database.transaction() as tx:
            await cases.get(tx, me, case_id)
            card = Card("page", title.strip() or url.strip(), extract.strip(), url.strip())
            if not card.url.partition("://")[2].strip():
                raise Invalid(_("Something is missing."), {"url": _("Write the address of the page.")})
            await talking.push_card(tx, ground.signer, me.id, case_id, card)
    except ProductError as error:
        fields = getattr(error, "fields", None) or {"url": error.message}
        return _ask_page(case_id, {"url": url, "title": title, "extract": extract}, dict(fields))
    return done(request, f"/desk/cases/{case_id}", _("The page is shown to the customer."))


@router.post("/desk/cases/{case_id}/talk/end")
async def end(request: Request, me: Writer, case_id: int) -> Response:
    """End the talk; the case stays open."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        await talking.end(tx, me.id, case_id)
    return done(request, f"/desk/cases/{case_id}", _("The talk is over."))
