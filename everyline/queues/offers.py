"""The verbs of offers: showing an entry to agents, and what they make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from everyline.cases import actions as cases
from everyline.cases.rules import Status
from everyline.ground import events
from everyline.ground.clock import moment, now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent
from everyline.queues import queries, rules, waiting, work
from everyline.queues.models import QueueEntry
from everyline.queues.waiting import LIVE

statements = queries.statements


async def offer(tx: Tx, proposals: Sequence[rules.Proposal], at: datetime, *, seen: str = "") -> list[Row]:
    """Make offers that were decided at a moment; returns those that still held, by compare-and-set on the entry and on the
    agent; where a proposal is over an offer, that is taken back first. ``seen``: the snapshot of the database that they were decided on."""
    if not proposals:
        return []
    over = {agent_id for proposal in proposals for agent_id in proposal.over}
    if over:
        await waiting.outrank(tx, sorted(over))
    pairs = [(proposal, agent_id) for proposal in proposals for agent_id in proposal.agent_ids]
    rows = await tx.rows(
        statements.offer,
        {
            "at": at,
            "entry_ids": [proposal.entry_id for proposal, _ in pairs],
            "agent_ids": [agent_id for _, agent_id in pairs],
            "expires": [moment(proposal.expires_at) for proposal, _ in pairs],
        },
    )
    await events.record_all(
        tx,
        [
            events.Event(
                "offer.made",
                at,
                agent_id=row.agent_id,
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                queue_id=row.queue_id,
                data={
                    "offer_id": row.id,
                    "entry_id": row.entry_id,
                    "expires_at": row.expires_at.isoformat(),
                    "seen": seen,
                },
            )
            for row in rows
        ],
    )
    return rows


async def time_out(tx: Tx) -> int:
    """End the offers whose time is over; who lets one pass is set to not answering. Returns how many there were."""
    rows = await tx.rows(statements.time_out, {"at": now()})
    await waiting.wait_again(tx, [row.entry_id for row in rows])
    for row in rows:
        await events.record(
            tx,
            "offer.timed_out",
            agent_id=row.agent_id,
            case_id=row.case_id,
            interaction_id=row.interaction_id,
            queue_id=row.queue_id,
            offer_id=row.id,
            entry_id=row.entry_id,
        )
        missed = int(await tx.value(statements.missed_in_row, {"agent_id": row.agent_id}))
        if rules.after_time_out(missed) is rules.Next.NOT_ANSWERING:
            await work.change_state(tx, None, row.agent_id, "away", "not answering")
    return len(rows)


async def accept(tx: Tx, by: int, offer_id: int) -> int:
    """Take an offer; returns the case's id. Conflict when it is over: exactly one acceptance wins."""
    taken = await accept_all(tx, {offer_id: by})
    if not taken:
        raise Conflict(_("This offer is over: it went back to the queue, or somebody else has it."))
    return int(taken[0].case_id)


async def accept_all(tx: Tx, offers: Mapping[int, int]) -> list[Row]:
    """Take many offers at once (offer to agent); returns the assignments that came of them."""
    rows = await tx.rows(
        statements.accept, {"at": now(), "offer_ids": list(offers), "agent_ids": list(offers.values())}
    )
    await _begin(tx, rows, "accepted")
    return rows


async def decline(tx: Tx, by: int, offer_id: int, reason: str = "") -> None:
    """Let an offer go to somebody else."""
    row = await tx.first(
        statements.decline, {"at": now(), "offer_id": offer_id, "agent_id": by, "reason": reason[:200]}
    )
    if row is None:
        raise Conflict(_("This offer is over already."))
    await waiting.wait_again(tx, [row.entry_id])
    await events.record(
        tx,
        "offer.declined",
        actor_id=by,
        agent_id=by,
        case_id=row.case_id,
        interaction_id=row.interaction_id,
        queue_id=row.queue_id,
        offer_id=offer_id,
        entry_id=row.entry_id,
        reason=reason[:200],
    )


async def pick(tx: Tx, by: int, case_id: int) -> None:
    """Take a case out of its queue by hand. Conflict when somebody else has it."""
    entry_id = await tx.value(select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(LIVE)))
    if entry_id is None:
        raise Conflict(_("This case does not wait any more: somebody else has it, or it is settled."))
    await give_entry(tx, by, entry_id, by)


async def give_entry(tx: Tx, by: int, entry_id: int, agent_id: int) -> None:
    """Give an entry to an agent past the order of the queue. Conflict when somebody else has it."""
    if await tx.value(select(Agent.id).where(Agent.id == agent_id, Agent.active)) is None:
        raise NotFound(_("There is no such agent."))
    rows = await tx.rows(statements.take, {"at": now(), "entry_id": entry_id, "agent_id": agent_id})
    if not rows:
        raise Conflict(_("Somebody else was faster."))
    # afterwards, because an offer may have been made until the entry was ours
    await waiting.withdraw(tx, "picked", entry_id=entry_id, but=by)
    await _begin(tx, rows, "picked", by)


async def _begin(tx: Tx, rows: Sequence[Row], outcome: str, by: int | None = None) -> None:
    """Somebody works on it: write it down, begin the case, put on hold what is interrupted, tell who was too late."""
    await events.record_all(
        tx,
        [
            events.Event(
                f"interaction.{outcome}",
                row.accepted_at,
                actor_id=by or row.agent_id,
                agent_id=row.agent_id,
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                queue_id=row.queue_id,
                data={
                    "entry_id": row.entry_id,
                    "assignment_id": row.id,
                    "offer_id": row.offer_id,
                    "waited_seconds": round((row.accepted_at - row.waiting_since).total_seconds(), 3),
                    "channel": row.channel,
                    "media_class": row.media_class,
                    "language": row.language,
                    "weight": row.weight,
                    "team_id": row.team_id,
                    "expected_seconds": row.expected_seconds,
                },
            )
            for row in rows
        ],
    )
    await cases.begin_all(tx, {row.case_id: row.agent_id for row in rows if row.status == Status.NEW})
    for row in rows:
        if row.rings > 1:
            await waiting.withdraw(tx, "somebody else took it", entry_id=row.entry_id, but=row.agent_id)
        await work.hold_for(tx, row.agent_id, row.media_class)
