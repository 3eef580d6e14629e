"""Reads the picture from the database: whole at the start of a day, afterwards only what an event was about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from everyline.board import rules
from everyline.board.facts import (
    NOW_SECONDS,
    POINTS,
    STEP_SECONDS,
    AgentFacts,
    Group,
    Limit,
    Picture,
    QueueFacts,
    Tally,
    Waits,
    Work,
)
from everyline.board.table import Threshold
from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.moments import zone
from everyline.measure.rules import FORMULAS, day_bounds
from everyline.people.models import Team
from everyline.people.queries import installation
from everyline.queues import queries
from everyline.queues.models import Skill

statements = sql.beside(__file__, "board.sql")


async def arrangement(tx: Tx, picture: Picture) -> None:
    """Queues, teams, languages and thresholds: what changes seldom."""
    facts = await installation(tx)
    picture.organisation, picture.zone = str(facts["organisation"]), str(facts["zone"])
    channels: dict[int, list[str]] = {}
    for row in await tx.rows(statements.channels):
        channels.setdefault(row.queue_id, []).append(row.channel)
    hours = {row.id: await queries.opening_hours(tx, row.id) for row in await queries.all_hours(tx)}
    picture.queues = {
        row.id: QueueFacts(
            row.id,
            row.name,
            row.hue,
            row.answer_seconds or row.goal_seconds,
            row.answer_share,
            row.formula if row.formula in FORMULAS else "SL-off-s",
            row.short_seconds,
            hours.get(row.hours_id),
            tuple(channels.get(row.id, ())),
        )
        for row in await queries.all_queues(tx)
    }
    picture.teams = {
        row.id: (row.name, row.partner)
        for row in await tx.rows(select(Team.__table__).where(Team.retired_at.is_(None)))
    }
    picture.spoken = frozenset(await tx.column(select(Skill.language).where(Skill.language.is_not(None))))
    picture.limits = {
        (row.queue_id or 0, row.figure): Limit(row.warn, row.bad, row.rings)
        for row in await tx.rows(select(Threshold.__table__))
    }


async def everything(tx: Tx, picture: Picture) -> None:
    """The whole picture of the day that it is now."""
    await arrangement(tx, picture)
    at = now()
    today = at.astimezone(zone(picture.zone)).date()
    begin, _end = day_bounds(today, zone(picture.zone))
    picture.day = today.isoformat()
    await waits(tx, picture)
    picture.agents = {row.id: _agent(row) for row in await tx.rows(statements.agents)}
    picture.entered = {
        Group(row.queue_id, row.channel, row.language, row.team_id): row.n
        for row in await tx.rows(statements.entered_today, {"begin": begin})
    }
    picture.today, picture.lately = {}, []
    since = at - timedelta(seconds=NOW_SECONDS)
    for row in await tx.rows(statements.ended_today, {"begin": min(begin, since)}):
        queue = picture.queues.get(row.queue_id)
        group = Group(row.queue_id, row.channel, row.language, row.team_id)
        outcome = "accepted" if row.state == "taken" else row.outcome
        found = rules.ended(queue, row.id, group, outcome, row.waiting_since, row.left_at) if queue else None
        if found is None:
            continue
        if row.left_at >= begin:
            picture.today.setdefault(group, Tally()).count(found)
        if row.left_at >= since:
            picture.lately.append(found)
    await trends(tx, picture, at)


async def waits(tx: Tx, picture: Picture, queue_ids: Collection[int] | None = None) -> None:
    """What waits in some queues, or in all."""
    rows = await tx.rows(statements.waiting, {"queue_ids": None if queue_ids is None else sorted(queue_ids)})
    if queue_ids is None:
        picture.waiting = {}
    else:
        picture.waiting = {group: one for group, one in picture.waiting.items() if group.queue_id not in queue_ids}
    for row in rows:
        picture.waiting[Group(row.queue_id, row.channel, row.language, row.team_id)] = Waits(row.n, row.oldest)


async def agents(tx: Tx, picture: Picture, agent_ids: Collection[int]) -> None:
    """Some agents."""
    found = {row.id: row for row in await tx.rows(statements.some_agents, {"agent_ids": sorted(agent_ids)})}
    for agent_id in agent_ids:
        row = found.get(agent_id)
        if row is not None and row.active:
            picture.agents[agent_id] = _agent(row)
        else:
            picture.agents.pop(agent_id, None)


def _agent(row: Row) -> AgentFacts:
    works: list[list[Any]] = row.works or []
    return AgentFacts(
        row.id,
        row.name,
        row.team_id,
        row.state,
        row.reason,
        row.since,
        row.next_state,
        frozenset(row.queue_ids or ()),
        frozenset(row.languages or ()),
        tuple(
            Work(case_id, str(number), queue_id, channel, weight, datetime.fromtimestamp(float(at), UTC), held, over)
            for case_id, number, queue_id, channel, weight, at, held, over in works
        ),
    )


async def trends(tx: Tx, picture: Picture, at: datetime) -> None:
    """How many waited at each of the points of the last two hours, and of the same two hours a day ago."""
    newest = datetime.fromtimestamp(at.timestamp() // STEP_SECONDS * STEP_SECONDS, UTC)
    moments = [newest - timedelta(seconds=STEP_SECONDS * step) for step in range(POINTS - 1, -1, -1)]
    picture.trend_at, picture.trends, picture.before = newest, {}, {}
    place = {moment: step for step, moment in enumerate(moments)}
    for row in await tx.rows(statements.trend, {"moments": moments, "begin": moments[0]}):
        group = Group(row.queue_id, row.channel, row.language, row.team_id)
        picture.trends.setdefault(group, [0] * POINTS)[place[row.at]] = row.n
    day = timedelta(days=1)
    earlier = [moment - day for moment in moments]
    for row in await tx.rows(statements.trend, {"moments": earlier, "begin": earlier[0]}):
        picture.before.setdefault(row.queue_id, [0] * POINTS)[place[row.at + day]] += row.n


def next_point(picture: Picture, at: datetime) -> bool:
    """Add the newest point to the trends when its time has come; True when it had."""
    if picture.trend_at is None or (at - picture.trend_at).total_seconds() < STEP_SECONDS:
        return False
    picture.trend_at += timedelta(seconds=STEP_SECONDS)
    for group in {*picture.trends, *picture.waiting}:
        series = picture.trends.setdefault(group, [0] * POINTS)
        waiting = picture.waiting.get(group)
        series[:] = [*series[1:], waiting.count if waiting else 0]
    return True


async def unmet(tx: Tx, picture: Picture) -> None:
    """What nobody can take, by queue and by the nearest relaxation in words."""
    found = await queries.unmet_counts(tx)
    picture.unmet = [(queue_id, n, words) for (queue_id, words), n in found.items()]
