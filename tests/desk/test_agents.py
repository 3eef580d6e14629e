"""The agent's own work: state, offers, wrapping up."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from everyline.ground.clock import now
from everyline.queues import actions as queues
from everyline.queues.models import QueueEntry
from everyline.queues.rules import Proposal
from tests.desk.conftest import Desk


async def offered(desk: Desk, agent_id: int) -> None:
    async with desk.ground.database.transaction() as tx:
        entry = await tx.value(select(QueueEntry.id).where(QueueEntry.state == "waiting"))
        assert len(await queues.offer(tx, [Proposal(entry, (agent_id,), now().timestamp() + 60)], now())) == 1


@pytest.mark.req("Q1")
async def test_the_state_is_chosen_now_or_for_afterwards(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.do("insert into away_reason (name) values ('Lunch')")
    switch = await desk.post(agent, "/desk/state", choice="available")
    assert "Available" in switch.text
    switch = await desk.post(agent, "/desk/state", choice="away:Lunch")
    assert "Away: Lunch" in switch.text
    await desk.post(agent, "/desk/state", choice="available")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/pick")
    switch = await desk.post(agent, "/desk/state", choice="next:away:Lunch")
    assert "then Lunch" in switch.text
    await desk.post(agent, f"/desk/cases/{desk.case_id}/resolve")
    assert "Away: Lunch" in (await desk.part(agent, "/desk/state")).text
    assert (await desk.post(agent, "/desk/state", choice="dancing")).status_code == 422


@pytest.mark.req("Q1")
async def test_an_offer_is_shown_once_and_accepted(desk: Desk) -> None:
    agent = await desk.agent(available=True)
    assert "<dialog" not in (await desk.part(agent, "/desk/offers")).text
    await offered(desk, agent.id)
    card = await desk.part(agent, "/desk/offers")
    assert "Jane Doe" in card.text
    shown = re.search(r'name="shown" value="(\d+)"', card.text)
    assert shown is not None
    assert (await desk.part(agent, f"/desk/offers?shown={shown[1]}")).status_code == 204
    taken = await desk.post(agent, f"/desk/offers/{shown[1]}/accept", plain=True)
    assert taken.headers["location"] == f"/desk/cases/{desk.case_id}?view=mine"
    late = await desk.post(agent, f"/desk/offers/{shown[1]}/accept", plain=True)
    assert late.headers["location"] == "/desk?over=1"
    assert "This offer is over" in (await desk.get(agent, "/desk?over=1")).text


@pytest.mark.req("Q1")
async def test_an_offer_is_declined_with_a_reason_and_by_nobody_else(desk: Desk) -> None:
    agent, other = await desk.agent(available=True), await desk.agent(available=True)
    await offered(desk, agent.id)
    offer = await desk.value("select id from offer")
    assert (await desk.post(other, f"/desk/offers/{offer}/decline")).status_code == 409
    assert (await desk.post(agent, f"/desk/offers/{offer}/decline", reason="skill")).status_code == 204
    assert await desk.value("select outcome || ' ' || reason from offer") == "declined skill"


@pytest.mark.req("Q1")
async def test_work_is_wrapped_up_with_a_code(desk: Desk) -> None:
    agent = await desk.agent(available=True)
    await desk.do("update queue set wrap_up_seconds = 60")
    code = await desk.value("insert into wrap_up_code (name) values ('Answered') returning id")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/pick")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/resolve")
    assert "Wrapping up" in (await desk.part(agent, "/desk/state")).text
    bar = (await desk.part(agent, "/desk/wrap-ups")).text
    assert "Jane Doe" in bar
    assert "Answered" in bar
    assignment = await desk.value("select id from assignment")
    other = await desk.agent()
    assert (await desk.post(other, f"/desk/wrap-ups/{assignment}", code=code)).status_code == 409
    assert (await desk.post(agent, f"/desk/wrap-ups/{assignment}", code=code)).status_code == 204
    assert await desk.value("select wrap_up_code_id from assignment") == code
    assert "Jane Doe" not in (await desk.part(agent, "/desk/wrap-ups")).text


@pytest.mark.req("Q1")
async def test_work_may_be_wrapped_up_without_a_code(desk: Desk) -> None:
    agent = await desk.agent(available=True)
    await desk.do("update queue set wrap_up_seconds = 60")
    await desk.do("insert into wrap_up_code (name) values ('Answered')")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/pick")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/resolve")
    bar = (await desk.part(agent, "/desk/wrap-ups")).text
    [chosen] = re.findall(r'name="code" value="(\d+)"[^>]*><span>Without an outcome', bar)
    assignment = await desk.value("select id from assignment")
    assert (await desk.post(agent, f"/desk/wrap-ups/{assignment}", code=chosen)).status_code == 204
    assert await desk.value("select ended_at is not null and wrap_up_code_id is null from assignment")
