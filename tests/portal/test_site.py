"""What anybody sees: the first page, the ways to reach us, and what a site has beside its pages."""

from __future__ import annotations

import json
import struct
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from everyline.ground.words import speaking
from everyline.lines import actions as lines
from everyline.portal.saying import hours_in_words, now_in_words, range_in_words
from everyline.portal.site_routes import coloured
from everyline.queues.hours import ALWAYS, OpeningHours
from everyline.queues.waits import Expected
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("W1", "W3")

OFFICE = OpeningHours(
    "America/Los_Angeles", [[("08:00", "17:00")]] * 4 + [[("08:00", "12:00"), ("13:00", "15:30")], [], []]
)


def test_hours_in_words() -> None:
    assert hours_in_words(OFFICE) == [
        "Mon–Thu, 8 AM–5 PM",
        "Fri, 8 AM–12 PM, 1 PM–3:30 PM".replace("3:30 PM", "3:30\u202fPM"),
    ]
    with speaking("de"):
        assert hours_in_words(OFFICE) == ["Mo–Do, 08:00–17:00", "Fr, 08:00–12:00, 13:00–15:30"]
    assert hours_in_words(ALWAYS) == ["Any hour"]
    assert hours_in_words(OpeningHours("UTC", [[]] * 7)) == ["Closed"]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-23T18:00", "Open now, until 5 PM"),  # a Monday, 10 in the morning there
        ("2026-11-23T12:00", "Closed, opens at 8 AM"),
        ("2026-11-28T18:00", "Closed, opens Monday at 8 AM"),
    ],
)
def test_whether_it_is_open_in_words(at: str, words: str) -> None:
    said = now_in_words(OFFICE, datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert said.replace("\u202f", " ") == words


@pytest.mark.parametrize("at", ["2026-11-23T00:00", "2026-11-23T12:00", "2026-11-23T23:59"])
def test_what_never_closes_says_no_hour_at_which_it_does(at: str) -> None:
    assert now_in_words(ALWAYS, datetime.fromisoformat(at).replace(tzinfo=UTC)) == "Open now"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (5, 20, "less than a minute"),
        (20, 50, "about a minute"),
        (20, 170, "up to 3 minutes"),
        (130, 280, "2 to 5 minutes"),
        (700, 1400, "12 to 25 minutes"),
    ],
)
def test_a_wait_as_a_range(low: float, high: float, words: str) -> None:
    assert range_in_words(Expected((low + high) / 2, low, high)) == words


async def test_every_open_line_with_its_way_and_the_quickest_first(company: Company) -> None:
    async with company.ground.database.transaction() as tx:
        await lines.add(
            tx,
            company.ground.vault,
            None,
            channel_name="webform",
            address="permits",
            name="Permits",
            queue_id=1,
            settings={},
        )
        shut = await lines.add(
            tx,
            company.ground.vault,
            None,
            channel_name="webform",
            address="old",
            name="Old form",
            queue_id=1,
            settings={},
        )
        await lines.change(tx, company.ground.vault, None, shut, open=False)
        await lines.add(
            tx,
            company.ground.vault,
            None,
            channel_name="webchat",
            address="quick",
            name="Quick help",
            queue_id=1,
            settings={},
        )
    browser = await company.browser()
    page = (await browser.get("/help/en/contact")).text
    assert 'href="mailto:help@county.example"' in page
    assert 'href="/in/webform/permits"' in page
    assert "Old form" not in page, "a closed line leads nowhere"
    assert 'href="/in/webchat/quick"' in page
    chat = await browser.get("/in/webchat/quick", headers={"accept-language": "de"})
    assert '<script src="/in/webchat/quick/widget.js" data-open defer></script>' in chat.text
    assert 'lang="de"' in chat.text
    assert (await browser.get("/in/webchat/nobody")).status_code == 404
    assert "Quickest right now" in page
    assert "Any hour" in page
    assert "mailto:" in (await browser.get("/help/en")).text


