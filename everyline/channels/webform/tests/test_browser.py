"""The form in a real browser: filled in, sent, within another page, by day, by night and on a phone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Frame, Page, async_playwright
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
LOOKS = [("light", 1280), ("dark", 360)]

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
        page.set_default_timeout(10_000)
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
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium-headless-shell", args=["--no-sandbox"]
        )
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


async def fill_in(page: Page | Frame) -> None:
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


@contextlib.asynccontextmanager
async def elsewhere(site: Site, embed: str) -> AsyncIterator[str]:
    """The address of a page of another site with the form in a frame."""
    frame = f'<iframe width="700" height="1400" src="{site.address}{embed}"></iframe>'
    body = f"<!doctype html><title>Permits</title>{frame}".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/"


async def test_the_form_is_filled_in_within_another_page(site: Site) -> None:
    page = await site.browser.new_page()
    async with elsewhere(site, "?embed=1") as address:
        await page.goto(address)
        frame = page.frames[1]
        await fill_in(frame)
        await page.wait_for_timeout(2100)
        await frame.get_by_role("button", name="Send").click()
        await frame.get_by_role("heading", name="Your message has arrived").wait_for()
    async with site.ground.database.transaction() as tx:
        assert len(await tx.rows(select(Attachment.id))) == 1


async def test_the_form_is_not_shown_within_another_page_unless_it_is_asked_for(site: Site) -> None:
    page = await site.browser.new_page()
    async with (
        elsewhere(site, "") as address,
        page.expect_console_message(lambda said: "frame-ancestors" in said.text) as refused,
    ):
        await page.goto(address)
        assert (await refused.value).type == "error"
        assert await page.frames[1].get_by_role("textbox").count() == 0
