"""Runs as they are kept, and what becomes of those that cannot go on."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Ask, Done, Flow, Queue, words
from everyline.selfservice.identity import Who
from everyline.selfservice.running.turns import Turns
from everyline.selfservice.slots import Kind, Slot, Value

pytestmark = pytest.mark.req("V3", "W3")

PIN = Flow(
    "pin",
    title=words("Your PIN"),
    start="pin",
    person="agent",
    steps=(
        Ask("pin", words=words("Your PIN?"), slot=Slot(Kind.SECRET, "pin"), to="street"),
        Ask("street", words=words("Which street?"), slot=Slot(Kind.TEXT, "street"), to="end"),
        Done("end", words=words("Thank you.")),
        Queue("agent", words=words("A person answers you.")),
    ),
)


async def publish(ground: Ground, flow: Flow) -> None:
    async with ground.database.transaction() as tx:
        await actions.add(tx, None, flows.written(flow))
        await actions.publish(tx, None, flow.name)


async def test_a_secret_that_a_run_begins_with_is_kept_and_locked(ground: Ground) -> None:
    await publish(ground, PIN)
    turns = Turns(ground)
    stands = await turns.begin("pin", Who(), slots={"pin": Value(Kind.SECRET, "4711")})
    assert stands.turn.asks is not None
    assert stands.turn.asks.step == "street", "what was given is not asked for"
    assert (await turns.look(stands.run.id, Who())).run.state.slots["pin"].value == "4711"
    async with ground.database.transaction() as tx:
        row = await tx.one(text("select state::text as state, told::text as told, sealed from flow_run"))
    assert "4711" not in row.state + row.told
    assert b"4711" not in bytes(row.sealed)
