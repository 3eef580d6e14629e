"""Talks at the desk, with real browsers on both sides: several at once by keyboard alone, canned answers, articles, and a
supervisor who looks on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import insert, select

from everyline.articles import actions as articles
from everyline.cases import actions as cases
from everyline.cases.models import Case
from everyline.ground.installation import Ground
from everyline.people import actions as people
from everyline.queues import actions as queues
from everyline.queues.models import Assignment, Membership, WrapUpCode
from everyline.selfservice.bot import setting
from tests.browser.conftest import (
    PASSWORD,
    accept_by_key,
    add_line,
    an_admin,
    faults,
    go_available,
    sign_in,
    with_ground,
)
from tests.product import RunningProduct
from tests.selfservice.model_double import KEY, MODEL, running

pytestmark = [pytest.mark.req("C1", "E4", "A7"), pytest.mark.timeout(240)]
STILL = {"reduced_motion": "reduce"}  # what fades in is not yet as it will be
LEAK = """Close every tap in the house. Look at the meter for five minutes.

## The triangle turns

There is a leak. Close the valve behind the meter and call a plumber.
"""


async def _house(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await tx.many(insert(WrapUpCode), [{"name": "Answered"}])
        for role, email, name in (
            ("agent", "dana@harbor.example", "Dana Sample"),
            ("supervisor", "sam@harbor.example", "Sam Lead"),
        ):
            agent_id = await people.add_agent(
                tx, None, email=email, name=name, password=PASSWORD, role=role, all_queues=True
            )
            if role == "agent":
                await tx.execute(insert(Membership).values(queue_id=1, agent_id=agent_id))
        await cases.add_canned_answer(
            tx, None, name="Greeting", text="Hello, this is {agent}. Your number is {number}."
        )
        await cases.add_canned_answer(tx, None, name="One moment", text="One moment please, I look that up.")
        leak = await articles.add(tx, None, "en", "Find a leak", summary="Your meter tells you in minutes.", text=LEAK)
        await articles.publish(tx, None, leak, "en")


async def _end_all(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        for case_id in await tx.column(select(Case.id).where(Case.status.in_(["new", "open"]))):
            await queues.resolve(tx, None, case_id)
        left = select(Assignment.id, Assignment.agent_id).where(Assignment.ended_at.is_(None))
        for row in await tx.rows(left):
            await queues.wrap_up(tx, row.agent_id, row.id, None)


@dataclass
class House:
    """A product with a chat line, an agent who is available, and visitors with the widget open."""

    product: RunningProduct
    chromium: Browser
    agent: Page

    def visitor(self, words: str) -> Page:
        """Somebody who says something in the widget, on a page of ours."""
        page = self.chromium.new_context(viewport={"width": 420, "height": 800}).new_page()
        page.goto(self.product.address + "/sign-in")
        page.evaluate(
            "src => { const tag = document.createElement('script'); tag.src = src; document.body.append(tag); }",
            f"{self.product.address}/in/webchat/help/widget.js",
        )
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_role("button", name=re.compile("Start a talk|Leave a message")).click()
        say(page, words)
        return page

    def talks(self, *words: str) -> list[Page]:
        """So many talks that the agent has in hand, and no others."""
        with_ground(self.product, _end_all)
        self.agent.goto(self.product.address + "/desk")
        expect(self.agent.locator(".talk-tab")).to_have_count(0)
        found = []
        for said in words:
            found.append(self.visitor(said))
            accept_by_key(self.agent)
        expect(self.agent.locator(".talk-tab")).to_have_count(len(words))
        return found


def say(visitor: Page, words: str) -> None:
    visitor.get_by_role("textbox", name="Your message").fill(words)
    visitor.keyboard.press("Enter")


@pytest.fixture(scope="module")
def house(chromium: Browser) -> Iterator[House]:
    product = RunningProduct()
    product.start()
    try:
        with_ground(product, an_admin)
        add_line(product, "webchat", "help", "Harbor County help")
        with_ground(product, _house)
        agent = sign_in(chromium, product.address, "dana@harbor.example", PASSWORD)
        go_available(agent)
        yield House(product, chromium, agent)
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def test_three_talks_by_keyboard_alone(house: House) -> None:
    agent, keys = house.agent, house.agent.keyboard
    visitors = house.talks("My meter runs fast", "When do you open?", "I cannot pay now")
    tabs = agent.locator(".talk-tab")
    expect(tabs.nth(2)).to_have_attribute("aria-current", "true")
    answer = agent.locator("#reply-text")
    keys.press("r")
    expect(answer).to_be_focused()
    for at, words in ((0, "Let me look at your meter."), (1, "At nine."), (2, "You can pay in parts.")):
        keys.press("Alt+ArrowDown")
        expect(tabs.nth(at)).to_have_attribute("aria-current", "true")
        expect(agent.locator(".timeline")).to_contain_text(("My meter", "When do you", "I cannot pay")[at])
        expect(answer).to_be_focused()
        expect(agent.locator(".talk-strip")).to_be_visible()
        keys.type(words)
        keys.press("Enter")
        expect(agent.locator(".timeline")).to_contain_text(words)
        expect(answer).to_be_focused()
        expect(answer).to_have_value("")
        expect(visitors[at].get_by_role("log")).to_contain_text(words)
        expect(tabs.nth(at).locator(".wait")).to_have_attribute("data-wait", "answered")

    # what a customer does shows without a reload, in the open case and in the row
    visitors[2].get_by_role("textbox", name="Your message").press_sequentially("How m")
    expect(agent.locator(".talk-strip .types")).to_contain_text("is typing")
    expect(tabs.nth(2).locator(".types")).to_be_visible()
    expect(agent.locator(".talk-strip .seen")).to_contain_text(re.compile(r"Seen \d\d:\d\d"))
    say(visitors[0], "It turns although nothing is open")
    expect(tabs.nth(0).locator(".badge")).to_contain_text("1")
    expect(tabs.nth(0).locator(".wait")).to_have_attribute("data-wait", "calm")
    expect(tabs.nth(0).locator(".wait")).to_contain_text("waits")

    # several messages of a customer hold no answer back
    say(visitors[2], "How many parts?")
    keys.type("Three")
    say(visitors[2], "And from when?")
    expect(agent.locator(".timeline")).to_contain_text("And from when?")
    keys.press("Shift+Enter")
    keys.type("from May")
    keys.press("Enter")
    expect(visitors[2].get_by_role("log")).to_contain_text("from May")

    # a canned answer by / and an article by #, as a card
    keys.press("Alt+ArrowDown")
    expect(tabs.nth(0)).to_have_attribute("aria-current", "true")
    expect(answer).to_be_focused()
    keys.type("/gree")
    expect(agent.locator(".picker [role=option]")).to_have_count(1)
    keys.press("Enter")
    expect(answer).to_have_value(re.compile(r"Hello, this is Dana Sample. Your number is \d+."))
    keys.press("Enter")
    expect(visitors[0].get_by_role("log")).to_contain_text("this is Dana Sample")
    keys.type("#leak")
    expect(agent.locator(".picker [role=option]").first).to_contain_text("Find a leak")
    keys.press("Shift+Enter")
    expect(answer).to_have_value("")
    expect(visitors[0].get_by_role("log")).to_contain_text("Find a leak")
    expect(visitors[0].get_by_role("log")).to_contain_text("Your meter tells you in minutes.")
    keys.type("#leak")
    expect(agent.locator(".picker [role=option]").first).to_contain_text("Find a leak")
    keys.press("Enter")
    expect(answer).to_have_value(re.compile("Close every tap"))
    keys.press("Enter")
    expect(visitors[0].get_by_role("log")).to_contain_text("Close every tap")


def test_quick_replies_a_page_and_the_panel(house: House) -> None:
    agent = house.agent
    (visitor,) = house.talks("I think there is a leak somewhere")
    expect(agent.locator(".talk-strip")).to_be_visible()
    panel = agent.locator("#articles")
    expect(panel.get_by_role("link", name="Find a leak")).to_be_visible(timeout=10_000)
    panel.get_by_role("link", name="Find a leak").click()
    dialog = agent.get_by_role("dialog")
    expect(dialog).to_contain_text("The triangle turns")
    dialog.get_by_role("button", name="Insert the link").click()
    expect(agent.locator("#reply-text")).to_have_value(re.compile(r"Find a leak: http.*/help/en/articles/find-a-leak"))
    agent.locator("#reply-text").fill("Does the triangle turn?")
    agent.locator(".quick > summary").click()
    agent.get_by_label("Quick reply 1").fill("It turns")
    agent.get_by_label("Quick reply 2").fill("It stands still")
    agent.get_by_role("button", name="Send", exact=True).click()
    expect(agent.locator(".timeline")).to_contain_text("Does the triangle turn?")
    agent.get_by_role("button", name="Show a page").click()
    agent.get_by_label("Address").fill("https://www.harbor.example/plumbers")
    agent.get_by_label("Title").fill("Plumbers near you")
    agent.get_by_role("button", name="Show it", exact=True).click()
    expect(agent.locator(".timeline")).to_contain_text("Plumbers near you")
    expect(visitor.get_by_role("log")).to_contain_text("Plumbers near you")
    visitor.get_by_role("button", name="It stands still").click()
    expect(agent.locator(".timeline")).to_contain_text("It stands still")


def test_a_supervisor_looks_on_and_whispers(house: House) -> None:
    agent = house.agent
    house.talks("There was a leak at our house")
    expect(agent.locator(".talk-strip")).to_be_visible()
    lead = sign_in(house.chromium, house.product.address, "sam@harbor.example", PASSWORD)
    lead.goto(house.product.address + "/desk/talks")
    expect(lead.locator("tbody tr")).to_have_count(1)
    lead.get_by_role("link", name="Look on").click()
    expect(lead.locator(".timeline")).to_contain_text("There was a leak")
    expect(agent.locator(".talk-strip")).to_contain_text("Sam Lead looks on")
    lead.get_by_role("button", name="Say something to the agent").click()
    lead.get_by_label("Only we see it").fill("Offer the leak credit")
    lead.get_by_role("button", name="Say it").click()
    expect(agent.locator(".timeline")).to_contain_text("Offer the leak credit")
    expect(agent.locator("#said-now")).to_contain_text("A supervisor says something to you")
    agent.goto(house.product.address + "/desk")
    expect(agent.locator(".talk-tab")).to_have_count(1)
    held: list[Route] = []
    lead.route("**/whisper", lambda route: held.append(route))
    lead.get_by_role("button", name="Say something to the agent").click()
    expect(lead.locator("#ask")).to_contain_text("Just a moment")
    expect(lead.get_by_label("Only we see it")).to_have_count(0)  # the form before is not there to be sent again
    held[0].continue_()
    lead.unroute("**/whisper")
    lead.get_by_label("Only we see it").fill("And ask for the meter")
    lead.get_by_role("button", name="Say it").click()
    expect(agent.locator("#toasts")).to_contain_text("A supervisor says something to you")
    expect(lead.locator(".timeline")).to_contain_text("Offer the leak credit")
    lead.get_by_role("button", name="Take over", exact=True).click()
    lead.wait_for_url(re.compile(r"/desk/cases/\d+"))
    expect(agent.locator(".talk-tab")).to_have_count(0)


@pytest.mark.req("P5")
def test_no_fault_in_either_scheme(house: House) -> None:
    wrong: list[str] = []
    house.talks("There is a leak")
    for scheme in ("light", "dark"):
        page = sign_in(
            house.chromium, house.product.address, "dana@harbor.example", PASSWORD, color_scheme=scheme, **STILL
        )
        page.locator(".talk-tab").first.click()
        expect(page.locator(".talk-strip")).to_be_visible()
        expect(page.locator("#article-hits")).to_be_visible()
        page.locator("#reply-text").press_sequentially("/")
        expect(page.locator(".picker [role=option]").first).to_be_visible()
        wrong += faults(page)
        page.locator("#reply-text").fill("")
        for opener, ready in (
            (page.locator("#articles .title").first, ".article-shown"),
            (page.get_by_label("Something is wrong with it").first, "#flag-words"),
            (page.get_by_role("button", name="Show a page"), "#push-url"),
        ):
            opener.click()
            expect(page.locator(ready)).to_be_visible()
            wrong += faults(page)
            page.keyboard.press("Escape")
        page.set_viewport_size({"width": 390, "height": 800})
        wrong += faults(page)
        lead = sign_in(
            house.chromium, house.product.address, "sam@harbor.example", PASSWORD, color_scheme=scheme, **STILL
        )
        for path in ("/desk/talks", "/setup/canned"):
            lead.goto(house.product.address + path)
            wrong += faults(lead)
        lead.goto(house.product.address + "/desk/talks")
        lead.get_by_role("link", name="Look on").click()
        lead.get_by_role("button", name="Say something to the agent").click()
        expect(lead.locator("#whisper-text")).to_be_visible()
        wrong += faults(lead)
    assert wrong == []


@pytest.mark.req("W5")
def test_a_draft_of_the_language_model_stands_in_the_editor_and_can_be_taken_away(house: House) -> None:
    with running() as (address, model):

        async def with_model(ground: Ground, at: str = address) -> None:
            async with ground.database.transaction() as tx:
                price = Decimal(0)
                await setting.save(
                    tx, None, ground.vault, distress={}, comfort={}, phone="", address=at, model=MODEL, key=KEY,
                    seconds=5, price_in=price, price_out=price,
                )  # fmt: skip

        with_ground(house.product, with_model)
        (visitor,) = house.talks("How do I find a leak in my house?")
        agent = house.agent
        model.says = "Close every tap in the house and look at the meter for five minutes."
        agent.locator("#reply-text").fill("Hello.")
        agent.get_by_role("button", name="Draft by the language model").click()
        agent.get_by_role("menuitem", name=re.compile("^Draft a reply")).click()
        expect(agent.locator("#reply-text")).to_have_value(f"Hello.\n\n{model.says}")
        expect(agent.locator("#composer").get_by_role("link", name="Find a leak")).to_be_visible()
        assert faults(agent) == []
        agent.get_by_role("button", name="Back to what stood there").click()
        expect(agent.locator("#reply-text")).to_have_value("Hello.")
        model.fails = 500
        agent.get_by_role("button", name="Draft by the language model").click()
        agent.get_by_role("menuitem", name=re.compile("^Make it fit")).click()
        expect(agent.locator("#composer").get_by_role("alert")).to_contain_text("gave no answer")
        expect(agent.locator("#reply-text")).to_have_value("Hello.")
        expect(visitor.get_by_role("log")).not_to_contain_text("Close every tap")
        with_ground(house.product, lambda ground: with_model(ground, ""))
