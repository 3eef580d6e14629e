"""Turns for somebody who waits for them: moved, what is to be done outside done at once, moved on, until they are asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.running import handing, outside, proving, questioning, telling
from everyline.selfservice.running.keeping import run_of, statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import HELD_FOR, Begins, Move, Stands, begin_all, move_all, stood
from everyline.selfservice.slots import Value
from everyline.selfservice.walking import Given, Recognised

After = Callable[[Tx, Stands], Awaitable[None]]

MOST_ON = 50  # things done outside one after the other, until somebody is asked


class Turns:
    """Runs of one process of the web role."""

    def __init__(self, ground: Ground, library: Library | None = None) -> None:
        self._ground, self.library = ground, library or Library()

    async def begin(
        self,
        flow: str,
        who: Who,
        *,
        slots: Mapping[str, Value] | None = None,
        facts: Mapping[str, Any] | None = None,
        holder: bytes | None = None,
    ) -> Stands:
        """Begin a run. NotFound when there is no such flow."""
        one = Begins(flow, who, slots or {}, facts or {}, holder)
        async with self._ground.database.transaction() as tx:
            (stands,) = await begin_all(tx, self._ground.vault, self.library, [one], holds=True)
        return await self._on(stands)

    async def answer(self, run_id: int, given: Given, turn: int, who: Who) -> Stands:
        """Answer a turn. An answer to a turn that is over, or given twice, moves nothing: it is told where the run stands."""
        async with self._ground.database.transaction() as tx:
            stands = await self._moved(tx, Move(run_id, given, turn, who, holds=True))
        return await self._on(stands)

    async def look(self, run_id: int, who: Who) -> Stands:
        """Where a run stands. What was to be done outside and was left undone, because who did it is gone, is done now; who is
        asked to show who they are and has signed in meanwhile has shown it."""
        async with self._ground.database.transaction() as tx:
            stands = await stands_now(tx, self._ground, self.library, run_id)
            if (
                stands.run.state.flow in (proving.NAME, questioning.NAME)
                and who.shows(Level.SIGNED_IN)
                and not stands.run.outside
            ):
                stands = await self._moved(tx, Move(run_id, Recognised(), stands.run.turns, who, holds=True))
            elif not stands.run.outside or stands.run.held or stands.run.ended:
                return stands
            else:
                await tx.execute(statements.held, {"id": run_id, "until": now() + HELD_FOR})
        return await self._on(stands)

    async def _moved(self, tx: Tx, move: Move) -> Stands:
        found = await move_all(tx, self._ground.vault, self.library, [move])
        if not found:
            raise NotFound(_("There is nothing at this address."))
        await self._tell(tx, found[0])
        return found[0]

    async def _tell(self, tx: Tx, stands: Stands) -> None:
        await telling.tell(tx, self._ground, self.library, stands)

    async def _on(self, stands: Stands) -> Stands:
        """Do what is to be done outside until somebody is asked. All that is told meanwhile is told in one turn."""
        for _n in range(MOST_ON):
            if stands.turn.does is None or stands.run.ended:
                break
            stands = await step_on(self._ground, self.library, stands, holds=True, after=self._tell)
        return stands


async def stands_now(tx: Tx, ground: Ground, library: Library, run_id: int) -> Stands:
    """Where a run stands, as it is kept. NotFound."""
    row = await tx.first(statements.look, {"id": run_id, "at": now()})
    if row is None:
        raise NotFound(_("There is nothing at this address."))
    run = run_of(row, ground.vault)
    return stood(await library.open(tx, [run.state]), run)


async def step_on(ground: Ground, library: Library, stands: Stands, *, holds: bool, after: After) -> Stands:
    """Do what a run waits for, and move it on by what came of it; ``after`` is done in the transaction of the move. Where a talk
    is handed over that is, too."""
    run, does = stands.run, stands.turn.does
    assert does is not None
    if handing.in_talk(run, does):
        async with ground.database.transaction() as tx:
            given = await handing.hand_over(tx, library, run, does)
            return await _came(tx, ground, library, Move(run.id, given, run.turns, holds=holds), after)
    outcome = await outside.do(ground, library, run, does)
    async with ground.database.transaction() as tx:
        if outcome.case_id is not None:
            await tx.execute(statements.join, {"id": run.id, "case_id": outcome.case_id, "interaction_id": None})
        return await _came(tx, ground, library, Move(run.id, outcome.given, run.turns, outcome.who, holds=holds), after)


async def _came(tx: Tx, ground: Ground, library: Library, move: Move, after: After) -> Stands:
    (stands,) = await move_all(tx, ground.vault, library, [move])
    await after(tx, stands)
    return stands
