"""What the customer would get, before it is sent."""

from __future__ import annotations

import re

import pytest

from tests.desk.conftest import Desk

pytestmark = pytest.mark.req("E4")

WRITTEN = "Bring **the card**.\n\n- one\n- [two](https://harbor.example/fees)\n\n<script>alert(1)</script>"


def shown(page: str) -> str:
    found = re.search(r'<div class="(?:formatted|plain)" dir="auto">(.*)</div>', page, re.DOTALL)
    assert found is not None, page
    return found[1]


async def test_it_is_the_very_html_that_goes_out(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.do("update agent set signature = 'Dana & *Co*' where id = :id", id=agent.id)
    url = f"/desk/cases/{desk.case_id}"
    before = await desk.value("select count(*) from event")
    preview = await desk.post(agent, f"{url}/preview", reply=WRITTEN, channel="")
    assert preview.status_code == 200
    assert "<script" not in preview.text
    assert await desk.value("select count(*) from event") == before
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 0
    form = {"kind": "reply", "reply": WRITTEN, "revision": str((await desk.case()).revision), "key": "one"}
    assert (await desk.post(agent, f"{url}/answer", **form)).status_code == 200
    sent = await desk.value("select html from delivery where kind = 'reply'")
    assert "<strong>the card</strong>" in sent
    assert "Dana &amp; <em>Co</em>" in sent
    assert shown(preview.text) == sent


async def test_an_answer_without_format_is_shown_as_its_text(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.do("update agent set signature = 'Dana' where id = :id", id=agent.id)
    preview = await desk.post(
        agent, f"/desk/cases/{desk.case_id}/preview", reply="Bring it.\nUntil <five>.", channel=""
    )
    assert shown(preview.text) == "Bring it.\nUntil &lt;five&gt;.\n\n-- \nDana\n"
    assert "plain text" in preview.text
    empty = await desk.post(agent, f"/desk/cases/{desk.case_id}/preview", reply=" ", channel="")
    assert "Nothing is written yet." in empty.text


async def test_where_nothing_can_go_it_says_so(desk: Desk) -> None:
    agent = await desk.agent()
    asked = await desk.post(agent, f"/desk/cases/{desk.case_id}/preview", reply="x", channel="to:evil@stranger.example")
    assert "does not ask for answers at evil@stranger.example" in asked.text
    await desk.do("update line set open = false")
    closed = await desk.post(agent, f"/desk/cases/{desk.case_id}/preview", reply="x", channel="")
    assert "No line of ours can reach this address." in closed.text


async def test_others_cases_are_not_shown_in_it(desk: Desk) -> None:
    other = await desk.sign_in(queues=())
    assert (await desk.post(other, f"/desk/cases/{desk.case_id}/preview", reply="x")).status_code == 404
