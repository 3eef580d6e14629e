"""Calls as the house knows them: how they stand, what is wanted of them, and what becomes of those whose process is gone."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text

from conftest import SignInAs
from everyline.call_contract import CallNow, CallState, Deed, Direction, Keeping, LegKind, LegNow, LegState
from everyline.calls import actions, queries
from everyline.calls.models import CallOrder, Leg
from everyline.calls.sealing import Broken, seal, unseal
from everyline.cases.models import Interaction, Talk
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.intake.call_door import CallDoor
from everyline.measure.surveying import TalkSurveys
from everyline.people.rules import Me, Role
from everyline.queues import actions as queues
from everyline.queues import queries as floor
from everyline.queues.models import Assignment, QueueEntry
from everyline.roles.sounding import Node

CUSTOMER = LegNow("caller", LegKind.CUSTOMER, LegState.IN, "(360) 555-0142", number="+13605550142")


class House:
    """A house with one call that waits in a queue."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.key = secrets.token_hex(8)
        self.call = CallNow(self.key, Direction.IN, CallState.UP, now(), "+13605550142", legs=(CUSTOMER,))

    async def begin(self) -> None:
        async with self.ground.database.transaction() as tx:
            self.queue_id = await tx.value(text("insert into queue (name) values ('Calls') returning id"))
            self.line_id = await tx.value(
                text(
                    "insert into line (channel, address, name) values ('phone', '+18005550100', 'Toll-free') returning id"
                )
            )
            customer_id = await tx.value(text("insert into customer (name) values ('Jane Doe') returning id"))
            self.case_id = await tx.value(
                text('insert into "case" (customer_id, subject, queue_id) values (:c, :s, :q) returning id'),
                {"c": customer_id, "s": "A call", "q": self.queue_id},
            )
            self.interaction_id = await tx.value(
                text(
                    "insert into interaction (case_id, line_id, channel, media_class, started_at) "
                    "values (:case, :line, 'phone', 'call', now()) returning id"
                ),
                {"case": self.case_id, "line": self.line_id},
            )
            await tx.execute(
                text("insert into talk (interaction_id, key, rules) values (:id, :key, '{\"rejoin\": 300}')"),
                {"id": self.interaction_id, "key": self.key},
            )
            await actions.beat(tx, "node-1")

    async def tell(self, **changes: Any) -> None:
        self.call = replace(self.call, **changes)
        async with self.ground.database.transaction() as tx:
            await actions.tell(tx, "node-1", self.line_id, self.call)

    async def take(self, agent_id: int) -> None:
        """The call is in this agent's hands."""
        async with self.ground.database.transaction() as tx:
            await tx.execute(
                text(
                    "insert into queue_entry (queue_id, interaction_id, case_id, channel, media_class, weight, waiting_since, priority, offer_seconds) "
                    "values (:q, :i, :c, 'phone', 'call', 100, now(), 3, 20)"
                ),
                {"q": self.queue_id, "i": self.interaction_id, "c": self.case_id},
            )
            entry_id = await tx.value(select(QueueEntry.id))
            await queues.give_entry(tx, agent_id, entry_id, agent_id)

    async def row(self, tx: Tx) -> Row:
        found = await queries.of_interaction(tx, self.interaction_id)
        assert found is not None
        return found

    async def kinds(self, kind: str) -> list[Any]:
        async with self.ground.database.transaction() as tx:
            return await tx.rows(select(events.EventRow.__table__).where(events.EventRow.kind == kind))

    def me(self, agent_id: int, role: Role = Role.AGENT) -> Me:
        return Me(agent_id, "Maya", "maya@house.example", role, all_queues=False, queue_ids=frozenset({self.queue_id}))


@pytest.fixture
async def house(ground: Ground) -> House:
    found = House(ground)
    await found.begin()
    return found


