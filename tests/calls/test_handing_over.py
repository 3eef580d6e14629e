"""Who hands a call over, and who is wanted in one: wrap-up and figures of each part, and no call that is offered to whoever rings already."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text, update

from conftest import SignedIn, SignInAs
from everyline.call_contract import Deed, LegKind, LegNow, LegState
from everyline.calls import actions
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import Conflict
from everyline.measure import ledgers
from everyline.queues import actions as queues
from everyline.queues import queries as floor
from everyline.queues.distributor import Distributor
from everyline.queues.models import Assignment, Queue, QueueEntry
from everyline.queues.rules import Proposal
from everyline.queues.waiting import Waiting
from tests.calls.test_calls import CUSTOMER, House
from tests.calls.test_calls import house as house

pytestmark = pytest.mark.req("V5", "Q4")
WRAP_UP = 120
PARTS = "select agent_id, outcome, wrap_up_code_id, talk_ms, wrap_up_ms from work where ended_at is not null order by accepted_at"


async def code(house: House, name: str) -> int:
    async with house.ground.database.transaction() as tx:
        await tx.execute(update(Queue).values(wrap_up_seconds=WRAP_UP))
        made: int = await tx.value(text("insert into wrap_up_code (name) values (:name) returning id"), {"name": name})
    return made


async def parts(house: House) -> list[Row]:
    """Everybody's work on the call, oldest first."""
    async with house.ground.database.transaction() as tx:
        return list(await tx.rows(select(Assignment.__table__).order_by(Assignment.id)))


async def past(house: House, seconds: int) -> None:
    """So much time passes for whoever has something in hand."""
    ago = {"ago": f"{seconds} seconds"}
    async with house.ground.database.transaction() as tx:
        for column in ("accepted_at", "work_ended_at"):
            await tx.execute(
                text(f"update assignment set {column} = {column} - cast(:ago as interval) where ended_at is null"), ago
            )
        await tx.execute(text("update event set at = at - cast(:ago as interval)"), ago)


async def test_both_parts_of_a_call_are_wrapped_up_and_counted(house: House, sign_in: SignInAs) -> None:
    maya, omar = [await sign_in(queues=(house.queue_id,), hears=True) for _n in range(2)]
    asked, settled = await code(house, "Asked a colleague"), await code(house, "Settled")
    await house.tell()
    await house.take(maya.id)
    await past(house, 40)
    async with house.ground.database.transaction() as tx:
        await queues.give(tx, maya.id, house.case_id, omar.id)
    await past(house, 60)
    async with house.ground.database.transaction() as tx:
        await queues.resolve(tx, omar.id, house.case_id, settled)
    first, second = await parts(house)
    assert (first.agent_id, first.outcome, first.ended_at) == (maya.id, "given", None), (
        "she wraps up, whatever becomes of it"
    )
    assert (second.agent_id, second.outcome, second.wrap_up_code_id) == (omar.id, "resolved", settled)
    async with house.ground.database.transaction() as tx:
        [hand] = await floor.in_hand(tx, maya.id)
        await queues.wrap_up(tx, maya.id, hand.id, asked)
    first, second = await parts(house)
    assert (first.outcome, first.wrap_up_code_id, second.wrap_up_code_id) == ("given", asked, settled)
    await ledgers.catch_up(house.ground.database)
    async with house.ground.database.transaction() as tx:
        hers, his = await tx.rows(text(PARTS))
    assert [(one.agent_id, one.outcome, one.wrap_up_code_id) for one in (hers, his)] == [
        (maya.id, "given", asked),
        (omar.id, "resolved", settled),
    ]
    assert hers.talk_ms == pytest.approx(40_000, abs=5_000)
    assert hers.wrap_up_ms == pytest.approx(60_000, abs=5_000)
    assert his.talk_ms == pytest.approx(60_000, abs=5_000)


async def test_a_call_that_goes_to_a_queue_is_wrapped_up_also_when_time_is_over(
    house: House, sign_in: SignInAs
) -> None:
    maya = await sign_in(queues=(house.queue_id,), hears=True)
    await code(house, "Sent on")
    await house.tell()
    await house.take(maya.id)
    async with house.ground.database.transaction() as tx:
        await queues.transfer(tx, maya.id, house.case_id, house.queue_id)
    [part] = await parts(house)
    assert (part.outcome, part.work_ended_at is not None, part.ended_at) == ("transferred", True, None)
    async with house.ground.database.transaction() as tx:
        assert await tx.value(select(QueueEntry.id).where(QueueEntry.state == "waiting")) is not None, (
            "it waits at once"
        )
    await past(house, WRAP_UP + 1)
    async with house.ground.database.transaction() as tx:
        assert await queues.end_wrap_ups(tx) == 1
    [part] = await parts(house)
    assert (part.outcome, part.ended_at is not None) == ("transferred", True)


