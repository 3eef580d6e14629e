"""What agents do with a case."""

from __future__ import annotations

import json

import pytest

from tests.desk.conftest import Desk


@pytest.mark.req("A8")
async def test_pick_resolve_reopen(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    assert (await desk.post(agent, f"{url}/pick")).status_code == 204
    assert (await desk.case()).owner_id == agent.id
    late = await desk.post(other, f"{url}/pick")
    assert late.status_code == 409
    assert "somebody else has it" in late.text
    code = await desk.value("insert into wrap_up_code (name) values ('Answered') returning id")
    assert "Answered" in (await desk.part(agent, f"{url}/ask/resolve")).text
    done = await desk.post(agent, f"{url}/resolve", wrap_up_code_id=code)
    assert json.loads(done.headers["hx-trigger"])["toast"]["undo"] == f"{url}/reopen"
    assert (await desk.case()).status == "resolved"
    await desk.post(agent, f"{url}/reopen")
    assert (await desk.case()).status == "open"


@pytest.mark.req("A8")
async def test_a_transfer_out_of_sight_leads_back_to_the_list(desk: Desk) -> None:
    agent = await desk.agent()
    queue = await desk.value("insert into queue (name) values ('Elections') returning id")
    done = await desk.post(
        agent, f"/desk/cases/{desk.case_id}/transfer", queue_id=queue, note="She means the ballot", back="view=all"
    )
    assert done.headers["hx-redirect"] == "/desk/views/all"
    assert (await desk.case()).queue_id == queue
    assert await desk.value("select text from note") == "She means the ballot"
    assert (await desk.get(agent, f"/desk/cases/{desk.case_id}")).status_code == 404


@pytest.mark.req("A8")
async def test_assign_to_somebody_and_to_nobody(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent(name="Priya Raman")
    url = f"/desk/cases/{desk.case_id}"
    await desk.post(agent, f"{url}/assign", agent_id=other.id, to="chosen")
    assert (await desk.case()).owner_id == other.id
    assert "Dog license" in (await desk.get(other, "/desk")).text
    await desk.post(agent, f"{url}/assign", agent_id="", to="chosen")
    assert (await desk.case()).owner_id is None
    assert await desk.value("select state from queue_entry order by id desc limit 1") == "waiting"


@pytest.mark.req("A8")
async def test_snooze_and_wake(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    await desk.post(agent, f"{url}/take")
    done = await desk.post(agent, f"{url}/snooze", preset="tomorrow")
    assert json.loads(done.headers["hx-trigger"])["toast"]["undo"] == f"{url}/wake"
    assert (await desk.case()).wakes_at is not None
    assert "Dog license" not in (await desk.get(agent, "/desk")).text
    assert "Dog license" in (await desk.get(agent, "/desk/views/snoozed")).text
    await desk.post(agent, f"{url}/wake")
    assert "Dog license" in (await desk.get(agent, "/desk")).text
    past = await desk.post(agent, f"{url}/snooze", until="2020-01-01T08:00")
    assert past.status_code == 422
    assert "Choose a time in the future." in past.text


@pytest.mark.req("A8")
async def test_describe_a_case(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    await desk.post(agent, f"{url}/describe", subject="Licence for a dog", priority="1", tags="Dogs, urgent,")
    case = await desk.case()
    assert (case.subject, case.priority, case.tags) == ("Licence for a dog", 1, ["dogs", "urgent"])
    refused = await desk.post(agent, f"{url}/describe", subject=" ", priority="1")
    assert refused.status_code == 422


@pytest.mark.req("A8")
async def test_merge_link_and_split(desk: Desk) -> None:
    agent = await desk.agent()
    other = await desk.mail("And my second dog?", subject="Second dog")
    url = f"/desk/cases/{desk.case_id}"
    assert "Second dog" in (await desk.part(agent, f"{url}/candidates")).text, "the customer's other cases come first"
    await desk.post(agent, f"{url}/link", other=other)
    assert "Second dog" in (await desk.get(agent, url)).text
    await desk.post(agent, f"{url}/unlink", other=other)
    assert await desk.value("select count(*) from case_link") == 0
    nothing = await desk.post(agent, f"{url}/merge")
    assert nothing.status_code == 422
    await desk.post(agent, f"{url}/merge", other=other)
    assert "And my second dog?" in (await desk.part(agent, f"{url}/timeline")).text
    moved = await desk.get(agent, f"/desk/cases/{other}")
    assert moved.status_code == 303
    assert moved.headers["location"].startswith(url)
    message = await desk.value("select id from message where text like 'And my second%'")
    parted = await desk.post(agent, f"{url}/split", message_id=message, subject="Second dog")
    assert parted.headers["hx-redirect"].startswith("/desk/cases/")
    assert "And my second dog?" not in (await desk.part(agent, f"{url}/timeline")).text


@pytest.mark.req("A8")
async def test_without_scripts_a_deed_leads_back_to_the_case(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    done = await desk.post(agent, f"{url}/pick", plain=True, back="view=all")
    assert done.status_code == 303
    assert done.headers["location"] == f"{url}?view=all"
    elsewhere = await desk.post(agent, f"{url}/reopen", plain=True)
    assert elsewhere.status_code == 303 or elsewhere.status_code == 409


@pytest.mark.req("A2", "E4")
async def test_an_agent_begins_a_case(desk: Desk) -> None:
    agent = await desk.agent()
    form = {"address": "new@example.org", "name": "Nora New", "subject": "Your permit", "text": "It is ready."}
    wrong = await desk.post(agent, "/desk/new", plain=True, **{**form, "address": "nowhere", "subject": ""})
    assert wrong.status_code == 422
    assert "Write a subject." in wrong.text
    assert "It is ready.</textarea>" in wrong.text
    done = await desk.post(agent, "/desk/new", plain=True, **form, queue_id=desk.line.queue_id)
    assert done.status_code == 303
    case_id = int(done.headers["location"].rsplit("/", 1)[1])
    case = await desk.case(case_id)
    assert (case.subject, case.owner_id, case.queue_id) == ("Your permit", agent.id, desk.line.queue_id)
    assert await desk.value("select subject from delivery where case_id = :id", id=case_id) == "Your permit"
    noted = await desk.post(agent, "/desk/new", plain=True, **{**form, "what": "note", "subject": "At the counter"})
    assert noted.status_code == 303
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 1
