"""The form in a real browser: filled in, sent, within another page, by day, by night and on a phone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select

from everyline.cases.models import Attachment, Case
from everyline.ground.installation import Ground
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.roles.web import create_app

AXE = Path(__file__).parents[4] / "node_modules/axe-core/axe.min.js"
QUESTIONS = """\
Address of the site | text | required
Kind of work | choice | required | Fence; Shed
Start | date
Is there a well? | yes/no
Anything else | long text
"""
LOOKS = [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]

pytestmark = pytest.mark.req("E2")


@dataclass
class Site:
    """A form that is served, with a browser."""

    ground: Ground
    browser: Browser
    address: str

    async def open(self, *, look: str = "light", width: int = 1280) -> Page:
        page = await self.browser.new_page(
            color_scheme="dark" if look == "dark" else "light", viewport={"width": width, "height": 900}
        )
        await page.goto(self.address)
        return page


@pytest.fixture
async def site(ground: Ground) -> AsyncIterator[Site]:
    async with ground.database.transaction() as tx:
        settings = {"questions": QUESTIONS, "introduction": "Tell us what you want to build.", "thanks": "We are glad."}
        await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="webform",
            address="permits",
            name="Permits",
            queue_id=1,
            settings=settings,
        )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(ground), log_config=None, lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    processing = asyncio.create_task(Processor(ground).run())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield Site(ground, browser, f"http://127.0.0.1:{listening.getsockname()[1]}/in/webform/permits")
        await browser.close()
    processing.cancel()
    server.should_exit = True
    await asyncio.gather(processing, serving, return_exceptions=True)


async def faults(page: Page) -> list[str]:
    """What axe-core finds wrong."""
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']]}" for fault in found]


async def fill_in(page: Page) -> None:
    await page.get_by_label("Address of the site").fill("12 Oak Street")
    await page.get_by_label("Kind of work").select_option("Fence")
    await page.get_by_label("Yes").check()
    await page.get_by_label("Your message").fill("May I build a fence here?")
    await page.get_by_label("Photos or papers").set_input_files(
        {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"}
    )
    await page.get_by_label("Your name").fill("Ann Example")
    await page.get_by_label("Email address").fill("ann@customer.example")


@pytest.mark.parametrize(("look", "width"), LOOKS)
async def test_every_state_of_the_form_can_be_used_by_everybody(site: Site, look: str, width: int) -> None:
    page = await site.open(look=look, width=width)
    assert await faults(page) == []
    await fill_in(page)
    await page.get_by_label("Phone number").fill("1")
    await page.wait_for_timeout(2100)  # nobody is as fast as this script
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("alert").wait_for()
    assert await page.evaluate("document.activeElement.className") == "error-summary"
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("link", name="Please check your phone number").click()
    assert await page.evaluate("document.activeElement.id") == "number"
    await page.get_by_label("Phone number").fill("360 555 0142")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("heading", name="Your message has arrived").wait_for()
    assert await faults(page) == []
    async with site.ground.database.transaction() as tx:
        (case,) = await tx.rows(select(Case.__table__))
    assert f"Its number is {case.number}" in await page.inner_text("main")


async def test_the_form_is_filled_in_within_another_page(site: Site) -> None:
    page = await site.browser.new_page()
    await page.route(
        "http://www.harbor.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<!doctype html><title>Permits</title><iframe width="700" height="1400" src="{site.address}?embed=1"></iframe>',
        ),
    )
    await page.goto("http://www.harbor.example/")
    frame = page.frames[1]
    await fill_in(frame)  # type: ignore[arg-type] -- a frame is filled in as a page is
    await page.wait_for_timeout(2100)
    await frame.get_by_role("button", name="Send").click()
    await frame.get_by_role("heading", name="Your message has arrived").wait_for()
    async with site.ground.database.transaction() as tx:
        assert len(await tx.rows(select(Attachment.id))) == 1


async def test_the_form_is_not_shown_within_another_page_unless_it_is_asked_for(site: Site) -> None:
    page = await site.browser.new_page()
    await page.route(
        "http://www.harbor.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<!doctype html><title>Permits</title><iframe src="{site.address}"></iframe>',
        ),
    )
    async with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        await page.goto("http://www.harbor.example/")