async def test_who_leaves_a_call_to_somebody_else_wraps_up_while_it_goes_on(house: House, sign_in: SignInAs) -> None:
    maya = await sign_in(queues=(house.queue_id,), hears=True)
    await code(house, "Put through")
    await house.tell()
    await house.take(maya.id)
    async with house.ground.database.transaction() as tx:
        await queues.hand_over(tx, house.interaction_id, maya.id)
        await queues.hand_over(tx, house.interaction_id, maya.id)
    [part] = await parts(house)
    assert (part.outcome, part.work_ended_at is not None, part.ended_at) == ("transferred", True, None)
    ended_at = part.work_ended_at
    async with house.ground.database.transaction() as tx:
        await queues.end_talk(tx, None, house.case_id, "customer")
    [part] = await parts(house)
    assert (part.outcome, part.work_ended_at, part.ended_at) == ("transferred", ended_at, None), "as it was"


async def test_a_mail_that_is_given_on_is_not_wrapped_up(house: House, sign_in: SignInAs) -> None:
    maya, omar = [await sign_in(queues=(house.queue_id,)) for _n in range(2)]
    await code(house, "Read")
    await house.take(maya.id)
    async with house.ground.database.transaction() as tx:
        await tx.execute(text("update assignment set media_class = 'mail'"))
        await tx.execute(text("update interaction set media_class = 'mail'"))
        await queues.give(tx, maya.id, house.case_id, omar.id)
    [part] = await parts(house)
    assert part.ended_at is not None


# --- who is wanted in a call


def colleague(agent_id: int, state: LegState = LegState.RINGING) -> LegNow:
    return LegNow("agent-2", LegKind.AGENT, state, "Omar", agent_id)


async def second_call(house: House) -> int:
    """Somebody else calls, and waits; returns the case."""
    async with house.ground.database.transaction() as tx:
        customer_id = await tx.value(text("insert into customer (name) values ('Ada') returning id"))
        case_id: int = await tx.value(
            text('insert into "case" (customer_id, subject, queue_id) values (:c, :s, :q) returning id'),
            {"c": customer_id, "s": "Another", "q": house.queue_id},
        )
        interaction_id = await tx.value(
            text(
                "insert into interaction (case_id, line_id, channel, media_class, started_at) values (:case, :line, 'phone', 'call', now()) returning id"
            ),
            {"case": case_id, "line": house.line_id},
        )
        await queues.enter(tx, [Waiting(house.queue_id, interaction_id, case_id, "phone")])
    return case_id


async def in_a_call(house: House, sign_in: SignInAs) -> tuple[SignedIn, SignedIn]:
    """One agent who talks, and another who is free; both take calls."""
    maya, omar = [await sign_in(queues=(house.queue_id,), available=True, hears=True) for _n in range(2)]
    await house.tell()
    await house.take(maya.id)
    await house.tell(legs=(CUSTOMER, LegNow("agent-1", LegKind.AGENT, LegState.IN, "Maya", maya.id)))
    return maya, omar


async def asks(house: House, maya: SignedIn, omar: SignedIn, deed: Deed = Deed.CONSULT) -> int:
    async with house.ground.database.transaction() as tx:
        return await actions.order(tx, house.me(maya.id), house.interaction_id, deed, **{"with": omar.id})


async def offers(house: House) -> list[int]:
    """Before whom offers stand."""
    async with house.ground.database.transaction() as tx:
        found: list[int] = await tx.column(text("select agent_id from offer where ended_at is null"))
    return found


@pytest.mark.parametrize("deed", [Deed.CONSULT, Deed.ADD, Deed.TRANSFER])
async def test_who_is_asked_into_a_call_is_offered_none_until_it_is_over(
    house: House, sign_in: SignInAs, deed: Deed
) -> None:
    maya, omar = await in_a_call(house, sign_in)
    distributor = Distributor(house.ground)
    await distributor.round()
    await asks(house, maya, omar, deed)
    await second_call(house)
    assert (await distributor.round(), distributor.busy) == (0, False), "it is not proposed again and again"
    for state in (LegState.RINGING, LegState.APART, LegState.IN):
        await house.tell(legs=(*house.call.legs[:2], colleague(omar.id, state)))
        assert await distributor.round() == 0, state
    await house.tell(legs=(*house.call.legs[:2], colleague(omar.id, LegState.GONE)))
    await distributor.round()
    assert await offers(house) == [omar.id]


