"""Getting in by a code: few tries, ten minutes, and no word about who is known."""

from __future__ import annotations

import re

import pytest

from everyline.customers.tasks import tidy_sign_ins
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("W3", "P3")


async def test_a_customer_gets_in_by_a_code_and_out_again(company: Company) -> None:
    number = await company.writes("rosa@customer.example")
    browser = await company.browser()
    refused = await browser.get(f"/help/en/cases/{number}")
    assert refused.status_code == 303
    assert refused.headers["location"] == f"/help/en/sign-in?next=%2Fen%2Fcases%2F{number}"

    asked = await browser.post(
        "/help/en/sign-in", data={"address": "Rosa@Customer.example", "next": f"/en/cases/{number}"}
    )
    assert asked.status_code == 303
    code = await company.code("rosa@customer.example")
    page = await browser.get(asked.headers["location"])
    assert "rosa@customer.example" in page.text
    came = await browser.post(
        "/help/en/sign-in/code", data={"code": f"{code[:3]} {code[3:]}", "next": f"/en/cases/{number}"}
    )
    assert came.headers["location"] == f"/help/en/cases/{number}"
    cookie = came.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/help" in cookie
    assert "SameSite=lax" in cookie
    assert (await browser.get(f"/help/en/cases/{number}")).status_code == 200
    assert await company.value(
        "select verified_at is not null from contact_point where address = 'rosa@customer.example'"
    )

    kept = dict(browser.cookies)
    assert (await browser.post("/help/en/sign-out")).status_code == 303
    browser.cookies.update(kept)
    assert (await browser.get("/help/en/cases")).status_code == 303, "the sign-in is over on the server too"


async def test_nobody_learns_who_is_known(company: Company) -> None:
    await company.writes("rosa@customer.example")
    answers = []
    for address in ("rosa@customer.example", "nobody@customer.example"):
        browser = await company.browser()
        asked = await browser.post("/help/en/sign-in", data={"address": address})
        page = await browser.get(asked.headers["location"])
        wrong = await browser.post("/help/en/sign-in/code", data={"code": "000000"})
        answers.append(
            [
                asked.status_code,
                asked.headers["location"],
                page.text.replace(address, "ADDRESS"),
                wrong.status_code,
                wrong.text.replace(address, "ADDRESS"),
            ]
        )
    assert answers[0] == answers[1]
    assert len(await company.letters("rosa@customer.example")) == 1
    assert await company.letters("nobody@customer.example") == []
    assert await company.value("select count(*) from customer") == 1, "nobody is made by asking"


async def test_a_code_takes_few_tries(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.browser()
    await browser.post("/help/en/sign-in", data={"address": "rosa@customer.example"})
    code = await company.code("rosa@customer.example")
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _try in range(4):
        assert (await browser.post("/help/en/sign-in/code", data={"code": wrong})).status_code == 422
    await company.value("delete from sign_in_attempt returning id")  # what is tested is the code's own count
    assert (await browser.post("/help/en/sign-in/code", data={"code": wrong})).status_code == 422
    assert (await browser.post("/help/en/sign-in/code", data={"code": code})).status_code == 422, "five were tried"


async def test_tries_are_slowed_down(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.browser()
    codes = [
        (await browser.post("/help/en/sign-in", data={"address": "rosa@customer.example"})).status_code
        for _n in range(7)
    ]
    assert codes[:5] == [303] * 5
    assert codes[-1] == 429
    assert len(await company.letters("rosa@customer.example")) <= 6


async def test_a_code_is_over_after_ten_minutes_and_after_use(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.browser()
    await browser.post("/help/en/sign-in", data={"address": "rosa@customer.example"})
    code = await company.code("rosa@customer.example")
    await company.value("update proof_code set expires_at = now() - interval '1 second' returning tries")
    assert (await browser.post("/help/en/sign-in/code", data={"code": code})).status_code == 422
    await company.value("update proof_code set expires_at = now() + interval '9 minutes' returning tries")
    challenge = browser.cookies["everyline_code"]
    assert (await browser.post("/help/en/sign-in/code", data={"code": code})).status_code == 303
    browser.cookies.set("everyline_code", challenge, domain="everyline.test", path="/help")
    assert (await browser.post("/help/en/sign-in/code", data={"code": code})).status_code == 422, "once only"


async def test_a_code_works_only_in_the_browser_that_asked(company: Company) -> None:
    await company.writes("rosa@customer.example")
    asking, other = await company.browser(), await company.browser()
    await asking.post("/help/en/sign-in", data={"address": "rosa@customer.example"})
    code = await company.code("rosa@customer.example")
    assert (await other.post("/help/en/sign-in/code", data={"code": code})).status_code == 422
    await other.post("/help/en/sign-in", data={"address": "nobody@customer.example"})
    assert (await other.post("/help/en/sign-in/code", data={"code": code})).status_code == 422


async def test_the_code_is_locked_until_it_goes_out_and_never_stands_in_a_subject(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.browser()
    await browser.post("/help/en/sign-in", data={"address": "rosa@customer.example"})
    code = await company.code("rosa@customer.example")
    kept = await company.value("select row_to_json(d)::text from delivery d where kind = 'notice'")
    assert code not in kept.replace(" ", "")
    assert not re.search(rf"{code[:3]} ?{code[3:]}", kept)


async def test_a_contact_point_that_is_no_longer_proved_opens_nothing(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    assert (await browser.get("/help/en/cases")).status_code == 200
    await company.value("update contact_point set verified_at = null returning id")
    assert (await browser.get("/help/en/cases")).status_code == 303


async def test_next_never_leads_away(company: Company) -> None:
    await company.writes("rosa@customer.example")
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "/desk", "/en/../../desk\t"):
        browser = await company.browser()
        await browser.post("/help/en/sign-in", data={"address": "rosa@customer.example", "next": wanted})
        came = await browser.post(
            "/help/en/sign-in/code", data={"code": await company.code("rosa@customer.example"), "next": wanted}
        )
        assert came.headers["location"] == "/help/en/cases", wanted


async def test_a_form_of_another_site_is_refused(company: Company) -> None:
    browser = await company.browser()
    for path in ("sign-in", "sign-in/code", "sign-out", "preferences", "cases/1/reply"):
        answer = await browser.post(f"/help/en/{path}", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403, path


async def test_a_customers_cookie_is_nothing_at_the_desk(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    token = browser.cookies["everyline_customer"]
    assert (await browser.get("/desk", headers={"cookie": f"everyline={token}"})).status_code == 303


async def test_what_has_run_out_is_thrown_away(company: Company) -> None:
    await company.writes("rosa@customer.example")
    await company.signed_in("rosa@customer.example")
    await tidy_sign_ins(company.ground)
    assert await company.value("select count(*) from proof_code") == 1
    assert await company.value("select count(*) from customer_sign_in") == 1
    await company.value("update proof_code set expires_at = now() - interval '25 hours' returning 1")
    await company.value("update customer_sign_in set expires_at = now() - interval '1 second' returning 1")
    await tidy_sign_ins(company.ground)
    assert await company.value("select count(*) from proof_code") == 0
    assert await company.value("select count(*) from customer_sign_in") == 0
