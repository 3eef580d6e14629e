"""Verbs of intake. ``settle`` places a whole batch at once: some twenty statements, whatever its size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from everyline.cases.rules import Status, preview
from everyline.channel_contract import Address, Inbound, InboundKind
from everyline.channel_registry import channel
from everyline.customers import actions as customers
from everyline.customers.actions import Known
from everyline.dispatch import actions as dispatch
from everyline.ground import events, sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.events import Event
from everyline.ground.keys import CaseSigner
from everyline.ground.words import _
from everyline.intake.reading import KeptFile, Piece, Stumbled
from everyline.intake.rules import MOST_ATTEMPTS, CaseKnown, Place, Placing, acknowledges, place, retry_after
from everyline.lines import actions as lines
from everyline.queues import actions as queues
from everyline.queues.actions import PREFERRED_FOR, Waiting

statements = sql.beside(__file__, "intake.sql")

NOBODY = Address("handle", "unknown@nowhere", "")  # who wrote a piece that names no sender


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What intake needs of a line beside what its channel sees."""

    queue_id: int | None
    due_at: datetime | None  # the queue's goal for what comes in now
    acknowledges: bool = True


@dataclass(slots=True)
class Said:
    """One message to be written."""

    piece: Piece
    read: Inbound
    files: tuple[KeptFile, ...]
    known: Known
    place: Place
    message_id: int = 0
    case_id: int = 0
    interaction_id: int = 0
    opens: bool = False

    @property
    def subject(self) -> str:
        return self.read.subject.strip() or preview(self.read.text)[:120] or _("(no subject)")

    @property
    def by_person(self) -> bool:
        return self.read.kind is InboundKind.MESSAGE


@dataclass(slots=True)
class Settled:
    """What a batch became."""

    said: list[Said] = field(default_factory=list)
    outcomes: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    opened: list[tuple[Said, int]] = field(default_factory=list)  # with the case's number


async def settle(tx: Tx, signer: CaseSigner, pieces: Sequence[Piece], line_facts: dict[int, LineFacts]) -> Settled:
    """Place the pieces: customers found or made, cases found or opened, messages written, queues entered."""
    ours = {row.id for row in await tx.rows(statements.still_ours, {"ids": [piece.inbound_id for piece in pieces]})}
    settled = Settled()
    todo: list[tuple[Piece, Inbound, tuple[KeptFile, ...]]] = []
    for piece in pieces:
        if piece.inbound_id not in ours:
            continue
        for read, files in zip(piece.read, piece.files, strict=True):
            if read.kind is InboundKind.PROBE:
                settled.outcomes[piece.inbound_id] = ("probe", None)
            else:
                todo.append((piece, read, files))
    known = await _customers(tx, todo)
    referred = await _referred(tx, signer, todo)
    bounced = await _bounces(tx, todo)
    for piece, read, files in todo:
        sender = read.sender or NOBODY
        who = known[sender.kind, sender.address]
        failed = bounced.get(piece.inbound_id)
        case = referred.get(failed.case_id) if failed is not None else _first_case(signer, read, referred)
        came_back = (
            failed is not None and case is not None
        )  # what came back for something of ours belongs where that went out
        placed = Place(Placing.CONTINUES, case) if came_back else place(read, who.customer_id, case, now())
        settled.said.append(Said(piece, read, files, who, placed))
    await _write(tx, settled, line_facts)
    await _finish(tx, settled)
    for failed_piece in {
        said.piece.inbound_id: said for said in settled.said if said.piece.inbound_id in bounced
    }.values():
        reason = "; ".join(
            filter(
                None,
                (failure.code + " " + failure.reason for failure in failed_piece.read.failures if failure.permanent),
            )
        )
        failed = [failure.recipient for failure in failed_piece.read.failures if failure.permanent]
        if failed:
            await dispatch.bounce(
                tx, bounced[failed_piece.piece.inbound_id], reason.strip() or _("It could not be delivered."), failed
            )
    return settled


