"""What customers decide for themselves, which addresses are theirs, and what is stored of them."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from conftest import until
from everyline.articles import actions as articles
from everyline.customers import actions as customers
from everyline.customers import preferences
from everyline.customers.rules import granted
from everyline.ground.addresses import MAILBOX
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("A6", "W3", "P3")

EVENING = {"quiet_from": "21:00", "quiet_until": "07:30"}


async def test_preferences_are_kept_with_their_proof(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    point = str(await company.value("select id from contact_point"))
    wanted = {"name": "Rosa Delgado", "language": "es", "zone": "America/Los_Angeles", "first": point, "news": point}
    answer = await browser.post("/help/en/preferences", data={**wanted, **EVENING})
    assert answer.status_code == 303, answer.text
    kept = await company.value("select row_to_json(c) from customer c")
    assert {name: kept[name] for name in ("name", "language", "zone", *EVENING)} == {
        "name": "Rosa Delgado",
        "language": "es",
        "zone": "America/Los_Angeles",
        **EVENING,
    }
    assert await company.value("select preferred from contact_point")
    said = await company.value("select json_object_agg(purpose, granted) from consent")
    assert said == {"service": False, "surveys": False, "news": True}, "what was changed, and nothing else"
    proof = await company.value("select proof from consent limit 1")
    assert "rosa@customer.example" in proof
    page = (await browser.get("/help/en/preferences")).text
    assert 'value="21:00"' in page
    assert "You said so on" in page
    point_id = int(point)
    async with company.ground.database.transaction() as tx:
        assert await preferences.may_write(tx, [point_id], "news") == {point_id}
        assert await preferences.may_write(tx, [point_id], "service") == set()
        assert await preferences.may_write(tx, [point_id], "alerts") == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"quiet_from": "9pm"},
        {"quiet_from": "21:00", "quiet_until": ""},
        {"zone": "Mars/Olympus"},
        {"language": "../x"},
        {"first": "999999"},
    ],
)
async def test_what_is_wrong_changes_nothing(company: Company, wrong: dict[str, str]) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    data = {"name": "Somebody Else", "language": "en", "zone": "UTC", **wrong}
    answer = await browser.post("/help/en/preferences", data=data)
    assert answer.status_code in (404, 422)
    assert await company.value("select name from customer") == "Rosa"


def test_only_what_was_asked_for_may_be_sent_before_anything_was_said() -> None:
    assert granted("service", kept=None)
    assert not granted("alerts", kept=None)
    assert not granted("news", kept=None)
    assert not granted("service", kept=False)


async def test_a_new_address_is_theirs_only_when_it_is_proved(company: Company) -> None:
    mine = await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    answer = await browser.post("/help/en/preferences/points", data={"address": "victim@customer.example"})
    assert answer.headers["location"] == "/help/en/preferences/points/code"
    theirs = await company.writes("victim@customer.example", "My private matter.")
    assert (await browser.get(f"/help/en/cases/{theirs}")).status_code == 404, (
        "an address that was only claimed is nobody's"
    )
    assert await company.customer("victim@customer.example") != await company.customer("rosa@customer.example")
    wrong = await browser.post("/help/en/preferences/points/code", data={"code": "123456"})
    assert wrong.status_code == 422
    page = (await browser.get("/help/en/cases")).text
    assert "private" not in page
    assert str(mine) in page


async def test_a_proved_address_joins_the_record(company: Company) -> None:
    await company.writes("rosa@customer.example")
    work = await company.writes("rosa@work.example", "From my desk at work.")
    browser = await company.signed_in("rosa@customer.example")
    await browser.post("/help/en/preferences/points", data={"address": "rosa@work.example"})
    done = await browser.post(
        "/help/en/preferences/points/code", data={"code": await company.code("rosa@work.example")}
    )
    assert done.headers["location"] == "/help/en/preferences?done=joined"
    assert (await browser.get(f"/help/en/cases/{work}")).status_code == 200
    await browser.post("/help/en/preferences/points", data={"address": "rosa@home.example"})
    done = await browser.post(
        "/help/en/preferences/points/code", data={"code": await company.code("rosa@home.example")}
    )
    assert done.headers["location"] == "/help/en/preferences?done=added"
    assert await company.value("select count(*) from contact_point where verified_at is not null") == 3
    home = await company.value("select id from contact_point where address = 'rosa@home.example'")
    used = await company.value("select id from contact_point where address = 'rosa@work.example'")
    assert (await browser.post(f"/help/en/preferences/points/{used}/remove")).status_code == 409, "it stands on a case"
    assert (await browser.post(f"/help/en/preferences/points/{home}/remove")).status_code == 303
    assert await company.value("select count(*) from contact_point") == 2


async def test_a_record_with_more_addresses_is_not_joined_by_one_of_them(company: Company) -> None:
    await company.writes("rosa@customer.example")
    await company.writes("info@firm.example")
    async with company.ground.database.transaction() as tx:
        await customers.add_point(
            tx, None, await company.customer("info@firm.example"), kind=MAILBOX, address="boss@firm.example"
        )
    browser = await company.signed_in("rosa@customer.example")
    await browser.post("/help/en/preferences/points", data={"address": "info@firm.example"})
    refused = await browser.post(
        "/help/en/preferences/points/code", data={"code": await company.code("info@firm.example")}
    )
    assert refused.status_code == 409
    assert await company.value("select count(*) from customer where merged_into_id is not null") == 0


async def test_a_code_for_an_address_signs_nobody_in(company: Company) -> None:
    await company.writes("rosa@customer.example")
    browser = await company.signed_in("rosa@customer.example")
    await browser.post("/help/en/preferences/points", data={"address": "other@customer.example"})
    challenge, code = browser.cookies["everyline_address_code"], await company.code("other@customer.example")
    anyone = await company.browser()
    anyone.cookies.set("everyline_code", challenge, domain="everyline.test", path="/help")
    assert (await anyone.post("/help/en/sign-in/code", data={"code": code})).status_code == 422


async def test_what_is_stored_in_words_and_as_a_file(company: Company) -> None:
    number = await company.writes("rosa@customer.example", "Where is my bill?", subject="My bill")
    await company.writes("otto@customer.example", "A stranger's words.")
    browser = await company.signed_in("rosa@customer.example")
    files = {"files": ("../../etc/passwd\n.txt", b"the content", "text/plain")}
    await browser.post(f"/help/en/cases/{number}/reply", data={"text": "Here."}, files=files)
    await until(company.all_done)
    async with company.ground.database.transaction() as tx:
        article_id = await articles.add(tx, None, "en", "Dog licences", text="Bring your dog.")
        await articles.publish(tx, None, article_id, "en")
    await browser.post("/help/en/articles/dog-licences/feedback", data={"helped": "no"})
    await browser.get("/help/en/search?q=flying+cats", headers={"user-agent": "Mozilla/5.0 (X11) Firefox/140.0"})
    page = await browser.get("/help/en/stored")
    assert "Take it all with me" in page.text
    answer = await browser.get("/help/en/stored/export")
    assert answer.headers["content-type"] == "application/zip"
    assert "content-length" not in answer.headers, "it is sent while it is written"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    known = json.loads(archive.read("my-data.json"))
    assert known["customer"]["name"] == "Rosa"
    assert [case["subject"] for case in known["cases"]] == ["My bill"]
    assert [message["text"] for message in known["cases"][0]["messages"] if message["from"] == "you"][1] == "Here."
    (name,) = known["cases"][0]["messages"][-1]["files"]
    assert archive.read(name) == b"the content"
    assert ".." not in name
    assert sorted(archive.namelist()) == sorted(["my-data.json", name])
    assert "stranger" not in json.dumps(known)
    assert [(one["answer"], one["helped"]) for one in known["answers_judged"]] == [("Dog licences", False)]
    assert [one["words"] for one in known["searches"]] == ["flying cats"]
    assert "search that found nothing" in page.text


async def test_signing_out_everywhere_else(company: Company) -> None:
    await company.writes("rosa@customer.example")
    one, two = await company.signed_in("rosa@customer.example"), await company.signed_in("rosa@customer.example")
    assert (await one.post("/help/en/stored/sign-ins/end")).status_code == 303
    assert (await one.get("/help/en/cases")).status_code == 200
    assert (await two.get("/help/en/cases")).status_code == 303
