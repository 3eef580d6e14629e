"""The chat widget on somebody else's page under a strict policy: a talk from the first word to the survey, over a lost line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import func, insert, select, update

from everyline.articles import actions as articles
from everyline.articles.models import ArticleDay
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.lines.models import Line
from everyline.people import actions as people
from everyline.queues.models import Membership, Queue, WrapUpCode
from everyline.selfservice import actions as flow_actions
from everyline.selfservice.flows import Ask, Confirm, Done, Flow, written
from everyline.selfservice.flows import Queue as QueueStep
from everyline.selfservice.flows import words as told
from everyline.selfservice.slots import Kind, Slot
from tests.browser.conftest import (
    PASSWORD,
    accept_by_key,
    faults,
    go_available,
    sign_in,
    with_ground,
)
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("C1"), pytest.mark.timeout(300)]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Harbor County water</title></head><body><main><h1>Water</h1><p>Bills and meters.</p></main>
<script src="{product}/in/webchat/{line}/widget.js" async></script></body></html>"""


@dataclass(frozen=True)
class Place:
    """A line of a test's own with its queue and one agent who takes it, in a product that others use too."""

    product: RunningProduct
    key: str  # the line's address

    @property
    def agent(self) -> str:
        return f"dana.{self.key}@harbor.example"


@pytest.fixture
def place(office: RunningProduct, request: pytest.FixtureRequest) -> Place:
    """Nothing stands in it before ``arrange``."""
    return Place(office, re.sub("[^a-z]+", "-", request.node.name)[5:30].strip("-"))


@contextmanager
def foreign_site(place: Place) -> Iterator[str]:
    """A site of its own origin whose policy allows our script and our line, and nothing else."""
    product = place.product.address
    policy = f"default-src 'none'; script-src {product}; connect-src {product}; require-trusted-types-for 'script'"

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(PAGE.format(product=product, line=place.key).encode())

        def log_message(self, *_facts: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def arrange(place: Place, site: str, **settings: str) -> None:
    async def staff(ground: Ground) -> None:
        async with ground.database.transaction() as tx:
            queue_id = await tx.value(insert(Queue).values(name=place.key).returning(Queue.id))
            await lines.add(
                tx,
                ground.vault,
                None,
                channel_name="webchat",
                address=place.key,
                name="Harbor County help",
                queue_id=queue_id,
                settings={"sites": site, **settings},
            )
            await tx.many(insert(WrapUpCode), [{"name": "Answered", "queue_id": queue_id}])
            agent_id = await people.add_agent(tx, None, email=place.agent, name="Dana Sample", password=PASSWORD)
            await tx.execute(insert(Membership).values(queue_id=queue_id, agent_id=agent_id))

    with_ground(place.product, staff)


def visit(chromium: Browser, site: str) -> tuple[Page, list[str]]:
    """A visitor's page, and what its console says is wrong."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(site)
    return page, wrong


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your message")


def write(page: Page, words: str) -> None:
    box(page).fill(words)
    page.keyboard.press("Enter")


def begin(chromium: Browser, place: Place, site: str, words: str) -> tuple[Page, Page, list[str]]:
    """An agent's page and a visitor's, who talk since the visitor said this; and what the visitor's console says is wrong."""
    agent = sign_in(chromium, place.product.address, place.agent, PASSWORD)
    go_available(agent)
    page, wrong = visit(chromium, site)
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_role("button", name=re.compile("Start a talk|Leave a message")).click()
    write(page, words)
    accept_by_key(agent)
    return agent, page, wrong


def test_a_talk_on_a_foreign_page_over_a_lost_line(chromium: Browser, place: Place) -> None:
    with foreign_site(place) as site:
        arrange(place, site)
        agent, page, wrong = begin(chromium, place, site, "Do I need a permit for a fence?")
        expect(agent.locator(".timeline")).to_contain_text("Do I need a permit for a fence?")
        expect(page.get_by_role("dialog")).to_contain_text("Dana Sample")
        strip = agent.locator(".talk-strip")
        expect(strip).to_contain_text("Not verified")
        agent.locator("#reply-text").press_sequentially("Not for one")
        expect(page.get_by_role("log")).to_contain_text("Dana Sample is typing")
        expect(page.locator(".read")).to_have_count(1)
        agent.locator("#reply-text").fill("Not for one of six feet.")
        agent.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("log")).to_contain_text("Not for one of six feet.")

        expect(page.get_by_text("No connection.")).to_be_hidden()
        page.context.set_offline(True)
        write(page, "And for eight feet?")
        write(page, "It is at the shore.")
        expect(page.get_by_role("dialog")).to_contain_text("No connection.")
        expect(page.locator("[data-pending]")).to_have_count(2)
        agent.locator("#reply-text").fill("Where is it?")
        agent.get_by_role("button", name="Send", exact=True).click()
        expect(agent.locator(".timeline")).to_contain_text("Where is it?")
        page.context.set_offline(False)
        expect(page.locator("[data-pending]")).to_have_count(0)
        expect(page.get_by_role("log")).to_contain_text("Where is it?")
        expect(agent.locator(".timeline")).to_contain_text("It is at the shore.")
        for words in ("And for eight feet?", "It is at the shore.", "Where is it?"):
            expect(page.get_by_role("log").get_by_text(words, exact=True)).to_have_count(1)
            expect(agent.locator(".timeline").get_by_text(words, exact=True)).to_have_count(1)

        page.reload()  # another page of the site: the talk is still there
        expect(page.get_by_role("log")).to_contain_text("Do I need a permit for a fence?")
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("button", name="End the talk").click()
        expect(page.get_by_role("dialog")).to_contain_text("The talk has ended.")
        expect(strip).to_have_count(0)
        unexpected = [one for one in wrong if "net::ERR_" not in one]
        assert unexpected == []


