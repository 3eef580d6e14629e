"""The distributor: one leader in the installation, woken by events, that offers what waits to who can take it.

It holds nothing that matters: entries, offers and agents are read anew each time, what it decides is committed by
compare-and-set, and when its process dies another takes its place within seconds.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import psycopg
from sqlalchemy import select

from everyline.ground.clock import now
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.queues import actions, queries, rules
from everyline.queues.models import Offer, QueueEntry

log = logging.getLogger(__name__)

LEADER = 7332  # advisory lock of whoever leads
STAND_BY_SECONDS = 5.0
GATHER_SECONDS = 0.02  # what happens within this time is decided together


async def run(ground: Ground) -> None:
    """Lead whenever nobody else does. Ends only when cancelled."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(ground.database.url, autocommit=True) as connection:
                while not await _take_the_lead(connection):  # noqa: ASYNC110 -- who leads may be another process
                    await asyncio.sleep(STAND_BY_SECONDS)
                await _lead(ground, connection)
        except (psycopg.Error, DatabaseError, OSError) as error:
            log.warning("distributor stopped: %s", error)
            await asyncio.sleep(0.5)


async def _take_the_lead(connection: psycopg.AsyncConnection) -> bool:
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", (LEADER,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _lead(ground: Ground, connection: psycopg.AsyncConnection) -> None:
    log.info("distributor leads")
    with ground.bus.subscribed() as wakes:
        while True:
            wakes.clear()
            await connection.execute("select 1")  # the lock is ours only as long as this connection lives
            await distribute(ground)
            await wakes.wait(await _until_next(ground))
            await asyncio.sleep(GATHER_SECONDS)


async def distribute(ground: Ground) -> int:
    """One round: end offers whose time is over, and make new ones; returns how many were made."""
    async with ground.database.transaction() as tx:
        await actions.time_out(tx)
        await actions.end_wrap_ups(tx)
    async with ground.database.transaction() as tx:
        entries = await queries.waiting(tx)
        if not entries:
            return 0
        agents = await queries.candidates(tx)
        proposals = rules.match(entries, agents, now())
        return await actions.offer(tx, proposals) if proposals else 0


async def _until_next(ground: Ground) -> float:
    """Seconds until something changes by itself: an offer expires, or an entry stops waiting for its agent."""
    async with ground.database.transaction() as tx:
        moments: list[datetime] = []
        for statement in (
            select(Offer.expires_at).where(Offer.ended_at.is_(None)).order_by(Offer.expires_at).limit(1),
            select(QueueEntry.preferred_until)
            .where(QueueEntry.state == "waiting", QueueEntry.preferred_until > now())
            .order_by(QueueEntry.preferred_until)
            .limit(1),
        ):
            found = await tx.value(statement)
            if found is not None:
                moments.append(found)
    soonest = min(moments, default=None)
    if soonest is None:
        return ground.bus.CATCH_UP_SECONDS
    return min(max((soonest - now()).total_seconds(), 0.0) + 0.005, ground.bus.CATCH_UP_SECONDS)
