"""Lists: views, segments, filters, pages, saved views."""

from __future__ import annotations

import re

import pytest

from everyline.desk.lists import ROWS
from tests.desk.conftest import Desk

SUBJECT = re.compile(r'class="subject clip"[^>]*>([^<]*)<')


def subjects(page: str) -> list[str]:
    return SUBJECT.findall(page)


@pytest.mark.req("A8")
async def test_pages_go_down_and_up_again_and_lose_nothing(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.do(
        "insert into \"case\" (customer_id, subject, queue_id, moved_at) select 1, 'Matter ' || n, :queue,"
        " now() - n * interval '1 minute' from generate_series(1, :n) n",
        queue=desk.line.queue_id,
        n=ROWS * 2 + 5,
    )
    seen: list[str] = []
    path, pages, back = "/desk/views/all?segment=all", [], None
    while path:
        page = (await desk.get(agent, path)).text
        pages.append(subjects(page))
        seen += pages[-1]
        further = re.search(r'href="([^"]+)"[^>]*rel="next"', page)
        back = re.search(r'href="([^"]+)"[^>]*rel="prev"', page)
        path = further[1].replace("&amp;", "&") if further else ""
    assert len(seen) == len(set(seen)) == ROWS * 2 + 6
    assert seen == sorted(seen, key=lambda subject: int(subject.split()[1]) if subject.startswith("Matter") else 0)
    assert back is not None
    up = (await desk.get(agent, back[1].replace("&amp;", "&"))).text
    assert subjects(up) == pages[1]
    first = re.search(r'href="([^"]+)"[^>]*rel="prev"', up)
    assert first is not None
    assert subjects((await desk.get(agent, first[1].replace("&amp;", "&"))).text) == pages[0]
    oldest = subjects((await desk.get(agent, "/desk/views/all?segment=all&order=oldest")).text)
    assert oldest == list(reversed(seen))[:ROWS]


@pytest.mark.req("A8")
async def test_an_address_that_names_no_page_is_refused_in_words(desk: Desk) -> None:
    agent = await desk.agent()
    for path in ("/desk/views/all?after=nonsense", "/desk/views/all?before=2026-01-01~x"):
        assert (await desk.get(agent, path)).status_code == 422
    for path in ("/desk/views/nonsense", "/desk/views/saved-99", "/desk/queues/99", "/desk/views/queue-x"):
        assert (await desk.get(agent, path)).status_code == 404


@pytest.mark.req("A8")
async def test_filters_narrow_a_list_and_are_kept_as_a_view(desk: Desk) -> None:
    agent, supervisor = await desk.agent(), await desk.agent(role="supervisor")
    other = await desk.mail("Rates", subject="Water rates")
    await desk.post(agent, f"/desk/cases/{other}/describe", subject="Water rates", priority="1", tags="rates")
    assert subjects((await desk.get(agent, "/desk/views/all?tag=rates")).text) == ["Water rates"]
    assert subjects((await desk.get(agent, "/desk/views/all?priority=3")).text) == ["Dog license"]
    assert subjects((await desk.get(agent, "/desk/views/all?status=resolved")).text) == []
    saved = await desk.post(agent, "/desk/views?view=all", plain=True, tag="rates", view_name="Rates")
    assert saved.status_code == 303
    mine = saved.headers["location"]
    assert subjects((await desk.get(agent, mine)).text) == ["Water rates"]
    assert (await desk.get(supervisor, mine)).status_code == 404, "an own view is one's own"
    shared = await desk.post(agent, "/desk/views?view=all", plain=True, tag="rates", view_name="All rates", for_all="1")
    assert shared.status_code == 403
    shared = await desk.post(
        supervisor, "/desk/views?view=all", plain=True, tag="rates", view_name="All rates", for_all="1"
    )
    ours = shared.headers["location"]
    assert subjects((await desk.get(agent, ours)).text) == ["Water rates"]
    assert (await desk.post(agent, f"{ours}/drop", plain=True)).status_code == 403
    assert (await desk.post(supervisor, f"{ours}/drop", plain=True)).status_code == 303
    assert (await desk.post(agent, f"{mine}/drop", plain=True)).status_code == 303
    assert await desk.value("select count(*) from saved_view") == 0
    nameless = await desk.post(agent, "/desk/views?view=all", plain=True, tag="rates", view_name=" ")
    assert nameless.status_code == 422


@pytest.mark.req("A8", "Q1")
async def test_views_hold_what_they_say(desk: Desk) -> None:
    agent = await desk.agent()
    unassigned = "/desk/views/unassigned"
    assert subjects((await desk.get(agent, unassigned)).text) == ["Dog license"]
    await desk.post(agent, f"/desk/cases/{desk.case_id}/pick")
    assert subjects((await desk.get(agent, unassigned)).text) == []
    assert subjects((await desk.get(agent, "/desk")).text) == ["Dog license"]
    assert subjects((await desk.get(agent, "/desk/views/late")).text) == []
    await desk.do("update \"case\" set due_at = now() - interval '1 hour'")
    assert subjects((await desk.get(agent, "/desk/views/late")).text) == ["Dog license"]
    await desk.post(agent, f"/desk/cases/{desk.case_id}/wait", what_for="others")
    assert subjects((await desk.get(agent, "/desk")).text) == []
    assert subjects((await desk.get(agent, "/desk?segment=waiting")).text) == ["Dog license"]


@pytest.mark.req("A8")
async def test_search_finds_by_number_words_begun_words_and_customer(desk: Desk) -> None:
    agent = await desk.agent()
    number = (await desk.case()).number
    for words in (str(number), "license dog", "licen", "jane.doe@example", "Jane"):
        assert subjects((await desk.get(agent, f"/desk/search?q={words}")).text) == ["Dog license"], words
        assert "Dog license" in (await desk.part(agent, f"/desk/find?q={words}")).text, words
    assert "Nothing found" in (await desk.get(agent, "/desk/search?q=zebra")).text
    odd = await desk.get(agent, "/desk/search")
    assert odd.status_code == 200
    for words in ("'; drop table", '"', "-", "a & | !", "%", "\\"):
        assert (await desk.browser.get("/desk/search", params={"q": words}, headers=agent.cookie)).status_code == 200


async def test_lists_over_several_queues_listen_to_all_that_one_sees(desk: Desk) -> None:
    few = await desk.sign_in(queues=(1,))
    everything = await desk.sign_in("supervisor", all_queues=True)
    for who, topics in ((few, f"agent:{few.id} queue:1"), (everything, f"agent:{everything.id} queues")):
        for view in ("all", "unassigned", "longest", "late"):
            page = (await desk.get(who, f"/desk/views/{view}")).text
            listening = re.findall(r'data-live-refresh="([^"]*)"', page)
            assert listening.count(topics) == 2, (view, listening)  # the ways to go, and the list