LAMP = Flow(
    "lamp",
    title=told("Report a lamp"),
    start="day",
    person="agent",
    steps=(
        Ask("day", words=told("Since when is it **dark**?"), slot=Slot(Kind.DATE, "day"), to="sure"),
        Confirm("sure", words=told("Shall we report it?"), yes="end", no="day"),
        Done("end", words=told("It is reported.")),
        QueueStep("agent"),
    ),
)


@pytest.mark.req("W4")
def test_a_flow_asks_with_hints_and_buttons_which_go_when_they_are_answered(chromium: Browser, place: Place) -> None:
    with foreign_site(place) as site:
        arrange(place, site)

        async def answer_by_flow(ground: Ground) -> None:
            async with ground.database.transaction() as tx:
                await flow_actions.add(tx, None, written(LAMP))
                await flow_actions.publish(tx, None, "lamp")
                await tx.execute(update(Line).values(flow="lamp").where(Line.address == place.key))

        with_ground(place.product, answer_by_flow)
        page, wrong = visit(chromium, site)
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_role("button", name=re.compile("Start a talk|Leave a message")).click()
        write(page, "Hello")
        log = page.get_by_role("log")
        expect(log.locator(".said strong")).to_have_text("dark")
        expect(log.get_by_text("For example 2026-03-31")).to_be_visible()
        write(page, "yesterday")
        expect(log.get_by_text("Shall we report it?")).to_be_visible()
        page.reload()
        expect(log.get_by_role("button", name="No")).to_be_visible()
        log.get_by_role("button", name="No").click()
        expect(log.get_by_text("For example 2026-03-31")).to_have_count(2)
        expect(log.get_by_role("button", name="Yes")).to_have_count(0)
        write(page, "yesterday")
        log.get_by_role("button", name="Yes").click()
        expect(log.get_by_text("It is reported.")).to_be_visible()
        assert faults(page) == []
        assert wrong == []


def test_an_agent_ends_a_talk(chromium: Browser, place: Place) -> None:
    with foreign_site(place) as site:
        arrange(place, site)
        agent, page, _wrong = begin(chromium, place, site, "That is all, thank you.")
        agent.get_by_role("button", name="End the talk").click()
        expect(page.get_by_role("dialog")).to_contain_text("The talk has ended.")


def test_nobody_there_is_told_and_asked_for_a_mailbox(chromium: Browser, place: Place) -> None:
    with foreign_site(place) as site:
        arrange(place, site)
        page, wrong = visit(chromium, site)
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_role("button", name="Leave a message").click()
        write(page, "<img src=x onerror=alert(1)> My meter runs backwards.")
        expect(page.get_by_label("Your email address")).to_be_visible(timeout=10_000)
        page.get_by_label("Your email address").fill("rosa@mail.example")
        page.get_by_role("button", name="Send", exact=True).first.click()
        expect(page.get_by_role("dialog")).to_contain_text("We answer by email to r…@mail.example.")
        expect(page.get_by_role("log")).to_contain_text("<img src=x onerror=alert(1)> My meter runs backwards.")
        assert wrong == []


