"""What the figures of the sample company are made of beside its cases: its agents' days, and what customers answered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from everyline.ground import events
from everyline.ground.database import Tx
from everyline.ground.events import Event
from everyline.measure import surveying
from everyline.sample.generator import DAYS, SEED, ZONE
from everyline.sample.house import House

ANSWERS = (5, 5, 5, 4, 4, 4, 3, 3, 2, 1)
ANSWERING = 0.34  # of those asked


async def bring(tx: Tx, house: House, at: datetime) -> None:
    """Agents' states of the last weeks, up to yesterday, and the surveys of the cases that were settled."""
    chance = random.Random(SEED)
    today = at.astimezone(ZoneInfo(ZONE)).date()
    days = [today - timedelta(days=n) for n in range(DAYS, 0, -1)]
    await events.record_all(tx, sorted(_states(chance, house.agents, days), key=lambda event: event.at))
    for queue_id in house.queues.values():
        await surveying.change_setting(tx, house.agents[0], queue_id, "satisfaction")
    rows = await tx.rows(
        text('select id, resolved_at from "case" where resolved_at < :at order by id'), {"at": at - timedelta(hours=2)}
    )
    for row in rows[::3]:
        score = chance.choice(ANSWERS) if chance.random() < ANSWERING else None
        await surveying.bring(tx, row.id, "satisfaction", score, row.resolved_at + timedelta(hours=1))


def _states(chance: random.Random, agents: Sequence[int], days: Sequence[date]) -> list[Event]:
    found = []
    for day in days:
        if day.weekday() > 4:
            continue
        for agent_id in agents:
            noon = 11.5 + chance.random() * 1.5
            steps = (
                (8 + chance.random() * 0.2, "available", ""),
                (10 + chance.random() * 0.5, "away", "Break"),
                (10.75 + chance.random() * 0.2, "available", ""),
                (noon, "away", "Lunch"),
                (noon + 0.5 + chance.random() * 0.1, "available", ""),
                (16.8 + chance.random() * 0.3, "offline", ""),
            )
            for hour, state, reason in steps:
                begins = datetime.combine(day, time(), ZoneInfo(ZONE)) + timedelta(hours=hour)
                data = {"state": state, "reason": reason}
                found.append(Event("agent.state_changed", begins, agent_id, agent_id, data=data))
    return found