async def _customers(tx: Tx, todo: Iterable[tuple[Piece, Inbound, Any]]) -> dict[tuple[str, str], Known]:
    senders = [(read.sender or NOBODY, read.language) for _piece, read, _files in todo]
    spoken = {(sender.kind, sender.address): language for sender, language in senders if language}
    return await customers.find_or_create(tx, [sender for sender, _language in senders], spoken)


@dataclass(frozen=True, slots=True)
class _Referred(CaseKnown):
    queue_id: int | None = None
    owner_id: int | None = None
    priority: int = 3
    language: str = ""


class _Cases(dict[Any, "_Referred"]):
    """Cases by their own id, and by the ids on the wire of their messages."""


async def _referred(tx: Tx, signer: CaseSigner, todo: Sequence[tuple[Piece, Inbound, Any]]) -> _Cases:
    wire_ids = sorted(
        {
            reference
            for _p, read, _f in todo
            for reference in (*read.references, *(failure.external_id for failure in read.failures))
            if reference
        }
    )
    by_wire: dict[str, int] = {}
    if wire_ids:
        by_wire = {
            row.external_id: row.case_id
            for row in await tx.rows(statements.cases_of_messages, {"external_ids": wire_ids})
        }
    signed = {
        case_id for _p, read, _f in todo for token in read.tokens if (case_id := signer.case_of(token)) is not None
    }
    failed = set((await _failed_deliveries(tx, wire_ids)).values()) if wire_ids else set()
    ids = sorted(signed | set(by_wire.values()) | {case_id for case_id in failed if case_id is not None})
    found = _Cases()
    if not ids:
        return found
    for row in await tx.rows(statements.cases_known, {"ids": ids}):
        addresses = frozenset(
            (kind, address) for kind, _space, address in (entry.partition(" ") for entry in row.addresses)
        )
        found[row.asked] = _Referred(
            row.id,
            row.customer_id,
            Status(row.status),
            row.resolved_at,
            addresses,
            row.queue_id,
            row.owner_id,
            row.priority,
            row.language,
        )
    for wire, case_id in by_wire.items():
        if case_id in found:
            found[wire] = found[case_id]
    return found


async def _failed_deliveries(tx: Tx, wire_ids: Sequence[str]) -> dict[str, int | None]:
    rows = await tx.rows(dispatch.statements.failed, {"external_ids": list(wire_ids)})
    return {row.external_id: row.case_id for row in rows}


async def _bounces(tx: Tx, todo: Sequence[tuple[Piece, Inbound, Any]]) -> dict[int, Row]:
    """By inbound id: the delivery of ours that a bounce speaks of."""
    wanted = {
        failure.external_id: piece.inbound_id
        for piece, read, _f in todo
        if read.kind is InboundKind.BOUNCE
        for failure in read.failures
        if failure.external_id
    }
    if not wanted:
        return {}
    rows = await tx.rows(dispatch.statements.failed, {"external_ids": sorted(wanted)})
    return {wanted[row.external_id]: row for row in rows}


def _first_case(signer: CaseSigner, read: Inbound, referred: _Cases) -> _Referred | None:
    """The case that a piece refers to: by signed token first, then by the nearest message it quotes."""
    for token in read.tokens:
        case_id = signer.case_of(token)
        if case_id is not None and case_id in referred:
            return referred[case_id]
    return next((referred[reference] for reference in read.references if reference in referred), None)


async def _ids(tx: Tx, table: str, n: int) -> list[int]:
    return [row.id for row in await tx.rows(customers.statements.next_ids, {"tbl": table, "n": n})] if n else []


