"""The keeper: does for talks what is due by time. Any number of processes may run one: each talk is done under its case's lock."""

from __future__ import annotations

import asyncio
import hmac
import logging

from everyline.ground.clock import now
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.intake import talking
from everyline.intake.talking import Surveys

log = logging.getLogger(__name__)

SOONEST_SECONDS = 0.5  # between two looks
LATEST_SECONDS = 10.0
AT_ONCE = 100


def survey_token(key: bytes, interaction_id: int) -> str:
    """What a talk's question is answered with: made again whenever it is asked for, and guessed by nobody."""
    return hmac.digest(key, f"survey of talk {interaction_id}".encode(), "sha256").hex()


class Keeper:
    """Keeps the talks for one process of the worker role."""

    def __init__(self, ground: Ground, surveys: Surveys | None = None) -> None:
        self._ground, self._surveys = ground, surveys

    async def run(self) -> None:
        """For ever."""
        with self._ground.bus.subscribed() as wakes:
            while True:
                wakes.clear()
                try:
                    busy = await self.round() == AT_ONCE
                    pause = 0.0 if busy else await self._until_next()
                except (DatabaseError, OSError) as error:
                    log.warning("talks wait: %s", error)
                    pause = 1.0
                await asyncio.sleep(SOONEST_SECONDS)
                await wakes.wait(pause)

    async def round(self) -> int:
        """Once; returns how many talks something was due for."""
        async with self._ground.database.transaction() as tx:
            rows = await talking.due(tx, AT_ONCE)
        for row in rows:
            token = survey_token(self._ground.key, row.id)
            try:
                async with self._ground.database.transaction() as tx:
                    await talking.act(tx, self._ground.signer, self._surveys, row, token)
            except DatabaseError:
                raise
            except Exception:
                log.exception("talk %s could not be kept", row.id)
        return len(rows)

    async def _until_next(self) -> float:
        async with self._ground.database.transaction() as tx:
            soonest = await tx.value(talking.statements.next_talk, {"at": now()})
        if soonest is None:
            return LATEST_SECONDS
        return float(min(max((soonest - now()).total_seconds(), 0.0), LATEST_SECONDS))
