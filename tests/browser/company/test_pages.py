"""Every page: axe-core finds nothing, wide and on a phone, light and dark; the desk works by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import known, look, sign_in
from tests.product import RunningProduct

OPEN = ["/sign-in", "/forgot", "/try", "/in/webform/permits", "/nothing-here"]
DESK = [
    "/desk",
    "/desk/views/mine",
    "/desk/views/unassigned",
    "/desk/views/mentions",
    "/desk/views/drafts",
    "/desk/views/snoozed",
    "/desk/views/longest",
    "/desk/views/late",
    "/desk/views/all",
    "/desk/cases/1400",
    "/desk/search?q=fence",
    "/desk/notices",
    "/desk/new",
    "/profile",
]
SETUP = [
    "/setup",
    "/setup/lines",
    "/setup/lines/new",
    "/setup/lines/1",
    "/setup/hours",
    "/setup/hours/1",
    "/setup/queues",
    "/setup/queues/2",
    "/setup/agents",
    "/setup/agents/3",
    "/setup/skills",
    "/setup/codes",
    "/setup/organisation",
    "/setup/quarantine",
    "/setup/tokens",
    "/setup/audit",
]


@pytest.mark.req("P5")
@pytest.mark.timeout(300)
def test_pages_have_no_fault(chromium: Browser, demo: RunningProduct) -> None:
    admin = known(demo)["sign_ins"]["admin"]
    anyone = chromium.new_context().new_page()
    assert look(anyone, demo.address, OPEN, gone="/nothing-here") == []
    page = sign_in(chromium, demo.address, admin["email"], admin["password"])
    assert look(page, demo.address, DESK + SETUP) == []


@pytest.mark.req("P5")
def test_the_desk_works_by_keyboard_alone(chromium: Browser, demo: RunningProduct) -> None:
    admin = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, admin["email"], admin["password"])
    page.goto(demo.address + "/desk/views/all")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("Written by keyboard alone.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("Written by keyboard alone.")
    expect(page.locator("textarea:focus")).to_have_count(0)  # while somebody types there, signs are no keys
    page.keyboard.press("Control+k")
    page.keyboard.type("fence")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").last).to_be_visible()


@pytest.mark.req("P5")
def test_agents_choose_their_own_keys(chromium: Browser, demo: RunningProduct) -> None:
    agent = known(demo)["sign_ins"]["agent"]
    page = sign_in(chromium, demo.address, agent["email"], agent["password"])

    def go_to_notices(keys: str) -> None:
        page.goto(demo.address + "/desk/views/mine")
        for key in keys.split():
            page.keyboard.press(key)

    page.goto(demo.address + "/profile")
    page.get_by_role("textbox", name="Notices").fill("x n")
    page.locator("form", has=page.get_by_role("textbox", name="Notices")).get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("Your keys are saved.")
    go_to_notices("x n")
    expect(page).to_have_url(demo.address + "/desk/notices")
    go_to_notices("g n")
    expect(page.locator("#list-title")).to_be_visible()
    expect(page).to_have_url(demo.address + "/desk/views/mine")


@pytest.mark.req("P3")
def test_an_open_menu_is_not_taken_away_by_what_was_asked_before(chromium: Browser, demo: RunningProduct) -> None:
    agent = known(demo)["sign_ins"]["agent"]
    page = sign_in(chromium, demo.address, agent["email"], agent["password"])
    page.wait_for_load_state()  # before it nobody hears "refresh"
    held: list[Route] = []
    page.route("**/desk/state", lambda route: held.append(route))
    with page.expect_request("**/desk/state"):
        page.evaluate("document.querySelector('#state').dispatchEvent(new CustomEvent('refresh'))")
    page.locator(".state-switch").click()
    choice = page.get_by_role("menuitemradio").last
    expect(choice).to_be_visible()
    page.evaluate("document.querySelector('#state').marked = true")
    with page.expect_response("**/desk/state"):
        held[0].continue_()
    page.unroute("**/desk/state")
    page.wait_for_timeout(200)  # in which it would be put into the page
    expect(choice).to_be_visible()
    assert page.evaluate("document.querySelector('#state').marked")
    page.keyboard.press("Escape")  # asked for again when nobody is disturbed
    expect(page.locator("#state")).not_to_have_js_property("marked", value=True)
