"""Reads of queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import inf

from sqlalchemy import func, select

from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.people.rules import Me
from everyline.queues import rules
from everyline.queues.asks import unmet as unmet
from everyline.queues.asks import unmet_counts as unmet_counts
from everyline.queues.expressions import both, needing
from everyline.queues.hours import ALWAYS, OpeningHours, add_open_time
from everyline.queues.models import (
    AgentSkill,
    Assignment,
    Hours,
    HoursDay,
    Membership,
    Queue,
    Skill,
)
from everyline.queues.shares import Share

statements = sql.beside(__file__, "queues.sql")


async def all_queues(tx: Tx) -> Sequence[Row]:
    """The queues in use, in their order."""
    return await tx.rows(select(Queue.__table__).where(Queue.retired_at.is_(None)).order_by(Queue.position, Queue.name))


async def seen_by(tx: Tx, me: Me) -> list[Row]:
    """The queues within one's scope."""
    return [row for row in await all_queues(tx) if me.sees_queue(row.id)]


async def get(tx: Tx, queue_id: int) -> Row:
    """One queue in use. NotFound otherwise."""
    row = await tx.first(select(Queue.__table__).where(Queue.id == queue_id, Queue.retired_at.is_(None)))
    if row is None:
        raise NotFound(_("There is no such queue."))
    return row


async def agent_of(tx: Tx, me: Me, agent_id: int) -> Row:
    """An agent who takes from a queue within one's scope. NotFound otherwise."""
    row = await people.get(tx, agent_id)
    if not me.all_queues:
        theirs = await tx.column(select(Membership.queue_id).where(Membership.agent_id == agent_id))
        if not me.queue_ids & set(theirs):
            raise NotFound(_("There is no such agent."))
    return row


async def opening_hours(tx: Tx, hours_id: int | None) -> OpeningHours:
    """When something with these hours is open; always, when it has none."""
    row = await tx.first(select(Hours.__table__).where(Hours.id == hours_id)) if hours_id else None
    if row is None:
        return ALWAYS
    days = await tx.rows(select(HoursDay.__table__).where(HoursDay.hours_id == hours_id))
    return OpeningHours(
        row.zone, row.week, row.holidays_of, {day.day: day.times for day in days}, row.closed_now, row.closed_words
    )


async def floor_queues(tx: Tx) -> list[rules.QueueRule]:
    """What the queues say about their entries."""
    return [
        rules.QueueRule(
            row.id,
            row.priority,
            rules.Strategy(row.strategy),
            both(needing({int(skill): level for skill, level in row.needs.items()}), row.wants),
            tuple(rules.Step.read(step) for step in row.steps),
            row.rings,
            row.accepts,
            {team: delay for team, delay, *_ in row.teams},
            tuple(
                Share(team, share, floor or 0, inf if ceiling is None else ceiling)
                for team, _, share, floor, ceiling in row.teams
                if share is not None
            ),
            row.preferred_seconds,
        )
        for row in await tx.rows(statements.floor_queues)
    ]


async def floor_entries(tx: Tx, ids: Sequence[int] | None = None) -> list[rules.Entry]:
    """What waits: these entries, or all."""
    return [
        rules.Entry(
            row.id,
            row.queue_id,
            row.since,
            row.priority,
            row.media_class,
            row.channel,
            row.weight,
            row.offer_seconds,
            both(
                needing({int(skill): level for skill, level in row.needs.items() if int(skill) != row.language}),
                row.wants,
            ),
            row.language,
            tuple(row.preferred_agent_ids),
            row.preferred_until,
            row.outside,
            row.team_id,
            row.team_until,
            row.not_before,
            frozenset(row.refused_by),
        )
        for row in await tx.rows(statements.floor_entries, {"ids": ids})
    ]


async def floor_agents(tx: Tx, ids: Sequence[int] | None = None, *, counting: bool = False) -> list[rules.Candidate]:
    """Agents: these, or all. ``counting``: with how much they handled today."""
    rows = await tx.rows(
        statements.floor_agents,
        {"ids": ids, "counting": counting, "settling": rules.SETTLING_SECONDS, "at": now()},
    )
    return [_candidate(row) for row in rows]


