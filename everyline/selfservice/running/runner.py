"""The runner: does what runs wait for where nobody holds a request open, and ends those that nobody went on with. Any number of
processes may run one."""

from __future__ import annotations

import asyncio
import logging

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Tx, is_away
from everyline.ground.installation import Ground
from everyline.selfservice.running import handing, telling
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import HELD_FOR, Move, Stands, move_all
from everyline.selfservice.running.turns import MOST_ON, stands_now, step_on
from everyline.selfservice.walking import Failed

log = logging.getLogger(__name__)

AT_ONCE = 20
MOST_TRIES = 3  # to do what a run waits for
AGAIN_SECONDS = 2.0  # after the first of them; thrice as long after each further one
LATEST_SECONDS = 10.0


class Runner:
    """Runs for one process of the worker role."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._library = ground, Library()

    async def run(self) -> None:
        """For ever; woken by the bus."""
        with self._ground.bus.subscribed() as wakes:
            while True:
                wakes.clear()
                try:
                    busy = await self.round() == AT_ONCE
                except (DatabaseError, OSError) as error:
                    log.warning("flows wait: %s", error)
                    busy = False
                if not busy:
                    await wakes.wait(LATEST_SECONDS)

    async def round(self) -> int:
        """Once; returns for how many runs something was done."""
        async with self._ground.database.transaction() as tx:
            values = {"at": now(), "seconds": HELD_FOR.total_seconds(), "most": AT_ONCE}
            claimed = await tx.rows(statements.claim, values)
        await asyncio.gather(*(self._one(row.id, row.failures) for row in claimed))
        return len(claimed) + await self._end_old()

    async def _one(self, run_id: int, tries: int) -> None:
        """``tries``: with this one. After too many, people go on."""
        if tries > MOST_TRIES:  # whoever did it was gone each time
            await self._give_up(run_id)
            return
        try:
            async with self._ground.database.transaction() as tx:
                stands = await stands_now(tx, self._ground, self._library, run_id)
            for _n in range(MOST_ON):
                if stands.turn.does is None or stands.run.ended:
                    break
                stands = await step_on(self._ground, self._library, stands, holds=True, after=self._tell)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("run %s could not go on, for the %s. time", run_id, tries)
            if tries == MOST_TRIES:
                await self._give_up(run_id)
            else:
                async with self._ground.database.transaction() as tx:
                    await tx.execute(statements.rest, {"id": run_id, "at": now(), "seconds": AGAIN_SECONDS})

    async def _give_up(self, run_id: int) -> None:
        """The way to people, with all that was filled in; where that fails as well, the end."""
        log.error("run %s is given up", run_id)
        try:
            async with self._ground.database.transaction() as tx:
                before = await stands_now(tx, self._ground, self._library, run_id)
                await self._note_failure(tx, run_id, before.run.flow, before.run.state.step)
                if before.turn.does is not None and handing.in_talk(before.run, before.turn.does):
                    await handing.leave_to_people(tx, run_id)
                    return
                move = Move(run_id, Failed(), before.run.turns)
                (stands,) = await move_all(tx, self._ground.vault, self._library, [move])
                await self._tell(tx, stands)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("run %s ends", run_id)
            async with self._ground.database.transaction() as tx:
                await self._note_failure(tx, run_id, "", "")
                await handing.leave_to_people(tx, run_id)

    async def _note_failure(self, tx: Tx, run_id: int, flow: str, step: str) -> None:
        await tx.execute(statements.failed, {"id": run_id})
        await events.record(tx, "run.failed", run_id=run_id, flow=flow, step=step)

    async def _tell(self, tx: Tx, stands: Stands) -> None:
        await telling.tell(tx, self._ground, self._library, stands)

    async def _end_old(self) -> int:
        async with self._ground.database.transaction() as tx:
            old = await tx.column(statements.over, {"at": now(), "most": AT_ONCE})
            await tx.execute(statements.old_links, {"at": now()})
        for run_id in old:
            try:
                async with self._ground.database.transaction() as tx:
                    await telling.leave(tx, run_id)
            except Exception as error:  # one that cannot be left keeps no other from it
                if is_away(error):
                    raise
                log.exception("run %s could not be left", run_id)
                async with self._ground.database.transaction() as tx:
                    await tx.execute(statements.end, {"id": run_id, "at": now(), "outcome": handing.FAILED})
        return len(old)
