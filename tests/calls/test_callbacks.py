"""Who asked to be called: kept in their place, offered to who can call, tried again, and left to a person in the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from conftest import SignInAs
from everyline.call_contract import CallNow, CallState, Direction
from everyline.calls import actions, callbacks, calling
from everyline.calls.models import CallOrder
from everyline.cases.models import Case, Interaction, Talk
from everyline.channel_contract import Address
from everyline.customers import actions as customers
from everyline.ground import events
from everyline.ground.addresses import NUMBER
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.intake import talking
from everyline.people.rules import Me, Role
from everyline.queues import abilities
from everyline.queues import actions as queues
from everyline.queues import queries as floor
from everyline.queues.models import Assignment, Callback, QueueEntry

pytestmark = pytest.mark.req("V4")
THEIRS = "+13605550142"
CALLER = Address(NUMBER, THEIRS, "Jane Doe", "first-call")


class House:
    """A house in whose queue somebody waits on the telephone."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    async def begin(self) -> None:
        async with self.ground.database.transaction() as tx:
            self.queue_id = await tx.value(text("insert into queue (name) values ('Calls') returning id"))
            insert_line = (
                "insert into line (channel, address, name) values ('phone', '+18005550100', 'Toll-free') returning id"
            )
            self.line_id = await tx.value(text(insert_line))
            known = (await customers.find_or_create(tx, [CALLER]))[NUMBER, THEIRS]
            self.customer_id = known.customer_id
            self.case_id = await tx.value(
                text('insert into "case" (customer_id, subject, queue_id) values (:c, :s, :q) returning id'),
                {"c": known.customer_id, "s": "A call", "q": self.queue_id},
            )
            interaction_id = await tx.value(
                text(
                    "insert into interaction (case_id, line_id, contact_point_id, channel, media_class, started_at) "
                    "values (:case, :line, :point, 'phone', 'call', now()) returning id"
                ),
                {"case": self.case_id, "line": self.line_id, "point": known.point_id},
            )
            await tx.execute(
                text("insert into talk (interaction_id, key, rules) values (:id, :key, '{}')"),
                {"id": interaction_id, "key": CALLER.talk},
            )
            await queues.wait_in(tx, self.case_id, self.queue_id, waiting_since=now() - timedelta(minutes=4))
            await actions.beat(tx, "node-1")

    async def ask(self) -> None:
        async with self.ground.database.transaction() as tx:
            await talking.ask_callback(tx, self.line_id, CALLER, THEIRS)

    async def waiting(self) -> Row:
        async with self.ground.database.transaction() as tx:
            return await tx.one(select(QueueEntry.__table__).where(QueueEntry.state == "waiting"))

    async def all_of(self, table: Any) -> list[Row]:
        async with self.ground.database.transaction() as tx:
            return list(await tx.rows(select(table.__table__).order_by(table.id)))

    async def kinds(self) -> list[str]:
        async with self.ground.database.transaction() as tx:
            return list(await tx.column(select(events.EventRow.kind).order_by(events.EventRow.id)))

    def me(self, agent_id: int) -> Me:
        return Me(
            agent_id, "Maya", "maya@house.example", Role.AGENT, all_queues=False, queue_ids=frozenset({self.queue_id})
        )

    async def calls(self, agent_id: int) -> tuple[int, CallNow]:
        """The agent takes who waits, and calls; it rings there."""
        entry = await self.waiting()
        async with self.ground.database.transaction() as tx:
            await queues.give_entry(tx, agent_id, entry.id, agent_id)
        async with self.ground.database.transaction() as tx:
            interaction_id = await calling.place(tx, self.me(agent_id), self.case_id, THEIRS)
            key = await tx.value(select(Talk.key).where(Talk.interaction_id == interaction_id))
        call = CallNow(key, Direction.OUT, CallState.RINGING, now(), THEIRS)
        await self.tell(call)
        return interaction_id, call

    async def tell(self, call: CallNow) -> None:
        async with self.ground.database.transaction() as tx:
            await actions.tell(tx, "node-1", self.line_id, call)

    async def calls_in_vain(self, agent_id: int) -> None:
        _interaction_id, call = await self.calls(agent_id)
        await self.tell(replace(call, state=CallState.ENDED, ended_at=now(), ended_by="customer", reason="busy"))


@pytest.fixture
async def house(ground: Ground) -> House:
    found = House(ground)
    await found.begin()
    return found


