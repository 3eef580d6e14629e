"""Canned answers: offered in the composer, filled in, counted when they go out, and kept in the set-up by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from everyline.cases import actions as cases
from everyline.desk import inserted
from tests.desk.conftest import Desk

pytestmark = pytest.mark.req("E4")
FORM = {"kind": "reply", "channel": "", "note": ""}


async def keep(desk: Desk, name: str, text: str, **facts: Any) -> int:
    async with desk.ground.database.transaction() as tx:
        return await cases.add_canned_answer(tx, None, name=name, text=text, **facts)


async def offered(desk: Desk, who: Any, q: str = "") -> str:
    answer = await desk.part(who, f"/desk/cases/{desk.case_id}/canned?q={q}")
    assert answer.status_code == 200
    return answer.text


async def test_they_are_found_as_one_types_and_filled_in(desk: Desk) -> None:
    agent = await desk.agent(name="Maya Okafor")
    await keep(desk, "Greeting", "Hello {customer}, this is {agent} about {number}. {nothing} <b>")
    await keep(desk, "Office hours", "We are there from nine, says the greeting at the door.")
    both = await offered(desk, agent, "greet")
    assert both.index("Greeting") < both.index("Office hours"), "whose name begins so stands first"
    only = await offered(desk, agent, "office nine")
    assert "Office hours" in only
    assert "Greeting" not in only
    case = await desk.case()
    shown = await offered(desk, agent, "greeting")
    assert f"this is Maya Okafor about {case.number}. {{nothing}} &lt;b&gt;" in shown
    assert (await offered(desk, agent, "zzz")).strip() == ""
    assert "Greeting" in await offered(desk, agent), "all of them before anything is typed"


async def test_only_those_that_fit_queue_language_and_agent_are_offered(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent()
    await desk.do("insert into queue (name) values ('Other')")
    elsewhere = int(await desk.value("select max(id) from queue"))
    await desk.do("update \"case\" set language = 'es'")
    await keep(desk, "Everywhere", "a")
    await keep(desk, "Here", "b", queue_id=desk.line.queue_id)
    await keep(desk, "Elsewhere", "c", queue_id=elsewhere)
    await keep(desk, "Spanish", "d", language="es")
    await keep(desk, "German", "e", language="de")
    await keep(desk, "Mine", "f", agent_id=agent.id)
    shown = await offered(desk, agent)
    assert [name for name in ("Everywhere", "Here", "Elsewhere", "Spanish", "German", "Mine") if name in shown] == [
        "Everywhere",
        "Here",
        "Spanish",
        "Mine",
    ]
    assert "Mine" not in await offered(desk, other)
    stranger = await desk.sign_in()
    assert (await desk.part(stranger, f"/desk/cases/{desk.case_id}/canned")).status_code == 404


async def test_a_use_is_counted_when_the_answer_goes_out(desk: Desk) -> None:
    agent = await desk.agent()
    canned_id = await keep(desk, "Thanks", "Thank you.")
    form = {**FORM, "reply": "Thank you.", "revision": str((await desk.case()).revision)}
    used = [f"canned:{canned_id}", f"canned:{canned_id}", "canned:999999", "canned:x", "article:1", "nonsense"]
    sent = await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **form, used=used)
    assert sent.status_code == 200
    assert await desk.value("select used from canned_answer") == 1


def test_what_a_form_says_was_put_in_is_read_with_care() -> None:
    found = inserted.read(
        ["canned:7", "canned:7", "article:3:en:chat", "article:3:en:link", "article:3:en", "canned:-1"]
    )
    assert found == [
        inserted.Used("canned", 7),
        inserted.Used("article", 3, "en", "chat"),
        inserted.Used("article", 3, "en", "link"),
    ]
    assert len(inserted.read(f"canned:{n}" for n in range(100))) == inserted.MOST


async def test_agents_keep_their_own_and_cannot_keep_any_for_others(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent()
    shared = await keep(desk, "House greeting", "Good day")
    page = await desk.get(agent, "/setup/canned")
    assert page.status_code == 200
    assert "House greeting" in page.text
    assert f"/setup/canned/{shared}/retire" not in page.text
    typed = {"name": "My own", "text": "Cheers", "whose": "", "language": "", "position": "3"}
    assert (await desk.post(agent, "/setup/canned", plain=True, **typed)).status_code == 303
    assert await desk.value("select agent_id from canned_answer where name = 'My own'") == agent.id
    own = int(await desk.value("select id from canned_answer where name = 'My own'"))
    assert "My own" not in (await desk.get(other, "/setup/canned")).text
    for path in (f"/setup/canned/{own}", f"/setup/canned/{shared}"):
        assert (await desk.get(other, path)).status_code == 404
        assert (await desk.post(other, f"{path}/retire", plain=True)).status_code == 404
        assert (await desk.post(other, path, plain=True, **typed)).status_code == 404
    changed = {**typed, "text": "Cheers!"}
    assert (await desk.post(agent, f"/setup/canned/{own}", plain=True, **changed)).status_code == 303
    assert "Cheers!" in await offered(desk, agent)
    assert (await desk.post(agent, f"/setup/canned/{own}/retire", plain=True)).status_code == 303
    assert "My own" not in await offered(desk, agent)


async def test_supervisors_keep_those_of_their_queues_with_a_line_in_the_audit(desk: Desk) -> None:
    lead = await desk.agent(role="supervisor")
    await desk.do("insert into queue (name) values ('Other')")
    elsewhere = str(await desk.value("select max(id) from queue"))
    typed = {"name": "Leak", "text": "Close every tap.", "whose": str(desk.line.queue_id), "language": "en"}
    assert (await desk.post(lead, "/setup/canned", plain=True, **typed)).status_code == 303
    refused = await desk.post(lead, "/setup/canned", plain=True, **{**typed, "whose": elsewhere})
    assert refused.status_code == 422
    assert "Close every tap." in refused.text, "what was typed stays"
    nameless = await desk.post(lead, "/setup/canned", plain=True, **{**typed, "name": " ", "language": "xx"})
    assert nameless.status_code == 422
    assert nameless.text.count('aria-invalid="true"') == 2
    shown = (await desk.get(lead, f"/setup/canned?whose={desk.line.queue_id}&language=en")).text
    assert "Close every tap." in shown
    assert "<td" not in (await desk.get(lead, "/setup/canned?language=de")).text
    assert await desk.value("select count(*) from audit where act = 'canned_answer.added'") == 1
