"""A flow in the browser: begun, gone through by keyboard in all renderings at once, kept as a test case, published."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from everyline.selfservice import flows
from tests.browser.conftest import PASSWORD, look, sign_in
from tests.product import RunningProduct
from tests.setup.test_flows import good


@pytest.mark.req("V3", "W4", "P5")
@pytest.mark.timeout(300)
def test_a_flow_is_made_and_tried(chromium: Browser, office: RunningProduct) -> None:
    page = sign_in(chromium, office.address, "admin@harbor.example", PASSWORD)
    page.goto(f"{office.address}/setup/flows")
    page.locator("#form").fill(flows.written(good()))
    page.get_by_role("button", name="Begin it").click()
    expect(page.get_by_role("heading", name="Water bill")).to_be_visible()
    expect(page.get_by_role("img", name="The flow as it is drawn")).to_be_visible()

    page.get_by_role("link", name="Try it").click()
    expect(page.get_by_role("region", name="TTY")).to_contain_text("TYPE A NUMBER GA")
    page.get_by_role("button", name="My bill").click()
    answer = page.locator("#move")
    expect(answer).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    for kind in ("Chat", "Text message", "Page", "By ear"):
        expect(page.get_by_role("region", name=kind, exact=True)).to_contain_text("You gave 2 digits. It has 10.")
    expect(answer).to_be_focused()
    page.keyboard.type("1234567890")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_contain_text("The end: the customer has what they came for.")
    page.get_by_label("Name").fill("A bill")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("region", name="Test cases")).to_contain_text("A bill")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("region", name="Versions")).to_contain_text("published")
    paths = ["/setup/flows", "/setup/flows/water", "/setup/flows/water/trial"]
    assert look(page, office.address, paths) == []
