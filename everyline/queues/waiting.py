"""The verbs of what waits: entering, leaving, moving, and being too many or too old."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from everyline.cases.models import Case, Interaction
from everyline.channel_registry import channel
from everyline.ground import events
from everyline.ground.clock import moment, now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.words import _
from everyline.queues import callbacks, queries
from everyline.queues.models import QueueEntry
from everyline.queues.rules import DEFAULT_OFFER_SECONDS, DEFAULT_WEIGHTS, INTERRUPTS
from everyline.queues.waits import WINDOW_SECONDS, Expected, expect

statements = queries.statements
LIVE = ("waiting", "offered")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An interaction that is to wait in a queue."""

    queue_id: int
    interaction_id: int
    case_id: int
    channel: str
    priority: int = 3
    language: str = ""
    preferred_agent_ids: tuple[int, ...] = ()  # who answered before, or is asked for by name; the first is asked first
    preferred_until: datetime | None = None  # None: as long as the queue says
    backup_queue_id: int | None = None  # where it goes when they did not take it
    waiting_since: datetime | None = None
    callback_after: datetime | None = None
    moved: bool = False  # it waited in another queue before
    media_class: str = ""  # where it is another than the channel's: what is not live any more is answered as mail is
    wants: Mapping[str, Any] = field(default_factory=dict)  # an expression of its own


async def enter(tx: Tx, entries: Sequence[Waiting]) -> None:
    """Interactions begin to wait, all at once. A case that waits already, or that somebody works on, does not twice. Who
    dropped a call or chat and is back in time keeps their place."""
    if not entries:
        return
    at = now()
    facts = [_facts(entry) for entry in entries]
    rows = await tx.rows(
        statements.enter,
        {
            "at": at,
            "queue_ids": [entry.queue_id for entry in entries],
            "interaction_ids": [entry.interaction_id for entry in entries],
            "case_ids": [entry.case_id for entry in entries],
            "channels": [entry.channel for entry in entries],
            "priorities": [entry.priority for entry in entries],
            "media_classes": [media_class for media_class, _weight, _seconds in facts],
            "weights": [weight for _media_class, weight, _seconds in facts],
            "offer_seconds": [seconds for _media_class, _weight, seconds in facts],
            "languages": [entry.language for entry in entries],
            "preferred": [f"{{{','.join(map(str, entry.preferred_agent_ids))}}}" for entry in entries],
            "preferred_until": [entry.preferred_until for entry in entries],
            "backups": [entry.backup_queue_id for entry in entries],
            "callbacks": [entry.callback_after for entry in entries],
            "waiting_since": [entry.waiting_since or at for entry in entries],
            "wants": [json.dumps(entry.wants) for entry in entries],
        },
    )
    expected = await _announce(tx, rows, at)
    moved = {entry.case_id for entry in entries if entry.moved}
    await events.record_all(
        tx,
        [
            events.Event(
                "queue_entry.entered",
                at,
                case_id=row.case_id,
                interaction_id=row.interaction_id,
                queue_id=row.queue_id,
                data={
                    "entry_id": row.id,
                    "channel": row.channel,
                    "media_class": row.media_class,
                    "language": row.language,
                    "priority": row.priority,
                    "weight": row.weight,
                    "waiting_since": row.waiting_since.isoformat(),
                    "team_id": None,
                    "moved": row.case_id in moved,
                    "offer_seconds": row.offer_seconds,
                    "needs": row.needs,
                    "wants": row.wants,
                    "preferred": row.preferred_agent_ids,
                    "preferred_until": row.preferred_until and row.preferred_until.timestamp(),
                    "not_before": row.callback_after and row.callback_after.timestamp(),
                    "expected_seconds": one and round(one.seconds),
                    "expected_low": one and round(one.low),
                    "expected_high": one and round(one.high),
                },
            )
            for row, one in zip(rows, expected, strict=True)
        ],
    )


def _facts(entry: Waiting) -> tuple[str, int, int]:
    """Media class, weight and seconds of an offer."""
    found = channel(entry.channel).facts
    if entry.media_class in ("", found.media_class):
        return str(found.media_class), found.weight, found.offer_seconds
    return entry.media_class, DEFAULT_WEIGHTS[entry.media_class], DEFAULT_OFFER_SECONDS


