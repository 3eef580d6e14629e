"""The log tells enough: on the facts of then, the rules decide again as they did."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import select, text

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.queues import actions, queries
from everyline.queues.distributor import Distributor
from everyline.queues.models import Assignment, Offer, QueueEntry
from everyline.queues.recorded import recorded_day
from everyline.queues.simulation import Simulation
from tests.mail import MailLine, mail
from tests.queues.replaying import replay

pytestmark = pytest.mark.req("Q1")


async def arrange(ground: Ground, sign_in: Any) -> tuple[list[MailLine], list[int]]:
    lines = [await MailLine.add(ground), await MailLine.add(ground, "tax@county.example", "Tax")]
    agents = [
        (await sign_in(queues=tuple(line.queue_id for line in chosen), available=True)).id
        for chosen in (lines, lines[:1], lines[1:], lines)
    ]
    async with ground.database.transaction() as tx:
        skill = await tx.value(text("insert into skill (name) values ('tax') returning id"))
        await tx.execute(
            text("insert into agent_skill values (:agent, :skill, 3)"), {"agent": agents[3], "skill": skill}
        )
        await tx.execute(
            text(
                "update queue set wants = jsonb_build_object('skill', cast(:skill as int), 'least', 2), rings = 2 where id = :id"
            ),
            {"skill": skill, "id": lines[1].queue_id},
        )
        await tx.execute(text("update queue set strategy = 'least occupied' where id = :id"), {"id": lines[0].queue_id})
    return lines, agents


async def act(ground: Ground, chance: random.Random, agents: list[int]) -> None:
    """Somebody does something."""
    async with ground.database.transaction() as tx:
        offers = await tx.rows(select(Offer.__table__).where(Offer.ended_at.is_(None)))
        hands = await tx.rows(select(Assignment.__table__).where(Assignment.ended_at.is_(None)))
        waiting = await tx.rows(select(QueueEntry.__table__).where(QueueEntry.state == "waiting"))
    agent = chance.choice(agents)
    try:
        async with ground.database.transaction() as tx:
            match chance.randint(0, 9):
                case 0 | 1 | 2 | 3 if offers:
                    one = chance.choice(offers)
                    await actions.accept(tx, one.agent_id, one.id)
                case 4 if offers:
                    one = chance.choice(offers)
                    await actions.decline(tx, one.agent_id, one.id, "no time")
                case 5 | 6 | 7 if hands:
                    await actions.resolve(tx, chance.choice(hands).agent_id, chance.choice(hands).case_id)
                case 8 if waiting and chance.random() < 0.3:
                    await actions.pick(tx, agent, chance.choice(waiting).case_id)
                case 8 if waiting:
                    await actions.raise_entry(tx, agent, chance.choice(waiting).id, chance.randint(1, 5))
                case 9:
                    await actions.change_state(
                        tx, agent, agent, chance.choice(["available", "available", "away"]), "break"
                    )
    except Conflict:
        pass


async def log_of(ground: Ground) -> list[events.Event]:
    async with ground.database.transaction() as tx:
        return await events.read_after(tx, events.Position(0, 0), most=100_000)


async def test_a_replay_of_the_log_gives_the_same_assignments(ground: Ground, sign_in: Any) -> None:
    lines, agents = await arrange(ground, sign_in)
    chance, leader = random.Random(11), Distributor(ground)
    for number in range(80):
        if number % 2 == 0:
            await chance.choice(lines).receive(mail(subject=f"Matter {number}", sender=f"c{number}@example.org"))
        await leader.round()
        await act(ground, chance, agents)
    async with ground.database.transaction() as tx:
        decisions = await replay(tx, await log_of(ground))
    assert len(decisions) > 20
    assert [one.now for one in decisions] == [one.then for one in decisions]


async def test_what_is_decided_while_others_act_is_explained_by_what_was_seen(ground: Ground, sign_in: Any) -> None:
    lines, agents = await arrange(ground, sign_in)
    chance, leader = random.Random(5), Distributor(ground)
    ending = False

    async def keep(work: Any) -> None:
        while not ending:
            await work()
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(keep(leader.round))]
    tasks += [asyncio.create_task(keep(lambda: act(ground, chance, agents))) for _ in range(3)]
    for number in range(25):
        await chance.choice(lines).receive(mail(subject=f"Matter {number}", sender=f"c{number}@example.org"))
    ending = True
    await asyncio.gather(*tasks)
    async with ground.database.transaction() as tx:
        decisions = await replay(tx, await log_of(ground))
        twice = await tx.rows(text("select entry_id from assignment group by entry_id having count(*) > 1"))
        left = await tx.rows(
            text(
                "select o.id from offer o join queue_entry e on e.id = o.entry_id where o.ended_at is null and e.state <> 'offered' "
                "union all select e.id from queue_entry e where e.state = 'offered' "
                "and not exists (select from offer o where o.entry_id = e.id and o.ended_at is null)"
            )
        )
    assert twice == []
    assert left == [], "an offer stands exactly as long as its entry is offered"
    assert len(decisions) > 5
    for one in decisions:
        assert one.then <= one.now, "nothing was offered that the rules would not offer on the same facts"


async def test_a_recorded_day_can_be_simulated(ground: Ground, sign_in: Any) -> None:
    begins = now()
    lines, agents = await arrange(ground, sign_in)
    leader = Distributor(ground)
    for number in range(6):
        await lines[0].receive(mail(subject=f"Matter {number}", sender=f"c{number}@example.org"))
        await leader.round()
        for agent in agents:
            async with ground.database.transaction() as tx:
                offer = await queries.offer_for(tx, agent)
                if offer is not None:
                    case_id = await actions.accept(tx, agent, offer.id)
                    await actions.resolve(tx, agent, case_id)
    async with ground.database.transaction() as tx:
        day = await recorded_day(tx, begins, now())
    result = Simulation(day).run()
    assert result.queues[lines[0].queue_id].offered == 6
    assert result.queues[lines[0].queue_id].answered == 6
