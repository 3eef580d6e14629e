"""Teams and partners, an agent's own capacity, and the message of an emergency, in the browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.ground.installation import Ground
from everyline.people.models import Agent, Audit, Team
from everyline.queues import abilities, openings, queries
from everyline.queues.models import Hours


@pytest.mark.req("Q8", "P3")
async def test_a_team_from_its_beginning_to_its_end(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agents = [(await sign_in(name=name)).id for name in ("Ben Bright", "Cy Dole", "Eve Frost")]
    made = await admin.post("/setup/teams", data={"name": "Northern Partner", "partner": "1", "agent": agents[:2]})
    assert made.status_code == 303
    path = made.headers["location"].partition("?")[0]
    page = (await admin.get(path)).text
    assert page.count('name="agent" value') == 4
    assert f'value="{agents[0]}" checked' in page
    assert "partner" in (await admin.get("/setup/teams")).text
    other = await admin.post("/setup/teams", data={"name": "House", "agent": agents[2:]})
    assert "now in Northern Partner" in (await admin.get(other.headers["location"])).text
    wrong = await admin.post(path, data={"name": "House", "agent": agents[1:]})
    assert wrong.status_code == 422
    assert 'id="name-error"' in wrong.text
    assert f'value="{agents[1]}" checked' in wrong.text
    await admin.post(path, data={"name": "North", "agent": agents[1:]})
    async with ground.database.transaction() as tx:
        team = await tx.first(select(Team.__table__).where(Team.name == "North"))
        assert team is not None
        assert not team.partner
        rows = await tx.rows(select(Agent.id).where(Agent.team_id == team.id).order_by(Agent.id))
        assert [row.id for row in rows] == agents[1:], "who belonged to another team left it"
    assert (await admin.post(f"{path}/retire")).status_code == 303
    assert (await admin.get(path)).status_code == 404
    async with ground.database.transaction() as tx:
        acts = await tx.column(select(Audit.act).where(Audit.subject == "team").order_by(Audit.id))
        assert acts == ["team.added", "team.added", "team.changed", "team.retired"]


@pytest.mark.req("Q1")
async def test_an_agent_of_a_team_with_a_capacity_of_their_own(
    admin: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    agent = await sign_in(name="Ben Bright")
    await admin.post("/setup/teams", data={"name": "House"})
    async with ground.database.transaction() as tx:
        team_id = await tx.value(select(Team.id))
    form = {
        "name": "Ben Bright",
        "email": agent.email,
        "role": "agent",
        "team_id": str(team_id),
        "most-chat": "2",
        "weight-mail": "25",
        "most-of-email": "3",
        "weight-of-webform": "10",
    }
    assert (await admin.post(f"/setup/agents/{agent.id}", data=form)).status_code == 303
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Agent.team_id).where(Agent.id == agent.id)) == team_id
        assert await abilities.capacity_of(tx, agent.id) == (
            {"call": 1, "chat": 2, "mail": 5, "=email": 3},
            {"call": 100, "chat": 25, "mail": 25, "=webform": 10},
        )
    page = (await admin.get(f"/setup/agents/{agent.id}")).text
    for name, value in (("most-of-email", "3"), ("weight-of-webform", "10"), ("weight-mail", "25")):
        assert f'id="{name}"' in page
        assert f'value="{value}"' in page
    for field, value in (("weight-mail", "0"), ("most-of-email", "many")):
        answer = await admin.post(f"/setup/agents/{agent.id}", data={**form, field: value})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text


@pytest.mark.req("V5")
async def test_an_agent_hears_calls_on_a_telephone(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agent = await sign_in(name="Ben Bright")
    path = f"/setup/agents/{agent.id}"
    form = {"name": "Ben Bright", "email": agent.email, "role": "agent", "telephone": "my desk"}
    refused = await admin.post(path, data=form)
    assert refused.status_code == 422
    assert 'id="telephone-error"' in refused.text
    assert 'value="my desk"' in refused.text
    for _again in range(2):
        assert (await admin.post(path, data={**form, "telephone": "sip:ben@phones.example.org"})).status_code == 303
    assert 'value="sip:ben@phones.example.org"' in (await admin.get(path)).text
    async with ground.database.transaction() as tx:
        assert await abilities.telephone_of(tx, agent.id) == "sip:ben@phones.example.org"
        changes = text("select count(*) from event where kind = 'agent.reach_changed'")
        assert await tx.value(changes) == 1, "the same again changes nothing"
    assert (await admin.post(path, data={**form, "telephone": ""})).status_code == 303
    async with ground.database.transaction() as tx:
        assert await abilities.telephone_of(tx, agent.id) == ""


@pytest.mark.req("Q2")
async def test_an_emergency_is_told_in_other_words_on_a_channel(admin: httpx.AsyncClient, ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        hours_id = await openings.add_hours(tx, None, name="Office", zone="UTC", week=[[]] * 7)
    words = {"words-email": "We read mail after the storm.", "words-webform": ""}
    lost = await admin.post(f"/setup/hours/{hours_id}/closure", data={"message": " ", **words})
    assert lost.status_code == 422
    assert "We read mail after the storm." in lost.text, "what was typed is kept"
    await admin.post(f"/setup/hours/{hours_id}/closure", data={"message": "Storm.", **words})
    async with ground.database.transaction() as tx:
        hours = await queries.opening_hours(tx, hours_id)
        assert (hours.closure("email"), hours.closure("webform")) == ("We read mail after the storm.", "Storm.")
    page = (await admin.get(f"/setup/hours/{hours_id}")).text
    assert "Storm." in page
    assert "We read mail after the storm." in page
    await admin.post(f"/setup/hours/{hours_id}/closure", data={"open": "1"})
    async with ground.database.transaction() as tx:
        row = await tx.first(select(Hours.closed_now, Hours.closed_words))
        assert tuple(row or ()) == ("", {})
