"""The distributor: one leader in the installation, woken by events, that offers what waits to who can take it.

The leader keeps a floor (what waits, who could take it) and lets events tell it what to read anew: the database is the
truth, what is decided is committed by compare-and-set, and what did not hold is read again. Nothing is lost with the leader:
when its process dies, another takes its place within seconds and reads everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import psycopg

from everyline.ground import events
from everyline.ground.clock import moment, now
from everyline.ground.database import DatabaseError, Tx
from everyline.ground.events import Position
from everyline.ground.installation import Ground
from everyline.queues import actions, queries, rules
from everyline.queues.floor import Floor
from everyline.queues.shares import choose

log = logging.getLogger(__name__)

LEADER = 7332  # advisory lock of whoever leads
STAND_BY_SECONDS = 5.0
GATHER_SECONDS = 0.04  # what happens within this time is decided together
READ_ANEW_SECONDS = 60.0  # everything, in case something was changed past the verbs
CONDITIONS_SECONDS = 5.0  # how often conditions of relaxation are looked at
AT_ONCE = 5000
INTERVAL = timedelta(minutes=15)

_OF_NO_AGENT = frozenset({"message.received"})  # changes nothing of whom it concerns, and comes most often of all
_ARRANGED = ("queue.", "skill.", "team.")  # what changes the rules themselves


async def run(ground: Ground) -> None:
    """Lead whenever nobody else does. Ends only when cancelled."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(ground.database.url, autocommit=True) as connection:
                while not await _take_the_lead(connection):  # noqa: ASYNC110 -- who leads may be another process
                    await asyncio.sleep(STAND_BY_SECONDS)
                await _lead(ground, connection)
        except (DatabaseError, OSError) as error:
            log.warning("distributor stopped: %s", error)
            await asyncio.sleep(0.5)


