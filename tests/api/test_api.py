"""The HTTP API, as a program uses it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case, Message
from everyline.ground.database import DatabaseAway
from everyline.ground.installation import Ground
from tests.mail import MailLine, mail


async def one_case(ground: Ground, line: MailLine) -> int:
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        return int(await tx.value(select(Case.id).order_by(Case.id.desc()).limit(1)))


@pytest.mark.req("P4")
async def test_a_program_works_a_case_from_mail_to_answer(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    case_id = await one_case(ground, line)
    found = (await client.get("/api/v1/cases?q=dog", headers=agent.bearer)).json()
    assert [case["id"] for case in found["items"]] == [case_id]
    assert (await client.post(f"/api/v1/cases/{case_id}/pick", headers=agent.bearer)).json()["owner_id"] == agent.id
    made = await client.post(
        f"/api/v1/cases/{case_id}/replies",
        headers=agent.bearer,
        json={"text": "Bring the card.", "then": "wait for customer"},
    )
    assert made.status_code == 201
    case = (await client.get(f"/api/v1/cases/{case_id}", headers=agent.bearer)).json()
    assert case["status"] == "waiting for customer"
    deliveries = (await client.get(f"/api/v1/cases/{case_id}/deliveries", headers=agent.bearer)).json()
    assert [one["kind"] for one in deliveries] == ["acknowledgement", "reply"]
    taken = await client.delete(f"/api/v1/cases/{case_id}/replies/{made.json()['id']}", headers=agent.bearer)
    assert taken.status_code == 204
    messages = (await client.get(f"/api/v1/cases/{case_id}/messages", headers=agent.bearer)).json()["items"]
    assert [one["kind"] for one in messages] == ["message", "acknowledgement"]
    assert (await client.get(f"/api/v1/cases/{case_id}", headers=agent.bearer)).json()["status"] == "open"


@pytest.mark.req("P4", "P2")
async def test_the_same_write_with_a_key_happens_once(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))
    case_id = await one_case(ground, line)
    headers = {**agent.bearer, "idempotency-key": "one"}
    url = f"/api/v1/cases/{case_id}/replies"
    answers = await asyncio.gather(*(client.post(url, headers=headers, json={"text": "Hello"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await client.post(url, headers=headers, json={"text": "Hello"})
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == next(answer.json() for answer in answers if answer.status_code == 201)
    other = await client.post(url, headers=headers, json={"text": "Something else"})
    assert other.status_code == 422
    async with ground.database.transaction() as tx:
        sent = await tx.rows(select(Message.id).where(Message.direction == "out", Message.kind == "message"))
    assert len(sent) == 1


@pytest.mark.req("P4", "P3")
async def test_errors_are_problem_documents(client: httpx.AsyncClient, sign_in: Any) -> None:
    agent, admin = await sign_in(), await sign_in("admin")
    nobody = await client.get("/api/v1/cases")
    assert (nobody.status_code, nobody.headers["content-type"], nobody.headers["www-authenticate"]) == (
        401,
        "application/problem+json",
        "Bearer",
    )
    assert (await client.get("/api/v1/lines", headers=agent.bearer)).status_code == 403
    assert (await client.get("/api/v1/cases/999999", headers=admin.bearer)).status_code == 404
    wrong = await client.post(
        "/api/v1/lines", headers=admin.bearer, json={"channel": "email", "address": "not an address"}
    )
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "address"
    unknown = await client.post(
        "/api/v1/customers", headers=admin.bearer, json={"address": "a@b.example", "colour": "red"}
    )
    assert unknown.json()["errors"][0]["field"] == "colour"
    assert (await client.get("/api/v1/cases/abc", headers=admin.bearer)).status_code == 404


@pytest.mark.req("P3")
async def test_a_cookie_opens_no_api_and_a_token_no_page(client: httpx.AsyncClient, sign_in: Any) -> None:
    agent = await sign_in()
    assert (await client.get("/api/v1/me", headers=agent.cookie)).status_code == 401
    assert (await client.get("/desk", headers=agent.bearer)).status_code == 303


@pytest.mark.req("P3", "P4")
async def test_a_token_does_only_what_its_scopes_say(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    from everyline.people import actions as people

    admin = await sign_in("admin")
    async with ground.database.transaction() as tx:
        _id, token = await people.add_token(tx, None, admin.id, "reader", ["case.read"])
    headers = {"authorization": f"Bearer {token}"}
    assert (await client.get("/api/v1/cases", headers=headers)).status_code == 200
    assert (await client.get("/api/v1/lines", headers=headers)).status_code == 403
    async with ground.database.transaction() as tx:
        await people.revoke_token(tx, None, _id)
    assert (await client.get("/api/v1/cases", headers=headers)).status_code == 401


@pytest.mark.req("P4", "P2")
async def test_a_piece_is_handed_in_once(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    admin, agent = await sign_in("admin"), await sign_in()
    raw = mail()
    url = f"/api/v1/lines/{line.id}/inbound"
    assert (await client.post(url, headers=agent.bearer, content=raw)).status_code == 403
    assert (await client.post(url, headers=admin.bearer, content=raw)).status_code == 202
    again = await client.post(url, headers=admin.bearer, content=raw)
    assert (again.status_code, again.json()) == (200, {"kept": True, "new": False})
    assert (await client.post("/api/v1/lines/99/inbound", headers=admin.bearer, content=raw)).status_code == 404
    assert (await client.post(url, headers=admin.bearer, content=b"x" * (41 * 1024 * 1024))).status_code == 413


@pytest.mark.req("P2")
async def test_who_hands_in_while_the_database_is_away_is_asked_to_come_again(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, admin = await MailLine.add(ground), await sign_in("admin")

    def away(*_facts: object) -> None:
        raise DatabaseAway("the connection is lost")

    monkeypatch.setattr(ground.database, "transaction", away)
    answer = await client.post(f"/api/v1/lines/{line.id}/inbound", headers=admin.bearer, content=mail())
    assert answer.status_code == 503
    assert "again" in answer.json()["title"]


@pytest.mark.req("P4")
async def test_events_are_read_from_a_position_and_none_is_missed(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    lead = await sign_in("supervisor", all_queues=True)
    page = (await client.get("/api/v1/events", headers=lead.bearer)).json()
    waiting = asyncio.create_task(client.get(f"/api/v1/events?after={page['after']}&wait=10", headers=lead.bearer))
    await line.receive(mail())
    kinds: list[str] = []
    after = page["after"]
    answer = (await waiting).json()
    while answer["items"]:
        kinds += [event["kind"] for event in answer["items"]]
        after = answer["after"]
        answer = (await client.get(f"/api/v1/events?after={after}&most=2", headers=lead.bearer)).json()
    assert kinds.count("case.opened") == 1
    assert kinds.count("message.received") == 1


@pytest.mark.req("P3")
async def test_a_foreign_case_is_nowhere_to_be_found(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    line, other = await MailLine.add(ground), await MailLine.add(ground, "tax@county.example", "Tax")
    mine = await one_case(ground, other)
    foreign = await one_case(ground, line)
    agent = await sign_in(queues=(other.queue_id,))
    assert [case["id"] for case in (await client.get("/api/v1/cases", headers=agent.bearer)).json()["items"]] == [mine]
    assert [case["id"] for case in (await client.get("/api/v1/cases?q=dog", headers=agent.bearer)).json()["items"]] == [
        mine
    ]
    async with ground.database.transaction() as tx:
        customer_id = await tx.value(select(Case.customer_id).where(Case.id == foreign))
        message_id = await tx.value(select(Message.id).where(Message.case_id == foreign))
        await tx.execute(
            text(
                "insert into attachment (case_id, message_id, file_hash, name, content_type, size) values (:case, :message, :hash, 'a', 'b', 1)"
            ),
            {"case": foreign, "message": message_id, "hash": "0" * 64},
        )
    assert [
        case["id"]
        for case in (await client.get(f"/api/v1/customers/{customer_id}/cases", headers=agent.bearer)).json()["items"]
    ] == [mine]
    gets = ["", "/interactions", "/messages", "/deliveries", "/notes", "/attachments", "/attachments/1/content"]
    for path in gets:
        assert (await client.get(f"/api/v1/cases/{foreign}{path}", headers=agent.bearer)).status_code == 404, path
    posts: list[tuple[str, dict[str, Any]]] = [
        ("/pick", {}),
        ("/resolve", {}),
        ("/reopen", {}),
        ("/wait", {}),
        ("/snooze", {"until": "2030-01-01T00:00:00Z"}),
        ("/transfer", {"queue_id": other.queue_id}),
        ("/merge", {"gone_id": mine}),
        ("/split", {"message_id": message_id}),
        ("/links", {"other_id": mine}),
        ("/replies", {"text": "x"}),
        ("/notes", {"text": "x"}),
    ]
    for path, body in posts:
        assert (
            await client.post(f"/api/v1/cases/{foreign}{path}", headers=agent.bearer, json=body)
        ).status_code == 404, path
    assert (
        await client.patch(f"/api/v1/cases/{foreign}", headers=agent.bearer, json={"subject": "x"})
    ).status_code == 404
    for path, body in (
        ("/merge", {"gone_id": foreign}),
        ("/links", {"other_id": foreign}),
        ("/split", {"message_id": message_id}),
    ):
        assert (await client.post(f"/api/v1/cases/{mine}{path}", headers=agent.bearer, json=body)).status_code == 404, (
            path
        )
    assert (await client.get(f"/api/v1/queues/{line.queue_id}/entries", headers=agent.bearer)).status_code == 404
    assert line.queue_id not in [
        queue["id"] for queue in (await client.get("/api/v1/queues", headers=agent.bearer)).json()
    ]


@pytest.mark.req("P4")
async def test_the_schema_names_every_route(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v1/openapi.json")).json()
    assert found["openapi"].startswith("3.")
    for path in (
        "/lines",
        "/customers",
        "/cases/{case_id}/replies",
        "/events",
        "/quarantine",
        "/lines/{line_id}/inbound",
        "/agents/{agent_id}/state",
    ):
        assert path in found["paths"]


@pytest.mark.req("P3", "Q1")
async def test_a_supervisor_changes_the_state_of_their_own_agents_only(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    line, other = await MailLine.add(ground), await MailLine.add(ground, "tax@county.example", "Tax")
    chief = await sign_in("supervisor", queues=(line.queue_id,))
    near, far = await sign_in(queues=(line.queue_id,)), await sign_in(queues=(other.queue_id,))
    body = {"state": "away", "reason": "training"}

    async def change(agent_id: int, who: Any) -> int:
        answer = await client.put(f"/api/v1/agents/{agent_id}/state", headers=who.bearer, json=body)
        return answer.status_code

    assert await change(near.id, chief) == 204
    assert await change(far.id, chief) == 404
    assert await change(near.id, far) == 403
    assert await change(far.id, far) == 204
