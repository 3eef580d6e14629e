"""Verbs of intake: what was read becomes part of cases, or is set aside; what is set aside is tried again or discarded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from everyline.channel_contract import Address, Inbound, InboundKind
from everyline.customers import actions as customers
from everyline.customers.actions import Known
from everyline.dispatch import actions as dispatch
from everyline.ground import events
from everyline.ground.addresses import MAILBOX
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.keys import CaseSigner
from everyline.ground.words import _
from everyline.intake import queries
from everyline.intake.placing import bounces, first_case, gather, join, talking
from everyline.intake.placing import referred as find_referred
from everyline.intake.reading import KeptFile, Piece, Stumbled
from everyline.intake.routing import route
from everyline.intake.rules import MOST_ATTEMPTS, Flood, Place, Placing, place, retry_after
from everyline.intake.said import LineFacts, Said, Settled
from everyline.intake.writing import write
from everyline.lines import actions as lines

statements = queries.statements

Attend = Callable[[Tx, frozenset[tuple[int, int]]], Awaitable[dict[tuple[int, int], bool]]]

NOBODY = Address("handle", "unknown@nowhere", "")  # who wrote a piece that names no sender


async def settle(
    tx: Tx, signer: CaseSigner, pieces: Sequence[Piece], line_facts: dict[int, LineFacts], flood: Flood, attend: Attend
) -> Settled:
    """Place the pieces: customers found or made, cases found or opened, messages written, queues entered. ``attend`` says of
    lines on which talks begin, each with the queue that it leads to, whether somebody is there."""
    async with tx.pipeline(same_plans=True):
        return await _settle(tx, signer, pieces, line_facts, flood, attend)


async def _settle(
    tx: Tx, signer: CaseSigner, pieces: Sequence[Piece], line_facts: dict[int, LineFacts], flood: Flood, attend: Attend
) -> Settled:
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
    await _adopt(tx, signer, todo)
    known = await _customers(tx, todo)
    referred = await find_referred(tx, signer, todo)
    talks = await talking(tx, todo)
    bounced = await bounces(tx, todo)
    for piece, read, files in todo:
        sender = read.sender or NOBODY
        who = known[sender.kind, sender.address]
        failed = bounced.get(piece.inbound_id)
        case = referred.get(failed.case_id) if failed is not None else first_case(signer, read, referred)
        case = case or talks.cases.get(piece.inbound_id)
        came_back = (
            failed is not None and case is not None
        )  # what came back for something of ours belongs where that went out
        placed = Place(Placing.CONTINUES, case) if came_back else place(read, who.customer_id, case, now())
        settled.said.append(Said(piece, read, files, who, placed, line_facts[piece.line.id]))
    join(settled.said)
    await gather(tx, settled.said, flood)
    await route(tx, settled.said)
    await _see_who_is_there(tx, [one for one in settled.said if one.piece.line.id in talks.beginning], attend)
    await write(tx, settled)
    await _finish(tx, settled)
    await _bounce(tx, settled.said, bounced)
    return settled


async def _see_who_is_there(tx: Tx, beginning: Sequence[Said], attend: Attend) -> None:
    places = frozenset((one.piece.line.id, one.facts.queue_id) for one in beginning if one.facts.queue_id is not None)
    there = await attend(tx, places)
    for one in beginning:
        if one.facts.queue_id is not None:
            one.facts = replace(one.facts, attended=there[one.piece.line.id, one.facts.queue_id])


async def _adopt(tx: Tx, signer: CaseSigner, todo: Iterable[tuple[Piece, Inbound, Any]]) -> None:
    """Mailboxes that senders of talks said are theirs, and answered from with a reference."""
    found = {
        (case_id, read.sender.address)
        for _piece, read, _files in todo
        if read.sender is not None and read.sender.kind == MAILBOX
        for token in read.tokens
        if (case_id := signer.case_of(token)) is not None
    }
    if found:
        values = {"case_ids": [case_id for case_id, _a in found], "addresses": [address for _c, address in found]}
        await tx.execute(statements.adopt_mailboxes, {**values, "at": now()})


async def _customers(tx: Tx, todo: Sequence[tuple[Piece, Inbound, Any]]) -> dict[tuple[str, str], Known]:
    """Who the senders are. Who was shown to own another address is whose that is."""
    senders = [(read.sender or NOBODY, read.language) for _piece, read, _files in todo]
    spoken = {(sender.kind, sender.address): language for sender, language in senders if language}
    owning = [(read.sender, read.proven) for _piece, read, _files in todo if read.sender and read.proven]
    if not owning:
        return await customers.find_or_create(tx, [sender for sender, _language in senders], spoken)
    await customers.hold(tx, [sender for sender, _language in senders] + [proven for _sender, proven in owning])
    owners = await customers.find_or_create(
        tx, [replace(proven, name=sender.name) for sender, proven in owning], spoken
    )
    await tx.execute(statements.verify_points, {"ids": [one.point_id for one in owners.values()], "at": now()})
    for sender, proven in owning:
        await customers.belong(tx, sender, owners[proven.kind, proven.address].customer_id)
    return await customers.find_or_create(tx, [sender for sender, _language in senders], spoken)


async def _bounce(tx: Tx, said: Iterable[Said], bounced: dict[int, Row]) -> None:
    """Tell what failed for good to the deliveries that came back."""
    for one in {one.piece.inbound_id: one for one in said if one.piece.inbound_id in bounced}.values():
        final = [failure for failure in one.read.failures if failure.permanent]
        if final:
            reason = "; ".join(filter(None, (f"{failure.code} {failure.reason}" for failure in final))).strip()
            await dispatch.bounce(
                tx,
                bounced[one.piece.inbound_id],
                reason or _("It could not be delivered."),
                [failure.recipient for failure in final],
            )


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
