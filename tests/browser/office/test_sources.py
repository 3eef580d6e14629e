"""A customer source in the browser: made by form, filled from a file, asked by keyboard, and readable by everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, look, sign_in
from tests.product import RunningProduct


@pytest.mark.req("V3", "W4", "P5")
@pytest.mark.timeout(300)
def test_a_table_is_made_filled_and_asked(chromium: Browser, office: RunningProduct) -> None:
    page = sign_in(chromium, office.address, "admin@harbor.example", PASSWORD)
    page.goto(f"{office.address}/setup/sources")
    page.get_by_role("link", name="Add a source").click()
    page.get_by_role("link", name="A table here").click()
    page.get_by_label("Name", exact=True).first.fill("accounts")
    page.locator("#field-0-name").fill("due")
    page.locator("#field-0-kind").select_option("money")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="accounts", level=1)).to_be_visible()

    page.get_by_role("link", name="Rows", exact=True).click()
    content = b"Account;Due\n4711;41.50\n4712;a lot\n"
    page.locator("#file-of").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Replace all rows").click()
    expect(page.get_by_role("region", name="Bring a file")).to_contain_text("Line 3: due: This is no amount.")
    page.locator("#cell-account").fill("4713")
    page.locator("#cell-due").fill("7.00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Rows", exact=True).first).to_contain_text("4713")

    page.get_by_role("link", name="accounts", exact=True).click()
    page.locator("#try-account").fill("47 13")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Try it")).to_contain_text("$7.00")
    paths = [
        "/setup/sources",
        "/setup/sources/new?kind=http",
        "/setup/sources/new?kind=sql",
        "/setup/sources/1",
        "/setup/sources/1/rows",
    ]
    assert look(page, office.address, paths) == []
