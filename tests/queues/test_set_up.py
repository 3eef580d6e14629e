"""The verbs of those who arrange the work: what is refused, and what is left when something goes."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from everyline.cases.models import Message
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.installation import Ground
from everyline.people.models import Agent
from everyline.queues import abilities, asks, openings, queries, set_up, teams
from everyline.queues.models import AgentSkill, Queue, QueueEntry, ShareCount
from everyline.queues.rules import Condition, Step
from everyline.queues.teams import Part
from tests.mail import MailLine, mail


async def kinds(tx: Tx, kind: str) -> list[Any]:
    return list(await tx.rows(text("select * from event where kind = :kind order by id"), {"kind": kind}))


# --- overflow and limits ---------------------------------------------------------------------------------------------


@pytest.mark.req("Q1")
async def test_a_queue_never_overflows_back_to_where_it_came_from(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        first, second, third = [await set_up.create_queue(tx, None, name=name) for name in ("Tax", "Water", "Roads")]
        await set_up.change_queue(tx, None, first, most_waiting=5, overflow_queue_id=second)
        await set_up.change_queue(tx, None, second, most_wait_seconds=60, overflow_queue_id=third)
    for queue_id, to, words in ((third, first, "Roads → Tax → Water → Roads"), (third, third, "into itself")):
        with pytest.raises(Invalid) as wrong:
            async with ground.database.transaction() as tx:
                await set_up.change_queue(tx, None, queue_id, most_waiting=5, overflow_queue_id=to)
        assert words in wrong.value.fields["overflow_queue_id"]
    async with ground.database.transaction() as tx:
        with pytest.raises(Conflict, match="Water overflows"):
            await set_up.retire_queue(tx, None, third)


@pytest.mark.req("Q1", "P2")
async def test_two_changes_at_once_do_not_close_a_circle(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        one, other = [await set_up.create_queue(tx, None, name=name) for name in ("Tax", "Water")]

    async def lead(queue_id: int, to: int) -> bool:
        try:
            async with ground.database.transaction() as tx:
                await set_up.change_queue(tx, None, queue_id, most_waiting=5, overflow_queue_id=to)
        except Invalid:
            return False
        return True

    assert sorted(await asyncio.gather(lead(one, other), lead(other, one))) == [False, True]


@pytest.mark.req("Q1")
@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"most_waiting": 5}, "overflow_queue_id"),
        ({"overflow_queue_id": 1}, "most_waiting"),
        ({"overflow_queue_id": 99, "most_waiting": 1}, "overflow_queue_id"),
        ({"rings": 0}, "rings"),
        ({"rings": 3, "accepts": True}, "rings"),
        ({"answer_share": 101}, "answer_share"),
        ({"earlier_agent": "perhaps"}, "earlier_agent"),
        ({"wants": {"skill": 99, "least": 1}}, "wants"),
        ({"steps": [Step(after=60, wants={"skill": 99, "least": 1})]}, "steps"),
    ],
)
async def test_what_is_wrong_with_a_queue_is_named(ground: Ground, facts: dict[str, Any], field: str) -> None:
    async with ground.database.transaction() as tx:
        with pytest.raises(Invalid) as wrong:
            await set_up.create_queue(tx, None, name="Tax", **facts)
    assert list(wrong.value.fields) == [field]


@pytest.mark.req("Q1")
@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([Step()], "Step 1: Say when"),
        ([Step(after=0)], "Step 1: The time"),
        ([Step(after=60), Step(after=60)], "Step 2: It comes no later"),
        ([Step(after=60), Step(condition=Condition.READY_UNDER, value=1), Step(after=30)], "Step 3: It comes"),
        ([Step(condition=Condition.SERVICE_LEVEL_UNDER, value=120)], "Step 1: A service level"),
        ([Step(condition=Condition.EXPECTED_WAIT_OVER)], "Step 1: Say a time"),
        ([Step(after=number) for number in range(1, 12)], "At most 10"),
    ],
)
def test_wrong_steps_are_said(steps: list[Step], words: str) -> None:
    assert set_up.wrong_steps(steps).startswith(words)
    assert not set_up.wrong_steps([Step(after=60), Step(after=120, condition=Condition.READY_UNDER, value=2)])


# --- skills ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("Q1")
@pytest.mark.parametrize("name", ['the "best"', "  ", "WATER"])
async def test_names_that_an_expression_could_not_tell_are_refused(ground: Ground, name: str) -> None:
    async with ground.database.transaction() as tx:
        await abilities.add_skill(tx, None, "Water")
        other = await abilities.add_skill(tx, None, "sign language")
        with pytest.raises(Invalid) as wrong:
            await abilities.add_skill(tx, None, name)
        assert "name" in wrong.value.fields
        with pytest.raises(Invalid):
            await abilities.rename_skill(tx, None, other, name)


@pytest.mark.req("Q1")
async def test_a_skill_that_is_removed_is_missed_by_nothing(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))
    await line.receive(mail(), mail(sender="ann@example.org"))
    async with ground.database.transaction() as tx:
        water, tax = [await abilities.add_skill(tx, None, name) for name in ("Water", "Tax")]
        await abilities.set_skills(tx, None, agent.id, {water: 3, tax: 2})
        both = await asks.read(tx, "water >= 3 and tax")
        await set_up.change_queue(
            tx, None, line.queue_id, wants=both, steps=[Step(after=60, wants=await asks.read(tx, "water or tax"))]
        )
        entries = await tx.column(select(QueueEntry.id).order_by(QueueEntry.id))
        await tx.execute(update(QueueEntry).where(QueueEntry.id == entries[0]).values(wants=both))
        await tx.execute(update(QueueEntry).where(QueueEntry.id == entries[1]).values(needs={str(water): 1}))
        needed = await asks.where_needed(tx, water)
        assert needed == asks.Needed(1, ((line.queue_id, "General"),), ((line.queue_id, "General", 1),), 2)
    async with ground.database.transaction() as tx:
        await abilities.remove_skill(tx, None, water)
    async with ground.database.transaction() as tx:
        only_tax = {"skill": tax, "least": 1}
        queue = await queries.get(tx, line.queue_id)
        assert (queue.wants, [step["wants"] for step in queue.steps]) == (only_tax, [only_tax])
        rows = await tx.rows(select(QueueEntry.wants, QueueEntry.needs).order_by(QueueEntry.id))
        assert [(row.wants, row.needs) for row in rows] == [(only_tax, {}), ({}, {})]
        assert await tx.column(select(AgentSkill.skill_id)) == [tax]
        assert not (await asks.where_needed(tx, water)).anywhere
        assert [event.data["fields"] for event in await kinds(tx, "queue.changed")][-1] == ["steps", "wants"]


@pytest.mark.req("Q1", "P2")
async def test_a_skill_removed_while_a_queue_begins_to_ask_for_it_is_not_asked_for(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        water = await abilities.add_skill(tx, None, "Water")
        queue_id = int(await queries.default_queue(tx) or 0)

    async def ask() -> None:
        async with ground.database.transaction() as tx:
            await set_up.change_queue(tx, None, queue_id, wants={"skill": water, "least": 1})

    async def remove() -> None:
        async with ground.database.transaction() as tx:
            await abilities.remove_skill(tx, None, water)

    asked, _removed = await asyncio.gather(ask(), remove(), return_exceptions=True)
    assert asked is None or isinstance(asked, Invalid)
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Queue.wants).where(Queue.id == queue_id)) == {}


# --- capacity --------------------------------------------------------------------------------------------------------


@pytest.mark.req("Q1")
async def test_capacity_by_media_class_and_channel(ground: Ground, sign_in: Any) -> None:
    agent = await sign_in()
    async with ground.database.transaction() as tx:
        await abilities.set_capacity(
            tx, None, agent.id, {"mail": 5, "chat": 2, "=email": 3}, {"mail": 20, "=email": 30}
        )
        assert await abilities.capacity_of(tx, agent.id) == (
            {"call": 1, "chat": 2, "mail": 5, "=email": 3},
            {"call": 100, "chat": 25, "mail": 20, "=email": 30},
        )
        (candidate,) = [one for one in await queries.floor_agents(tx) if one.id == agent.id]
        assert (candidate.caps, candidate.weights) == ({"chat": 2, "=email": 3, "call": 0}, {"=email": 30})
        await abilities.set_capacity(tx, None, agent.id, {"mail": 5, "chat": 2, "=email": 3}, {"=email": 30})
        assert len(await kinds(tx, "agent.capacity_changed")) == 1, "it is as it was"
        await abilities.set_capacity(tx, None, agent.id, {})
        assert (await abilities.capacity_of(tx, agent.id))[0] == {"call": 1, "chat": 4, "mail": 5}


@pytest.mark.req("Q1")
@pytest.mark.parametrize(
    ("most", "weights", "field"),
    [
        ({"mail": 101}, {}, "most-mail"),
        ({"=pigeon": 1}, {}, "most-=pigeon"),
        ({}, {"mail": 0}, "weight-mail"),
        ({}, {"=email": 101}, "weight-=email"),
    ],
)
async def test_capacity_that_cannot_be(
    ground: Ground, sign_in: Any, most: dict[str, int], weights: dict[str, int], field: str
) -> None:
    agent = await sign_in()
    async with ground.database.transaction() as tx:
        with pytest.raises(Invalid) as wrong:
            await abilities.set_capacity(tx, None, agent.id, most, weights)
    assert list(wrong.value.fields) == [field]


# --- teams -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("Q1", "Q8")
async def test_an_agent_belongs_to_one_team(ground: Ground, sign_in: Any) -> None:
    agents = [(await sign_in()).id for _number in range(3)]
    async with ground.database.transaction() as tx:
        house, partner = await teams.add_team(tx, None, "House"), await teams.add_team(tx, None, "North", partner=True)
        await teams.set_agents(tx, None, house, agents[:2])
        await teams.set_agents(tx, None, partner, agents[1:])
        assert {row.name: row.agents for row in await teams.all_teams(tx)} == {"House": 1, "North": 2}
        moved = [(event.agent_id, event.data["team_id"]) for event in await kinds(tx, "agent.team_changed")]
        assert moved == [(agents[0], house), (agents[1], house), (agents[1], partner), (agents[2], partner)]
        with pytest.raises(Invalid):
            await teams.add_team(tx, None, "House")


@pytest.mark.req("Q1", "Q8")
@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ((Part(share=60), Part(share=50)), "share"),
        ((Part(share=101), Part()), "share"),
        ((Part(delay_seconds=-1), Part()), "delay"),
        ((Part(share=50, floor=5, ceiling=4), Part()), "ceiling"),
        ((Part(floor=5), Part()), "floor"),
    ],
)
async def test_shares_that_cannot_be(ground: Ground, parts: tuple[Part, Part], field: str) -> None:
    async with ground.database.transaction() as tx:
        queue_id = int(await queries.default_queue(tx) or 0)
        ids = [await teams.add_team(tx, None, name) for name in ("House", "North")]
        with pytest.raises(Invalid) as wrong:
            await teams.set_parts(tx, None, queue_id, dict(zip(ids, parts, strict=True)))
        assert f"team-{ids[0]}-{field}" in wrong.value.fields
        assert await teams.parts_of(tx, queue_id) == {}
        with pytest.raises(Invalid):
            await teams.set_parts(tx, None, queue_id, {99: Part(share=10)})


@pytest.mark.req("Q1", "Q8")
async def test_what_waits_for_a_team_that_is_gone_waits_for_everybody(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        team_id = await teams.add_team(tx, None, "North", partner=True)
        await teams.set_team(tx, None, agent.id, team_id)
        await teams.set_parts(tx, None, line.queue_id, {team_id: Part(share=40)})
        assert [(one.team_id, one.percent) for one in (await queries.floor_queues(tx))[0].shares] == [(team_id, 40)]
        await tx.execute(update(QueueEntry).values(team_id=team_id))
        await teams.set_parts(tx, None, line.queue_id, {team_id: Part(share=30)})
        assert await tx.value(select(QueueEntry.team_id)) == team_id, "it keeps its share"
        await teams.retire_team(tx, None, team_id)
        assert await tx.value(select(QueueEntry.team_id)) is None
        assert await tx.value(select(Agent.team_id).where(Agent.id == agent.id)) is None
        assert await teams.parts_of(tx, line.queue_id) == {}
        assert await teams.add_team(tx, None, "North") != team_id, "its name can be used anew"


@pytest.mark.req("Q1", "Q8")
async def test_target_against_what_was_given(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        queue_id = int(await queries.default_queue(tx) or 0)
        house, north = await teams.add_team(tx, None, "House"), await teams.add_team(tx, None, "North")
        await teams.set_parts(tx, None, queue_id, {house: Part(share=60), north: Part(share=20)})
        for hour, team_id, given in ((8, house, 6), (8, north, 2), (9, house, 1), (23, north, 3)):
            row = {"queue_id": queue_id, "team_id": team_id, "given": given}
            await tx.execute(insert(ShareCount).values(begins_at=datetime(2026, 3, 2, hour, tzinfo=UTC), **row))
        (day,) = await teams.splits(tx, queue_id, date(2026, 3, 1), date(2026, 3, 2))
        assert (day.begins_at, day.given) == (datetime(2026, 3, 2, tzinfo=UTC), 12)
        assert [(one.team_id, one.given, one.target) for one in day.teams] == [(house, 7, 75.0), (north, 5, 25.0)]
        assert [one.off for one in day.teams] == pytest.approx([100 * 7 / 12 - 75, 100 * 5 / 12 - 25])
        intervals = await teams.splits(tx, queue_id, date(2026, 3, 2), date(2026, 3, 2), by_interval=True)
        assert [(one.begins_at.hour, one.given) for one in intervals] == [(23, 3), (9, 1), (8, 8)]
        assert sum(one.given for one in intervals) == day.given
        assert await teams.splits(tx, queue_id, date(2026, 3, 3), date(2026, 3, 4)) == []


# --- emergency closure -----------------------------------------------------------------------------------------------


@pytest.mark.req("Q2")
async def test_the_emergency_message_of_a_channel(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        hours_id = await openings.add_hours(tx, None, name="Office", zone="UTC", week=[[]] * 7)
        with pytest.raises(Invalid):
            await openings.close_now(tx, None, hours_id, "Storm.", {"pigeon": "Coo."})
        await openings.close_now(
            tx, None, hours_id, "Storm.", {"email": "We read mail when the storm is over.", "webform": " "}
        )
        hours = await queries.opening_hours(tx, hours_id)
        assert [hours.closure(name) for name in ("email", "webform", "")] == [
            "We read mail when the storm is over.",
            "Storm.",
            "Storm.",
        ]
        await openings.open_again(tx, None, hours_id)
        assert (await queries.opening_hours(tx, hours_id)).closure("email") == ""


@pytest.mark.req("Q2", "E1")
async def test_who_writes_during_an_emergency_reads_the_words_of_the_channel(ground: Ground) -> None:
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        hours_id = await openings.add_hours(tx, None, name="Office", zone="UTC", week=[[]] * 7)
        await set_up.change_queue(tx, None, line.queue_id, hours_id=hours_id)
        await openings.close_now(tx, None, hours_id, "Storm.", {"email": "We read mail when the storm is over."})
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        words = await tx.value(select(Message.text).where(Message.kind == "acknowledgement"))
    assert "We read mail when the storm is over." in words
    assert "Storm." not in words
