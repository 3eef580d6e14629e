"""What is asked of calls."""

from __future__ import annotations

from collections.abc import Sequence

from everyline.call_contract import Reach
from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people.rules import Me
from everyline.queues import queries as queue_queries

statements = sql.beside(__file__, "calls.sql")
MOST_LISTED = 500


async def of_interaction(tx: Tx, interaction_id: int) -> Row | None:
    """A call with its legs (``legs``: ``call_contract.LegNow`` as JSON, with ids and times), its case and customer; None when the
    interaction is none."""
    return await tx.first(statements.of_interaction, {"interaction_id": interaction_id})


async def by_key(tx: Tx, me: Me, key: str) -> Row:
    """A call with its legs, whether or not a case came of it. NotFound when it is none, or out of one's scope."""
    row = await tx.first(statements.by_key, {"key": key})
    if row is None or not (me.all_queues or (row.case_id is not None and me.sees_queue(row.queue_id))):
        raise NotFound(_("There is no such call."))
    return row


async def of_agent(tx: Tx, agent_id: int) -> Sequence[Row]:
    """The calls that go on and that an agent has in hand or takes part in, newest first."""
    ids = await tx.column(statements.of_agent, {"agent_id": agent_id})
    found = [await of_interaction(tx, interaction_id) for interaction_id in ids]
    return [row for row in found if row is not None]


async def going_on(tx: Tx, me: Me) -> Sequence[Row]:
    """All calls that go on within one's scope, oldest first."""
    values = {"everything": me.all_queues, "queue_ids": sorted(me.queue_ids), "most": MOST_LISTED}
    return await tx.rows(statements.going_on, values)


async def whose(tx: Tx, number: str) -> int | None:
    """The agent who hears calls at a telephone; None when it is nobody's, or not one's own."""
    found: int | None = await tx.value(statements.whose_telephone, {"number": number})
    return found


async def reach(tx: Tx, agent_id: int) -> tuple[Reach, str]:
    """Where an agent hears calls, and which process has their browser's sound (empty: none)."""
    row = await tx.one(queue_queries.statements.reach, {"agent_ids": [agent_id]})
    return Reach(row.agent_id, row.name, row.number, row.language), row.node if row.ready else ""
