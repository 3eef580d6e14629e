"""Every page of the desk, for those who may see it and for those who may not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.desk.conftest import Desk

PAGES = (
    "/desk",
    *(
        f"/desk/views/{key}"
        for key in ("mine", "unassigned", "mentions", "drafts", "snoozed", "longest", "late", "all")
    ),
    "/desk/views/all?segment=all&order=oldest&tag=x&priority=2&owner=nobody&unread=1&status=open&language=en&line=1",
    "/desk/queues/{queue}",
    "/desk/notices",
    "/desk/new",
    "/desk/new?customer={customer}",
    "/desk/search?q=dog",
    "/desk/search?q=",
    "/desk/filter?view=all",
    "/desk/customers/{customer}",
)
OF_CASE = (
    "/desk/cases/{case}",
    "/desk/cases/{case}?view=queue-{queue}",
    *(
        f"/desk/cases/{{case}}/ask/{what}"
        for what in ["assign", "transfer", "resolve", "snooze", "describe", "merge", "link", "split"]
    ),
)
PARTS = (
    "/desk/rows?view=all",
    "/desk/side?at=mine",
    "/desk/state",
    "/desk/wrap-ups",
    "/desk/find?q=dog",
    "/desk/agents?q=a",
    "/desk/customers/{customer}/pane",
    "/desk/customers/{customer}/duplicates",
    "/desk/customers/{customer}/candidates?q=jane",
    *(f"/desk/customers/{{customer}}/ask/{what}" for what in ("change", "point", "merge")),
)
PARTS_OF_CASE = (
    *(f"/desk/cases/{{case}}/{part}" for part in ("head", "timeline", "composer", "candidates?q=dog")),
    *(
        f"/desk/cases/{{case}}/ask/{what}"
        for what in ["assign", "transfer", "resolve", "snooze", "describe", "merge", "link", "split"]
    ),
    "/desk/customers/{customer}/pane?case={case}",
)
ACTS = {
    "assign": {"to": "me"},
    "take": {},
    "pick": {},
    "transfer": {"queue_id": "1"},
    "resolve": {},
    "reopen": {},
    "wait": {"what_for": "customer"},
    "snooze": {"preset": "tomorrow"},
    "wake": {},
    "describe": {"subject": "Mine now", "priority": "1"},
    "merge": {"other": "1"},
    "link": {"other": "1"},
    "unlink": {"other": "1"},
    "split": {"message_id": "1"},
    "answer": {"reply": "Hello"},
    "onlookers": {},
    "files/remove": {"remove": "1"},
    "messages/1/take-back": {},
    "deliveries/1/again": {},
}


async def places(desk: Desk) -> dict[str, int]:
    case = await desk.case()
    return {"case": desk.case_id, "queue": desk.line.queue_id, "customer": case.customer_id}


@pytest.mark.req("A2", "A5")
async def test_every_page_and_part_is_there(desk: Desk) -> None:
    agent, where = await desk.agent(), await places(desk)
    for path in (*PAGES, *OF_CASE):
        answer = await desk.get(agent, path.format(**where))
        assert answer.status_code == 200, path
        assert answer.text.rstrip().endswith("</html>"), path
    for path in (*PARTS, *PARTS_OF_CASE):
        answer = await desk.part(agent, path.format(**where))
        assert answer.status_code == 200, path
        assert "<html" not in answer.text, path


@pytest.mark.req("P3")
async def test_nobody_reaches_a_case_of_a_queue_that_is_not_theirs(desk: Desk) -> None:
    stranger, where = await desk.sign_in(), await places(desk)
    before = await desk.case()
    for path in (*OF_CASE, *PARTS_OF_CASE):
        assert (await desk.get(stranger, path.format(**where))).status_code == 404, path
    for act, form in ACTS.items():
        answer = await desk.post(stranger, f"/desk/cases/{desk.case_id}/{act}", **form)
        assert answer.status_code == 404, (act, answer.status_code)
    assert (await desk.get(stranger, f"/desk/queues/{desk.line.queue_id}")).status_code == 404
    kept = await desk.browser.put(f"/desk/cases/{desk.case_id}/draft", data={"reply": "Hi"}, headers=stranger.cookie)
    assert kept.status_code == 404
    assert await desk.case() == before
    assert "Dog license" not in (await desk.get(stranger, "/desk/views/all?segment=all")).text
    assert "Dog license" not in (await desk.get(stranger, "/desk/search?q=dog")).text
    assert "Dog license" not in (await desk.part(stranger, "/desk/find?q=dog")).text


@pytest.mark.req("P3")
async def test_who_is_not_signed_in_is_led_to_the_door(desk: Desk) -> None:
    answer = await desk.browser.get("/desk")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    part = await desk.browser.get("/desk/rows", headers={"hx-request": "true"})
    assert part.status_code == 401


@pytest.mark.req("P3")
async def test_a_form_of_another_site_does_nothing(desk: Desk) -> None:
    agent = await desk.agent()
    headers = {**agent.cookie, "sec-fetch-site": "cross-site"}
    answer = await desk.browser.post(f"/desk/cases/{desk.case_id}/take", headers=headers)
    assert answer.status_code == 403
    assert (await desk.case()).owner_id is None


@pytest.mark.req("P5")
async def test_a_page_is_in_the_language_of_its_reader(desk: Desk) -> None:
    agent = await desk.agent()
    page = (await desk.get(agent, "/desk")).text
    assert re.search(r'<html lang="en"', page)


@pytest.mark.req("A5")
async def test_opening_a_case_reads_it_and_writes_down_the_view_of_the_customer_once(desk: Desk) -> None:
    agent = await desk.agent()
    for _time in range(3):
        await desk.get(agent, f"/desk/cases/{desk.case_id}")
    case = await desk.case()
    assert not case.unread
    seen = await desk.value(
        "select count(*) from audit where act = 'customer.viewed' and subject_id = :id and agent_id = :agent",
        id=case.customer_id,
        agent=agent.id,
    )
    assert seen == 1


@pytest.mark.req("A5")
async def test_the_list_opens_a_case_without_the_rest_of_the_page(desk: Desk) -> None:
    agent = await desk.agent()
    part = await desk.part(agent, f"/desk/cases/{desk.case_id}?view=all", "case")
    assert "<html" not in part.text
    assert "<title>Dog license" in part.text
    assert 'id="case"' in part.text
    assert 'hx-swap-oob="outerHTML"' in part.text


async def test_what_customers_write_is_never_markup(desk: Desk) -> None:
    agent: Any = await desk.agent()
    case_id = await desk.mail(
        "<script>alert(1)</script> and <b>bold</b>", sender='"<img src=x>" <evil@example.org>', subject="<u>Subject</u>"
    )
    for path in (
        f"/desk/cases/{case_id}",
        "/desk/views/all",
        "/desk/search?q=bold",
        f"/desk/cases/{case_id}/ask/describe",
    ):
        page = (await desk.get(agent, path)).text
        for piece in ("<script>alert", "<b>bold", "<img src=x", "<u>Subject"):
            assert piece not in page, (path, piece)