def test_the_widget_has_no_fault_and_works_by_keyboard(chromium: Browser, place: Place) -> None:
    arrange(place, "", questions="Your name | name | required", waits_alone="true", calls_back="true")
    wrong: list[str] = []
    for scheme in ("light", "dark"):
        page = chromium.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme).new_page()
        # the page of ours that has nothing but the chat: axe may run in it
        page.goto(f"{place.product.address}/in/webchat/{place.key}")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        opener = page.get_by_role("button", name="Open the chat")
        opener.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        wrong += faults(page)
        page.get_by_role("button", name=re.compile("Start a talk|Leave a message")).press("Enter")
        page.get_by_label("Your name").fill("Rosa Delgado")
        wrong += faults(page)
        page.keyboard.press("Enter")
        expect(box(page)).to_be_focused()
        page.keyboard.type("Hello")
        page.keyboard.press("Enter")
        expect(page.locator("[data-pending]")).to_have_count(0)
        wrong += faults(page)
        page.get_by_role("button", name="Call me back instead").press("Enter")
        page.get_by_label("Your phone number").fill("+1 360 555 0142")
        wrong += faults(page)
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text("We call you at +13605550142")
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()
    assert wrong == []


async def leaks(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await articles.add(tx, None, "en", "Find a leak", text="Look at the **meter** at night.")
        await articles.publish(tx, None, article_id, "en")


async def verdicts(ground: Ground) -> tuple[int, int, int]:
    """How many found help, found none, and asked nobody: of all days, because midnight may pass."""
    said = (func.sum(one) for one in (ArticleDay.helped, ArticleDay.not_helped, ArticleDay.deflected))
    async with ground.database.transaction() as tx:
        row = await tx.one(select(*said).where(ArticleDay.channel == "webchat"))
    return row[0], row[1], row[2]


def read_about_leaks(page: Page) -> Locator:
    """Open the article about leaks by the search of the widget, with the keyboard; its question at the end."""
    page.get_by_role("searchbox", name="Search answers").fill("leak")
    page.get_by_role("button", name="Find a leak").press("Enter")
    return page.get_by_role("region", name="Did this answer your question?")


def test_an_article_that_helped_ends_the_search_and_one_that_did_not_leads_to_the_talk(
    chromium: Browser, place: Place
) -> None:
    with foreign_site(place) as site:
        arrange(place, site)
        with_ground(place.product, leaks)
        page, wrong = visit(chromium, site)
        opener = page.get_by_role("button", name="Open the chat")
        opener.press("Enter")
        read_about_leaks(page).get_by_role("button", name="Yes, it did").press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("Thank you. Good to know that it helped.")
        expect(page.get_by_role("status").filter(has_text="Good to know")).to_have_count(1)
        expect(page.locator(".verdict").get_by_role("button", name="Close the chat")).to_be_focused()
        page.keyboard.press("Enter")
        expect(opener).to_be_focused()
        assert with_ground(place.product, verdicts) == (1, 0, 1)

        other, more = visit(chromium, site)
        other.get_by_role("button", name="Open the chat").press("Enter")
        with other.expect_response("**/helped?**"):
            read_about_leaks(other).get_by_role("button", name="No, I would like to ask").press("Enter")
        expect(box(other)).to_be_focused()
        other.get_by_role("button", name="Back").click()
        again = read_about_leaks(other)
        expect(again).to_be_visible()
        assert with_ground(place.product, verdicts) == (1, 1, 1)
        assert [*wrong, *more] == []

    page = chromium.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark").new_page()
    page.goto(f"{place.product.address}/in/webchat/{place.key}")
    expect(read_about_leaks(page)).to_be_visible()
    unwell = faults(page)
    page.get_by_role("button", name="Yes, it did").click()
    expect(page.get_by_role("dialog")).to_contain_text("Good to know that it helped.")
    assert [*unwell, *faults(page)] == []