async def _announce(tx: Tx, rows: Sequence[Row], at: datetime) -> list[Expected | None]:
    """What each entry's wait is expected to be, written down so that it can be held against what came of it."""
    if not rows:
        return []
    paces = await pace_of(tx, sorted({row.queue_id for row in rows}), at)
    found: list[Expected | None] = []
    place = {queue_id: pace.waiting - sum(row.queue_id == queue_id for row in rows) for queue_id, pace in paces.items()}
    for row in rows:
        place[row.queue_id] += 1
        found.append(expect(place[row.queue_id], paces[row.queue_id].served, at.timestamp()))
    known = [(row.id, one) for row, one in zip(rows, found, strict=True) if one is not None]
    if known:
        await tx.execute(
            statements.expected,
            {
                "ids": [number for number, _ in known],
                "seconds": [round(one.seconds) for _, one in known],
                "low": [round(one.low) for _, one in known],
                "high": [round(one.high) for _, one in known],
            },
        )
    return found


async def pace_of(tx: Tx, queue_ids: Sequence[int], at: datetime) -> Mapping[int, Row]:
    """How fast these queues go: how many wait, and when the last ones went into service."""
    rows = await tx.rows(
        statements.pace, {"queue_ids": list(queue_ids), "since": at - timedelta(seconds=WINDOW_SECONDS)}
    )
    return {row.queue_id: row for row in rows}


async def expected_wait(tx: Tx, queue_id: int) -> Expected | None:
    """How long somebody who came now would wait; None when too little is known."""
    at = now()
    pace = (await pace_of(tx, [queue_id], at))[queue_id]
    return expect(pace.waiting + 1, pace.served, at.timestamp())


async def wait_in(
    tx: Tx,
    case_id: int,
    queue_id: int,
    *,
    waiting_since: datetime | None = None,
    preferred_agent_id: int | None = None,
    priority: int | None = None,
    moved: bool = False,
    wants: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
) -> None:
    """Put a case's newest interaction into a queue. ``wants`` is an expression of its own over skills. Who waits to be called
    waits as a call does, so that only who can hear one is asked."""
    row = await tx.first(
        select(Interaction.__table__, Case.priority, Case.language)
        .join(Case, Case.id == Interaction.case_id)
        .where(Interaction.case_id == case_id)
        .order_by(Interaction.id.desc())
        .limit(1)
    )
    if row is None:
        return
    as_call = await callbacks.media_class(tx, case_id)
    one = Waiting(
        queue_id,
        row.id,
        case_id,
        row.channel,
        priority or row.priority,
        row.language,
        (preferred_agent_id,) if preferred_agent_id else (),
        waiting_since=waiting_since,
        callback_after=not_before,
        moved=moved,
        media_class=as_call or ("mail" if row.ended_at is not None else row.media_class),
        wants=wants or {},
    )
    await enter(tx, [one])


async def withdraw(
    tx: Tx, reason: str, *, entry_id: int | None = None, agent_id: int | None = None, but: int | None = None
) -> list[Row]:
    """Take back the offers of an entry, or of an agent; ``but`` is the agent whose own doing it is."""
    rows = await tx.rows(
        statements.withdraw, {"at": now(), "reason": reason, "entry_id": entry_id, "agent_id": agent_id}
    )
    await _record_withdrawn(tx, [row for row in rows if row.agent_id != but], reason)
    return rows


async def outrank(tx: Tx, agent_ids: Sequence[int]) -> None:
    """Take back the offers of what may be interrupted, before who is offered what interrupts it: it waits on in its place."""
    reason = "outranked"
    media_classes = sorted(set().union(*INTERRUPTS.values()))
    values = {"at": now(), "reason": reason, "agent_ids": list(agent_ids), "media_classes": media_classes}
    rows = await tx.rows(statements.outrank, values)
    await wait_again(tx, [row.entry_id for row in rows])
    await _record_withdrawn(tx, rows, reason)


async def _record_withdrawn(tx: Tx, rows: Sequence[Row], reason: str) -> None:
    await events.record_all(
        tx,
        [
            events.Event(
                "offer.withdrawn",
                now(),
                agent_id=row.agent_id,
                case_id=row.case_id,
                queue_id=row.queue_id,
                data={"offer_id": row.id, "entry_id": row.entry_id, "reason": reason},
            )
            for row in rows
        ],
    )


async def wait_again(tx: Tx, entry_ids: Sequence[int]) -> list[Row]:
    """Entries whose last offer ended wait again, with their age."""
    return await tx.rows(statements.wait_again, {"ids": list(entry_ids), "at": now()})


async def leave(tx: Tx, case_id: int, outcome: str) -> None:
    """A case stops waiting: abandoned, answered, resolved, transferred or merged meanwhile."""
    for entry_id in await tx.column(
        select(QueueEntry.id).where(QueueEntry.case_id == case_id, QueueEntry.state.in_(LIVE))
    ):
        await _go(tx, entry_id, outcome)