async def _write(tx: Tx, settled: Settled, line_facts: dict[int, LineFacts]) -> None:
    said = settled.said
    if not said:
        return
    opening = [one for one in said if one.place.placing is not Placing.CONTINUES]
    continuing = [one for one in said if one.place.placing is Placing.CONTINUES]
    for one, case_id in zip(opening, await _ids(tx, '"case"', len(opening)), strict=True):
        one.case_id, one.opens = case_id, True
    for one in continuing:
        assert one.place.case is not None
        one.case_id = one.place.case.id
    if continuing:
        await tx.execute(statements.lock_cases, {"ids": sorted({one.case_id for one in continuing})})
    for one, message_id in zip(said, await _ids(tx, "message", len(said)), strict=True):
        one.message_id = message_id
    numbers = await _open_cases(tx, opening, line_facts)
    settled.opened = [(one, numbers[one.case_id]) for one in opening]
    await _interactions(tx, said, continuing)
    await _messages(tx, said)
    await _continue_cases(tx, continuing, line_facts)
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
    await _enter_queues(tx, said, line_facts)
    await _record(tx, said, line_facts)


async def _open_cases(tx: Tx, opening: Sequence[Said], line_facts: dict[int, LineFacts]) -> dict[int, int]:
    if not opening:
        return {}
    facts = [line_facts[one.piece.line.id] for one in opening]
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
        },
    )
    return {row.id: row.number for row in rows}


async def _interactions(tx: Tx, said: Sequence[Said], continuing: Sequence[Said]) -> None:
    """One goes on where there is one on the same line; else a new one begins."""
    going_on: dict[tuple[int, int], int] = {}
    if continuing:
        rows = await tx.rows(statements.open_interactions, {"case_ids": sorted({one.case_id for one in continuing})})
        going_on = {(row.case_id, row.line_id): row.id for row in rows}
    beginning: list[Said] = []
    for one in said:
        key = (one.case_id, one.piece.line.id)
        if key in going_on:
            one.interaction_id = going_on[key]
        else:
            beginning.append(one)
            going_on[key] = 0
    for one, interaction_id in zip(beginning, await _ids(tx, "interaction", len(beginning)), strict=True):
        going_on[one.case_id, one.piece.line.id] = interaction_id
    for one in said:
        one.interaction_id = going_on[one.case_id, one.piece.line.id]
    if beginning:
        await tx.execute(
            statements.insert_interactions,
            {
                "ids": [one.interaction_id for one in beginning],
                "case_ids": [one.case_id for one in beginning],
                "line_ids": [one.piece.line.id for one in beginning],
                "point_ids": [one.known.point_id for one in beginning],
                "channels": [one.piece.line.channel for one in beginning],
                "media_classes": [str(channel(one.piece.line.channel).facts.media_class) for one in beginning],
                "started_at": [one.piece.received_at for one in beginning],
            },
        )


def _facts(read: Inbound) -> str:
    facts: dict[str, Any] = {}
    if read.recipients:
        facts["recipients"] = [[address.kind, address.address, address.name] for address in read.recipients[:50]]
    if read.reply_to:
        facts["reply_to"] = [read.reply_to.kind, read.reply_to.address, read.reply_to.name]
    if read.fields:
        facts["fields"] = dict(read.fields)
    if read.remarks:
        facts["remarks"] = list(read.remarks)
    if read.failures:
        facts["failures"] = [[failure.recipient, failure.code, failure.reason] for failure in read.failures]
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
            "facts": [_facts(one.read) for one in said],
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


async def _continue_cases(tx: Tx, continuing: Sequence[Said], line_facts: dict[int, LineFacts]) -> None:
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
            "due_at": [line_facts[one.piece.line.id].due_at for one in newest],
        },
    )


async def _enter_queues(tx: Tx, said: Sequence[Said], line_facts: dict[int, LineFacts]) -> None:
    entries: dict[int, Waiting] = {}
    for one in said:
        case = one.place.case
        if one.opens:
            queue_id = line_facts[one.piece.line.id].queue_id
            language = one.read.language or one.known.language or one.piece.line.language
            waiting = Waiting(
                queue_id or 0,
                one.interaction_id,
                one.case_id,
                one.piece.line.channel,
                3,
                language,
                waiting_since=one.piece.received_at,
            )
        elif isinstance(case, _Referred) and one.by_person:
            waiting = Waiting(
                case.queue_id or 0,
                one.interaction_id,
                one.case_id,
                one.piece.line.channel,
                case.priority,
                case.language,
                case.owner_id,
                now() + PREFERRED_FOR if case.owner_id else None,
                one.piece.received_at,
            )
        else:
            continue
        if waiting.queue_id:
            entries.setdefault(one.case_id, waiting)
    await queues.enter(tx, list(entries.values()))