def _candidate(row: Row) -> rules.Candidate:
    in_hand: Counter[str] = Counter()
    yields: Counter[str] = Counter()
    for media_class, channel, weight, held in row.hand:
        in_hand[media_class] += 1
        in_hand[f"={channel}"] += 1
        if not held:
            yields[media_class] += weight
    caps, weights = {}, {}
    for media_class, channel, most, weight in row.capacity:
        name = f"={channel}" if channel else media_class
        if most is not None:
            caps[name] = most
        if weight is not None:
            weights[name] = weight
    if not row.hears:  # neither a browser nor a telephone is there to hear a call with
        caps["call"] = 0
    return rules.Candidate(
        row.id,
        row.idle_since,
        frozenset(row.queue_ids),
        {int(skill): level for skill, level in row.skills.items()},
        row.team_id,
        row.state == "available",
        row.offered is not None,
        row.offered or "",
        int(row.load),
        yields,
        in_hand,
        caps,
        weights,
        _settling(row),
        row.handled,
    )


def _settling(row: Row) -> dict[str, float]:
    """Until when which media class is kept from an agent: mail while they read what they took, calls while they are wanted in another."""
    found = {"mail": row.settles_at, "call": inf if row.takes_part else row.asked_until}
    return {media_class: until for media_class, until in found.items() if until is not None}


async def goal(tx: Tx, queue_id: int, start: datetime) -> datetime | None:
    """Until when a queue promises its first answer to what came at ``start``."""
    queue = await get(tx, queue_id)
    return add_open_time(await opening_hours(tx, queue.hours_id), start, timedelta(seconds=queue.goal_seconds))


async def offer_for(tx: Tx, agent_id: int) -> Row | None:
    """The offer that stands before an agent now."""
    return await tx.first(statements.offer_for, {"agent_id": agent_id, "at": now()})


async def in_hand(tx: Tx, agent_id: int) -> Sequence[Row]:
    """An agent's assignments that still take capacity: at work, or wrapping up."""
    return await tx.rows(
        select(Assignment.__table__)
        .where(Assignment.agent_id == agent_id, Assignment.ended_at.is_(None))
        .order_by(Assignment.id)
    )


async def wrap_up_codes(tx: Tx, queue_id: int | None) -> Sequence[Row]:
    """The outcomes to choose from for a case of this queue."""
    return await tx.rows(statements.wrap_up_codes, {"queue_id": queue_id})


async def summary(tx: Tx) -> dict[int, tuple[int, datetime]]:
    """By queue: how many wait, and since when the oldest."""
    return {row.queue_id: (row.waiting, row.oldest) for row in await tx.rows(statements.summary)}


async def usual_answer_seconds(tx: Tx, queue_id: int, zone: str) -> float | None:
    """Within how many seconds four of five first answers came to those who wrote at this hour; None when there were too
    few to say."""
    found = await tx.value(statements.usual_answer, {"queue_id": queue_id, "at": now(), "zone": zone})
    return None if found is None else float(found)


async def default_queue(tx: Tx) -> int | None:
    """The queue of what no line names a queue for: the first in order."""
    found: int | None = await tx.value(
        select(Queue.id).where(Queue.retired_at.is_(None)).order_by(Queue.position, Queue.id).limit(1)
    )
    return found


async def all_hours(tx: Tx) -> Sequence[Row]:
    """All hours, by name."""
    return await tx.rows(select(Hours.__table__).order_by(Hours.name))


async def days_of(tx: Tx, hours_id: int) -> Sequence[Row]:
    """The days that differ from the week, in order."""
    return await tx.rows(select(HoursDay.__table__).where(HoursDay.hours_id == hours_id).order_by(HoursDay.day))


async def all_skills(tx: Tx) -> Sequence[Row]:
    """Every skill, languages last, with how many agents have it."""
    held = select(func.count()).where(AgentSkill.skill_id == Skill.id).scalar_subquery().label("agents")
    return await tx.rows(select(Skill.__table__, held).order_by(Skill.language.is_not(None), Skill.name))


async def members(tx: Tx) -> dict[int, set[int]]:
    """By queue: the agents who take from it."""
    found: dict[int, set[int]] = {}
    for row in await tx.rows(select(Membership.queue_id, Membership.agent_id)):
        found.setdefault(row.queue_id, set()).add(row.agent_id)
    return found


async def telephones(tx: Tx, domain: str) -> list[str]:
    """The users of the telephones on which agents hear calls, with addresses of this domain."""
    return await tx.column(statements.telephones, {"domain": domain})


async def skills_of(tx: Tx, agent_id: int) -> dict[int, int]:
    """What an agent can: skill id to level."""
    rows = await tx.rows(select(AgentSkill.skill_id, AgentSkill.level).where(AgentSkill.agent_id == agent_id))
    return {row.skill_id: row.level for row in rows}
