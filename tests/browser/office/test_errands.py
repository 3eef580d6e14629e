"""Errands and appointments in the set-up: by keyboard, at both widths, for everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, look, sign_in
from tests.product import RunningProduct


@pytest.mark.req("V3", "W3", "P5")
@pytest.mark.timeout(300)
def test_errands_and_appointments_are_set_up(chromium: Browser, office: RunningProduct) -> None:
    page = sign_in(chromium, office.address, "admin@harbor.example", PASSWORD)
    page.goto(f"{office.address}/setup/errands")
    page.get_by_role("link", name="Report an outage").click()
    switch = page.get_by_role("switch")
    switch.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("done=saved"))
    page.goto(f"{office.address}/setup/errands")
    expect(page.get_by_role("row", name="Report an outage")).to_contain_text("switched off")

    page.goto(f"{office.address}/setup/hours/new")
    page.get_by_label("Name").first.fill("Counter")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("done="))
    page.goto(f"{office.address}/setup/appointments")
    page.get_by_label("Name").fill("Passport")
    page.get_by_label("Hours").select_option(label="Counter")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("row", name="Passport")).to_contain_text("Counter")
    paths = ["/setup/errands", "/setup/errands/new_case", "/setup/appointments", "/setup/appointments/1"]
    assert look(page, office.address, paths) == []
