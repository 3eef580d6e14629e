"""A day as the events tell it, to be played through other rules."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from everyline.ground.database import Tx
from everyline.ground.events import Event, Position, read_after
from everyline.queues import queries
from everyline.queues.expressions import both, needing
from everyline.queues.rules import Entry
from everyline.queues.simulation import Arrival, Change, Day

AT_ONCE = 10_000
PATIENCE_KNOWN = "abandoned"


def entry_of(event: Event, languages: dict[str, int]) -> Entry:
    """The entry that ``queue_entry.entered`` tells of; ``languages`` are skills by language."""
    data = event.data
    language = languages.get(data["language"])
    needs = {int(skill): level for skill, level in data.get("needs", {}).items()}
    spoken = language if language in needs else None
    needs.pop(spoken, None)  # type: ignore[arg-type]  # -- None is no key
    return Entry(
        data["entry_id"],
        event.queue_id or 0,
        datetime.fromisoformat(data["waiting_since"]).timestamp(),
        data["priority"],
        data["media_class"],
        data["channel"],
        data["weight"],
        data.get("offer_seconds", 60),
        both(needing(needs), data.get("wants", {})),
        spoken,
        tuple(data.get("preferred", ())),
        data.get("preferred_until") or 0,
        not_before=data.get("not_before") or 0,
    )


async def events_between(tx: Tx, begins: datetime, ends: datetime) -> list[Event]:
    """All events of a span of time, in commit order."""
    found: list[Event] = []
    position = Position(0, 0)
    while True:
        batch = await read_after(tx, position, most=AT_ONCE)
        found += [event for event in batch if begins <= event.at < ends]
        if len(batch) < AT_ONCE:
            return found
        position = batch[-1].position


async def recorded_day(tx: Tx, begins: datetime, ends: datetime) -> Day:
    """What came and who was there in a span of time. Work that is not over counts with the mean of its media class; the
    patience of those who were answered is taken to be without end."""
    log = await events_between(tx, begins, ends)
    languages = {row.language: row.id for row in await queries.all_skills(tx) if row.language}
    zero = begins.timestamp()
    worked: dict[int, tuple[float, float]] = {}
    patience: dict[int, float] = {}
    for event in log:
        if event.kind == "interaction.wrapped_up" and event.data.get("entry_id"):
            worked[event.data["entry_id"]] = (event.data["work_seconds"], event.data["wrap_up_seconds"] or 0)
        elif event.kind == "queue_entry.left" and event.data["outcome"] == PATIENCE_KNOWN:
            patience[event.data["entry_id"]] = event.data["waited_seconds"]
    entered = {
        event.data["entry_id"]: event
        for event in log
        if event.kind == "queue_entry.entered" and not event.data["moved"]
    }
    known: defaultdict[str, list[float]] = defaultdict(list)
    for entry_id, (seconds, _) in worked.items():
        if entry_id in entered:
            known[entered[entry_id].data["media_class"]].append(seconds)
    usual = {name: sum(each) / len(each) for name, each in known.items()}
    arrivals = []
    for entry_id, event in entered.items():
        entry = replace(entry_of(event, languages), since=event.at.timestamp() - zero, preferred=())
        seconds, wrap_up = worked.get(entry_id, (usual.get(entry.media_class, 300.0), 0.0))
        arrivals.append(Arrival(entry, seconds, wrap_up, patience.get(entry_id, float("inf"))))
    changes = [
        Change(event.at.timestamp() - zero, event.agent_id, available=event.data["state"] == "available")
        for event in log
        if event.kind == "agent.state_changed" and event.agent_id
    ]
    first = {change.agent_id: change for change in reversed(changes)}
    before = {
        event.agent_id: event.data.get("before") == "available"
        for event in reversed(log)
        if event.kind == "agent.state_changed"
    }
    agents = [
        replace(
            agent,
            available=before[agent.id] if agent.id in first else agent.available,
            idle_since=0,
            being_offered=False,
            offered="",
            load=0,
            in_hand={},
            interruptible={},
            settling={},
            handled=0,
        )
        for agent in await queries.floor_agents(tx)
    ]
    answer_seconds = {
        row.id: row.answer_seconds or row.goal_seconds for row in await tx.rows(queries.statements.floor_queues)
    }
    return Day(
        await queries.floor_queues(tx),
        agents,
        sorted(arrivals, key=lambda one: one.entry.since),
        changes,
        answer_seconds=answer_seconds,
    )