async def _go(tx: Tx, entry_id: int, outcome: str, by: int | None = None) -> Row | None:
    entry = await tx.first(
        statements.move_entry,
        {"at": now(), "entry_id": entry_id, "before": list(LIVE), "after": "left", "outcome": outcome},
    )
    if entry is not None:
        await withdraw(tx, outcome, entry_id=entry_id)  # afterwards: until now an offer may have been made
        await events.record(
            tx,
            "queue_entry.left",
            actor_id=by,
            case_id=entry.case_id,
            interaction_id=entry.interaction_id,
            queue_id=entry.queue_id,
            outcome=outcome,
            **told(entry),
        )
    return entry


def told(entry: Row) -> dict[str, Any]:
    """What every event of an entry says of it."""
    return {
        "entry_id": entry.id,
        "channel": entry.channel,
        "media_class": entry.media_class,
        "language": entry.language,
        "weight": entry.weight,
        "team_id": entry.team_id,
        "waited_seconds": round((now() - entry.waiting_since).total_seconds(), 3),
    }


async def move_entry(
    tx: Tx,
    by: int | None,
    entry_id: int,
    queue_id: int,
    *,
    outcome: str = "transferred",
    kind: str = "queue_entry.moved",
) -> None:
    """Let an entry wait in another queue; it keeps the time it has waited. Conflict when it waits no more."""
    queue = await queries.get(tx, queue_id)
    entry = await _go(tx, entry_id, outcome, by)
    if entry is None:
        raise Conflict(_("This does not wait any more: somebody else has it, or it is settled."))
    due_at = await queries.goal(tx, queue.id, now())
    await tx.execute(statements.case_moves, {"case_id": entry.case_id, "queue_id": queue.id, "due_at": due_at})
    await events.record(
        tx,
        kind,
        actor_id=by,
        case_id=entry.case_id,
        queue_id=queue.id,
        entry_id=entry.id,
        before=entry.queue_id,
        outcome=outcome,
    )
    await wait_in(tx, entry.case_id, queue.id, waiting_since=entry.waiting_since, priority=entry.priority, moved=True)


async def put_off(tx: Tx, case_id: int, after: datetime | None) -> None:
    """A case that waits is served no earlier than then (None: as soon as it is its turn), and keeps its place. Conflict when it
    waits no more, or somebody is asked to take it just now."""
    entry = await tx.first(statements.put_off, {"case_id": case_id, "after": after})
    if entry is None:
        raise Conflict(_("This does not wait any more: somebody else has it, or it is settled."))
    await events.record(
        tx,
        "queue_entry.put_off",
        case_id=entry.case_id,
        interaction_id=entry.interaction_id,
        queue_id=entry.queue_id,
        entry_id=entry.id,
        not_before=entry.callback_after and entry.callback_after.timestamp(),
    )


async def raise_entry(tx: Tx, by: int | None, entry_id: int, priority: int) -> None:
    """Change how urgent an entry and its case are: 1 most urgent to 5. Conflict when it waits no more."""
    if not 1 <= priority <= 5:
        raise Invalid(_("A priority is a number from 1 to 5."), {"priority": _("Choose one of the list.")})
    entry = await tx.first(statements.raise_entry, {"entry_id": entry_id, "priority": priority})
    if entry is None:
        raise Conflict(_("This does not wait any more: somebody else has it, or it is settled."))
    await events.record(
        tx,
        "queue_entry.raised",
        actor_id=by,
        case_id=entry.case_id,
        interaction_id=entry.interaction_id,
        queue_id=entry.queue_id,
        entry_id=entry_id,
        priority=priority,
        before=entry.before,
    )


async def allot(tx: Tx, given: Mapping[int, tuple[int, float]], interval: datetime) -> None:
    """Give entries to teams (entry to team and until when it is theirs alone), counted in the interval that began then."""
    rows = await tx.rows(
        statements.allot,
        {
            "entry_ids": list(given),
            "team_ids": [team for team, _ in given.values()],
            "until": [moment(until) for _, until in given.values()],
            "interval": interval,
        },
    )
    await events.record_all(
        tx,
        [
            events.Event(
                "queue_entry.allotted",
                now(),
                case_id=row.case_id,
                queue_id=row.queue_id,
                data={"entry_id": row.id, "team_id": row.team_id, "team_until": given[row.id][1]},
            )
            for row in rows
        ],
    )


async def overflow(tx: Tx, most: int = 200) -> int:
    """Move what is too much or too old for its queue, and what nobody asked for took in time, to where the queue or the
    entry says; returns how many. The newest of too many go: who came first keeps their place."""
    rows = await tx.rows(statements.overflowing, {"at": now(), "most": most})
    for row in rows:
        await move_entry(tx, None, row.id, row.to_queue_id, outcome=row.outcome)
    return len(rows)