async def _take_the_lead(connection: psycopg.AsyncConnection) -> bool:
    cursor = await connection.execute("select pg_try_advisory_lock(%s)", (LEADER,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _lead(ground: Ground, connection: psycopg.AsyncConnection) -> None:
    log.info("distributor leads")
    distributor = Distributor(ground)
    with ground.bus.subscribed() as wakes:
        while True:
            wakes.clear()
            await connection.execute("select 1")  # the lock is ours only as long as this connection lives
            await distributor.round()
            if not distributor.busy:
                await wakes.wait(await distributor.until_next())
            await asyncio.sleep(GATHER_SECONDS)


class Distributor:
    """What the leader knows."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._floor: Floor | None = None
        self._position = Position(0, 0)
        self._seen = ""  # the snapshot that was read last
        self._peeked: set[int] = set()  # events after the position that were seen already
        self._read_at = 0.0
        self._conditions_at = 0.0
        self._stale: tuple[set[int], set[int]] = (set(), set())  # entries and agents to be read anew
        self.busy = False  # after a round: there is more to do at once

    async def round(self) -> int:
        """Once: end what is over, hear what is new, decide, commit; returns how many offers were made."""
        at = now().timestamp()
        async with self._ground.database.transaction() as tx:
            await actions.time_out(tx)
            await actions.end_wrap_ups(tx)
            await actions.overflow(tx)
        # one snapshot, which is written down with what is decided on it: so a decision can be understood, and replayed
        async with self._ground.database.transaction(reading=True) as tx:
            self._seen = str(await tx.value(queries.statements.snapshot))
            if self._floor is None or at - self._read_at > READ_ANEW_SECONDS:
                await self._read_all(tx)
                self.busy = False
            else:
                self.busy = await self._hear(tx)
            assert self._floor is not None
            if at - self._conditions_at > CONDITIONS_SECONDS:
                self._conditions_at = at
                await self._look_at_conditions(tx, self._floor)
        await self._allot(self._floor)
        return await self._decide(self._floor)

    async def _read_all(self, tx: Tx) -> None:
        newest = await events.newest(tx)
        queues = await queries.floor_queues(tx)
        floor = Floor(queues)
        counting = any(queue.strategy is rules.Strategy.FEWEST_HANDLED for queue in queues)
        for agent in await queries.floor_agents(tx, counting=counting):
            floor.put_agent(agent)
        at = now().timestamp()
        for entry in await queries.floor_entries(tx):
            floor.put_entry(entry, at)
        self._floor, self._position, self._read_at = floor, newest, at
        self._peeked.clear()
        self._stale = (set(), set())

    async def _hear(self, tx: Tx) -> bool:
        """Read anew what events say has changed."""
        assert self._floor is not None
        rows = await tx.rows(
            queries.statements.floor_changes,
            {"xid": str(self._position.xid), "id": self._position.id, "most": AT_ONCE},
        )
        fresh = [row for row in rows if row.id not in self._peeked]
        for row in rows:
            if not row.settled:
                break
            self._position = Position(int(row.xid), row.id)
            self._peeked.discard(row.id)
        else:
            self._peeked.clear()
        self._peeked.update(row.id for row in rows if not row.settled)
        stale_entries, stale_agents = self._stale
        self._stale = (set(), set())
        if any(row.kind.startswith(_ARRANGED) for row in fresh):
            await self._read_all(tx)
            return len(rows) == AT_ONCE
        await self._refresh(
            tx,
            stale_entries | {row.entry_id for row in fresh if row.entry_id is not None},
            stale_agents | {row.agent_id for row in fresh if row.agent_id is not None and row.kind not in _OF_NO_AGENT},
        )
        return len(rows) == AT_ONCE

    async def _refresh(self, tx: Tx, entry_ids: Iterable[int], agent_ids: Iterable[int]) -> None:
        floor = self._floor
        assert floor is not None
        entry_ids, agent_ids = sorted(entry_ids), sorted(agent_ids)
        at = now().timestamp()
        if entry_ids:
            found = {entry.id: entry for entry in await queries.floor_entries(tx, entry_ids)}
            if any(entry.queue_id not in floor.queues for entry in found.values()):
                await self._read_all(tx)
                return
            for entry_id in entry_ids:
                if entry_id in found:
                    floor.put_entry(found[entry_id], at)
                else:
                    floor.drop_entry(entry_id)
        if agent_ids:
            counting = any(queue.strategy is rules.Strategy.FEWEST_HANDLED for queue in floor.queues.values())
            agents = {agent.id: agent for agent in await queries.floor_agents(tx, agent_ids, counting=counting)}
            for agent_id in agent_ids:
                if agent_id in agents:
                    floor.put_agent(agents[agent_id])
                else:
                    floor.drop_agent(agent_id)

    async def _look_at_conditions(self, tx: Tx, floor: Floor) -> None:
        """Which steps of relaxation hold by a condition now."""
        asking = {
            queue.id: queue
            for queue in floor.queues.values()
            if any(step.condition is not None for step in queue.steps)
        }
        if not asking:
            return
        at = now()
        levels: Mapping[int, float] = {
            row.queue_id: float(row.level)
            for row in await tx.rows(
                queries.statements.levels_now, {"queue_ids": list(asking), "since": at - timedelta(minutes=30)}
            )
        }
        for queue_id, queue in asking.items():
            expected = await actions.expected_wait(tx, queue_id)
            facts = {
                rules.Condition.READY_UNDER: float(floor.ready_in(queue_id)),
                rules.Condition.EXPECTED_WAIT_OVER: expected.seconds if expected else None,
                rules.Condition.SERVICE_LEVEL_UNDER: levels.get(queue_id),
            }
            held = frozenset(number for number, step in enumerate(queue.steps, 1) if rules.holds(step, facts))
            floor.set_reached(queue_id, held, at.timestamp())

    async def _allot(self, floor: Floor) -> None:
        """Give entries of queues that are split to their partners."""
        split = {queue.id: queue for queue in floor.queues.values() if queue.shares}
        entries = (
            [
                entry
                for entry in floor.entries.values()
                if entry.queue_id in split and entry.team_id is None and not entry.preferred
            ]
            if split
            else []
        )
        if not entries:
            return
        at = now()
        seconds = INTERVAL.total_seconds()
        interval = moment(at.timestamp() // seconds * seconds)
        day: defaultdict[int, Counter[int]] = defaultdict(Counter)
        lately: defaultdict[int, Counter[int]] = defaultdict(Counter)
        given: dict[int, tuple[int, float]] = {}
        async with self._ground.database.transaction() as tx:
            begun = {"day": at.replace(hour=0, minute=0, second=0, microsecond=0), "interval": interval}
            for row in await tx.rows(queries.statements.shares_today, {"queue_ids": list(split), **begun}):
                day[row.queue_id][row.team_id] = int(row.day)
                lately[row.queue_id][row.team_id] = int(row.interval or 0)
            for entry in sorted(entries, key=lambda one: (one.since, one.id)):
                queue = split[entry.queue_id]
                there = [share for share in queue.shares if floor.ready_in(queue.id, share.team_id)]
                team = choose(there or queue.shares, day[queue.id], lately[queue.id])
                if team is not None:
                    day[queue.id][team] += 1
                    lately[queue.id][team] += 1
                    given[entry.id] = (team, at.timestamp() + queue.share_seconds)
            await actions.allot(tx, given, interval)
        for entry_id, (team, until) in given.items():
            floor.put_entry(replace(floor.entries[entry_id], team_id=team, team_until=until), at.timestamp())

    async def _decide(self, floor: Floor) -> int:
        at = now()
        proposals = floor.match(at.timestamp())
        if not proposals:
            return 0
        async with self._ground.database.transaction() as tx:
            made = await actions.offer(tx, proposals, at, seen=self._seen)
            accepting = {row.id: row.agent_id for row in made if floor.queues[row.queue_id].accepts}
            if accepting:
                await actions.accept_all(tx, accepting)
        for proposal in proposals:
            media_class = floor.entries[proposal.entry_id].media_class
            floor.drop_entry(proposal.entry_id)
            for agent_id in proposal.agent_ids:
                floor.put_agent(replace(floor.agents[agent_id], being_offered=True, offered=media_class))
        if accepting or len(made) < sum(len(proposal.agent_ids) for proposal in proposals):
            # what did not hold, or is over already, is read anew at once
            self._stale = (
                {proposal.entry_id for proposal in proposals},
                {agent_id for proposal in proposals for agent_id in proposal.agent_ids},
            )
            self.busy = True
        return len(made)

    async def until_next(self) -> float:
        """Seconds until something changes by itself: an offer expires, a wrap-up is over, an entry asks for something else."""
        async with self._ground.database.transaction() as tx:
            soonest = await tx.value(queries.statements.next_moment)
        moments = [soonest.timestamp()] if soonest is not None else []
        change = self._floor.next_change() if self._floor is not None else None
        if change is not None:
            moments.append(change)
        catch_up = self._ground.bus.CATCH_UP_SECONDS
        return min(max(min(moments, default=float("inf")) - now().timestamp(), 0.0) + 0.005, catch_up)
