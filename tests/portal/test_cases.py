"""One's own cases: all of them, whole, nobody else's, and what a customer may do with them."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import until
from everyline.cases import actions as cases
from everyline.customers import actions as customers
from everyline.dispatch import actions as dispatch
from everyline.queues import actions as queues
from tests.mail import mail
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("W3", "A4")


async def case_id(company: Company, number: int) -> int:
    return int(await company.value('select id from "case" where number = :number', number=number))


async def status(company: Company, number: int) -> str:
    return str(await company.value('select status from "case" where number = :number', number=number))


async def test_the_whole_conversation_and_never_what_is_internal(company: Company, sign_in: Any) -> None:
    number = await company.writes("rosa@customer.example", "Where is my <b>bill</b>?", subject="My bill")
    agent = await sign_in("agent", name="Dana Whitfield", queues=(1,))
    one = await case_id(company, number)
    async with company.ground.database.transaction() as tx:
        await cases.note(tx, agent.id, one, "The customer was rude on the phone.")
        await dispatch.answer(tx, company.ground.signer, agent.id, one, "It is **on its way**.", at_once=True)
        await dispatch.answer(tx, company.ground.signer, agent.id, one, "One more thing that can be taken back.")
    browser = await company.signed_in("rosa@customer.example")
    page = (await browser.get(f"/help/en/cases/{number}")).text
    assert "My bill" in page
    assert "Where is my &lt;b&gt;bill&lt;/b&gt;?" in page
    assert "Dana Whitfield" in page
    assert "<strong>on its way</strong>" in page
    assert "rude" not in page, "a note is never shown"
    assert "taken back" not in page, "what can still be taken back was not said yet"
    listed = (await browser.get("/help/en/cases")).text
    assert "My bill" in listed
    assert "taken back" not in listed


async def test_nobody_elses(company: Company, sign_in: Any) -> None:
    mine = await company.writes("rosa@customer.example", subject="My own matter")
    other = await company.writes("otto@customer.example", subject="A private matter")
    browser = await company.signed_in("rosa@customer.example")
    await browser.post(
        f"/help/en/cases/{mine}/reply", data={"text": "See the file."}, files={"files": ("a.txt", b"abc", "text/plain")}
    )
    await until(company.all_done)
    file_id = await company.value("select id from attachment")
    stranger = await company.signed_in("otto@customer.example")
    for method, path in (
        ("GET", f"cases/{mine}"),
        ("POST", f"cases/{mine}/reply"),
        ("POST", f"cases/{mine}/close"),
        ("POST", f"cases/{mine}/reopen"),
        ("GET", f"cases/{mine}/files/{file_id}"),
        ("GET", f"cases/{other}/files/{file_id}"),
        ("GET", "cases/99999999"),
    ):
        data = {"text": "x"} if method == "POST" else None
        answer = await stranger.request(method, f"/help/en/{path}", data=data)
        assert answer.status_code == 404, (method, path)
        assert "My own matter" not in answer.text
    point = await company.value("select id from contact_point where address = 'rosa@customer.example'")
    assert (await stranger.post(f"/help/en/preferences/points/{point}/remove")).status_code == 404
    kept = await stranger.post(
        "/help/en/preferences",
        data={"name": "Otto", "language": "en", "zone": "UTC", "first": str(point), "news": str(point)},
    )
    assert kept.status_code == 404
    assert not await company.value("select preferred from contact_point where id = :id", id=point)
    assert await company.value("select count(*) from consent") == 0
    assert "My own matter" not in (await stranger.get("/help/en/cases")).text
    assert "My own matter" not in (await stranger.get("/help/en")).text
    assert await status(company, mine) == "new"


@pytest.mark.parametrize(
    "path",
    [
        *("cases", "cases/1", "cases/1/files/1", "preferences", "preferences/points/code", "stored", "stored/export"),
        *(
            "POST cases/1/reply",
            "POST cases/1/close",
            "POST cases/1/reopen",
            "POST preferences",
            "POST preferences/points",
        ),
        *("POST preferences/points/code", "POST preferences/points/1/remove", "POST stored/sign-ins/end"),
    ],
)
async def test_what_is_a_customers_own_asks_who_it_is(company: Company, path: str) -> None:
    browser = await company.browser()
    method, _space, where = path.rpartition(" ")
    answer = await browser.request(method or "GET", f"/help/en/{where}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/help/en/sign-in?next=")


async def test_a_reply_with_files_becomes_part_of_the_case(company: Company) -> None:
    number = await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    before = await company.value("select count(*) from message where direction = 'in'")
    name = "<script>alert(1)</script>.png"
    files = [
        ("files", (name, b"\x89PNG not really", "image/png")),
        ("files", ("b.pdf", b"%PDF-1.7", "application/pdf")),
    ]
    answer = await browser.post(f"/help/en/cases/{number}/reply", data={"text": "Here it is."}, files=files)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/help/en/cases/{number}?done=sent"
    assert await company.value("select count(*) from message where direction = 'in'") == before + 1
    assert await company.value("select count(distinct case_id) from message") == 1, "it is the same case"
    page = (await browser.get(f"/help/en/cases/{number}")).text
    assert "Here it is." in page
    assert "<script>alert" not in page
    file_id = await company.value("select min(id) from attachment")
    got = await browser.get(f"/help/en/cases/{number}/files/{file_id}")
    assert got.content == b"\x89PNG not really"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in got.headers["content-security-policy"]


async def test_a_form_sent_twice_is_one_message_and_other_words_are_another(company: Company) -> None:
    number = await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    key = "a" * 32
    for _time in range(2):
        await browser.post(f"/help/en/cases/{number}/reply", data={"text": "Only once, please.", "key": key})
    await browser.post(f"/help/en/cases/{number}/reply", data={"text": "Other words.", "key": key})
    await until(company.all_done)
    texts = await company.value("select array_agg(text order by id) from message where direction = 'in'")
    assert texts[1:] == ["Only once, please.", "Other words."]


async def test_an_empty_reply_and_one_that_is_too_large_are_kept(company: Company) -> None:
    number = await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    empty = await browser.post(f"/help/en/cases/{number}/reply", data={"text": "  "})
    assert empty.status_code == 422
    assert "Please write your message" in empty.text
    files = [("files", (f"{n}.txt", b"x", "text/plain")) for n in range(11)]
    many = await browser.post(f"/help/en/cases/{number}/reply", data={"text": "My long words"}, files=files)
    assert many.status_code == 422
    assert "My long words" in many.text
    large = {"files": ("big.bin", b"0" * (21 * 1024 * 1024), "application/octet-stream")}
    heavy = await browser.post(f"/help/en/cases/{number}/reply", data={"text": "My long words"}, files=large)
    assert heavy.status_code == 422
    assert "My long words" in heavy.text
    assert await company.value("select count(*) from message where direction = 'in'") == 1


async def test_closing_reopening_and_writing_on_a_closed_case(company: Company) -> None:
    number = await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    assert (await browser.post(f"/help/en/cases/{number}/close")).status_code == 303
    assert await status(company, number) == "resolved"
    assert await company.value("select count(*) from queue_entry where state = 'waiting'") == 0
    page = (await browser.get(f"/help/en/cases/{number}")).text
    assert "Open this case again" in page
    assert (await browser.post(f"/help/en/cases/{number}/reopen")).status_code == 303
    assert await status(company, number) == "open"
    assert await company.value("select count(*) from queue_entry where state = 'waiting'") == 1, "somebody looks at it"

    async with company.ground.database.transaction() as tx:
        await queues.resolve(tx, None, await case_id(company, number))
    await browser.post(f"/help/en/cases/{number}/reply", data={"text": "It is back."})
    assert await status(company, number) == "open", "writing opens it again"

    async with company.ground.database.transaction() as tx:
        one = await case_id(company, number)
        await queues.resolve(tx, None, one)
        await cases.close(tx, None, one)
    assert (await browser.post(f"/help/en/cases/{number}/reopen")).status_code == 409
    answer = await browser.post(f"/help/en/cases/{number}/reply", data={"text": "And once more."})
    fresh = int(answer.headers["location"].split("/")[-1].partition("?")[0])
    assert fresh != number
    page = (await browser.get(f"/help/en/cases/{fresh}")).text
    assert f"/help/en/cases/{number}" in page, "the two are linked"


async def test_merged_customers_follow_and_parted_ones_do_not(company: Company) -> None:
    first = await company.writes("rosa@customer.example", subject="From my own address")
    second = await company.writes("rosa@work.example", subject="From my work")
    browser = await company.signed_in("rosa@customer.example")
    assert (await browser.get(f"/help/en/cases/{second}")).status_code == 404
    async with company.ground.database.transaction() as tx:
        kept, gone = await company.customer("rosa@work.example"), await company.customer("rosa@customer.example")
        merge_id = await customers.merge(tx, None, kept, gone)
    page = (await browser.get("/help/en/cases")).text
    assert "From my own address" in page
    assert "From my work" in page
    assert (await browser.get(f"/help/en/cases/{second}")).status_code == 200
    async with company.ground.database.transaction() as tx:
        await customers.undo_merge(tx, None, merge_id)
    assert (await browser.get(f"/help/en/cases/{second}")).status_code == 404
    assert (await browser.get(f"/help/en/cases/{first}")).status_code == 200


async def test_a_merged_case_leads_to_what_it_became(company: Company) -> None:
    first = await company.writes("rosa@customer.example", subject="One")
    second = await company.writes("rosa@customer.example", subject="Two")
    async with company.ground.database.transaction() as tx:
        await cases.merge(tx, None, await case_id(company, first), await case_id(company, second))
    browser = await company.signed_in("rosa@customer.example")
    answer = await browser.get(f"/help/en/cases/{second}")
    assert answer.headers["location"] == f"/help/en/cases/{first}"


async def test_what_a_stranger_wrote_on_the_case_is_not_shown(company: Company, sign_in: Any) -> None:
    number = await company.writes("rosa@customer.example")
    agent = await sign_in("agent", queues=(1,))
    one = await case_id(company, number)
    async with company.ground.database.transaction() as tx:
        await dispatch.answer(
            tx, company.ground.signer, agent.id, one, "With a copy.", at_once=True, copies=["expert@firm.example"]
        )
    wire = await company.value("select external_id from message where direction = 'out' and kind = 'message'")
    await company.line.receive(
        mail("Between us: I think they are wrong.", sender="Ex <expert@firm.example>", In_Reply_To=f"<{wire}>"),
        process=False,
    )
    await until(company.all_done)
    assert await company.value("select count(*) from message where case_id = :id and direction = 'in'", id=one) == 2
    browser = await company.signed_in("rosa@customer.example")
    page = (await browser.get(f"/help/en/cases/{number}")).text
    assert "With a copy." in page
    assert "Between us" not in page


async def test_scripts_in_every_field_are_words(company: Company) -> None:
    evil = '"><script>alert(1)</script>'
    number = await company.writes("rosa@customer.example", f"Text {evil}", subject=f"Subject {evil}")
    browser = await company.signed_in("rosa@customer.example")
    await browser.post("/help/en/preferences", data={"name": evil, "language": "en", "zone": "UTC"})
    anyone = await company.browser()
    pages = [
        *[
            await browser.get(f"/help/en/{path}".rstrip("/"))
            for path in (f"cases/{number}", "cases", "", "preferences", "stored", f"sign-in?next={evil}")
        ],
        await browser.get(f"/help/{evil}"),
        await anyone.get("/help/en/sign-in", params={"next": evil}),
        await anyone.post("/help/en/sign-in", data={"address": evil, "next": evil}),
    ]
    assert [page.url.path for page in pages if "<script>alert" in page.text] == []
    assert "&lt;script&gt;alert" in pages[0].text
