"""Live talks and canned answers over the HTTP API, as a program that acts for an agent uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from everyline.channels.webchat.tests.chat import Chat, begun, opened
from everyline.ground.installation import Ground

pytestmark = pytest.mark.req("P4", "C1")


@pytest.fixture
async def chat(ground: Ground) -> AsyncIterator[Chat]:
    """A chat line on a running application."""
    async with opened(ground) as found:
        yield found


async def call(chat: Chat, who: Any, method: str, path: str, body: Any = None) -> httpx.Response:
    return await chat.browser.request(method, f"/api/v1{path}", headers=who.bearer, json=body)


async def test_a_program_talks_for_an_agent(chat: Chat, sign_in: Any) -> None:
    agent = await sign_in(queues=(1,), name="Maya Okafor")
    stranger = await sign_in()
    _visitor, stream, case_id = await begun(chat, "My meter runs fast")
    (waiting,) = (await call(chat, agent, "GET", "/talks")).json()
    assert (waiting["case_id"], waiting["agent_id"], waiting["last_words"]) == (case_id, None, "My meter runs fast")
    assert (await call(chat, stranger, "GET", "/talks")).json() == []
    case = f"/cases/{case_id}"
    said = await call(chat, agent, "POST", f"{case}/replies", {"text": "Since when?", "replies": ["Today", "Longer"]})
    assert said.status_code == 201
    assert (await stream.message("Since when?"))["replies"] == ["Today", "Longer"]
    (mine,) = (await call(chat, agent, "GET", f"/talks?agent_id={agent.id}")).json()
    assert mine["agent_name"] == "Maya Okafor"
    assert (await call(chat, agent, "POST", f"{case}/talk/typing", {"on": True})).status_code == 204
    assert (await stream.until(lambda one: one["kind"] == "typing"))["agent"]["name"] == "Maya Okafor"
    assert (await call(chat, agent, "POST", f"{case}/talk/read")).status_code == 204
    card = {"title": "Find a leak", "url": "https://www.harbor.example/leak", "extract": "In minutes."}
    assert (await call(chat, agent, "POST", f"{case}/talk/cards", card)).status_code == 201
    assert await stream.until(lambda one: one["kind"] == "message" and one["message"]["card"] is not None)
    bad = await call(chat, agent, "POST", f"{case}/talk/cards", {**card, "url": "javascript:alert(1)"})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["field"] == "url"
    for path, body in (("typing", {"on": True}), ("read", None), ("cards", card), ("end", None)):
        assert (await call(chat, stranger, "POST", f"{case}/talk/{path}", body)).status_code == 404
    assert (await call(chat, agent, "POST", f"{case}/talk/end")).status_code == 204
    assert (await stream.phase("ended"))["ended_by"] == "agent"
    assert (await call(chat, agent, "POST", f"{case}/talk/end")).status_code == 409
    assert (await call(chat, agent, "GET", "/talks")).json() == []


async def test_only_supervisors_whisper(chat: Chat, sign_in: Any) -> None:
    agent, lead = await sign_in(queues=(1,)), await sign_in("supervisor", queues=(1,))
    _visitor, stream, case_id = await begun(chat)
    path = f"/cases/{case_id}/talk/whispers"
    assert (await call(chat, agent, "POST", path, {"text": "x"})).status_code == 403
    assert (await call(chat, lead, "POST", path, {"text": ""})).status_code == 422
    assert (await call(chat, lead, "POST", path, {"text": "Offer the credit"})).status_code == 201
    notes = (await call(chat, agent, "GET", f"/cases/{case_id}/notes")).json()
    assert [one["text"] for one in notes] == ["Offer the credit"]
    assert stream.texts == ["Hello"]


async def test_canned_answers_are_kept_and_filled_in(chat: Chat, sign_in: Any) -> None:
    agent, lead = await sign_in(queues=(1,), name="Maya Okafor"), await sign_in("supervisor", queues=(1,))
    _visitor, _stream, case_id = await begun(chat)
    words = {"name": "Greeting", "text": "This is {agent}.", "queue_id": 1}
    assert (await call(chat, agent, "POST", "/canned-answers", words)).status_code == 403
    made = (await call(chat, lead, "POST", "/canned-answers", words)).json()["id"]
    own = await call(chat, agent, "POST", "/canned-answers", {"name": "Bye", "text": "Take care.", "own": True})
    assert own.status_code == 201
    filled = (await call(chat, agent, "GET", f"/cases/{case_id}/canned-answers?q=greet")).json()
    assert [(one["id"], one["text"]) for one in filled] == [(made, "This is Maya Okafor.")]
    assert [one["name"] for one in (await call(chat, agent, "GET", "/canned-answers")).json()] == ["Bye", "Greeting"]
    assert [one["name"] for one in (await call(chat, lead, "GET", "/canned-answers")).json()] == ["Greeting"]
    path = f"/canned-answers/{made}"
    assert (await call(chat, agent, "PATCH", path, {"text": "x"})).status_code == 404
    assert (await call(chat, lead, "PATCH", path, {"queue_id": None, "text": "Hi"})).status_code == 204
    (kept,) = (await call(chat, lead, "GET", "/canned-answers")).json()
    assert (kept["queue_id"], kept["text"], kept["name"]) == (None, "Hi", "Greeting")
    assert (await call(chat, lead, "PATCH", path, {"name": " "})).status_code == 422
    assert (await call(chat, lead, "DELETE", f"/canned-answers/{own.json()['id']}")).status_code == 404
    assert (await call(chat, lead, "DELETE", path)).status_code == 204
    assert (await call(chat, lead, "DELETE", path)).status_code == 404
