"""Waiting for what comes of an order: a page asks the process that moves sound, and tells what it answered."""

from __future__ import annotations

import asyncio

from everyline.calls import actions, queries
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.ground.words import _

STEPS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2)  # seconds between two looks; the last again and again


async def answered(ground: Ground, order_id: int, seconds: float = 3.0) -> str:
    """What came of an order, once it is carried out. Conflict with why not, or when nobody does it in time."""
    actions.call_for(ground.bus)
    loop = asyncio.get_running_loop()
    until, n = loop.time() + seconds, 0
    while True:
        row = await ground.database.glance(queries.statements.order_answer, {"id": order_id})
        if row is not None and row.done_at is not None:
            if row.refused:
                raise Conflict(row.refused)
            return str(row.answer)
        if loop.time() >= until:
            raise Conflict(_("Nobody moves the sound of calls at the moment. Please try again."))
        await asyncio.sleep(STEPS[min(n, len(STEPS) - 1)])
        n += 1


async def browser(ground: Ground, agent_id: int, offer: str, seconds: float = 5.0) -> str:
    """A browser wants to hear calls: its session description (SDP), answered with ours. Conflict when no process moves sound."""
    async with ground.database.transaction() as tx:
        order_id = await actions.of_browser(tx, agent_id, actions.BROWSER, offer=offer)
    return await answered(ground, order_id, seconds)


async def of_browser(ground: Ground, agent_id: int, deed: str, **values: object) -> str:
    """Something else is wanted of a browser that is there. Conflict when it is not."""
    async with ground.database.transaction() as tx:
        _reach, node = await queries.reach(tx, agent_id)
        if not node:
            raise Conflict(_("This browser is not connected to the telephone."))
        order_id = await actions.of_browser(tx, agent_id, deed, node, **values)
    return await answered(ground, order_id)