@pytest.mark.req("V1", "A4")
async def test_what_is_told_of_a_call_is_what_agents_see(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.tell()
    await house.take(agent.id)
    mine = LegNow("maya", LegKind.AGENT, LegState.IN, "Maya", agent.id)
    await house.tell(legs=(CUSTOMER, mine), keeping=Keeping.ON, answered_at=now())
    async with house.ground.database.transaction() as tx:
        (row,) = await queries.of_agent(tx, agent.id)
        talk = await tx.one(select(Talk.__table__))
    assert (row.case_id, row.customer_name, row.number, row.line_name) == (
        house.case_id,
        "Jane Doe",
        "+13605550142",
        "Toll-free",
    )
    assert (row.state, row.keeping, [leg["name"] for leg in row.legs]) == ("up", "on", ["caller", "maya"])
    assert talk.answered_at is not None, "an agent and the customer hear each other"
    assert len(await house.kinds("call.moved")) == 2


@pytest.mark.req("A4")
async def test_quality_alone_is_no_news(house: House) -> None:
    await house.tell()
    await house.tell(legs=(replace(CUSTOMER, quality={"score": 4.1}),))
    assert len(await house.kinds("call.moved")) == 1
    async with house.ground.database.transaction() as tx:
        assert await tx.value(select(Leg.quality)) == {"score": 4.1}
    await house.tell(legs=(replace(CUSTOMER, remark="We do not hear them.", quality={}),))
    assert len(await house.kinds("call.moved")) == 2
    async with house.ground.database.transaction() as tx:
        assert await tx.value(select(Leg.quality)) == {"score": 4.1}, "what was known stays until something else is"


@pytest.mark.req("V5")
async def test_a_customer_on_hold_is_so_in_the_figures_and_the_agent_stays_busy(
    house: House, sign_in: SignInAs
) -> None:
    agent = await sign_in(queues=(house.queue_id,), available=True, hears=True)
    await house.tell()
    await house.take(agent.id)
    mine = LegNow("maya", LegKind.AGENT, LegState.IN, "Maya", agent.id)
    await house.tell(legs=(CUSTOMER, mine))
    await house.tell(legs=(replace(CUSTOMER, state=LegState.HELD), mine))
    async with house.ground.database.transaction() as tx:
        assert await tx.value(select(Assignment.held_at)) is not None
        (candidate,) = [one for one in await floor.floor_agents(tx) if one.id == agent.id]
        assert candidate.load == 100
        await tx.execute(text("update assignment set held_at = held_at - interval '90 seconds'"))
    await house.tell(legs=(CUSTOMER, mine))
    async with house.ground.database.transaction() as tx:
        row = await tx.one(select(Assignment.__table__))
    assert (row.held_at, row.held_seconds) == (None, 90)
    assert len(await house.kinds("interaction.held")) == len(await house.kinds("interaction.resumed")) == 1


@pytest.mark.req("V1")
async def test_what_has_ended_stays_ended(house: House) -> None:
    await house.tell()
    await house.tell(state=CallState.ENDED, ended_at=now(), ended_by="customer", legs=())
    await house.tell(state=CallState.UP, ended_at=None, ended_by="", legs=(CUSTOMER,))
    async with house.ground.database.transaction() as tx:
        row = await house.row(tx)
    assert (row.state, row.ended_by) == ("ended", "customer")
    assert [leg["state"] for leg in row.legs] == ["gone"]


@pytest.mark.req("V5")
async def test_an_order_is_taken_once_by_the_process_that_has_the_call(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.tell()
    await house.take(agent.id)
    async with house.ground.database.transaction() as tx:
        order_id = await actions.order(
            tx, house.me(agent.id), house.interaction_id, Deed.CONSULT, number="(360) 555-0199"
        )
    async with house.ground.database.transaction() as tx:
        assert await actions.take(tx, "node-2") == []
        (row,) = await actions.take(tx, "node-1")
        assert await actions.take(tx, "node-1") == []
        assert (row.call_key, row.deed, row.values) == (house.key, "consult", {"number": "+13605550199"})
        await actions.settle(tx, order_id, refused="They do not answer.")
    async with house.ground.database.transaction() as tx:
        kept = await tx.one(select(CallOrder.__table__))
    assert (kept.refused, kept.done_at is not None) == ("They do not answer.", True)


@pytest.mark.req("V5")
async def test_an_order_that_nobody_took_in_time_is_not_done_any_more(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.tell()
    await house.take(agent.id)
    async with house.ground.database.transaction() as tx:
        await actions.order(tx, house.me(agent.id), house.interaction_id, Deed.HANG_UP)
        await tx.execute(text("update call_order set asked_at = asked_at - interval '1 minute'"))
        assert await actions.take(tx, "node-1") == []


@pytest.mark.req("V5", "V6")
async def test_calls_obey_who_has_them_and_who_leads(house: House, sign_in: SignInAs) -> None:
    agent, other, lead = await sign_in(queues=(house.queue_id,)), await sign_in(), await sign_in("supervisor")
    await house.tell()
    await house.take(agent.id)
    stranger = replace(house.me(other.id), queue_ids=frozenset())
    async with house.ground.database.transaction() as tx:
        for me, deed in ((stranger, Deed.HOLD), (stranger, Deed.LISTEN), (house.me(agent.id), Deed.WHISPER)):
            with pytest.raises(NotFound):
                await actions.order(tx, me, house.interaction_id, deed)
        with pytest.raises(Conflict):
            await actions.order(tx, house.me(other.id), house.interaction_id, Deed.HANG_UP)
        await actions.order(tx, house.me(lead.id, Role.SUPERVISOR), house.interaction_id, Deed.LISTEN)
    (overseen,) = await house.kinds("call.overseen")
    assert (overseen.actor_id, overseen.agent_id, overseen.data["deed"]) == (lead.id, agent.id, "listen")


@pytest.mark.req("V5")
@pytest.mark.parametrize(
    ("deed", "values"),
    [
        (Deed.PRESS, {}),
        (Deed.PRESS, {"keys": "12x"}),
        (Deed.PRESS, {"keys": "1" * 41}),
        (Deed.DROP, {}),
        (Deed.CONSULT, {}),
        (Deed.CONSULT, {"number": "+13605550199", "with": 3}),
        (Deed.ADD, {"number": "nobody"}),
    ],
)
async def test_an_order_that_means_nothing_is_refused(
    house: House, sign_in: SignInAs, deed: Deed, values: dict[str, Any]
) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.tell()
    await house.take(agent.id)
    async with house.ground.database.transaction() as tx:
        with pytest.raises(Invalid):
            await actions.order(tx, house.me(agent.id), house.interaction_id, deed, **values)
        assert await tx.value(select(CallOrder.id)) is None


@pytest.mark.req("V1", "V4")
async def test_calls_of_a_process_that_is_gone_are_over_and_the_case_says_so(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.tell(legs=(CUSTOMER, LegNow("maya", LegKind.AGENT, LegState.IN, "Maya", agent.id)))
    await house.take(agent.id)
    async with house.ground.database.transaction() as tx:
        assert await actions.sweep(tx) == 0
        await tx.execute(text("update sound_node set beat_at = beat_at - interval '1 minute'"))
        assert await actions.sweep(tx) == 1
        assert await actions.sweep(tx) == 0
    async with house.ground.database.transaction() as tx:
        row = await house.row(tx)
        ended_at = await tx.value(select(Interaction.ended_at))
        work = await tx.one(select(Assignment.__table__))
    assert (row.state, row.ended_by, ended_at is not None, work.work_ended_at is not None) == (
        "ended",
        "lost",
        True,
        True,
    )
    assert "cut off" in row.reason
    assert len(await house.kinds("call.lost")) == 1


@pytest.mark.req("V6")
def test_a_sealed_piece_opens_in_its_place_and_nowhere_else() -> None:
    key = secrets.token_bytes(32)
    sealed = seal(key, "call-1")(3, b"what was said")
    assert b"said" not in sealed
    assert unseal(key, "call-1")(3, sealed) == b"what was said"
    for cannot in (unseal(key, "call-2"), unseal(secrets.token_bytes(32), "call-1")):
        with pytest.raises(Broken):
            cannot(3, sealed)
    with pytest.raises(Broken):
        unseal(key, "call-1")(4, sealed)
    with pytest.raises(Broken):
        unseal(key, "call-1")(3, sealed[:-1] + bytes([sealed[-1] ^ 1]))


@pytest.mark.req("V1", "P2")
def test_a_process_of_the_same_machine_that_ended_is_known_to_be_gone() -> None:
    here, mine = socket.gethostname(), os.getpid()
    node = Node(here, mine, "abc")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert node.is_gone(f"{here}/{ended.pid}/x")
    assert node.is_gone(f"{here}/{mine}/before"), "a number is given again, in a container nearly always"
    assert not node.is_gone(str(node))
    assert not node.is_gone(f"{here}/{os.getppid()}/x")
    assert not node.is_gone(f"another/{ended.pid}/x")


@pytest.mark.req("V4", "V5")
async def test_who_was_passed_on_in_vain_waits_where_they_waited(
    house: House, sign_in: SignInAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    nothing: Any = None  # no sound moves here
    door = CallDoor(
        house.ground, Hub(house.ground), TalkSurveys(), node="node-1", engine=nothing, voices=nothing, browsers=nothing
    )

    async def talk(*_: object) -> SimpleNamespace:
        return SimpleNamespace(case_id=house.case_id)

    monkeypatch.setattr(door, "_going_on", talk)
    with pytest.raises(Conflict):
        await door.wait_again(nothing, nothing)
    await house.take(agent.id)
    entries = select(QueueEntry.__table__).order_by(QueueEntry.id)
    async with house.ground.database.transaction() as tx:
        (before,) = await tx.rows(entries)
    await door.wait_again(nothing, nothing)
    async with house.ground.database.transaction() as tx:
        *_, after = await tx.rows(entries)
    assert (after.queue_id, after.waiting_since) == (house.queue_id, before.waiting_since)
    assert after.id != before.id
