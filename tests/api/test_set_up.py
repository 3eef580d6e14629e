"""The arrangement of work over the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from everyline.ground.installation import Ground
from everyline.people.models import Audit
from everyline.queues import openings
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("P4")


@pytest.fixture
async def program(client: httpx.AsyncClient, sign_in: Any) -> httpx.AsyncClient:
    """A program that acts as an admin."""
    admin = await sign_in("admin", all_queues=True)
    client.headers.update(admin.bearer)
    client.base_url = httpx.URL("http://everyline.test/api/v1")
    return client


async def made(program: httpx.AsyncClient, path: str, **facts: Any) -> int:
    answer = await program.post(path, json=facts)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


@pytest.mark.req("Q1")
async def test_a_queue_is_arranged_by_a_program(program: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agent = await sign_in()
    water = await made(program, "/skills", name="water")
    await program.put(f"/agents/{agent.id}/skills", json={"levels": {water: 2}})
    assert (await program.get(f"/agents/{agent.id}/skills")).json() == {"levels": {str(water): 2}}
    queue_id = await made(
        program,
        "/queues",
        name="Water",
        wants="Water >= 3",
        steps=[{"after": 300, "wants": "water"}, {"condition": "agents ready under", "value": 2}],
    )
    await program.put(f"/queues/{queue_id}/members", json={"agent_ids": [agent.id]})
    assert (await program.get(f"/queues/{queue_id}/members")).json() == {"agent_ids": [agent.id]}
    fits = await program.post(f"/queues/{queue_id}/fits", json={"expression": "water >= 3"})
    assert fits.json() == {"fits": 0, "of": 1, "nearest": "water >= 2", "nearest_fits": 1}
    whole = (await program.get(f"/queues/{queue_id}")).json()
    assert whole["wants"] == "water >= 3"
    assert [(step["after"], step["condition"], step["wants"]) for step in whole["steps"]] == [
        (300.0, None, "water"),
        (None, "agents ready under", ""),
    ]
    changed = await program.patch(f"/queues/{queue_id}", json={"wants": "", "answer_share": 95})
    assert (changed.json()["wants"], changed.json()["answer_share"], len(changed.json()["steps"])) == ("", 95, 2)
    assert (await program.get(f"/skills/{water}/needed")).json() == {
        "agents": 1,
        "queues": [],
        "steps": [[queue_id, 1]],
        "entries": 0,
    }
    assert (await program.delete(f"/skills/{water}")).status_code == 204
    assert (await program.delete(f"/queues/{queue_id}")).status_code == 204
    assert (await program.get(f"/queues/{queue_id}")).status_code == 404
    async with ground.database.transaction() as tx:
        acts = await tx.column(select(Audit.act).order_by(Audit.id))
    assert acts == [
        "skill.added",
        "agent.skills_changed",
        "queue.created",
        "queue.changed",
        "queue.changed",
        "skill.removed",
        "queue.retired",
    ]


@pytest.mark.req("Q1")
@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"wants": "watr"}, "wants"),
        ({"steps": [{"after": 60}, {"after": 90, "wants": "watr"}]}, "steps.1.wants"),
        ({"steps": [{"after": 60}, {"after": 30}]}, "steps"),
        ({"formula": "SL-mine"}, "formula"),
        ({"name": None}, "name"),
        ({"overflow_queue_id": 1, "most_waiting": 3}, "overflow_queue_id"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_wrong_is_named(program: httpx.AsyncClient, facts: dict[str, Any], field: str) -> None:
    answer = await program.patch("/queues/1", json=facts)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.req("Q8")
async def test_teams_and_their_shares(program: httpx.AsyncClient, sign_in: Any) -> None:
    agent = await sign_in()
    house, north = (
        await made(program, "/teams", name="House"),
        await made(program, "/teams", name="North", partner=True),
    )
    assert (await program.put(f"/teams/{north}/agents", json={"agent_ids": [agent.id]})).status_code == 204
    assert (await program.get(f"/teams/{north}/agents")).json() == {"agent_ids": [agent.id]}
    assert (await program.patch(f"/teams/{house}", json={"name": "The house"})).status_code == 204
    parts = [{"team_id": house, "share": 70}, {"team_id": north, "share": 30, "delay_seconds": 60, "ceiling": 5}]
    assert (await program.put("/queues/1/teams", json={"teams": parts})).status_code == 204
    assert [part["share"] for part in (await program.get("/queues/1/teams")).json()] == [70, 30]
    assert [team["queue_ids"] for team in (await program.get("/teams")).json()] == [[1], [1]]
    over = await program.put("/queues/1/teams", json={"teams": [*parts[:1], {**parts[1], "share": 40}]})
    assert over.status_code == 422
    assert over.json()["detail"] == "The shares add up to 110: at most 100."
    assert (await program.get("/queues/1/shares?by=interval")).json() == []
    assert (await program.get("/queues/1/shares?since=2026-03-02&until=2026-03-01")).status_code == 422
    assert (await program.delete(f"/teams/{north}")).status_code == 204
    assert [part["team_id"] for part in (await program.get("/queues/1/teams")).json()] == [house]


@pytest.mark.req("Q1")
async def test_capacity_and_closure(program: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agent = await sign_in()
    asked = {"most": {"mail": 2, "=email": 1}, "weights": {"=email": 50}}
    assert (await program.put(f"/agents/{agent.id}/capacity", json=asked)).status_code == 204
    kept = (await program.get(f"/agents/{agent.id}/capacity")).json()
    assert (kept["most"]["mail"], kept["most"]["=email"], kept["weights"]["=email"]) == (2, 1, 50)
    async with ground.database.transaction() as tx:
        hours_id = await openings.add_hours(tx, None, name="Office", zone="UTC", week=[[]] * 7)
    closure = {"message": "Storm.", "words": {"email": "We read it later."}}
    assert (await program.put(f"/hours/{hours_id}/closure", json=closure)).status_code == 204
    (hours,) = (await program.get("/hours")).json()
    assert (hours["closed_now"], hours["closed_words"]) == ("Storm.", {"email": "We read it later."})
    assert (await program.delete(f"/hours/{hours_id}/closure")).status_code == 204
    assert (await program.get("/hours")).json()[0]["closed_now"] == ""


@pytest.mark.req("V5")
async def test_where_an_agent_hears_calls(program: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agent = await sign_in()
    path = f"/agents/{agent.id}/telephone"
    assert (await program.get(path)).json() == {"telephone": ""}
    assert (await program.put(path, json={"telephone": " (360) 555-0142"})).status_code == 204
    assert (await program.get(path)).json() == {"telephone": "+13605550142"}
    refused = await program.put(path, json={"telephone": "my desk"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "This is no phone number.")
    assert (await program.put(path, json={"telephone": "sip:ada@phones.example.org"})).status_code == 204
    assert (await program.get(path)).json() == {"telephone": "sip:ada@phones.example.org"}
    assert (await program.get("/agents/999/telephone")).status_code == 404
    async with ground.database.transaction() as tx:
        acts = await tx.column(select(Audit.act).where(Audit.subject == "agent").order_by(Audit.id.desc()).limit(2))
        assert acts == ["agent.telephone_changed"] * 2


@pytest.mark.req("Q1", "P3")
async def test_what_nobody_can_take_is_listed_within_ones_scope(
    program: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    await line.receive(mail())
    (found,) = (await program.get("/entries/unmet")).json()
    assert (found["queue_id"], found["nearest"]) == (line.queue_id, "nobody takes from this queue")
    stranger = await sign_in()
    assert (await program.get("/entries/unmet", headers=stranger.bearer)).json() == []
    for method, path in (
        ("POST", "/queues"),
        ("PATCH", "/queues/1"),
        ("PUT", "/queues/1/teams"),
        ("POST", "/teams"),
        ("DELETE", "/skills/1"),
        ("PUT", f"/agents/{stranger.id}/capacity"),
        ("PUT", f"/agents/{stranger.id}/telephone"),
        ("PUT", "/hours/1/closure"),
    ):
        answer = await program.request(method, path, headers=stranger.bearer, json={})
        assert answer.status_code == 403, path
    assert (await program.get("/queues/1", headers=stranger.bearer)).status_code == 404
