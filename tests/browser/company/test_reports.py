"""The reports in a browser: no fault by axe-core, wide and on a phone, light and dark; from a figure to a case by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import known, look, sign_in
from tests.product import RunningProduct

PAGES = [
    "/reports?period=last-month",
    "/reports?period=last-week&open=offered",
    "/reports?by=queue&period=last-month",
    "/reports?by=agent&period=last-month",
    "/reports?by=channel&period=last-month",
    "/reports?by=team&period=last-month&formula=SL-ign",
    "/reports/cases?of=offered&period=last-month",
    "/reports/builder",
    "/reports/surveys?period=last-month",
    "/survey/nothing-of-ours",
]


@pytest.mark.req("P5", "Q4")
@pytest.mark.timeout(300)
def test_reports_have_no_fault(chromium: Browser, demo: RunningProduct) -> None:
    admin = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, admin["email"], admin["password"])
    assert look(page, demo.address, PAGES, gone="/survey/nothing-of-ours") == []


@pytest.mark.req("Q4")
def test_from_a_figure_to_its_case(chromium: Browser, demo: RunningProduct) -> None:
    admin = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, admin["email"], admin["password"])
    page.goto(demo.address + "/reports?period=last-month")
    tile = page.locator(".tile").nth(2)
    tile.locator("a").focus()
    expect(tile.get_by_role("tooltip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".tile.open .name")).to_contain_text("Average answer")
    page.locator("tbody td.figure a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Offered")
    page.locator("tbody th a").first.click()
    expect(page.locator("#subject")).to_be_visible()
