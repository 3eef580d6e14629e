"""Offers: exactly one acceptance, time-outs that go on, states that hold."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.people.models import AgentState
from everyline.queues import actions, distributor, queries
from everyline.queues.models import Assignment, Offer, QueueEntry
from tests.mail import MailLine, mail


async def offered(ground: Ground, agent_id: int) -> Any:
    async with ground.database.transaction() as tx:
        return await queries.offer_for(tx, agent_id)


@pytest.mark.req("Q1", "A2")
async def test_what_waits_is_offered_and_accepted(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    await line.receive(mail())
    assert await distributor.Distributor(ground).round() == 1
    offer = await offered(ground, agent.id)
    assert (offer.customer_name, offer.subject, offer.queue_name) == ("Jane Doe", "Dog license", "General")
    async with ground.database.transaction() as tx:
        case_id = await actions.accept(tx, agent.id, offer.id)
    async with ground.database.transaction() as tx:
        case = await tx.first(select(Case.__table__).where(Case.id == case_id))
        assert case is not None
        assert (case.status, case.owner_id) == ("open", agent.id)
        assert await tx.value(select(Assignment.agent_id).where(Assignment.case_id == case_id)) == agent.id
        assert await tx.value(select(QueueEntry.state)) == "taken"


@pytest.mark.req("Q1", "P2")
async def test_of_many_who_take_the_same_case_at_once_one_gets_it(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agents = [await sign_in(queues=(line.queue_id,), available=True) for _ in range(4)]
    await line.receive(mail())
    await distributor.Distributor(ground).round()
    async with ground.database.transaction() as tx:
        offer = await tx.first(select(Offer.__table__))
        case_id = await tx.value(select(Case.id))
    assert offer is not None

    async def take(agent_id: int, *, by_offer: bool) -> bool:
        try:
            async with ground.database.transaction() as tx:
                if by_offer:
                    await actions.accept(tx, agent_id, offer.id)
                else:
                    await actions.pick(tx, agent_id, case_id)
        except Conflict:
            return False
        return True

    tries = [take(agent.id, by_offer=False) for agent in agents] + [
        take(offer.agent_id, by_offer=True) for _ in range(3)
    ]
    won = await asyncio.gather(*tries)
    assert sum(won) == 1
    async with ground.database.transaction() as tx:
        assert len(await tx.rows(select(Assignment.id))) == 1
        assert await tx.rows(select(Offer.id).where(Offer.ended_at.is_(None))) == []


@pytest.mark.req("Q1")
async def test_an_offer_that_is_let_pass_goes_to_the_next_and_then_sends_away(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    one = await sign_in(queues=(line.queue_id,), available=True)
    await line.receive(mail(), mail(subject="Another"))
    await distributor.Distributor(ground).round()
    async with ground.database.transaction() as tx:
        await tx.execute(text("update offer set expires_at = now() - interval '1 second' where ended_at is null"))
    async with ground.database.transaction() as tx:
        assert await actions.time_out(tx) == 1
    async with ground.database.transaction() as tx:
        state = await tx.first(select(AgentState.__table__).where(AgentState.agent_id == one.id))
        waiting = await tx.rows(select(QueueEntry.id).where(QueueEntry.state == "waiting"))
    assert state is not None
    assert (state.state, state.reason) == ("away", "not answering")
    assert len(waiting) == 2
    other = await sign_in(queues=(line.queue_id,), available=True)
    await distributor.Distributor(ground).round()
    assert await offered(ground, other.id) is not None


@pytest.mark.req("Q1", "V2")
async def test_a_call_takes_the_place_of_a_mail_that_is_offered(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    one = await sign_in(queues=(line.queue_id,), available=True, hears=True)
    await line.receive(mail(subject="Letter"))
    leader = distributor.Distributor(ground)
    assert await leader.round() == 1
    await line.receive(mail(subject="Call"))
    async with ground.database.transaction() as tx:
        await tx.execute(
            text(
                "update queue_entry set media_class = 'call', weight = 100, offer_seconds = 20 where state = 'waiting'"
            )
        )
    assert await leader.round() == 1
    offer = await offered(ground, one.id)
    assert offer.subject == "Call"
    async with ground.database.transaction() as tx:
        rows = await tx.rows(
            text(
                "select e.state, o.outcome, o.reason, e.waiting_since from queue_entry e"
                " join offer o on o.entry_id = e.id order by e.id"
            )
        )
        assert [tuple(row)[:3] for row in rows] == [("waiting", "withdrawn", "outranked"), ("offered", "", "")]
        assert rows[0].waiting_since < rows[1].waiting_since, "its age stays"
        assert await tx.value(text("select data ->> 'reason' from event where kind = 'offer.withdrawn'")) == "outranked"
    assert await leader.round() == 0, "the mail waits"
    async with ground.database.transaction() as tx:
        await actions.decline(tx, one.id, offer.id, "no time")
    await leader.round()
    assert (await offered(ground, one.id)).subject == "Call", "nobody else is there to take it, and it still outranks"


@pytest.mark.req("Q1")
async def test_who_declines_is_not_asked_again_while_there_is_somebody_else(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    one = await sign_in(queues=(line.queue_id,), available=True)
    other = await sign_in(queues=(line.queue_id,), available=True)
    await line.receive(mail())
    await distributor.Distributor(ground).round()
    offer = await offered(ground, one.id)
    async with ground.database.transaction() as tx:
        await actions.decline(tx, one.id, offer.id, "no time")
    await distributor.Distributor(ground).round()
    assert await offered(ground, one.id) is None
    assert await offered(ground, other.id) is not None


@pytest.mark.req("Q1")
async def test_going_away_gives_the_offer_back(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    await line.receive(mail())
    await distributor.Distributor(ground).round()
    async with ground.database.transaction() as tx:
        await actions.change_state(tx, agent.id, agent.id, "away", "break")
    assert await offered(ground, agent.id) is None
    async with ground.database.transaction() as tx:
        assert await tx.value(select(QueueEntry.state)) == "waiting"


@pytest.mark.req("Q1", "A8")
async def test_a_transfer_waits_in_the_other_queue_with_its_age_and_note(ground: Ground, sign_in: Any) -> None:
    line, other = await MailLine.add(ground), await MailLine.add(ground, "tax@county.example", "Tax")
    agent = await sign_in(queues=(line.queue_id,), available=True)
    colleague = await sign_in(queues=(other.queue_id,), available=True)
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case_id = await tx.value(select(Case.id))
        since = await tx.value(select(QueueEntry.waiting_since))
        await actions.pick(tx, agent.id, case_id)
        await actions.transfer(tx, agent.id, case_id, other.queue_id, "Please look at the exemption.")
    async with ground.database.transaction() as tx:
        entry = await tx.first(select(QueueEntry.__table__).where(QueueEntry.state == "waiting"))
        owner = await tx.value(select(Case.owner_id))
        notes = await tx.rows(text("select text from note"))
    assert entry is not None
    assert (entry.queue_id, entry.waiting_since, owner) == (other.queue_id, since, None)
    assert [note.text for note in notes] == ["Please look at the exemption."]
    await distributor.Distributor(ground).round()
    assert (await offered(ground, colleague.id)).case_id == case_id


@pytest.mark.req("Q1")
async def test_a_language_that_somebody_speaks_is_needed_and_one_that_nobody_speaks_is_not(
    ground: Ground, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    plain = await sign_in(queues=(line.queue_id,), available=True)
    speaker = await sign_in(queues=(line.queue_id,), available=True)
    async with ground.database.transaction() as tx:
        skill = await tx.value(text("insert into skill (name, language) values ('Spanish', 'es') returning id"))
        await tx.execute(
            text("insert into agent_skill values (:agent, :skill, 4)"), {"agent": speaker.id, "skill": skill}
        )
    await line.receive(mail("Buenos días, quisiera saber cuándo abre la oficina de licencias, por favor."))
    await distributor.Distributor(ground).round()
    assert await offered(ground, plain.id) is None
    assert await offered(ground, speaker.id) is not None
    await line.receive(mail("Guten Tag, ich möchte gern wissen, wann das Amt am Montag öffnet. Vielen Dank."))
    await distributor.Distributor(ground).round()
    assert (await offered(ground, plain.id)).language == "de"


@pytest.mark.req("Q1")
async def test_resolving_with_a_code_frees_the_capacity_and_wrap_up_time_holds_it(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update queue set wrap_up_seconds = 60"))
        code = await tx.value(text("insert into wrap_up_code (name) values ('Answered') returning id"))
    await line.receive(mail(), mail(subject="Another"))
    async with ground.database.transaction() as tx:
        first, second = [row.id for row in await tx.rows(select(Case.id).order_by(Case.id))]
        for case_id in (first, second):
            await actions.pick(tx, agent.id, case_id)
        await actions.resolve(tx, agent.id, first, code)
        await actions.resolve(tx, agent.id, second)
        hand = await queries.in_hand(tx, agent.id)
        assert [(one.case_id, one.work_ended_at is not None) for one in hand] == [(second, True)]
        await actions.wrap_up(tx, agent.id, hand[0].id, code)
        assert await queries.in_hand(tx, agent.id) == []


@pytest.mark.req("Q1", "P2")
async def test_the_distributor_reacts_to_events_and_its_place_is_taken(ground: Ground, sign_in: Any) -> None:
    from conftest import until

    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    leader = asyncio.create_task(distributor.run(ground))
    stand_by = asyncio.create_task(distributor.run(ground))
    try:
        began = now()
        await line.receive(mail())
        await until(lambda: offered(ground, agent.id))
        assert (now() - began).total_seconds() < distributor.STAND_BY_SECONDS
        async with ground.database.transaction() as tx:
            kinds = [row.kind for row in await tx.rows(select(events.EventRow.kind).order_by(events.EventRow.id))]
        assert kinds.count("offer.made") == 1
    finally:
        for task in (leader, stand_by):
            task.cancel()
        await asyncio.gather(leader, stand_by, return_exceptions=True)


@pytest.mark.req("Q1")
async def test_a_wrap_up_ends_when_its_time_is_over(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update queue set wrap_up_seconds = 60"))
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case_id = await tx.value(select(Case.id))
        await actions.pick(tx, agent.id, case_id)
        await actions.resolve(tx, agent.id, case_id)
    await distributor.Distributor(ground).round()
    async with ground.database.transaction() as tx:
        assert len(await queries.in_hand(tx, agent.id)) == 1
        await tx.execute(text("update assignment set work_ended_at = now() - interval '61 seconds'"))
    await distributor.Distributor(ground).round()
    async with ground.database.transaction() as tx:
        assert await queries.in_hand(tx, agent.id) == []