async def test_who_was_asked_in_vain_is_offered_calls_again(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    distributor = Distributor(house.ground)
    await distributor.round()
    order_id = await asks(house, maya, omar)
    await second_call(house)
    assert await distributor.round() == 0
    async with house.ground.database.transaction() as tx:
        await actions.settle(tx, order_id, refused="They have no telephone open in their browser.")
    await distributor.round()
    assert await offers(house) == [omar.id]


async def test_an_order_that_nobody_takes_keeps_nobody_from_calls(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    await asks(house, maya, omar)
    await second_call(house)
    async with house.ground.database.transaction() as tx:
        await tx.execute(
            text("update agent_state set asked_until = now() - interval '1 second' where asked_until is not null")
        )
    await Distributor(house.ground).round()
    assert await offers(house) == [omar.id]


async def test_a_call_that_is_lost_lets_go_of_who_was_asked(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    await asks(house, maya, omar)
    await house.tell(legs=(*house.call.legs[:2], colleague(omar.id)))
    await second_call(house)
    distributor = Distributor(house.ground)
    assert await distributor.round() == 0
    async with house.ground.database.transaction() as tx:
        await tx.execute(text("update reach set number = '+13605550100'"))  # not by the process that is gone
        await tx.execute(text("update sound_node set beat_at = beat_at - interval '1 minute'"))
        assert await actions.sweep(tx) == 1
    await distributor.round()
    assert await offers(house) == [omar.id]


async def test_who_is_offered_a_call_or_talks_in_one_cannot_be_asked(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    await second_call(house)
    await Distributor(house.ground).round()
    assert await offers(house) == [omar.id]
    with pytest.raises(Conflict, match="being offered a call"):
        await asks(house, maya, omar)
    async with house.ground.database.transaction() as tx:
        [offer_id] = await tx.column(text("select id from offer where ended_at is null"))
        await queues.decline(tx, omar.id, offer_id)
    await asks(house, maya, omar)
    await house.tell(legs=(*house.call.legs[:2], colleague(omar.id)))
    with pytest.raises(Conflict, match="in a call already"):
        await asks(house, maya, omar)


async def test_a_mail_is_offered_to_who_is_asked_into_a_call(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    await asks(house, maya, omar)
    async with house.ground.database.transaction() as tx:
        await tx.execute(text("update agent_state set state = 'away' where agent_id = :id"), {"id": maya.id})
    case_id = await second_call(house)
    async with house.ground.database.transaction() as tx:
        await tx.execute(
            text("update queue_entry set media_class = 'mail', channel = 'email', weight = 20 where case_id = :id"),
            {"id": case_id},
        )
    await Distributor(house.ground).round()
    assert await offers(house) == [omar.id]


async def waited_for(house: House) -> None:
    """Until somebody waits for a lock of somebody else's."""
    async with asyncio.timeout(60), house.ground.database.transaction() as tx:
        while not await tx.value(text("select count(*) from pg_locks where not granted")):  # noqa: ASYNC110 -- it is the database's to say
            await asyncio.sleep(0.02)


async def test_who_asks_waits_for_an_offer_that_is_being_made(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    await second_call(house)
    async with house.ground.database.transaction() as tx:
        entry_id = await tx.value(select(QueueEntry.id).where(QueueEntry.state == "waiting"))
        proposal = Proposal(entry_id, (omar.id,), now().timestamp() + 60)
        assert len(await queues.offer(tx, [proposal], now())) == 1
        asking = asyncio.create_task(asks(house, maya, omar))
        await waited_for(house)
    with pytest.raises(Conflict, match="being offered a call"):
        await asking


async def test_an_offer_waits_for_who_is_being_asked(house: House, sign_in: SignInAs) -> None:
    maya, omar = await in_a_call(house, sign_in)
    distributor = Distributor(house.ground)
    await second_call(house)
    async with house.ground.database.transaction() as tx:
        await actions.order(tx, house.me(maya.id), house.interaction_id, Deed.CONSULT, **{"with": omar.id})
        offering = asyncio.create_task(distributor.round())
        await waited_for(house)
    assert await offering == 0
    assert await offers(house) == []
    assert (await distributor.round(), distributor.busy) == (0, False), "it has heard of it"
