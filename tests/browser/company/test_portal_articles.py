"""Answers of the portal in Chromium: every page in both colour schemes and on a phone, search by keyboard, guides and votes with and
without scripts, and on paper."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import faults
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("W1", "P5"), pytest.mark.timeout(280)]

BILL = "/articles/why-is-my-water-bill-so-high"
GUIDE = "/articles/find-out-why-there-is-no-water"
PAGES = (
    "",
    "/articles",
    "/categories/water-and-sewer",
    "/search?q=water+bill",
    "/search?q=pancakes+for+breakfast",
    "/news",
    BILL,
    "/articles/pay-your-water-bill",
    GUIDE,
    f"{GUIDE}?way=1.0",
    f"{BILL}?voted=no.x",
    "/contact?about=A+leak&answer=why-is-my-water-bill-so-high",
    "/do",
    "/do/report-outage",
    "/go/over",
)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}


def found_wrong(page: Page, address: str) -> list[str]:
    """What is wrong with a page: by axe-core, by width, by its headings."""
    page.goto(address)
    found = [f"{address}: {fault}" for fault in faults(page)]
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if wide > room:
        found.append(f"{address}: {wide} pixels wide in {room}")
    levels = page.evaluate(
        "[...document.querySelectorAll('main :is(h1,h2,h3,h4)')].map((one) => Number(one.tagName[1]))"
    )
    if levels.count(1) != 1:
        found.append(f"{address}: {levels.count(1)} chief headings")
    return found


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_every_page(chromium: Browser, demo: RunningProduct, scheme: Any, size: str) -> None:
    context = chromium.new_context(color_scheme=scheme, **(PHONE if size == "phone" else DESKTOP))
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"a script stumbled: {error}"))
    page.on("console", lambda line: said.append(line.text) if "Content Security" in line.text else None)
    found = [fault for path in PAGES for fault in found_wrong(page, f"{demo.address}/help/en{path}")]
    page.goto(f"{demo.address}/help/en")
    page.locator("#q").press_sequentially("wat")
    expect(page.locator("#suggested")).to_be_visible()
    page.keyboard.press("ArrowDown")
    found += [f"suggestions: {fault}" for fault in faults(page)]
    assert found + said == []
    context.close()


def test_search_by_keyboard_as_it_is_heard(chromium: Browser, demo: RunningProduct) -> None:
    context = chromium.new_context(**DESKTOP)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en")
    field = page.get_by_role("combobox", name="Search the answers")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially("water bil")
    options = page.get_by_role("listbox", name="Answers that may fit").get_by_role("option")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[data-said]")).to_contain_text("may fit. Use the arrow keys.")
    expect(field).not_to_have_attribute("aria-activedescendant", "hit-1")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "hit-1")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", "hit-all")
    page.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("water bil")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    title = options.first.locator("b").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/*")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.goto(f"{demo.address}/help/en")
    page.locator("#q").press_sequentially("water")
    expect(page.locator("#suggested")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=water")
    expect(page.locator(".hits mark").first).to_be_visible()
    context.close()


def through_the_guide(page: Page, address: str) -> None:
    """From the first question to the end, back, and to the people."""
    page.goto(f"{address}{GUIDE}")
    page.get_by_role("link", name="No, nobody has").click()
    expect(page.get_by_role("heading", name="A pipe in the street is broken")).to_be_visible()
    page.get_by_role("link", name="Change: Do your neighbors have water?").click()
    expect(page.get_by_role("heading", name="Do your neighbors have water?")).to_be_visible()
    page.get_by_role("link", name="No, nobody has").click()
    page.get_by_role("link", name="I want to report it").click()
    expect(page.get_by_role("heading", name="We look into it")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="A pipe in the street is broken")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="We look into it")).to_be_visible()
    page.locator(".guide").get_by_role("link", name="Contact us").click()
    expect(page.locator(".notice")).to_contain_text("No, nobody has")
    expect(page.locator("a[href^='mailto:'][href*='nobody%20has']").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without"])
def test_step_by_step(chromium: Browser, demo: RunningProduct, scripts: bool) -> None:
    context = chromium.new_context(java_script_enabled=scripts, **PHONE)
    page = context.new_page()
    loads: list[str] = []
    page.on("request", lambda one: loads.append(one.url) if one.is_navigation_request() else None)
    through_the_guide(page, f"{demo.address}/help/en")
    assert len(loads) == (2 if scripts else 8), "with scripts the page stays"
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without"])
def test_did_it_help(chromium: Browser, demo: RunningProduct, scripts: bool) -> None:
    agent = f"Mozilla/5.0 (X11; Linux x86_64) with scripts: {scripts}"
    context = chromium.new_context(java_script_enabled=scripts, user_agent=agent, **PHONE)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en{BILL}")
    page.get_by_role("button", name="No, not quite").click()
    page.get_by_label("What were you looking for?").fill("Where is the meter?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("We read every line.")).to_be_visible()
    context.close()


def test_without_scripts_everything_is_found(chromium: Browser, demo: RunningProduct) -> None:
    context = chromium.new_context(java_script_enabled=False, **PHONE)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en")
    page.locator("#q").fill("high water bill")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Why is my water bill so high?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Why is my water bill so high?")
    page.get_by_text("Read this in another language").click()
    page.locator("article").get_by_role("link", name="español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", level=1)).to_contain_text("cuenta de agua")
    context.close()


def test_data_for_machines_passes_the_policy(chromium: Browser, demo: RunningProduct) -> None:
    context = chromium.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on(
        "console", lambda line: refused.append(line.text) if "Refused" in line.text or "violates" in line.text else None
    )
    page.goto(f"{demo.address}/help/en{BILL}")
    (block,) = page.locator("script[type='application/ld+json']").all_text_contents()
    assert json.loads(block)["@graph"][0]["@type"] == "Article"
    assert refused == []
    context.close()


def test_on_paper_stands_the_article_alone(chromium: Browser, demo: RunningProduct) -> None:
    context = chromium.new_context(**DESKTOP)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en{BILL}")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for hidden in (".reading > aside", ".verdict", ".masthead nav", ".foot", ".crumbs"):
        expect(page.locator(hidden)).to_be_hidden()
    context.close()


@pytest.mark.req("W3", "W4")
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_something_is_done_online_by_keyboard(chromium: Browser, demo: RunningProduct, device: dict[str, Any]) -> None:
    page = chromium.new_context(**device).new_page()
    wrong = found_wrong(page, f"{demo.address}/help/en/do/report-outage")
    page.get_by_role("button", name="Begin").press("Enter")
    wrong += faults(page)
    page.get_by_role("button", name="Water", exact=True).press("Enter")
    page.get_by_role("textbox", name="Where is it?").fill("12 Harbor Street, Port Ansel")
    wrong += faults(page)
    page.get_by_role("button", name="Go on", exact=True).press("Enter")
    page.get_by_role("button", name="Go on on another device").press("Enter")
    expect(page.locator("aside .code")).to_have_text(re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}$"))
    wrong += faults(page)
    page.get_by_role("button", name="Yes", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    wrong += faults(page)
    assert wrong == []
