"""The list, categories, synonyms, what is taken in, gaps and health."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.articles import actions, queries
from everyline.articles.models import Article, Category
from everyline.articles.tasks import compare, take_in
from everyline.dispatch.models import Delivery
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.knowledge.tasks import remind_owners
from tests.knowledge.conftest import Begin, typed_in
from tests.mail import MailLine

pytestmark = pytest.mark.req("W2")


def _zip(**files: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into.getvalue()


async def test_the_list_narrows(lead: httpx.AsyncClient, begin: Begin, ground: Ground, sign_in: Any) -> None:
    owner = await sign_in("agent", name="Olga Owner")
    async with ground.database.transaction() as tx:
        water = await actions.add_category(tx, None, {"en": "Water"})
    meters = await begin("Meters", publish=True, tags=["hardware"], category_id=water, owner_id=owner.id)
    await begin("Ballots", kind="news", audience="agents")
    dogs = await begin("Dogs", text="A license for the hound.", publish=True)
    async with ground.database.transaction() as tx:
        await actions.translate(tx, None, meters, "es")
        await actions.set_review(tx, None, dogs, now().date() - timedelta(days=3))
    found = {
        "q=meter": "Meters",
        "q=hounds": "Dogs",
        "state=draft&language=es": "Meters",
        "state=draft&kind=news": "Ballots",
        "state=published&owner=0": "Dogs",
        f"category={water}": "Meters",
        f"owner={owner.id}": "Meters",
        "audience=agents": "Ballots",
        "tag=hardware": "Meters",
        "language=es": "Meters",
        "stale=1": "Dogs",
    }
    for query, title in found.items():
        page = (await lead.get(f"/knowledge?{query}")).text
        for one in ("Meters", "Ballots", "Dogs"):
            assert (f'<b dir="auto">{one}</b>' in page) == (one == title), (query, one)
    assert "No article is like that" in (await lead.get("/knowledge?q=%25_")).text
    assert (await lead.get("/knowledge?state=x&owner=x&category=x&before=x&q=%00")).status_code == 200


async def test_the_list_goes_on(lead: httpx.AsyncClient, ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        for number in range(53):
            await actions.add(tx, None, "en", f"Article {number:02}")
    first = (await lead.get("/knowledge?state=draft")).text
    assert "Article 52" in first
    assert "Article 02" not in first
    older = first.partition("pager")[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "state=draft" in older
    assert "Article 02" in (await lead.get(older)).text


async def test_what_an_article_is_and_whose(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("Meters", publish=True)
    where = f"/knowledge/articles/{article_id}/en/about"
    form = typed_in((await lead.get(where)).text, "about")
    facts = {
        **form,
        "audience": "signed in",
        "tags": "Water, water , Pipes",
        "review_on": "2031-05-01",
        "review_days": "90",
    }
    assert (await lead.post(where, data=facts)).status_code == 303
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, article_id)
    assert (row.audience, row.tags, str(row.review_on), row.review_days) == (
        "signed in",
        ["pipes", "water"],
        "2031-05-01",
        90,
    )
    for wrong, said in [
        ({"review_on": "soon"}, "Write a day such as"),
        ({"review_days": "0"}, "A number from"),
        ({"audience": "gods"}, "Choose one of the list."),
        ({"category_id": "77"}, "There is no such category."),
    ]:
        answer = await lead.post(where, data={**facts, **wrong})
        assert answer.status_code in (404, 422), wrong
        assert said in answer.text
        assert 'value="Water, water , Pipes"' in answer.text


async def test_categories_stand_in_one_another(lead: httpx.AsyncClient, ground: Ground, begin: Begin) -> None:
    refused = await lead.post("/knowledge/categories", data={"name-en": " "})
    assert refused.status_code == 422
    assert "A category needs a name." in refused.text
    for name, parent in (("Water", ""), ("Bills", "1"), ("Meters", "2")):
        data = {"name-en": name, "parent_id": parent, "icon": "drop"}
        assert (await lead.post("/knowledge/categories", data=data)).status_code == 303
    ring = await lead.post("/knowledge/categories/1", data={"name-en": "Water", "parent_id": "3"})
    assert ring.status_code == 422
    assert "cannot be moved into itself" in ring.text
    assert "It would stand in itself." in ring.text
    renamed = {"name-en": "Water and sewer", "name-es": "Agua", "parent_id": "", "position": "4"}
    assert (await lead.post("/knowledge/categories/1", data=renamed)).status_code == 303
    async with ground.database.transaction() as tx:
        row = await tx.one(select(Category.__table__).where(Category.id == 1))
    assert (row.names, row.position) == ({"en": "Water and sewer", "es": "Agua"}, 4)
    assert (await lead.post("/knowledge/categories/2/remove")).status_code == 409
    assert (await lead.post("/knowledge/categories/3/remove")).status_code == 303
    assert (await lead.get("/knowledge/categories/3")).status_code == 404


async def test_synonyms(lead: httpx.AsyncClient) -> None:
    refused = await lead.post("/knowledge/synonyms", data={"words": "trash", "language": "en"})
    assert refused.status_code == 422
    assert 'value="trash"' in refused.text
    assert (
        await lead.post("/knowledge/synonyms", data={"words": "trash, garbage", "language": "en"})
    ).status_code == 303
    assert "garbage, trash" in (await lead.get("/knowledge/synonyms")).text
    assert (await lead.post("/knowledge/synonyms/1/remove")).status_code == 303
    assert (await lead.post("/knowledge/synonyms/1/remove")).status_code == 404


async def test_taken_in_after_a_look(lead: httpx.AsyncClient, ground: Ground) -> None:
    content = _zip(
        **{
            "Water/meters.md": "# Meters\n\nThey count.",
            "Water/empty.md": "# Nothing\n",
            "faq.csv": "question,answer\nWhere?,Here.\nWhither?,Here.\n",
            "old/page.html": "<html lang=en><body><h1>Old</h1><p>Still <b>true</b>.</p><script>alert(1)</script></body></html>",
            "__MACOSX/x.md": "# Hidden\n\nx",
            "../up.md": "# Up\n\nOut of the folder.",
        }
    )
    look = await lead.post(
        "/knowledge/import",
        data={"language": "en", "publish": "1"},
        files={"file": ("all.zip", content, "application/zip")},
    )
    assert look.status_code == 200, look.text
    for words in ("3 new", "1 left out", "there is no text in it", "Water", "Where?"):
        assert words in look.text, words
    assert "Hidden" not in look.text
    assert "Out of the folder" not in look.text
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select count(*) from article")) == 0, "nothing is done yet"
    token = look.text.partition('name="token" value="')[2].partition('"')[0]
    pressed = [
        await lead.post("/knowledge/import/take", data={"token": token, "language": "en", "publish": "1"})
        for _time in range(2)
    ]
    assert [one.headers["location"] for one in pressed] == ["/knowledge/import/1", "/knowledge/import/1"]
    page = await lead.get("/knowledge/import/1")
    assert "0 of 4" in page.text
    assert "Look again" in page.text
    await take_in(ground)
    state = (await lead.get("/knowledge/import/1/state")).text
    assert "3 are new" in state
    assert 'hx-swap-oob="innerHTML"' in state
    assert "Water/empty.md" in state
    assert "there is no text in it" in state
    assert "all.zip" in (await lead.get("/knowledge/import")).text
    assert (await lead.get("/knowledge/import/2")).status_code == 404
    assert (await lead.get("/help/en/articles/meters")).status_code == 200
    again = await lead.post(
        "/knowledge/import", data={"language": "en"}, files={"file": ("all.zip", content, "application/zip")}
    )
    assert "3 as it is here" in again.text
    for name, given in [
        ("a.exe", b"MZ"),
        ("a.zip", b"PK\x03\x04broken"),
        ("b.zip", _zip(x="y")),
    ]:
        refused = await lead.post("/knowledge/import", files={"file": (name, given, "application/zip")})
        assert refused.status_code == 422, name
    look = await lead.post("/knowledge/import", files={"file": ("t.csv", b"question,answer\nWhy?,\n", "text/csv")})
    for words in ("1 left out", "line 2", "it lacks a question or an answer"):
        assert words in look.text, words
    assert (await lead.post("/knowledge/import/take", data={"token": "mine"})).status_code == 422
    assert (await lead.post("/knowledge/import")).status_code == 422


async def test_a_gap_becomes_an_article(lead: httpx.AsyncClient, ground: Ground, begin: Begin) -> None:
    assert "No gap" in (await lead.get("/knowledge/gaps")).text
    compost = await begin("Composting at home", publish=True)
    async with ground.database.transaction() as tx:
        for words in ("compost bin rebate", "Compost bin rebate", "compost bin rebate"):
            await actions.found_nothing(tx, words, "en", channel="portal")
        await actions.found_nothing(tx, "tree planting permit", "en")
    page = (await lead.get("/knowledge/gaps")).text
    assert "asked 3 times" in page
    assert page.index("compost bin rebate") < page.index("tree planting permit")
    written = await lead.post("/knowledge/gaps/2/write")
    where = written.headers["location"].partition("?")[0]
    form = typed_in((await lead.get(where)).text, "editor")
    assert (form["title"], form["questions"]) == ("Tree planting permit", "tree planting permit")
    assert "is being written for it." in (await lead.get("/knowledge/gaps")).text
    assert (await lead.post("/knowledge/gaps/2/write")).status_code == 409
    await lead.post(where, data={**form, "text": "You need one.", "then": "publish"})
    assert (await lead.post("/knowledge/gaps/1/settle", data={"article_id": str(compost)})).status_code == 303
    assert "No gap" in (await lead.get("/knowledge/gaps")).text
    settled = (await lead.get("/knowledge/gaps?settled=1")).text
    assert "Composting at home" in settled
    assert "Tree planting permit" in settled
    assert (await lead.post("/knowledge/gaps/1/settle")).status_code == 404


async def test_health_leads_to_the_next_step(
    lead: httpx.AsyncClient, ground: Ground, begin: Begin, sign_in: Any
) -> None:
    assert "All is well" in (await lead.get("/knowledge/health")).text
    one = await begin("How to pay a water bill", text="Pay within 20 days.", publish=True)
    await begin("How to pay the water bill", text="Pay within 30 days.", publish=True)
    agent = await sign_in("agent", name="Ann Finder")
    async with ground.database.transaction() as tx:
        await actions.flag(tx, agent.id, one, "It is 30 days.")
        await actions.set_review(tx, None, one, now().date() - timedelta(days=3))
        for helped in (False, False, False, False, True):
            await actions.feedback(tx, one, "en", helped, "Old." if not helped else "", "portal")
    assert "2 articles are still to be compared" in (await lead.get("/knowledge/health")).text
    await compare(ground)
    page = (await lead.get("/knowledge/health")).text
    for words in (
        "It is 30 days.",
        "Ann Finder",
        "review was due",
        "did not help 4 of 5",
        "may contradict each other",
        "I keep it right",
    ):
        assert words in page, words
    assert (await lead.post(f"/knowledge/health/own/{one}")).status_code == 303
    assert (await lead.post("/knowledge/health/flags/1/settle")).status_code == 303
    assert "It is 30 days." not in (await lead.get("/knowledge/health")).text
    heard = (await lead.get(f"/knowledge/articles/{one}/en/heard")).text
    assert "Old." in heard
    assert "Portal" in heard
    assert (await lead.post(f"/knowledge/articles/{one}/en/heard", data={"feedback": "1"})).status_code == 303
    assert "looked at" in (await lead.get(f"/knowledge/articles/{one}/en/heard?days=30")).text


async def test_owners_get_one_mail_of_all_that_falls_due(ground: Ground, sign_in: Any, begin: Begin) -> None:
    owner = await sign_in("agent", name="Olga Owner")
    articles = [await begin(title, owner_id=owner.id) for title in ("Meters", "Dogs")]
    await begin("Nobody's")
    async with ground.database.transaction() as tx:
        for article_id in articles:
            await actions.set_review(tx, None, article_id, now().date())
    await remind_owners(ground)
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Delivery.id)) is None, "no line can send mail: the desk has told them"
        await tx.execute(text("update article set reminded_on = null"))
    await MailLine.add(ground)
    await remind_owners(ground)
    await remind_owners(ground)
    async with ground.database.transaction() as tx:
        rows = await tx.rows(select(Delivery.__table__))
        told = await tx.column(select(Article.reminded_on).where(Article.id.in_(articles)))
        assert told == [now().date()] * 2
    assert [(row.address, row.subject) for row in rows] == [
        (owner.email, "2 articles of yours are to be looked at again")
    ]
    words = ground.vault.open(rows[0].text.encode("ascii"))
    assert "Meters" in words
    assert "Dogs" in words
