"""Linked videos of other sites in the portal: a button begins their player, and before nothing is asked of anybody else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from everyline.articles import actions
from everyline.ground.installation import Ground
from tests.browser.conftest import faults, with_ground
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("W2"), pytest.mark.timeout(300)]
TEXT = """\
![Read your meter](https://player.example/embed/1?a=1&b=2)

![Close the valve](https://elsewhere.example/v/2)
"""


@pytest.fixture
def allowing() -> Iterator[RunningProduct]:
    """A product that allows one player."""
    found = RunningProduct(settings={"video_hosts": "player.example"})
    found.start()
    yield found
    found.stop()
    shutil.rmtree(found.data, ignore_errors=True)


async def write(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "Meters", text=TEXT)
        await actions.publish(tx, None, article_id, "en")


def opened(chromium: Browser, product: RunningProduct, asked: list[str], **context: object) -> Page:
    page = chromium.new_context(**context).new_page()  # type: ignore[arg-type]  # -- handed on

    def play(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="text/html", body="<!doctype html><p>It plays.</p>")

    page.route(lambda url: not url.startswith(product.address), play)
    page.goto(f"{product.address}/help/en/articles/meters")
    return page


def test_a_player_is_asked_for_nothing_until_it_is_wanted(chromium: Browser, allowing: RunningProduct) -> None:
    with_ground(allowing, write)
    asked: list[str] = []
    wrong: list[str] = []
    for scheme in ("light", "dark"):
        page = opened(chromium, allowing, asked, viewport={"width": 390, "height": 800}, color_scheme=scheme)
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        button = page.get_by_role("button", name="Play: Read your meter")
        expect(button).to_be_visible()
        expect(page.get_by_text("From player.example.")).to_be_visible()
        expect(page.get_by_role("link", name="Close the valve")).to_have_attribute(
            "href", "https://elsewhere.example/v/2"
        )
        assert faults(page) == []
        assert asked == []
        button.press("Enter")
        expect(page.frame_locator("iframe[title='Read your meter']").get_by_text("It plays.")).to_be_visible()
        assert asked == ["https://player.example/embed/1?a=1&b=2"]
        asked.clear()
    assert wrong == []
    page = opened(chromium, allowing, asked, java_script_enabled=False)
    link = page.get_by_role("link", name="Read your meter")
    expect(link).to_have_attribute("href", "https://player.example/embed/1?a=1&b=2")
    expect(page.get_by_role("button", name="Play: Read your meter")).to_have_count(0)
    assert asked == []
