"""Articles beside a case: suggested, found, put in, shown as cards, flagged, and made of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from everyline.articles import actions as articles
from everyline.desk import redacting, suggesting
from everyline.ground.installation import Ground
from tests.desk.conftest import Desk, TalkDesk

pytestmark = pytest.mark.req("A7", "W2")
FORM = {"kind": "reply", "channel": "", "note": ""}
TEXT = "Bring the card.\n\n## Where\n\nAt the [counter](https://www.harbor.example/counter).\n\n![map](file:3)\n"


async def publish(ground: Ground, title: str, text: str = TEXT, **facts: Any) -> int:
    async with ground.database.transaction() as tx:
        article_id = await articles.add(tx, None, "en", title, text=text, **facts)
        await articles.publish(tx, None, article_id, "en")
    return article_id


async def test_what_fits_the_case_is_suggested(desk: Desk) -> None:
    agent = await desk.agent()
    await publish(desk.ground, "Renew a dog license", summary="Once a year, by mail or here.")
    await publish(desk.ground, "Pay a parking fine")
    page = (await desk.get(agent, f"/desk/cases/{desk.case_id}")).text
    assert f'hx-get="/desk/cases/{desk.case_id}/articles"' in page, "fetched after the page"
    assert "Renew a dog" not in page
    panel = (await desk.part(agent, f"/desk/cases/{desk.case_id}/articles")).text
    assert "license</mark>" in panel
    assert "parking" not in panel
    stranger = await desk.sign_in()
    assert (await desk.part(stranger, f"/desk/cases/{desk.case_id}/articles")).status_code == 404


async def test_a_search_that_finds_nothing_is_kept_with_the_case_once_it_is_typed_out(desk: Desk) -> None:
    agent = await desk.agent()
    await publish(desk.ground, "Renew a dog license")
    url = f"/desk/cases/{desk.case_id}/articles/hits"
    assert "Renew a" in (await desk.part(agent, f"{url}?q=renew")).text
    assert "Nothing found" in (await desk.part(agent, f"{url}?q=beehive+permit")).text
    assert await desk.value("select count(*) from gap") == 0, "half typed"
    assert "are told" in (await desk.part(agent, f"{url}?q=beehive+permit&whole=yes")).text
    assert await desk.value("select case_id from gap where words = 'beehive permit'") == desk.case_id
    await desk.part(agent, f"{url}?q=renew+license&whole=yes")
    assert await desk.value("select count(*) from gap") == 1


async def test_text_and_link_are_put_in_as_the_channel_says_them_and_counted_when_sent(desk: Desk) -> None:
    agent = await desk.agent()
    article_id = await publish(desk.ground, "Renew a dog license")
    url = f"/desk/cases/{desk.case_id}/articles/{article_id}/text?language=en"
    put = (await desk.part(agent, url)).json()
    assert put["text"].startswith("Bring the card.")
    assert "**Where**" in put["text"], "a heading means nothing in a mail"
    assert "counter (https://www.harbor.example/counter)" in put["text"]
    assert "file:3" not in put["text"]
    link = (await desk.part(agent, f"{url}&how=link")).json()
    assert link["text"].endswith("/en/articles/renew-a-dog-license")
    assert await desk.value("select count(*) from article_use") == 0, "not sent yet"
    form = {**FORM, "reply": put["text"], "revision": str((await desk.case()).revision)}
    used = [put["used"], link["used"], "article:999:en:link", f"article:{article_id}:en:nonsense"]
    sent = await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **form, used=used)
    assert sent.status_code == 200
    uses = await desk.value(
        "select json_agg(json_build_array(wording, channel, agent_id, message_id is not null)) from article_use"
    )
    assert sorted(uses) == [["letter", "email", agent.id, True], ["link", "email", agent.id, True]]


async def test_what_is_for_us_alone_is_shown_and_never_given(desk: Desk) -> None:
    agent = await desk.agent()
    article_id = await publish(desk.ground, "Dog license credits", audience="agents")
    base = f"/desk/cases/{desk.case_id}/articles"
    panel = (await desk.part(agent, base)).text
    assert "For us alone" in panel
    assert "data-put" not in panel
    assert "Bring the card" in (await desk.part(agent, f"{base}/{article_id}?language=en")).text
    assert "Dog license" not in (await desk.part(agent, f"{base}/pick?q=license")).text
    assert (await desk.part(agent, f"{base}/{article_id}/text?language=en")).status_code == 409
    assert (await desk.post(agent, f"{base}/{article_id}/card", language="en")).status_code == 409


async def test_a_hostile_article_is_shown_as_text(desk: Desk) -> None:
    agent = await desk.agent()
    article_id = await publish(desk.ground, "Dog license <script>alert(1)</script>", "<img src=x onerror=alert(1)>")
    base = f"/desk/cases/{desk.case_id}/articles"
    for path in (base, f"{base}/pick?q=license", f"{base}/{article_id}?language=en"):
        shown = (await desk.part(agent, path)).text
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


async def test_an_article_is_flagged_with_words(desk: Desk) -> None:
    agent = await desk.agent()
    article_id = await publish(desk.ground, "Renew a dog license")
    url = f"/desk/cases/{desk.case_id}/articles/{article_id}/flag"
    assert "Renew a dog license" in (await desk.part(agent, f"{url}?language=en")).text
    assert (await desk.post(agent, url, words=" ", language="en")).status_code == 422
    assert (await desk.post(agent, url, words="The fee is wrong", language="en")).status_code == 204
    flags = await desk.value("select json_agg(json_build_array(words, case_id, agent_id)) from article_flag")
    assert flags == [["The fee is wrong", desk.case_id, agent.id]]
    assert "Said to be wrong" in (await desk.part(agent, f"/desk/cases/{desk.case_id}/articles")).text


@pytest.mark.req("C1")
async def test_a_card_arrives_in_the_talk_and_is_counted(talks: TalkDesk) -> None:
    agent = await talks.agent()
    _visitor, stream, case_id = await talks.talk(agent, "Where do I renew my dog license?")
    article_id = await publish(talks.chat.ground, "Renew a dog license", summary="By mail or here.")
    assert "Shift" in (await talks.get(agent, f"/desk/cases/{case_id}/articles/pick?q=license")).text
    put = (await talks.get(agent, f"/desk/cases/{case_id}/articles/{article_id}/text?language=en")).json()
    assert put["used"].endswith(":chat")
    assert len(put["text"]) <= 600
    pushed = await talks.post(agent, f"/desk/cases/{case_id}/articles/{article_id}/card", language="en")
    assert pushed.status_code == 204
    found = await stream.until(lambda one: one["kind"] == "message" and one["message"]["card"] is not None)
    card = found["message"]["card"]
    assert (card["kind"], card["title"], card["extract"], card["slug"]) == (
        "article",
        "Renew a dog license",
        "By mail or here.",
        "renew-a-dog-license",
    )
    assert await talks.value("select channel from article_use where wording = 'link'") == "webchat"


async def test_an_answer_becomes_an_article_without_its_customer(desk: Desk) -> None:
    agent = await desk.agent()
    case = await desk.case()
    customer = await desk.value("select name from customer where id = :id", id=case.customer_id)
    address = await desk.value("select address from contact_point where customer_id = :id limit 1", id=case.customer_id)
    said = f"Dear {customer},\n\nbring the card. Quote {case.number} or write from {address}. Call (555) 010-9988."
    form = {**FORM, "reply": said, "revision": str(case.revision)}
    assert (await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **form)).status_code == 200
    message_id = int(await desk.value("select max(id) from message where direction = 'out' and agent_id is not null"))
    url = f"/desk/cases/{desk.case_id}/messages/{message_id}/article"
    assert url in (await desk.part(agent, f"/desk/cases/{desk.case_id}/timeline")).text
    asked = (await desk.part(agent, url)).text
    assert "were taken out" in asked
    for known in (customer, address, str(case.number), "010-9988"):
        assert known not in asked.partition("</header>")[2], known
    assert "Bring the card." in asked
    smuggled = {
        "title": f"License of {customer}",
        "text": f"{customer} brings the card. {address} Or call 555 010 2000.",
    }
    made = await desk.post(agent, url, **smuggled)
    assert made.status_code == 204
    article_id = int(await desk.value("select max(id) from article"))
    assert made.headers["hx-redirect"] == f"/knowledge/articles/{article_id}/en"
    assert 'name="text"' in (await desk.part(agent, made.headers["hx-redirect"])).text
    kept = await desk.value("select title || ' ' || text from article_version")
    assert customer not in kept
    assert address not in kept
    assert "Or call 555 010 2000." in kept, "whoever looked it through put a number of the house in"
    theirs = await desk.value("select min(id) from message where direction = 'in'")
    assert (await desk.part(agent, f"/desk/cases/{desk.case_id}/messages/{theirs}/article")).status_code == 404
    assert (await desk.post(agent, url, title=" ")).status_code == 422


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Hello Rosa Delgado,\n\nthe fee is 45 dollars.", "The fee is 45 dollars."),
        ("Ask Delgado, at rosa@mail.example.", "Ask (name), at (address)."),
        ("Your account 4711-0815-99 is open until 2026.", "Your account (number) is open until 2026."),
        ("See https://www.harbor.example/forms/12345678?x=1 or +1 555 010 9988.", "See https://www.harbor.example/forms/12345678?x=1 or (number)."),
        ("Quote 10042, by 03/17/2026 or in 2 to 3 days.", "Quote (number), by (number) or in 2 to 3 days."),
        ("A rosary is no name.", "A rosary is no name."),
        ("\ue0007\ue001", "7"),
    ],
)  # fmt: skip
def test_what_tells_of_a_person_goes(text: str, bare: str) -> None:
    assert redacting.without_person(text, "Rosa Delgado", ["rosa@mail.example"], ["10042"]).text == bare


def test_an_article_is_typed_with_signs_that_a_message_knows() -> None:
    assert suggesting.as_typed("# One\n\ntext\n\n> [!NOTE]\n> mind") == "**One**\n\ntext\n\n> mind"
