"""Words recorded in the browser, by keyboard, with a microphone that beeps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from everyline.calls import prompts
from everyline.ground.installation import Ground
from tests.browser.conftest import PASSWORD, an_admin, look, sign_in, with_ground
from tests.product import RunningProduct
from tests.setup.test_prompts import HELLO, publish, water

PLAYS = "one => one.play().then(() => one.duration > 0.1)"  # it can be heard, by the page's own policy


@pytest.fixture(scope="module")
def beeping() -> Iterator[Browser]:
    """Chromium with a microphone of its own, whose use nobody has to allow."""
    found = shutil.which("chromium")
    assert found, "chromium is missing: `make test` installs it"
    devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", *devices],
        )
        yield browser
        browser.close()


async def _publish(ground: Ground) -> None:
    await publish(ground, water())


async def _recorded(ground: Ground) -> float:
    async with ground.database.transaction() as tx:
        (row,) = await prompts.kept(tx)
    found: float = row.seconds
    return found


@pytest.mark.req("V3", "P5")
@pytest.mark.timeout(300)
def test_words_are_recorded_in_the_browser(beeping: Browser, product: RunningProduct) -> None:
    with_ground(product, an_admin)
    with_ground(product, _publish)
    page = sign_in(beeping, product.address, "admin@harbor.example", PASSWORD)
    page.get_by_role("link", name="Set-up").first.click()
    page.get_by_role("link", name="What callers hear").click()
    page.get_by_role("link", name=HELLO).click()
    expect(page.get_by_role("heading", name="One wording")).to_be_visible()
    assert page.get_by_label("As the voice says it").evaluate(PLAYS)

    start = page.get_by_role("button", name="Record", exact=True)
    start.focus()
    page.keyboard.press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Recording.")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile("0:0[2-9]"))
    page.keyboard.press("Enter")
    expect(start).to_be_focused()
    assert page.get_by_label("What you have just recorded").evaluate(PLAYS)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_label("The recording", exact=True)).to_be_visible()
    assert page.get_by_label("The recording", exact=True).evaluate(PLAYS)
    assert with_ground(product, _recorded) > 0.5

    paths = ["/setup/prompts", page.url.removeprefix(product.address).partition("?")[0]]
    assert look(page, product.address, paths) == []

    page.get_by_role("button", name="Remove the recording").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("link", name=HELLO)).to_be_visible()
    page.context.close()
