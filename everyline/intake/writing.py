"""Writing a batch: some twenty statements, whatever its size."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from everyline.cases.rules import preview
from everyline.cases.talks import FLOW
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.events import Event
from everyline.ground.words import _
from everyline.intake.beginning import fresh_ids, interactions
from everyline.intake.placing import KnownCase
from everyline.intake.queries import statements
from everyline.intake.rules import Placing
from everyline.intake.said import Said, Settled
from everyline.queues import actions as queues
from everyline.queues.waiting import Waiting


async def write(tx: Tx, settled: Settled) -> None:
    """Write all that was said: cases, interactions, messages with their files, queue entries, events."""
    said = settled.said
    if not said:
        return
    opening = [one for one in said if one.opens]
    continuing = [one for one in said if not one.opens]
    for one, case_id in zip(opening, await fresh_ids(tx, '"case"', len(opening)), strict=True):
        one.case_id = case_id
    for one in continuing:
        one.case_id = one.into.case_id if one.into is not None else one.place.case.id  # type: ignore[union-attr]  # -- it has one of both
    for one, message_id in zip(said, await fresh_ids(tx, "message", len(said)), strict=True):
        one.message_id = message_id
    numbers = await _open_cases(tx, opening)
    settled.opened = [(one, numbers[one.case_id]) for one in opening]
    await interactions(tx, said, continuing)
    await _messages(tx, said)
    await _continue_cases(tx, continuing)
    linked = [one for one in opening if one.place.case is not None]
    if linked:
        await tx.execute(
            statements.insert_links,
            {
                "case_ids": [one.case_id for one in linked],
                "other_ids": [one.place.case.id for one in linked if one.place.case],
                "kinds": [
                    "follows" if one.place.case and one.place.case.customer_id == one.known.customer_id else "quotes"
                    for one in linked
                ],
            },
        )
    await _enter_queues(tx, said)
    await _record(tx, said)


async def _open_cases(tx: Tx, opening: Sequence[Said]) -> dict[int, int]:
    if not opening:
        return {}
    facts = [one.facts for one in opening]
    rows = await tx.rows(
        statements.insert_cases,
        {
            "ids": [one.case_id for one in opening],
            "customer_ids": [one.known.customer_id for one in opening],
            "subjects": [one.subject for one in opening],
            "queue_ids": [fact.queue_id for fact in facts],
            "line_ids": [one.piece.line.id for one in opening],
            "languages": [one.read.language or one.known.language or one.piece.line.language for one in opening],
            "opened_at": [one.piece.received_at for one in opening],
            "moved_at": [one.piece.received_at for one in opening],
            "due_at": [fact.due_at for fact in facts],
            "last_words": [preview(one.read.text) for one in opening],
            "channels": [one.piece.line.channel for one in opening],
            "priorities": [one.priority for one in opening],
        },
    )
    return {row.id: row.number for row in rows}


def _facts(one: Said) -> str:
    read = one.read
    facts: dict[str, Any] = {}
    remarks = list(read.remarks)
    if one.place.placing is Placing.GATHERED:
        remarks.append(
            _(
                "Its sender opened many cases within a short time: it is gathered in the newest of them, and not acknowledged."
            )
        )
    if read.recipients:
        facts["recipients"] = [[address.kind, address.address, address.name] for address in read.recipients[:50]]
    if read.reply_to:
        facts["reply_to"] = [read.reply_to.kind, read.reply_to.address, read.reply_to.name]
    if read.fields:
        facts["fields"] = dict(read.fields)
    if remarks:
        facts["remarks"] = remarks
    if read.failures:
        facts["failures"] = [[failure.recipient, failure.code, failure.reason] for failure in read.failures]
    if read.left:
        facts["left"] = True
    if read.client_id:
        facts["client_id"] = read.client_id
    if read.page is not None:
        facts["page"] = [read.page.url, read.page.title]
    if read.sender and read.sender.name:
        facts["sender_name"] = read.sender.name
    return json.dumps(facts).replace("\\u0000", "")


async def _messages(tx: Tx, said: Sequence[Said]) -> None:
    await tx.execute(
        statements.insert_messages,
        {
            "ids": [one.message_id for one in said],
            "case_ids": [one.case_id for one in said],
            "interaction_ids": [one.interaction_id for one in said],
            "inbound_ids": [one.piece.inbound_id for one in said],
            "directions": ["in"] * len(said),
            "point_ids": [one.known.point_id for one in said],
            "external_ids": [one.read.external_id for one in said],
            "subjects": [one.read.subject for one in said],
            "texts": [one.read.text for one in said],
            "quoted": [one.read.quoted for one in said],
            "htmls": [one.read.html for one in said],
            "ats": [one.piece.received_at for one in said],
            "sent_ats": [one.read.sent_at for one in said],
            "kinds": [str(one.read.kind) for one in said],
            "facts": [_facts(one) for one in said],
        },
    )
    files = [(one, file) for one in said for file in one.files]
    if files:
        await tx.execute(
            statements.insert_attachments,
            {
                "case_ids": [one.case_id for one, _file in files],
                "message_ids": [one.message_id for one, _file in files],
                "hashes": [file.file_hash for _one, file in files],
                "names": [file.name for _one, file in files],
                "types": [file.content_type for _one, file in files],
                "sizes": [file.size for _one, file in files],
                "content_ids": [file.content_id for _one, file in files],
                "inlines": [file.inline for _one, file in files],
            },
        )


async def _continue_cases(tx: Tx, continuing: Sequence[Said]) -> None:
    by_case: dict[int, list[Said]] = defaultdict(list)
    for one in continuing:
        by_case[one.case_id].append(one)
    if not by_case:
        return
    newest = [said[-1] for said in by_case.values()]
    await tx.execute(
        statements.continue_cases,
        {
            "ids": list(by_case),
            "ats": [one.piece.received_at for one in newest],
            "ns": [len(said) for said in by_case.values()],
            "words": [preview(one.read.text) for one in newest],
            "channels": [one.piece.line.channel for one in newest],
            "persons": [any(one.by_person for one in said) for said in by_case.values()],
            "reopens": [any(one.place.reopens for one in said) for said in by_case.values()],
            "due_at": [one.facts.due_at for one in newest],
        },
    )


async def _enter_queues(tx: Tx, said: Sequence[Said]) -> None:
    entries: dict[int, Waiting] = {}
    for one in said:
        case = one.place.case
        if one.mode == FLOW:
            continue
        if one.opens:
            queue_id = one.facts.queue_id
            language = one.read.language or one.known.language or one.piece.line.language
            waiting = Waiting(
                queue_id or 0,
                one.interaction_id,
                one.case_id,
                one.piece.line.channel,
                one.priority,
                language,
                (one.preferred_agent_id,) if one.preferred_agent_id is not None else (),
                waiting_since=one.waiting_since or one.piece.received_at,
                media_class=one.media_class,
            )
        elif isinstance(case, KnownCase) and one.by_person and not one.held:
            waiting = Waiting(
                case.queue_id or 0,
                one.interaction_id,
                one.case_id,
                one.piece.line.channel,
                case.priority,
                case.language,
                (case.owner_id,) if case.owner_id else (),
                waiting_since=one.waiting_since or one.piece.received_at,
                media_class=one.media_class,
            )
        else:
            continue
        if waiting.queue_id:
            entries.setdefault(one.case_id, waiting)
    await queues.enter(tx, list(entries.values()))


async def _record(tx: Tx, said: Sequence[Said]) -> None:
    found: list[Event] = []
    for one in said:
        case = one.place.case
        referred = case if isinstance(case, KnownCase) and not one.opens else None
        queue_id = referred.queue_id if referred else one.facts.queue_id
        shared: dict[str, Any] = {
            "customer_id": one.known.customer_id,
            "case_id": one.case_id,
            "interaction_id": one.interaction_id,
            "queue_id": queue_id,
            "line_id": one.piece.line.id,
        }
        if one.opens:
            found.append(Event("case.opened", now(), **shared))
        elif one.place.reopens:
            found.append(Event("case.reopened", now(), agent_id=referred.owner_id if referred else None, **shared))
        if one.begins_talk:
            talk = {"point_id": one.known.point_id, "mode": one.mode, "verification": str(one.read.verification)}
            found.append(Event("talk.began", now(), data=talk, **shared))
        found.append(
            Event(
                "message.received",
                now(),
                agent_id=referred.owner_id if referred else None,
                data={"message_id": one.message_id, "kind": str(one.read.kind)},
                **shared,
            )
        )
    gathered = Counter(one.case_id for one in said if one.place.placing is Placing.GATHERED)
    found += [Event("case.flooded", now(), case_id=case_id, data={"messages": n}) for case_id, n in gathered.items()]
    await events.record_all(tx, found)
