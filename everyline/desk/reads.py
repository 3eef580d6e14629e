"""What the case page shows, read once for a request and put into words."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from everyline.cases import queries as cases
from everyline.cases.actions import read as mark_read
from everyline.cases.rules import PRIORITIES
from everyline.channel_registry import calling, reaching
from everyline.customers import queries as customers
from everyline.desk import call_shown, composing, phrases, timeline
from everyline.desk.lists import channel_facts, shown_row
from everyline.desk.queries import statements
from everyline.dispatch.queries import Correspondence, correspondence
from everyline.dispatch.queries import statements as deliveries
from everyline.ground import addresses
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.rules import Me, Role
from everyline.queues.queries import wrap_up_codes

CASES_BESIDE = 12  # of the same customer


async def case_and_facts(tx: Tx, me: Me, case_id: int) -> tuple[Row, Row]:
    """A case, and what a page of it says beside it. NotFound."""
    case, facts = await tx.together(
        cases.get(tx, me, case_id), tx.one(statements.case_facts, {"case_id": case_id, "me": me.id})
    )
    return case, facts


async def whole_case(tx: Tx, me: Me, case: Row, facts: Row, here: str) -> dict[str, Any]:
    """Everything of one case. Who opens it reads it, and the view of its customer is written down."""
    at, there = now(), zone(me.zone)
    points, pieces, links, writing, theirs, _looked = await tx.together(
        customers.points(tx, facts.customer_id),
        read_timeline(tx, me, case, facts, at, there),
        cases.links(tx, me, case.id),
        writings(tx, me, case, facts),
        cases.of_customer(tx, me, facts.customer_id, most=CASES_BESIDE),
        look(tx, me, case, facts, at),
    )
    return {
        **head(me, case, facts, here, at, there),
        "timeline": pieces,
        "links": links,
        **composer(facts, points, writing),
        **pane(case, facts, points, theirs, at, there, here),
    }


async def look(tx: Tx, me: Me, case: Row, facts: Row, at: datetime) -> None:
    """Somebody looks at a case and at its customer."""
    seen: list[Coroutine[Any, Any, Any]] = [look_at_customer(tx, me, facts)]
    if case.unread:
        seen.append(mark_read(tx, me.id, case.id))
    if facts.called:
        seen.append(tx.execute(statements.see_mentions, {"me": me.id, "case_id": case.id, "at": at}))
    await tx.together(*seen)


async def look_at_customer(tx: Tx, me: Me, facts: Row) -> None:
    """Every view of a customer is written down, once in ten minutes."""
    if not facts.viewed_lately:
        await audit(tx, me.id, "customer.viewed", "customer", facts.customer_id, address=me.address)


def head(me: Me, case: Row, facts: Row, here: str, at: datetime, there: ZoneInfo) -> dict[str, Any]:
    """Who, what about, on which channel, since when, and what can be done."""
    shown = channel_facts(facts.line_channel or case.last_channel)
    told = [(_("Case"), str(case.number))]
    if facts.queue_name:
        told.append((_("Queue"), facts.queue_name))
    told.append((_("Owner"), facts.owner_name or _("nobody")))
    if case.priority != 3:
        told.append((_("Priority"), _(PRIORITIES[case.priority])))
    if facts.line_name:
        told.append((_("Line"), facts.line_name))
    if facts.wrap_up_name:
        told.append((_("Outcome"), facts.wrap_up_name))
    open_ = case.status not in ("resolved", "closed")
    return {
        "case": case,
        "facts": facts,
        "here": here,
        "base": f"/desk/cases/{case.id}",
        "channel": shown,
        "told": told,
        "since": phrases.moment(case.opened_at, at, there),
        "goal": phrases.goal(case, at),
        "status_words": phrases.status(case.status).capitalize(),
        "status_tone": phrases.STATUS_TONES.get(case.status, ""),
        "status_icon": phrases.STATUS_ICONS.get(case.status, ""),
        "wakes": phrases.day_and_time(case.wakes_at, at, there) if case.wakes_at else "",
        "can": {
            "pick": facts.entry_state is not None and case.owner_id != me.id,
            "take": facts.entry_state is None and case.owner_id is None and open_,
            "resolve": open_,
            "reopen": case.status == "resolved",
            "wait": open_,
            "write": case.status != "closed" and case.merged_into_id is None,
            "wake": case.wakes_at is not None,
        },
        "waits_since": facts.waiting_since,
        "callback": call_shown.callback(facts, at, there),
    }


async def read_timeline(tx: Tx, me: Me, case: Row, facts: Row, at: datetime, there: ZoneInfo) -> list[dict[str, Any]]:
    """The pieces of a case with what became of them."""
    messages, notes, history, sent, files, calls = await tx.together(
        cases.timeline(tx, case.id),
        cases.notes(tx, case.id),
        cases.history(tx, case.id),
        tx.rows(deliveries.of_case, {"case_id": case.id}),
        cases.attachments(tx, case.id),
        tx.rows(statements.calls_of_case, {"case_id": case.id, "agent_id": me.id, "leads": me.role is not Role.AGENT}),
    )
    return timeline.assemble(
        case.subject,
        facts.customer_name,
        messages,
        notes,
        list(reversed(history)),
        sent,
        files,
        calls,
        me_id=me.id,
        now=at,
        there=there,
        traces=me.may("line.write"),
    )


@dataclass(frozen=True, slots=True)
class Writing:
    """What somebody has begun to write on a case, and what an answer to it begins with."""

    drafts: Mapping[str, Row]  # by kind
    files: Sequence[Row]  # of the drafts
    talk: Correspondence
    codes: Sequence[Row]


async def writings(tx: Tx, me: Me, case: Row, facts: Row) -> Writing:
    """Read it."""
    drafts, talk, codes = await tx.together(
        cases.drafts(tx, me, case.id),
        correspondence(tx, case.id, facts.customer_id),
        wrap_up_codes(tx, case.queue_id),
    )
    held = {row.id for row in drafts.values()}
    files = [row for row in await cases.attachments(tx, case.id) if row.draft_id in held] if held else []
    return Writing(drafts, files, talk, codes)


def composer(facts: Row, points: Sequence[Row], writing: Writing) -> dict[str, Any]:
    """What the composer begins with: drafts, ways to answer, files."""
    drafts, talk = writing.drafts, writing.talk
    reply = drafts.get("reply")
    wanted = reply.contact_point_id if reply is not None else None
    kinds = {point.kind for point in points} | ({talk.asked.kind} if talk.asked else set())
    able = {kind: found[0].facts for kind in kinds if (found := reaching(kind))}
    ways = composing.ways(
        points,
        able,
        facts.used_point_id,
        wanted,
        facts.customer_name,
        talk.asked,
        reply.answer_to if reply is not None else "",
    )
    return {
        "ways": ways,
        "copies": composing.chips(talk.copies, reply.copies if reply is not None else None),
        "copies_go": any(way.channel.copies for way in ways),
        "formats": any(way.channel.formatted for way in ways),
        "drafts": {kind: row.text for kind, row in drafts.items()},
        "draft_files": [{"id": row.id, "name": row.name, "size": phrases.size(row.size)} for row in writing.files],
        "key": composing.fresh_key(),
        "codes": writing.codes,
        "largest": min((found.largest_file for found in able.values()), default=25 * 1024 * 1024),
    }


def pane(
    case: Row | None,
    facts: Row,
    points: Sequence[Row],
    rows: Sequence[Row],
    at: datetime,
    there: ZoneInfo,
    here: str,
) -> dict[str, Any]:
    """The customer beside the case."""
    theirs = zone(facts.customer_zone) if facts.customer_zone else None
    local = at.astimezone(theirs) if theirs else None
    others = [shown_row(row, here, 0, at, there) for row in rows if case is None or row.id != case.id]
    return {
        "facts": facts,
        "customer_id": facts.customer_id,
        "customer_initials": phrases.initials(facts.customer_name),
        "customer_language": phrases.language_name(facts.customer_language),
        "customer_time": f"{local:%H:%M}" if local else "",
        "same_time": local is not None and local.utcoffset() == at.astimezone(there).utcoffset(),
        "customer_since": phrases.moment(facts.customer_since, at, there),
        "points": [
            {
                "id": point.id,
                "kind": _(phrases.POINT_KINDS.get(point.kind, phrases.VISITOR)),
                "icon": phrases.POINT_ICONS.get(point.kind, "at"),
                "address": addresses.shown(point.kind, point.address),
                "label": point.label,
                "preferred": point.preferred,
                "bad": point.bad_since is not None,
                "calls": point.kind == addresses.NUMBER and bool(calling()),
                "reason": " ".join(point.bad_reason.split())[:300],
            }
            for point in points
        ],
        "others": others,
    }