async def _record(tx: Tx, said: Sequence[Said], line_facts: dict[int, LineFacts]) -> None:
    found: list[Event] = []
    for one in said:
        case = one.place.case
        referred = case if isinstance(case, _Referred) and not one.opens else None
        queue_id = referred.queue_id if referred else line_facts[one.piece.line.id].queue_id
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
        found.append(
            Event(
                "message.received",
                now(),
                agent_id=referred.owner_id if referred else None,
                data={"message_id": one.message_id, "kind": str(one.read.kind)},
                **shared,
            )
        )
    await events.record_all(tx, found)


async def _finish(tx: Tx, settled: Settled) -> None:
    received: dict[int, datetime] = {}
    for one in settled.said:
        outcome = str(one.read.kind) if one.read.kind is not InboundKind.MESSAGE else str(one.place.placing)
        settled.outcomes[one.piece.inbound_id] = (outcome, one.case_id)
        received[one.piece.line.id] = max(received.get(one.piece.line.id, one.piece.received_at), one.piece.received_at)
    await tx.execute(
        statements.finish,
        {
            "at": now(),
            "ids": list(settled.outcomes),
            "outcomes": [outcome for outcome, _case in settled.outcomes.values()],
            "case_ids": [case_id for _outcome, case_id in settled.outcomes.values()],
        },
    )
    await lines.note_received(tx, received)


async def to_acknowledge(tx: Tx, settled: Settled) -> list[tuple[Said, int]]:
    """Of the cases that were opened, those whose writer is answered at once, with the case's number."""
    addresses = sorted({one.read.sender.address for one, _number in settled.opened if one.read.sender})
    if not addresses:
        return []
    lately = {
        row.address: row.n
        for row in await tx.rows(dispatch.statements.recent_automatic, {"addresses": addresses, "at": now()})
    }
    chosen: list[tuple[Said, int]] = []
    for one, number in settled.opened:
        if one.read.sender is None:
            continue
        address = one.read.sender.address
        does = channel(one.piece.line.channel).facts.acknowledges
        if acknowledges(one.read, one.place, channel_does=does, point_bad=one.known.bad, lately=lately.get(address, 0)):
            lately[address] = lately.get(address, 0) + 1
            chosen.append((one, number))
    return chosen


async def stumble(tx: Tx, stumbled: Stumbled) -> None:
    """A piece could not be processed: try it again later, or set it aside in quarantine with its cause."""
    over = stumbled.hopeless or stumbled.attempts >= MOST_ATTEMPTS
    row = await tx.first(
        statements.set_aside,
        {
            "id": stumbled.inbound_id,
            "state": "quarantined" if over else "new",
            "cause": stumbled.cause.replace("\x00", "")[:2000],
            "due_at": now() + retry_after(stumbled.attempts),
        },
    )
    if row is not None and over:
        await events.record(tx, "inbound.quarantined", line_id=row.line_id, inbound_id=stumbled.inbound_id)


async def retry(tx: Tx, by: int, inbound_ids: Sequence[int]) -> int:
    """Let pieces out of quarantine and process them again; returns how many."""
    rows = await tx.rows(statements.retry, {"ids": list(inbound_ids), "at": now()})
    for row in rows:
        await events.record(tx, "inbound.retried", actor_id=by, line_id=row.line_id, inbound_id=row.id)
    return len(rows)


async def discard(tx: Tx, by: int, inbound_ids: Sequence[int]) -> int:
    """Decide that pieces in quarantine are not wanted; they are kept, but nothing is made of them. Returns how many."""
    rows = await tx.rows(statements.discard, {"ids": list(inbound_ids), "at": now()})
    for row in rows:
        await events.record(tx, "inbound.discarded", actor_id=by, line_id=row.line_id, inbound_id=row.id)
    return len(rows)
