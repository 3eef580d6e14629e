"""Agents, the organisation, tokens and the audit trail."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.people import queries, sign_ins
from everyline.people.actions import audit
from everyline.people.models import Agent, ApiToken, Audit
from everyline.people.permit import COOKIE
from everyline.queues import abilities
from everyline.queues import queries as queues

pytestmark = pytest.mark.req("P3")

NEW = {"name": "Ben Bright", "email": "Ben@house.example", "role": "agent", "language": "en"}


async def agent_named(ground: Ground, name: str) -> Any:
    async with ground.database.transaction() as tx:
        return await tx.first(select(Agent.__table__).where(Agent.name == name))


async def test_a_new_agent_is_invited_and_comes_in(admin: httpx.AsyncClient, ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        queue_id = int(await queues.default_queue(tx) or 0)
        await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="office@house.example",
            settings={"smtp_host": "127.0.0.1"},
        )
    made = await admin.post("/setup/agents", data={**NEW, "member_of": queue_id, "most-mail": "2"})
    assert made.headers["location"].endswith("done=invited")
    ben = await agent_named(ground, "Ben Bright")
    assert ben.email == "ben@house.example"
    async with ground.database.transaction() as tx:
        locked = await tx.value(select(Delivery.text).where(Delivery.kind == "notice"))
        assert (await abilities.capacity_of(tx, ben.id))[0]["mail"] == 2
        assert ben.id in (await queues.members(tx))[queue_id]
    found = re.search(r"(/password/\S+)", ground.vault.open(locked.encode()))
    assert found
    admin.cookies.clear()
    assert "Welcome, Ben Bright" in (await admin.get(found[1])).text
    await admin.post(found[1], data={"password": "bens-own-password", "again": "bens-own-password"})
    assert (
        await admin.post("/sign-in", data={"email": "ben@house.example", "password": "bens-own-password"})
    ).status_code == 303


async def test_without_a_line_the_agent_is_added_all_the_same(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert (await admin.post("/setup/agents", data=NEW)).headers["location"].endswith("done=no-mail")
    assert await agent_named(ground, "Ben Bright")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "ben"}, "email"),
        ({"role": "god"}, "role"),
        ({"most-mail": "many"}, "most-mail"),
    ],
)
async def test_mistakes_are_named(admin: httpx.AsyncClient, ground: Ground, change: dict[str, str], field: str) -> None:
    answer = await admin.post("/setup/agents", data={**NEW, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert await agent_named(ground, "Ben Bright") is None


async def test_a_change_of_role_ends_their_sign_ins(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    ben = await sign_in("supervisor", name="Ben Bright")
    cookie = {"cookie": f"{COOKIE}={ben.cookies[COOKIE]}"}
    assert (await admin.get("/setup/lines", headers=cookie)).status_code == 200
    changed = await admin.post(f"/setup/agents/{ben.id}", data={**NEW, "email": ben.email, "role": "agent"})
    assert changed.status_code == 303
    assert (await admin.get("/setup/lines", headers=cookie)).status_code == 303


async def test_who_is_let_in_no_more_is_out_at_once(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    ben = await sign_in("agent", name="Ben Bright", available=True)
    assert (await admin.post(f"/setup/agents/{ben.id}/active")).status_code == 303
    assert (await admin.get("/profile", headers={"cookie": f"{COOKIE}={ben.cookies[COOKIE]}"})).status_code == 303
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select state from agent_state where agent_id = :id"), {"id": ben.id}) == "offline"
    assert (await admin.post(f"/setup/agents/{ben.id}/active", data={"active": "1"})).status_code == 303


async def test_the_last_admin_stays(admin: httpx.AsyncClient, ground: Ground) -> None:
    ada = await agent_named(ground, "Ada Admin")
    assert (await admin.post(f"/setup/agents/{ada.id}/active")).status_code == 409
    answer = await admin.post(
        f"/setup/agents/{ada.id}", data={"name": ada.name, "email": ada.email, "role": "agent", "language": "en"}
    )
    assert answer.status_code == 422
    assert "last admin" in answer.text


async def test_a_lost_second_factor_is_switched_off_by_an_admin(
    admin: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    import pyotp

    ben = await sign_in("agent", name="Ben Bright")
    async with ground.database.transaction() as tx:
        secret = await sign_ins.prepare_second_factor(tx, ground.vault, ben.id)
        await sign_ins.turn_on_second_factor(tx, ground.vault, ben.id, pyotp.TOTP(secret).now())
    assert (await admin.post(f"/setup/agents/{ben.id}/second-factor")).status_code == 303
    assert (await agent_named(ground, "Ben Bright")).second_factor is None
    async with ground.database.transaction() as tx:
        assert await sign_ins.of_agent(tx, ben.id) == []
        assert await tx.value(select(Audit.act)) == "agent.second_factor_reset"


async def test_scope_queues_and_skills(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    ben = await sign_in("agent", name="Ben Bright")
    async with ground.database.transaction() as tx:
        queue_id = int(await queues.default_queue(tx) or 0)
        skill = await tx.value(text("insert into skill (name) values ('Law') returning id"))
    await admin.post(
        f"/setup/agents/{ben.id}", data={**NEW, "email": ben.email, "sees": queue_id, f"skill-{skill}": "4"}
    )
    async with ground.database.transaction() as tx:
        assert await queries.scope_of(tx, ben.id) == {queue_id}
        assert await queues.skills_of(tx, ben.id) == {skill: 4}
        me = await queries.me(tx, ben.id)
    assert me
    assert me.sees_queue(queue_id)


async def test_the_organisation_has_a_name(admin: httpx.AsyncClient) -> None:
    facts = {"organisation": "Harbor County", "language": "en", "zone": "America/Los_Angeles"}
    assert (await admin.post("/setup/organisation", data=facts)).status_code == 303
    page = (await admin.get("/setup/organisation")).text
    assert "Harbor County" in page
    for wrong in ({"organisation": ""}, {"language": "tlh"}, {"zone": "Mars"}):
        assert (await admin.post("/setup/organisation", data={**facts, **wrong})).status_code == 422


async def test_a_token_is_shown_once_and_ends(admin: httpx.AsyncClient, ground: Ground) -> None:
    ada = await agent_named(ground, "Ada Admin")
    made = await admin.post(
        "/setup/tokens", data={"name": "Import", "agent_id": ada.id, "scope": ["case.read", "queue.read"]}
    )
    found = re.search(r'<code class="secret">([\w-]{43})</code>', made.text)
    assert found
    token = found[1]
    assert token not in (await admin.get("/setup/tokens")).text
    assert token not in (await admin.get("/setup/audit")).text
    bearer = {"authorization": f"Bearer {token}"}
    assert (await admin.get("/api/v1/queues", headers=bearer)).status_code == 200
    assert (await admin.get("/api/v1/lines", headers=bearer)).status_code == 403, "it was not given this right"
    async with ground.database.transaction() as tx:
        token_id = await tx.value(select(ApiToken.id).where(ApiToken.name == "Import"))
    assert (await admin.post(f"/setup/tokens/{token_id}/revoke")).status_code == 303
    assert (await admin.get("/api/v1/queues", headers=bearer)).status_code == 401
    assert (await admin.post(f"/setup/tokens/{token_id}/revoke")).status_code == 404


async def test_no_token_has_more_rights_than_its_agent(admin: httpx.AsyncClient, sign_in: Any) -> None:
    ben = await sign_in("agent")
    for scopes in (["line.write"], ["made.up"], []):
        answer = await admin.post("/setup/tokens", data={"name": "Import", "agent_id": ben.id, "scope": scopes})
        assert answer.status_code == 422
        assert 'class="secret"' not in answer.text


async def test_the_audit_trail_is_filtered_and_paged(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    ben = await sign_in("agent", name="Ben Bright")
    async with ground.database.transaction() as tx:
        for number in range(60):
            await audit(tx, ben.id, "customer.viewed", "customer", number, address="10.0.0.1", why=f"<i>{number}</i>")
        await audit(tx, None, "line.added", "line", 7)
    first = (await admin.get("/setup/audit")).text
    assert first.count("<tr>") == 51
    assert "<i>59</i>" not in first
    older = re.search(r'href="(/setup/audit\?before=\d+)"', first)
    assert older
    assert "customer 1<" in (await admin.get(older[1])).text
    assert (await admin.get("/setup/audit", params={"subject": "line"})).text.count("line.added") == 1
    assert "line.added" not in (await admin.get("/setup/audit", params={"agent": ben.id})).text
    assert (await admin.get("/setup/audit", params={"subject": "customer", "number": "5"})).text.count(
        "customer.viewed"
    ) == 1
    assert (await admin.get("/setup/audit", params={"agent": "x'", "number": "1;", "subject": "??"})).status_code == 200


async def test_every_change_is_written_down_with_its_address(admin: httpx.AsyncClient, ground: Ground) -> None:
    ada = await agent_named(ground, "Ada Admin")
    await admin.post("/setup/skills", data={"name": "Law"})
    await admin.post("/setup/organisation", data={"organisation": "Harbor", "language": "en", "zone": "UTC"})
    async with ground.database.transaction() as tx:
        rows = await tx.rows(select(Audit.__table__).order_by(Audit.id))
    assert [(row.act, row.agent_id, row.address) for row in rows] == [
        ("skill.added", ada.id, "127.0.0.1"),
        ("installation.changed", ada.id, "127.0.0.1"),
    ]
