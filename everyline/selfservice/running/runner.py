"""The runner: does what runs wait for where nobody holds a request open, and ends those that nobody went on with. Any number of
processes may run one."""

from __future__ import annotations

import asyncio
import logging

from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Tx
from everyline.ground.installation import Ground
from everyline.selfservice.running import telling
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import HELD_FOR, Stands
from everyline.selfservice.running.turns import MOST_ON, stands_now, step_on

log = logging.getLogger(__name__)

AT_ONCE = 20
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
            values = {"at": now(), "until": now() + HELD_FOR, "most": AT_ONCE}
            ids = await tx.column(statements.claim, values)
        await asyncio.gather(*(self._one(run_id) for run_id in ids))
        return len(ids) + await self._end_old()

    async def _one(self, run_id: int) -> None:
        try:
            async with self._ground.database.transaction() as tx:
                stands = await stands_now(tx, self._ground, self._library, run_id)
            for _n in range(MOST_ON):
                if stands.turn.does is None or stands.run.ended:
                    break
                stands = await step_on(self._ground, self._library, stands, holds=True, after=self._tell)
        except (DatabaseError, OSError):
            raise
        except Exception:
            log.exception("run %s could not go on", run_id)

    async def _tell(self, tx: Tx, stands: Stands) -> None:
        await telling.tell(tx, self._ground, self._library, stands)

    async def _end_old(self) -> int:
        async with self._ground.database.transaction() as tx:
            old = await tx.column(statements.over, {"at": now(), "most": AT_ONCE})
            for run_id in old:
                await telling.leave(tx, run_id)
            await tx.execute(statements.old_links, {"at": now()})
        return len(old)