async def test_who_asks_waits_on_as_a_call_does_for_agents_who_can_call(house: House, sign_in: SignInAs) -> None:
    before = await house.waiting()
    await house.ask()
    entry = await house.waiting()
    assert (entry.media_class, entry.weight, entry.waiting_since) == ("call", 100, before.waiting_since)
    agent = await sign_in(queues=(house.queue_id,), available=True)
    async with house.ground.database.transaction() as tx:
        (deaf,) = await floor.floor_agents(tx, [agent.id])
        await tx.execute(text("insert into reach (agent_id, number) values (:id, '+13605550177')"), {"id": agent.id})
        (hears,) = await floor.floor_agents(tx, [agent.id])
    assert (deaf.caps.get("call"), hears.caps.get("call")) == (0, None)


async def test_without_a_line_that_can_call_it_is_answered_as_mail_is(house: House) -> None:
    async with house.ground.database.transaction() as tx:
        await talking.ask_callback(tx, house.line_id, CALLER, THEIRS)
        await tx.execute(text("update line set open = false"))
        entry_id = await tx.value(select(QueueEntry.id).where(QueueEntry.state == "waiting"))
        await queues.move_entry(tx, None, entry_id, house.queue_id)
    assert (await house.waiting()).media_class == "mail"


async def test_who_is_reached_waits_no_more(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    _interaction_id, call = await house.calls(agent.id)
    await house.tell(replace(call, state=CallState.UP, answered_at=now()))
    await house.tell(replace(call, state=CallState.ENDED, answered_at=now(), ended_at=now(), ended_by="customer"))
    (callback,) = await house.all_of(Callback)
    assert (callback.outcome, callback.settled_at is not None) == ("reached", True)
    (case,) = await house.all_of(Case)
    assert (case.tags, case.owner_id) == ([], agent.id)
    assert (await house.kinds()).count("callback.reached") == 1


async def test_nobody_there_is_tried_again_after_a_pause_and_then_a_person_decides(
    house: House, sign_in: SignInAs
) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    asked_at = (await house.all_of(Callback))[0].asked_at
    for tries in (1, 2):
        await house.calls_in_vain(agent.id)
        entry = await house.waiting()
        left = entry.callback_after - now()
        assert timedelta(minutes=14) < left <= timedelta(minutes=15)
        assert (entry.media_class, entry.waiting_since) == ("call", asked_at), "they keep their place"
        assert [(one.tries, one.trying_id) for one in await house.all_of(Callback)] == [(tries, None)]
        assert all(one.ended_at for one in await house.all_of(Assignment)), "nobody has it in hand"
        assert [one.owner_id for one in await house.all_of(Case)] == [None]
    await house.calls_in_vain(agent.id)
    entry = await house.waiting()
    assert (entry.media_class, entry.callback_after) == ("mail", None)
    (case,) = await house.all_of(Case)
    assert (case.tags, case.status) == (["not reached"], "open")
    kinds = await house.kinds()
    assert (kinds.count("callback.put_off"), kinds.count("callback.given_up")) == (2, 1)
    assert all(one.ended_at for one in await house.all_of(Interaction) if one.direction == "out")


async def test_the_next_try_waits_for_opening_and_for_the_end_of_quiet_hours(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    _interaction_id, call = await house.calls(agent.id)
    soon = now() + timedelta(minutes=10)
    async with house.ground.database.transaction() as tx:
        quiet = {"from": soon.strftime("%H:%M"), "until": (soon + timedelta(hours=2)).strftime("%H:%M")}
        await tx.execute(text("update customer set quiet_from = :from, quiet_until = :until, zone = 'UTC'"), quiet)
    await house.tell(replace(call, state=CallState.ENDED, ended_at=now(), ended_by="customer"))
    entry = await house.waiting()
    assert entry.callback_after.strftime("%H:%M") == quiet["until"]
    later = entry.callback_after + timedelta(minutes=30)
    async with house.ground.database.transaction() as tx:
        hours_id = await tx.value(
            text("insert into hours (name, zone, week) values ('Late', 'UTC', cast(:week as jsonb)) returning id"),
            {"week": json.dumps([[[f"{later:%H:%M}", "24:00"]]] * 7)},
        )
        await tx.execute(
            text("update queue set hours_id = :id where id = :queue"), {"id": hours_id, "queue": house.queue_id}
        )
    await house.calls_in_vain(agent.id)
    assert (await house.waiting()).callback_after.strftime("%H:%M") == later.strftime("%H:%M")


async def test_a_call_that_was_never_made_is_no_try(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    entry = await house.waiting()
    async with house.ground.database.transaction() as tx:
        await queues.give_entry(tx, agent.id, entry.id, agent.id)
        await abilities.hears(tx, agent.id, "node-7", ready=True)
        interaction_id = await calling.place(tx, house.me(agent.id), house.case_id, THEIRS)
        assert await tx.value(select(CallOrder.node)) == "node-7", "of the process that has their browser"
    async with house.ground.database.transaction() as tx:
        with pytest.raises(Conflict):
            await calling.place(tx, house.me(agent.id), house.case_id, THEIRS)
        assert await callbacks.sweep(tx) == 0, "it may yet be made"
        await queues.end_talk(tx, None, house.case_id, "gone")  # no process took the order: its talk is let go
        assert await callbacks.sweep(tx) == 1
        assert await callbacks.sweep(tx) == 0
    assert interaction_id
    assert (await house.waiting()).media_class == "call"
    assert [one.tries for one in await house.all_of(Callback)] == [0]


async def test_a_call_back_outlives_the_process_that_makes_it(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    await house.calls(agent.id)
    async with house.ground.database.transaction() as tx:
        await actions.leave(tx, "node-1")
        assert await actions.sweep(tx) == 1
    entry = await house.waiting()
    assert (entry.media_class, entry.case_id) == ("call", house.case_id)
    assert [one.tries for one in await house.all_of(Callback)] == [0]


async def test_who_hung_up_keeps_their_place_when_the_process_dies_before_it_tells(house: House) -> None:
    await house.tell(CallNow(CALLER.talk, Direction.IN, CallState.UP, now(), THEIRS))
    await house.ask()
    before = await house.waiting()
    async with house.ground.database.transaction() as tx:
        await actions.leave(tx, "node-1")
        assert await actions.sweep(tx) == 1
    after = await house.waiting()
    assert (after.id, after.media_class, after.waiting_since) == (before.id, "call", before.waiting_since)
    assert "call.lost" in await house.kinds()


async def test_who_is_settled_otherwise_is_not_called(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    async with house.ground.database.transaction() as tx:
        await queues.resolve(tx, agent.id, house.case_id)
    assert [one.outcome for one in await house.all_of(Callback)] == ["resolved"]


async def test_the_offer_and_the_case_say_whom_to_call(
    house: House, sign_in: SignInAs, client: httpx.AsyncClient
) -> None:
    agent = await sign_in(queues=(house.queue_id,), available=True)
    await house.ask()
    entry = await house.waiting()
    async with house.ground.database.transaction() as tx:
        at = now()
        await tx.execute(
            text("insert into offer (entry_id, agent_id, offered_at, expires_at) values (:e, :a, :at, :until)"),
            {"e": entry.id, "a": agent.id, "at": at, "until": at + timedelta(seconds=60)},
        )
        await tx.execute(text("update queue_entry set state = 'offered' where state = 'waiting'"))
    offer = (await client.get("/desk/offers", headers=agent.cookie)).text
    assert "Call back +1 360-555-0142" in offer
    assert "attempt 1 of 3" in offer
    page = (await client.get(f"/desk/cases/{house.case_id}", headers=agent.cookie)).text
    assert "Call back +1 360-555-0142" in page
    assert "Call now" in page


async def test_a_machine_counts_as_nobody_and_it_is_tried_again(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    _interaction_id, call = await house.calls(agent.id)
    answered = replace(call, state=CallState.UP, answered_at=now(), answered_by="listening")
    await house.tell(answered)
    assert "callback.reached" not in await house.kinds(), "nobody knows yet"
    await house.tell(replace(answered, answered_by="machine"))
    await house.tell(replace(answered, answered_by="machine", state=CallState.ENDED, ended_at=now(), ended_by="us"))
    (asked,) = await house.all_of(Callback)
    assert (asked.tries, asked.settled_at) == (1, None)
    async with house.ground.database.transaction() as tx:
        data = await tx.value(text("select data from event where kind = 'callback.put_off'"))
    assert data["answered_by"] == "machine"


@pytest.mark.parametrize("found", ["person", "unsure"])
async def test_who_is_no_machine_was_reached_once_that_is_known(house: House, sign_in: SignInAs, found: str) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    _interaction_id, call = await house.calls(agent.id)
    answered = replace(call, state=CallState.UP, answered_at=now(), answered_by="listening")
    await house.tell(answered)
    await house.tell(replace(answered, answered_by=found))
    assert "callback.reached" in await house.kinds()


async def test_who_hangs_up_before_that_is_known_was_reached(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(house.queue_id,))
    await house.ask()
    _interaction_id, call = await house.calls(agent.id)
    answered = replace(call, state=CallState.UP, answered_at=now(), answered_by="listening")
    await house.tell(answered)
    await house.tell(replace(answered, state=CallState.ENDED, ended_at=now(), ended_by="customer"))
    assert "callback.reached" in await house.kinds()
