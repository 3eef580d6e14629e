"""Runs as they are kept, and what becomes of those that cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.selfservice import actions, flows
from everyline.selfservice.errands import shipped
from everyline.selfservice.errands.contract import Asking, Settled, declared
from everyline.selfservice.flows import Ask, Done, Errand, Flow, Queue, words
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.running import passes
from everyline.selfservice.running.runner import Runner
from everyline.selfservice.running.turns import Turns
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.walking import Said
from tests.mail import MailLine

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


# --- what cannot go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is to be said."""


async def _raises(asking: Asking, given: Nothing) -> Settled:
    raise KeyError("nobody thought of this")


async def _tells_what_cannot_be_kept(asking: Asking, given: Nothing) -> Settled:
    return Settled("a\x00b")  # PostgreSQL keeps no such text


@pytest.fixture
def faulty() -> Iterator[None]:
    """Errands that nobody ships."""
    made = {
        name: declared(run, Nothing, name=name, title=name, changes="", needs=Level.UNKNOWN)
        for name, run in (("raises", _raises), ("poison", _tells_what_cannot_be_kept))
    }
    shipped.ERRANDS.update(made)
    yield
    for name in made:
        del shipped.ERRANDS[name]


def doing(errand: str) -> Flow:
    return Flow(
        "doing",
        title=words("Do it"),
        start="mail",
        person="agent",
        steps=(
            Ask("mail", words=words("Your address?"), slot=Slot(Kind.EMAIL, "mail"), to="message"),
            Ask("message", words=words("What is it?"), slot=Slot(Kind.TEXT, "message"), to="do"),
            Errand("do", errand=errand, values={}, done="end", refused="agent", down="agent"),
            Done("end", words=words("Thank you.")),
            Queue("agent", words=words("A person answers you.")),
        ),
    )


async def begun(ground: Ground, errand: str) -> tuple[Turns, int]:
    """A run that stands before the errand, with an address to answer to."""
    await MailLine.add(ground)
    await publish(ground, doing(errand))
    turns = Turns(ground)
    stands = await turns.begin("doing", Who())
    stands = await turns.answer(stands.run.id, Said("ann@home.example"), stands.run.turns, Who())
    return turns, stands.run.id


async def again(ground: Ground, runner: Runner) -> None:
    """The worker's next round, as if time had passed."""
    async with ground.database.transaction() as tx:
        await tx.execute(text("update flow_run set held_until = null"))
    await runner.round()


async def test_what_an_errand_raises_leads_to_a_person_at_once(ground: Ground, faulty: None) -> None:
    turns, run_id = await begun(ground, "raises")
    stands = await turns.answer(run_id, Said("My lamp"), 2, Who())
    assert (stands.run.outcome, stands.run.case_id is not None) == ("person", True)


async def test_a_run_that_cannot_go_on_is_tried_thrice_and_goes_to_a_person(ground: Ground, faulty: None) -> None:
    turns, run_id = await begun(ground, "poison")
    with pytest.raises(DatabaseError):
        await turns.answer(run_id, Said("My lamp"), 2, Who())
    runner = Runner(ground)
    waits = []
    for n in range(1, 3):
        await again(ground, runner)
        async with ground.database.transaction() as tx:
            row = await tx.one(text("select failures, ended_at, held_until - now() as wait from flow_run"))
        assert (row.failures, row.ended_at) == (n, None)
        waits.append(row.wait)
    assert waits[1] > 2 * waits[0]
    await again(ground, runner)
    for _n in range(3):  # and then as any run does
        await again(ground, runner)
    async with ground.database.transaction() as tx:
        run = await tx.one(text("select outcome, case_id, told::text as told from flow_run"))
        assert run.outcome == "person"
        assert "Something went wrong on our side." in run.told
        message = await tx.value(text("select text from message where case_id = :id"), {"id": run.case_id})
        assert "My lamp" in message
        assert await tx.value(text("select data->>'step' from event where kind = 'run.failed'")) == "do"
        shown = await passes.figures(tx, "doing", 1, now() - timedelta(days=1))
    assert (shown["do"].failed, shown["message"].failed) == (1, 0)


async def test_a_run_that_nobody_can_read_ends_and_keeps_nobody_else_waiting(ground: Ground, faulty: None) -> None:
    _turns, run_id = await begun(ground, "raises")
    async with ground.database.transaction() as tx:
        await tx.execute(text("update flow_run set waits = 'outside', sealed = 'broken'"))
    runner = Runner(ground)
    for _n in range(3):
        await again(ground, runner)
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select outcome from flow_run where id = :id"), {"id": run_id}) == "failed"
    assert await runner.round() == 0


async def test_who_dies_with_a_run_in_hand_each_time_is_counted_too(ground: Ground, faulty: None) -> None:
    _turns, run_id = await begun(ground, "raises")
    async with ground.database.transaction() as tx:
        await tx.execute(text("update flow_run set waits = 'outside', failures = 3, sealed = 'broken'"))
    await again(ground, Runner(ground))
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select outcome from flow_run where id = :id"), {"id": run_id}) == "failed"
