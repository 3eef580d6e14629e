"""Answers in the portal: found, read, gone through step by step, rated; and hidden from those they are not for."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from conftest import until
from everyline.articles import actions
from everyline.customers import brands
from everyline.portal.described import description
from everyline.portal.reading import caption_words
from everyline.portal.readings import is_robot
from everyline.portal.shelf import Shelf
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("W1", "A7")

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
GUIDE = """First this.

## start: Is it dark?
Look up.
- Yes -> lamp
- No -> done

## lamp: Change the lamp
- It burns -> done
- It does not -> ask

## done: Good
= solved

## ask: We look
= ask us
"""
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"

Write = Callable[..., Awaitable[int]]


@pytest.fixture
def write(company: Company) -> Write:
    """``await write("Title", "Text")``: an article that readers see; returns its id."""

    async def make(title: str, text: str = "Some words.", *, language: str = "en", **facts: Any) -> int:
        async with company.ground.database.transaction() as tx:
            article_id = await actions.add(tx, None, language, title, text=text, **facts)
            await actions.publish(tx, None, article_id, language)
        return article_id

    return make


async def reader(company: Company, host: str = "everyline.test", agent: str = PERSON) -> httpx.AsyncClient:
    """A browser that says what a browser says."""
    browser = await company.browser(host)
    browser.headers["user-agent"] = agent
    return browser


async def shows(browser: httpx.AsyncClient, path: str, words: str, *, status: int = 200) -> httpx.Response:
    """The page, as soon as it shows these words: what a process remembers is forgotten a moment after a change."""
    last: list[httpx.Response] = []

    async def there() -> bool:
        last[:] = [await browser.get(path)]
        return last[0].status_code == status and words in last[0].text

    await until(there)
    return last[0]


def described(page: str) -> Any:
    """What machines are told."""
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(block)


async def put(company: Company, article_id: int, name: str, content: bytes, **more: Any) -> int:
    kept = await company.ground.files.put(content)
    facts: dict[str, Any] = {
        "file_hash": kept,
        "name": name,
        "size": len(content),
        "content_type": actions.told_type(content, name, ""),
    }
    async with company.ground.database.transaction() as tx:
        return await actions.add_file(tx, None, article_id, **facts, **more)


async def category(company: Company, name: str, parent_id: int | None = None) -> int:
    async with company.ground.database.transaction() as tx:
        return await actions.add_category(tx, None, {"en": name}, parent_id=parent_id)


async def test_the_first_page_leads_to_answers(company: Company, write: Write) -> None:
    browser = await reader(company)
    empty = (await browser.get("/help/en")).text
    assert "Answers" not in empty, "where nothing is written, nothing leads there"
    water = await category(company, "Water")
    bills = await category(company, "Bills", water)
    await write("Pay a bill", category_id=bills, summary="Online or by mail.")
    await write("Streets are closed", kind="news")
    page = (await shows(browser, "/help/en", "Pay a bill")).text
    for words in ('href="/help/en/categories/water"', "1 answer", "Streets are closed", 'action="/help/en/search"'):
        assert words in page
    assert described(page)["potentialAction"]["target"]["urlTemplate"].endswith(
        "/help/en/search?q={search_term_string}"
    )
    every = (await browser.get("/help/en/articles")).text
    assert 'href="/help/en/categories/bills"' in every
    inner = await browser.get("/help/en/categories/bills")
    assert "Online or by mail." in inner.text
    assert described(inner.text)["@graph"][1]["mainEntity"][0]["name"] == "Pay a bill"
    assert [one["name"] for one in described(inner.text)["@graph"][0]["itemListElement"]] == [
        "Answers",
        "Water",
        "Bills",
    ]
    assert "Streets are closed" in (await browser.get("/help/en/news")).text


async def test_an_article_and_what_is_told_of_it(company: Company, write: Write) -> None:
    text = "## One\n\nWords.\n\n## Two\n\n> [!WARNING]\n> Hot.\n\n## Three\n\n| a | b |\n|--|--|\n| 1 | 2 |"
    article_id = await write("Pay a bill", text, summary="How to pay.", category_id=await category(company, "Bills"))
    browser = await reader(company)
    page = await shows(browser, "/help/en/articles/pay-a-bill", "How to pay.")
    for words in (
        '<h2 id="part-one">One</h2>',
        '<a href="#part-three" dir="auto">Three</a>',
        '<p class="callout-name">Careful</p>',
        'role="group" aria-label="Table"',
        "1 minute to read",
        '<meta property="og:type" content="article">',
        "/help/en/contact?about=Pay+a+bill&amp;answer=pay-a-bill",
    ):
        assert words in page.text, words
    origin = company.ground.settings.address
    assert f'<link rel="canonical" href="{origin}/help/en/articles/pay-a-bill">' in page.text
    article, crumbs = described(page.text)["@graph"]
    assert article["headline"] == "Pay a bill"
    assert crumbs["itemListElement"][1]["item"] == f"{origin}/help/en/categories/bills"
    assert page.headers["cache-control"] == "public, max-age=60"
    again = await browser.get("/help/en/articles/pay-a-bill", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    async with company.ground.database.transaction() as tx:
        row = await actions.translate(tx, None, article_id, "es")
        await actions.write(tx, None, article_id, "es", row.revision, title="Pagar", summary="Cómo.", text="Palabras.")
        await actions.publish(tx, None, article_id, "es")
    both = (await shows(browser, "/help/en/articles/pay-a-bill", "articles/pagar")).text
    assert f'hreflang="es" href="{origin}/help/es/articles/pagar"' in both
    assert both.count('<a href="/help/es/articles/pagar"') == 3, "beside the title, in the head and at the foot"
    assert (await browser.get("/help/en/articles/pagar")).headers["location"] == "/help/en/articles/pay-a-bill"
    german = await browser.get("/help/de/articles/pay-a-bill")
    assert '<article lang="en">' in german.text
    assert f'<link rel="canonical" href="{origin}/help/en/articles/pay-a-bill">' in german.text


async def test_a_changed_article_is_shown_at_once_and_its_old_address_leads_on(company: Company, write: Write) -> None:
    article_id = await write("Pay a bill", "Old words.")
    browser = await reader(company)
    await shows(browser, "/help/en/articles/pay-a-bill", "Old words.")
    async with company.ground.database.transaction() as tx:
        row = await actions.open_draft(tx, None, article_id, "en")
        await actions.write(tx, None, article_id, "en", row.revision, title="Pay your bill", text="New words.")
        await actions.publish(tx, None, article_id, "en")
    await shows(browser, "/help/en/articles/pay-your-bill", "New words.")
    old = await shows(browser, "/help/en/articles/pay-a-bill", "", status=301)
    assert old.headers["location"] == "/help/en/articles/pay-your-bill"
    async with company.ground.database.transaction() as tx:
        await actions.archive(tx, None, article_id)
    await shows(browser, "/help/en/articles/pay-your-bill", "We could not find that", status=404)


async def test_what_is_not_for_all_is_not_there_for_others(company: Company, write: Write) -> None:
    await company.writes("rosa@customer.example")
    await write("For everybody", "Open words.")
    await write("For customers", "Closed words.", audience="signed in")
    await write("For agents", "Inner words.", audience="agents")
    anyone, rosa = await reader(company), await company.signed_in("rosa@customer.example")
    await shows(anyone, "/help/en/articles", "For everybody")
    own = await shows(rosa, "/help/en/articles/for-customers", "Closed words.")
    assert own.headers["cache-control"] == "private, no-cache"
    assert '<meta name="robots" content="noindex">' in own.text
    for browser, slugs in ((anyone, ("for-customers", "for-agents")), (rosa, ("for-agents",))):
        for slug in slugs:
            hidden = await browser.get(f"/help/en/articles/{slug}")
            assert hidden.status_code == 404
            assert hidden.headers["cache-control"] == "no-store"
            assert (await browser.get(f"/help/en/articles/{slug}?way=1")).status_code == 404
            assert (await browser.post(f"/help/en/articles/{slug}/feedback", data={"helped": "yes"})).status_code == 404
    for path in ("", "/articles", "/search?q=words", "/search/suggest?q=words", "/news", "/articles/for-everybody"):
        page = (await anyone.get(f"/help/en{path}")).text
        assert "For customers" not in page
        assert "For agents" not in page
    assert "for-customers" not in (await anyone.get("/help/sitemap.xml")).text
    assert "For customers" in (await rosa.get("/help/en/search?q=closed+words")).text


async def test_a_brand_shows_its_categories_alone(company: Company, write: Write) -> None:
    water, roads = await category(company, "Water"), await category(company, "Roads")
    bills = await category(company, "Bills", water)
    await write("Pay for water", category_id=bills)
    await write("Report a hole in the water street", category_id=roads)
    await write("Nowhere in particular, water")
    async with company.ground.database.transaction() as tx:
        await brands.add(tx, None, "County")
        await brands.add(tx, None, "Water Works", domain="water.example", category_ids=[water])
    county, works = await reader(company), await reader(company, "water.example")
    await shows(county, "/help/en/articles", "Report a hole")
    await shows(works, "/en", "Water Works")
    for path in ("/en", "/en/search?q=water", "/en/categories/bills", "/sitemap.xml"):
        page = (await works.get(path)).text
        assert "ay-for-water" in page, path
        assert "hole" not in page, path
        assert "owhere" not in page, path
    assert (await works.get("/en/articles/report-a-hole-in-the-water-street")).status_code == 404
    assert (await works.get("/en/categories/roads")).status_code == 404
    whole = (await works.get("/en/articles/pay-for-water")).text
    assert '<link rel="canonical" href="http://water.example/en/articles/pay-for-water">' in whole
    async with company.ground.database.transaction() as tx:
        (row,) = [one for one in await brands.every(tx) if one.domain]
        await brands.change(tx, None, row.id, category_ids=[999])
    await shows(works, "/en/articles/pay-for-water", "", status=404)


async def test_search_with_hits_and_without(company: Company, write: Write) -> None:
    await write("Pay a water bill", "Online or by mail.")
    await write("Build a fence", GUIDE, kind="guide")
    browser = await reader(company)
    page = (await shows(browser, "/help/en/search?q=water+bills", "<mark>")).text
    assert "Pay a <mark>water</mark> <mark>bill</mark>" in page
    assert 'value="water bills"' in page
    assert '<meta name="robots" content="noindex">' in page
    few = await browser.get("/help/en/search/suggest?q=wate")
    assert 'role="option" id="hit-1"' in few.text
    assert 'data-words="1 answer may fit' in few.text
    assert few.headers["cache-control"] == "public, max-age=30"
    asked, nothing = "how do i tame a dragon", ""
    for _time in range(3):
        nothing = (await browser.get("/help/en/search", params={"q": asked})).text
    assert "/help/en/contact?about=how+do+i+tame+a+dragon" in nothing
    await browser.get("/help/en/search/suggest", params={"q": "tame a dra"})
    robot = await reader(company, agent="Mozilla/5.0 (compatible; Somebot/2.1)")
    await robot.get("/help/en/search", params={"q": "dragons of the deep"})
    assert await company.value("select string_agg(words, '|') from gap") == asked, (
        "once, and nothing of what was half typed"
    )
    contact = (await browser.get("/help/en/contact", params={"about": asked})).text
    assert 'href="mailto:help@county.example?subject=how%20do%20i%20tame%20a%20dragon"' in contact


async def test_a_guide_without_scripts(company: Company, write: Write) -> None:
    await write("No light", GUIDE, kind="guide")
    browser = await reader(company)
    path = "/help/en/articles/no-light"
    page = (await shows(browser, path, "Is it dark?")).text
    assert "Change the lamp" not in page
    assert f'href="{path}?way=0#guide"' in page
    lamp = (await browser.get(f"{path}?way=0")).text
    assert "Change the lamp" in lamp
    assert f'href="{path}?way=0.1#guide"' in lamp
    asking = (await browser.get(f"{path}?way=0.1")).text
    assert "about=No+light+%C2%B7+Is+it+dark%3F+Yes+%C2%B7+Change+the+lamp+It+does+not" in asking
    for way in ("2", "0.9", "x", "0.", "-1", "0.1.0", "0" * 200, "%00", "٣"):
        assert (await browser.get(f"{path}?way={way}")).status_code == 404, way


async def test_readings_are_counted_once_and_without_robots(company: Company, write: Write) -> None:
    article_id = await write("Pay a bill")
    path = "/help/en/articles/pay-a-bill"
    people = [await reader(company, agent=f"{PERSON} {number}") for number in range(3)]
    await shows(people[0], path, "Pay a bill")
    for browser in people * 2:
        answer = await browser.get(path)
        assert "set-cookie" not in answer.headers
    for agent in ("Somebot/1.0", "", "curl/8.5", "Mozilla/5.0 HeadlessChrome/140"):
        await (await reader(company, agent=agent)).get(path)
    await people[0].get(path, headers={"sec-purpose": "prefetch"})

    async def counted() -> bool:
        views = "select views from published_article where article_id = :id"
        return bool(await company.value(views, id=article_id) == len(people))

    await until(counted)
    assert await company.value("select views from article_day where channel = 'portal'") == len(people)


async def test_who_is_about_to_write_is_shown_what_may_answer_it(company: Company, write: Write) -> None:
    await write("Pay a bill", "Pay your water bill by card or at the counter.")
    await write("Find a leak", "Look at the meter at night.")
    browser = await reader(company)
    assert "Perhaps this answers it" not in (await browser.get("/help/en/contact")).text
    assert "Perhaps this answers it" not in (await browser.get("/help/en/contact?about=dancing+elephants")).text
    coming_from_it = await browser.get("/help/en/contact?about=pay+a+bill&answer=pay-a-bill")
    assert "Perhaps this answers it" not in coming_from_it.text
    page = (await browser.get("/help/en/contact?about=how+do+I+pay+the+water+bill")).text
    (path,) = re.findall(r'href="(/help/en/articles/pay-a-bill\?instead=1)"', page)
    article = await browser.get(path)
    assert article.headers["cache-control"] == "private, no-cache"
    assert 'name="instead" value="1"' in article.text
    await browser.post("/help/en/articles/pay-a-bill/feedback", data={"helped": "yes", "instead": "1"})
    assert await company.value("select deflected from article_day where deflected > 0") == 1
    other = await reader(company)
    await other.post("/help/en/articles/find-a-leak/feedback", data={"helped": "no", "instead": "1"})
    third = await reader(company)
    await third.post("/help/en/articles/find-a-leak/feedback", data={"helped": "yes"})
    assert await company.value("select count(*) from event where kind = 'article.deflected'") == 1


async def test_did_it_help(company: Company, write: Write) -> None:
    await write("Pay a bill")
    path = "/help/en/articles/pay-a-bill"
    browser = await reader(company)
    await shows(browser, path, "Did this answer your question?")
    voted = await browser.post(f"{path}/feedback", data={"helped": "no"})
    assert voted.status_code == 303
    page = await browser.get(voted.headers["location"])
    assert "What were you looking for?" in page.text
    assert page.headers["cache-control"] == "private, no-cache"
    (token,) = re.findall(r'name="voted" value="([^"]+)"', page.text)
    said = await browser.post(f"{path}/feedback", data={"voted": token, "words": f"{EVIL}\x00"})
    assert "Thank you" in (await browser.get(said.headers["location"])).text
    await browser.post(f"{path}/feedback", data={"voted": token, "words": "Something else."})
    again = await browser.post(f"{path}/feedback", data={"helped": "no"})
    assert "told us already" in (await browser.get(again.headers["location"])).text
    assert await company.value("select count(*) from article_feedback") == 1
    assert await company.value("select words from article_feedback") == EVIL
    assert await company.value("select not_helped from article_day") == 1
    for wrong in ("x", "x" * 5000, EVIL, company.ground.vault.lock("feedback x yes").decode()):
        assert (await browser.post(f"{path}/feedback", data={"voted": wrong})).status_code == 404


async def test_files_of_articles(company: Company, write: Write) -> None:
    article_id = await write("A form", "![Map](file:1) and ![Clip](file:2)\n\n![Clip](file:2)", audience="signed in")
    await company.writes("rosa@customer.example")
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 100
    vtt = b"WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann>Lift the &lt;lid&gt;.\n\n1\n00:02.000 --> 00:03.000\nClose it."
    one = await put(company, article_id, "map.png", png)
    clip = await put(company, article_id, "clip.webm", b"\x1aE\xdf\xa3" + b"0" * 200)
    await put(company, article_id, "c.vtt", vtt, captions_of=clip, language="en")
    await put(company, article_id, f'{EVIL[:40]}".pdf', b"%PDF-1.7\n")
    async with company.ground.database.transaction() as tx:
        row = await actions.open_draft(tx, None, article_id, "en")
        await actions.write(
            tx, None, article_id, "en", row.revision, text=f"![Map](file:{one})\n\n![Two minutes](file:{clip})"
        )
        await actions.publish(tx, None, article_id, "en")
    rosa, anyone = await company.signed_in("rosa@customer.example"), await reader(company)
    page = (await shows(rosa, "/help/en/articles/a-form", "Two minutes")).text
    assert f'<img src="/help/articles/files/{one}" alt="Map"' in page
    assert "<p>Lift the &lt;lid&gt;.</p><p>Close it.</p>" in page
    assert "<figcaption>Two minutes</figcaption>" in page
    assert "<script>alert" not in page
    found = await rosa.get(f"/help/articles/files/{one}")
    assert found.content == png
    assert found.headers["cache-control"] == "private, no-cache"
    assert found.headers["content-security-policy"].endswith("sandbox")
    part = await rosa.get(f"/help/articles/files/{clip}", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"\x1aE\xdf\xa3")
    for number in (str(one), "0", "x", "-1", "9" * 30, "%00"):
        assert (await anyone.get(f"/help/articles/files/{number}")).status_code == 404


async def test_the_map_of_the_site(company: Company, write: Write) -> None:
    article_id = await write("Pay a bill", category_id=await category(company, "Bills & more"))
    async with company.ground.database.transaction() as tx:
        row = await actions.translate(tx, None, article_id, "es")
        await actions.write(tx, None, article_id, "es", row.revision, title="Pagar", text="Palabras.")
        await actions.publish(tx, None, article_id, "es")
    browser = await reader(company)
    text = (await shows(browser, "/help/sitemap.xml", "pagar")).text
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    urls = {url.findtext("s:loc", "", names): url for url in ElementTree.fromstring(text).iterfind("s:url", names)}
    origin = company.ground.settings.address
    spanish = urls[f"{origin}/help/es/articles/pagar"]
    assert spanish.findtext("s:lastmod", "", names).startswith("20")
    assert [one.get("hreflang") for one in spanish.iterfind("x:link", names)] == ["en", "es"]
    assert f"{origin}/help/en/categories/bills-more" in urls
    assert (await browser.get("/help/sitemap-7.xml")).status_code == 404
    assert "Disallow: /help/*/search" in (await browser.get("/robots.txt")).text


NONSENSE = ("%00", "..%2f..%2fetc", "x" * 3000, "%F0%9F%92%A7", "%3Cscript%3E", "%C0%AF", "a%00b", "'", "%2e%2e")


async def test_nonsense_is_answered_as_not_there(company: Company, write: Write) -> None:
    await write("Pay a bill", category_id=await category(company, "Bills"))
    browser = await reader(company)
    await shows(browser, "/help/en/categories/bills", "Pay a bill")
    for odd in NONSENSE:
        for path in (f"articles/{odd}", f"categories/{odd}", f"categories/bills?page={odd}", f"news?before={odd}"):
            assert (await browser.get(f"/help/en/{path}")).status_code == 404, path
        for path in (
            f"search?q={odd}",
            f"search/suggest?q={odd}",
            f"contact?about={odd}&answer={odd}",
            f"articles/pay-a-bill?voted={odd}",
        ):
            answer = await browser.get(f"/help/en/{path}")
            assert answer.status_code == 200, path
            assert "<script>" not in answer.text
    for number in ("0", "-1", "2", "1e3", "99999999999", "１"):
        assert (await browser.get(f"/help/en/categories/bills?page={number}")).status_code == 404
    assert (await browser.get("/help/en/news?before=99999999999.1-5")).status_code == 200


async def test_scripts_in_every_field_are_words(company: Company, write: Write) -> None:
    place = await category(company, f"Place {EVIL}")
    text = f"# {EVIL}\n\n{EVIL}\n\n[x](javascript:alert(1))\n\n> [!TIP]\n> {EVIL}"
    facts = {"summary": f"Sum {EVIL} </script>", "tags": ["<script>"], "category_id": place, "questions": [EVIL]}
    await write(f"Title {EVIL} </script>", text, **facts)
    await write(
        f"Guide {EVIL}",
        f"{EVIL}\n\n## a: {EVIL}\n{EVIL}\n- {EVIL} -> b\n\n## b: end\n= ask us\n",
        kind="guide",
        category_id=place,
    )
    await write(f"News {EVIL}", kind="news", summary=EVIL)
    browser = await reader(company)
    home = (await shows(browser, "/help/en", "News &lt;script&gt;")).text
    slugs = re.findall(r'href="(/help/en/(?:articles|categories)/[^"]+)"', home)
    assert len(slugs) >= 3
    paths = [*slugs, "/help/en/search?q=title", "/help/en/search/suggest?q=title", "/help/en/news", "/help/en/articles"]
    for path in [*paths, *(f"{one}?way=0" for one in slugs if "guide" in one), f"/help/en/contact?about={EVIL}"]:
        page = (await browser.get(path)).text
        rest = re.sub(r'<script type="application/(?:ld\+)?json"[^>]*>.*?</script>', "", page, flags=re.DOTALL)
        assert not re.search(r"<script(?! type=\"module\" src=)", rest), path
        assert "<img src=x" not in rest, path
        assert 'href="javascript' not in rest, path
        for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL):
            assert "<" not in block
            json.loads(block)


async def test_what_was_read_while_it_changed_is_not_remembered() -> None:
    shelf = Shelf()

    async def meanwhile() -> str:
        shelf.forget()
        return "old"

    async def later() -> str:
        return "new"

    assert await shelf.get("x", meanwhile) == "old"
    assert await shelf.get("x", later) == "new"
    assert await shelf.get("x", meanwhile) == "new"
    assert await shelf.get("y", later, seconds=-1) == "new"
    assert len(shelf) == 2


def test_small_rules() -> None:
    assert is_robot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    assert not is_robot("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1")
    assert not is_robot("Mozilla/5.0 (Linux; Android 14; Cubot X20) Chrome/140.0")
    assert len(description("word " * 200)) <= 300
    assert caption_words(
        "WEBVTT\r\n\r\nNOTE x\r\n\r\n00:01.000 --> 00:02.000 line:0\r\nA\r\nB\r\n\r\n00:02.000 --> 00:03.000\r\nA B"
    ) == ("A B",)