async def test_an_emergency_closure_is_told(company: Company) -> None:
    async with company.ground.database.transaction() as tx:
        hours = await tx.value(
            text(
                "insert into hours (name, zone, week, closed_now) values ('Storm', 'UTC', "
                "'[[],[],[],[],[],[],[]]', 'Closed because of the storm.') returning id"
            )
        )
        await tx.execute(text("update queue set hours_id = :id"), {"id": hours})
    page = (await (await company.browser()).get("/help/en/contact")).text
    assert "Closed because of the storm." in page
    assert "Quickest right now" not in page


async def test_the_language_of_the_browser_and_of_the_address(company: Company) -> None:
    browser = await company.browser()
    front = await browser.get("/help", headers={"accept-language": "pt;q=0.9, de-AT;q=0.8, en;q=0.1"})
    assert front.headers["location"] == "/help/de"
    assert "Accept-Language" in front.headers["vary"]
    page = await browser.get("/help/de/contact", headers={"accept-language": "en"})
    assert '<html lang="de"' in page.text
    assert 'hreflang="es" href="http' in page.text
    assert (await browser.get("/help/xx")).status_code == 404
    assert (await browser.get("/help/en/nothing")).status_code == 404


async def test_public_pages_are_kept_and_own_pages_are_not(company: Company) -> None:
    await company.writes("rosa@customer.example")
    anyone = await company.browser()
    page = await anyone.get("/help/en")
    assert page.headers["cache-control"] == "public, max-age=60"
    assert "Cookie" in page.headers["vary"]
    again = await anyone.get("/help/en", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    browser = await company.signed_in("rosa@customer.example")
    own = await browser.get("/help/en")
    assert own.headers["cache-control"] == "private, no-cache"
    assert own.headers["etag"] != page.headers["etag"]
    for path in ("cases", "preferences", "stored", "sign-in/code"):
        answer = await browser.get(f"/help/en/{path}")
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code == 200:
            assert '<meta name="robots" content="noindex">' in answer.text


async def test_the_map_and_the_robots(company: Company) -> None:
    browser = await company.browser()
    site = await browser.get("/help/sitemap.xml")
    assert site.headers["content-type"] == "application/xml"
    address = company.ground.settings.address
    for language in ("en", "es", "de", "fr", "vi"):
        assert f"<loc>{address}/help/{language}/contact</loc>" in site.text
    assert "cases" not in site.text
    robots = (await browser.get("/robots.txt")).text
    assert f"Sitemap: {address}/help/sitemap.xml" in robots
    assert "Disallow: /desk" in robots


async def test_it_can_be_installed(company: Company) -> None:
    browser = await company.browser()
    manifest = json.loads((await browser.get("/help/es/manifest.webmanifest")).text)
    assert manifest["start_url"] == "/help/es"
    assert manifest["scope"] == "/help/"
    for icon in manifest["icons"]:
        found = await browser.get(icon["src"])
        assert found.content.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", found.content[16:24])
        assert f"{width}x{height}" == icon["sizes"]
    worker = await browser.get("/help/worker.js")
    assert worker.headers["service-worker-allowed"] == "/help"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "/help/en/offline" in worker.text
    assert "cases" not in worker.text, "nothing that is anybody's own is kept"
    assert (await browser.get("/help/en/offline")).status_code == 200


def test_the_icon_is_a_sound_picture_in_the_brands_colour() -> None:
    found, at, palette = coloured(192, (10, 120, 60)), 8, b""
    while at < len(found):
        length, kind = struct.unpack(">I4s", found[at : at + 8])
        data = found[at + 8 : at + 8 + length]
        assert struct.unpack(">I", found[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        palette = data if kind == b"PLTE" else palette
        at += 12 + length
    assert palette[:3] == bytes((10, 120, 60))
    assert palette[-3:] == b"\xff\xff\xff"


async def test_an_unknown_host_is_not_believed(company: Company) -> None:
    browser = await company.browser("evil.example")
    page = (await browser.get("/help/en")).text
    assert "evil.example" not in page
    assert (await browser.get("/en")).status_code == 404


def test_a_day_that_is_long_over_has_no_promise() -> None:
    far = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=400)
    assert now_in_words(OpeningHours("UTC", [[]] * 7), far) == "Closed"
