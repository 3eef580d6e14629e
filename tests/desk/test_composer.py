"""Writing: drafts, files, answers, notes, and the refusal to send on what was not read."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta

import pytest

from conftest import until
from tests.desk.conftest import Desk

FORM = {"kind": "reply", "channel": "", "note": ""}


async def revision(desk: Desk) -> str:
    return str((await desk.case()).revision)


@pytest.mark.req("E4")
async def test_a_draft_is_kept_for_each_kind_and_stands_there_again(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    form = {"kind": "reply", "reply": "Dear Jane,", "note": "ask Priya", "revision": "1"}
    kept = await desk.browser.put(f"{url}/draft", data=form, headers=agent.cookie)
    assert kept.status_code == 204
    page = (await desk.get(agent, url)).text
    assert "Dear Jane,</textarea>" in page
    assert "ask Priya</textarea>" in page
    assert "Dear Jane," not in (await desk.get(other, url)).text, "drafts are one's own"
    assert "Dog license" in (await desk.get(agent, "/desk/views/drafts")).text


@pytest.mark.req("E4", "P2")
async def test_an_answer_is_written_once_and_can_be_taken_back(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    due = (await desk.case()).due_at
    form = {**FORM, "reply": "Bring the card.", "revision": await revision(desk), "key": "one"}
    answers = await asyncio.gather(*(desk.post(agent, f"{url}/answer", **form) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 1
    said = json.loads(answers[0].headers["hx-trigger"])["toast"]
    assert said["seconds"] > 5
    assert "Bring the card." in (await desk.part(agent, f"{url}/timeline")).text
    taken = await desk.post(agent, said["undo"])
    assert taken.status_code == 204
    assert "composer-back" in taken.headers["hx-trigger"]
    assert "Bring the card.</textarea>" in (await desk.part(agent, f"{url}/composer")).text
    case = await desk.case()
    assert case.last_words.startswith("Hello, how do I renew")
    assert case.last_direction == "in"
    assert case.answered_at is None
    assert abs(case.due_at - due) < timedelta(seconds=5), "the goal stands again"


@pytest.mark.req("E4")
async def test_an_answer_is_refused_when_the_case_has_moved_and_what_was_typed_stays(desk: Desk) -> None:
    agent, other = await desk.agent(), await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    read = await revision(desk)
    await desk.post(other, f"{url}/answer", kind="note", note="She called, it is settled")
    form = {**FORM, "reply": "Bring the card.", "key": "one"}
    refused = await desk.post(agent, f"{url}/answer", **form, revision=read)
    assert refused.status_code == 422
    assert "1 new piece" in refused.text
    assert "Bring the card.</textarea>" in refused.text
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 0
    now_read = re.search(r'name="revision" value="(\d+)"', refused.text)
    assert now_read is not None
    sent = await desk.post(agent, f"{url}/answer", **form, revision=now_read[1])
    assert sent.status_code == 200
    plain = await desk.post(
        agent, f"{url}/answer", plain=True, **{**form, "reply": "Again", "key": "two"}, revision=read
    )
    assert plain.status_code == 422
    assert "Again</textarea>" in plain.text


@pytest.mark.req("E5")
async def test_send_and_wait_and_send_and_resolve(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    form = {**FORM, "reply": "Which dog?", "revision": await revision(desk), "key": "one", "then": "wait"}
    assert (await desk.post(agent, f"{url}/answer", **form)).status_code == 200
    assert (await desk.case()).status == "waiting for customer"
    code = await desk.value("insert into wrap_up_code (name) values ('Answered') returning id")
    form |= {"revision": await revision(desk), "key": "two", "then": f"resolve:{code}"}
    assert (await desk.post(agent, f"{url}/answer", **form)).status_code == 200
    case = await desk.case()
    assert (case.status, case.wrap_up_code_id) == ("resolved", code)


@pytest.mark.req("E4")
async def test_an_empty_answer_says_so(desk: Desk) -> None:
    agent = await desk.agent()
    refused = await desk.post(
        agent, f"/desk/cases/{desk.case_id}/answer", **FORM, reply=" ", revision=await revision(desk)
    )
    assert refused.status_code == 422
    assert "The answer is empty." in refused.text


@pytest.mark.req("A8")
async def test_a_note_calls_an_agent_by_name(desk: Desk) -> None:
    agent = await desk.agent(name="Dana Whitfield")
    called = await desk.agent(name="Ana Lund")
    await desk.agent(name="Ana")
    await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", kind="note", note="@ana lund, please look")
    assert await desk.value("select array_agg(agent_id) from mention") == [called.id]
    notices = (await desk.get(called, "/desk/notices")).text
    assert "Dana Whitfield called you" in notices
    assert "1 new" in (await desk.get(called, "/desk")).text
    await desk.get(called, f"/desk/cases/{desk.case_id}")
    assert await desk.value("select count(*) from mention where seen_at is null") == 0
    assert "Ana Lund" in (await desk.part(agent, "/desk/agents?q=lu")).text


@pytest.mark.req("E1", "E4")
async def test_files_are_put_with_the_draft_and_go_out_with_the_answer(desk: Desk) -> None:
    agent = await desk.agent()
    url = f"/desk/cases/{desk.case_id}"
    file = {"files": ("../form <1>.pdf", b"%PDF-1.4 content", "application/pdf")}
    shown = await desk.post(agent, f"{url}/files", files=file, kind="reply")
    assert "form &lt;1&gt;.pdf" in shown.text
    number = re.search(r"/desk/attachments/(\d+)", shown.text)
    assert number is not None
    got = await desk.get(agent, f"/desk/attachments/{number[1]}")
    assert got.content == b"%PDF-1.4 content"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert (await desk.get(await desk.sign_in(), f"/desk/attachments/{number[1]}")).status_code == 404
    form = {**FORM, "reply": "See the form.", "revision": await revision(desk), "key": "one"}
    await desk.post(agent, f"{url}/answer", **form)
    assert await desk.value("select message_id is not null from attachment") is True
    assert "form &lt;1&gt;.pdf" in (await desk.part(agent, f"{url}/timeline")).text
    removed = await desk.post(agent, f"{url}/files", files=file, kind="note")
    again = re.findall(r"/desk/attachments/(\d+)", removed.text)[-1]
    gone = await desk.post(agent, f"{url}/files/remove", remove=again)
    assert f"/desk/attachments/{again}" not in gone.text


@pytest.mark.req("E4")
async def test_too_many_bytes_are_refused_in_words(desk: Desk) -> None:
    agent = await desk.agent()
    file = {"files": ("large.bin", b"x" * (26 * 1024 * 1024), "application/octet-stream")}
    shown = await desk.post(agent, f"/desk/cases/{desk.case_id}/files", files=file, kind="reply")
    assert "Too large" in shown.text
    assert await desk.value("select count(*) from attachment") == 0


@pytest.mark.req("E4")
async def test_who_else_is_on_a_case_is_said(desk: Desk) -> None:
    one, two = await desk.agent(name="Priya Raman"), await desk.agent(name="Dana Whitfield")
    url = f"/desk/cases/{desk.case_id}"

    async def seen(words: str) -> bool:
        return words in (await desk.post(two, f"{url}/onlookers")).text

    await desk.post(one, f"{url}/onlookers")
    await until(lambda: seen("Priya Raman is reading"))
    await desk.browser.put(f"{url}/draft", data={"kind": "reply", "reply": "De"}, headers=one.cookie)
    await until(lambda: seen("Priya Raman is writing"))
    assert not await seen("Dana")


@pytest.mark.req("A3")
async def test_another_address_than_the_preferred_one_is_warned_of(desk: Desk) -> None:
    agent = await desk.agent()
    customer = (await desk.case()).customer_id
    await desk.do(
        "insert into contact_point (customer_id, kind, address, preferred) values (:id, 'mailbox', 'home@example.org', true)",
        id=customer,
    )
    page = (await desk.part(agent, f"/desk/cases/{desk.case_id}/composer")).text
    chosen = re.search(r'name="channel" value="(\d+)" checked', page)
    preferred = await desk.value("select id from contact_point where preferred")
    assert chosen is not None
    assert int(chosen[1]) == preferred
    assert "Jane Doe prefers home@example.org." in page
    await desk.do("update contact_point set bad_since = now(), bad_reason = '550 no such user' where preferred")
    page = (await desk.part(agent, f"/desk/cases/{desk.case_id}/composer")).text
    assert "Nothing arrives at home@example.org any more." in page
    assert "550 no such user" in page
