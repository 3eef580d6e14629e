"""Queues, teams and skills in the browser: what is typed is checked while it is typed, by keyboard and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import known, look, sign_in
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("Q1", "Q8", "P5"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def admin(chromium: Browser, demo: RunningProduct) -> Iterator[Page]:
    """The admin of the sample company."""
    who = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, who["email"], who["password"])
    yield page
    page.context.close()


def open_queue(page: Page, demo: RunningProduct, name: str) -> None:
    page.goto(f"{demo.address}/setup/queues")
    page.get_by_role("link", name=name).click()
    expect(page.locator("h1")).to_have_text(name)


def test_every_page_can_be_read_by_everybody(admin: Page, demo: RunningProduct) -> None:
    paths = ["/queues/new", "/queues/3", "/queues/7", "/queues/7/shares", "/teams", "/teams/new", "/teams/1"]
    paths += ["/skills", "/skills/9/remove", "/agents/3", "/hours/1"]
    assert look(admin, f"{demo.address}/setup", paths) == []


def test_a_newcomer_sees_few_fields(admin: Page, demo: RunningProduct) -> None:
    admin.goto(f"{demo.address}/setup/queues/new")
    for name in ("name", "goal", "wants"):
        expect(admin.locator(f"#{name}")).to_be_visible()
    for name in ("rings", "answer_share", "most_waiting", "step-0-wants", "signature"):
        expect(admin.locator(f"#{name}")).to_be_hidden()


def test_who_fits_is_said_while_one_types_and_chooses(admin: Page, demo: RunningProduct) -> None:
    open_queue(admin, demo, "Permits")
    said = admin.locator("#fits-wants")
    expect(said).to_have_text("2 of 4 agents fit.")
    admin.locator("#wants").fill('"Building law" >= 5')
    expect(said).to_contain_text('The nearest that somebody fits is "Building law" >= 4 (1).')
    admin.locator("#wants").fill('"Building law" >= 5 or "Water meters"')
    admin.get_by_label("Dana Whitfield").check()
    expect(said).to_have_text("1 of 5 agents fit.")
    admin.locator("#wants").fill("bulding")
    expect(said).to_have_text("There is no skill “bulding”.")


def test_a_mistake_in_a_step_is_shown_unfolded_with_what_was_typed(admin: Page, demo: RunningProduct) -> None:
    open_queue(admin, demo, "Permits")
    heading = admin.locator("#steps-fold > summary")
    expect(heading).to_contain_text("2 steps")
    heading.focus()
    admin.keyboard.press("Enter")
    last = admin.locator("#step-2-after")
    expect(last).to_be_visible()
    last.fill("sometime")
    last.press("Control+Enter")
    expect(admin.locator("#step-2-after-error")).to_contain_text("Write a time such as")
    expect(admin.locator("#step-2-after")).to_have_value("sometime")
    admin.locator("#step-2-after").fill("2 h")
    admin.locator("#step-2-wants").fill("Trainee")
    admin.locator("#step-2-after").press("Control+Enter")
    expect(admin.locator(".toast")).to_contain_text("Saved.")
    expect(admin.locator("#steps-fold > summary")).to_contain_text("3 steps")
    admin.locator("#steps-fold > summary").click()
    expect(admin.locator("#step-1-after")).to_have_value("2 h")
    admin.locator("fieldset", has=admin.locator("#step-1-after")).get_by_label("Leave this step out").check()
    admin.get_by_role("button", name="Save").click()
    expect(admin.locator("#steps-fold > summary")).to_contain_text("2 steps")


def test_shares_are_added_up_while_one_types(admin: Page, demo: RunningProduct) -> None:
    open_queue(admin, demo, "Roads")
    admin.locator("#teams-fold > summary").click()
    said = admin.locator("#shares-sum")
    expect(said).to_have_text("The shares add up to 100.")
    partner = admin.locator("fieldset", has=admin.get_by_text("Northline Services")).last
    partner.get_by_label("Share").fill("10")
    expect(said).to_contain_text("The shares add up to 95, not to 100")
    admin.get_by_role("link", name="What each team was given").click()
    expect(admin.get_by_role("region", name="Split of each day")).to_contain_text("Northline Services")
    expect(admin.get_by_role("region", name="Split of each day").locator("tbody tr").first).to_contain_text(
        re.compile(r"\d\.\d")
    )


def test_a_team_is_added_by_keyboard_alone(admin: Page, demo: RunningProduct) -> None:
    admin.goto(f"{demo.address}/setup/queues")
    admin.keyboard.press("g")
    admin.keyboard.press("m")
    expect(admin.locator("h1")).to_have_text("Teams and partners")
    admin.keyboard.press("c")
    expect(admin.locator("#name")).to_be_focused()
    admin.keyboard.type("Night shift")
    admin.keyboard.press("Control+Enter")
    expect(admin.locator("h1")).to_have_text("Night shift")
    expect(admin.locator(".toast")).to_contain_text("Added.")


def test_a_skill_says_where_it_is_needed(admin: Page, demo: RunningProduct) -> None:
    admin.goto(f"{demo.address}/setup/skills")
    admin.get_by_role("link", name="Remove Building law").click()
    expect(admin.locator("#needed")).to_contain_text("The queue Permits asks for it.")
    expect(admin.locator("#needed")).to_contain_text("Step 1 of the queue Permits asks for it.")
    expect(admin.locator("#needed")).to_contain_text("4 agents have it.")
    admin.get_by_role("link", name="Keep it").click()
    expect(admin.get_by_label("Name of Building law")).to_be_visible()
