"""Chromium, and a product that runs with people in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import insert

from everyline.ground.database import Tx
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import Settings
from everyline.lines import actions as lines
from everyline.people import actions as people
from everyline.queues.models import Membership
from tests.product import RunningProduct, free_port

PASSWORD = "correct horse battery"
AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "section508"]
expect.set_options(timeout=30_000)  # milliseconds: a busy machine takes its time, and what is there is seen at once
LOOKS = [(1280, "light"), (360, "dark")]  # widths and colours, each once


@contextlib.contextmanager
def a_chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window, which costs two thirds of one that could show it. Its driver has an event loop running
    in this thread, so it ends before tests with loops of their own go on."""
    found = shutil.which("chromium-headless-shell")
    assert found, "chromium-headless-shell is missing: `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        _stand_back()
        yield browser
        browser.close()


def _stand_back() -> None:
    """A browser of a test's own is a session of its own, and Linux shares a processor among sessions, not processes
    (sched(7), "The autogroup feature"): one that looks through pages would have as much of it as all calls together."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(child.pid) != os.getsid(0):
                Path(f"/proc/{child.pid}/autogroup").write_text("10")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a file's tests; in a folder of its own with a product that they share, of all of them."""
    with a_chromium() as browser:
        yield browser


def known(product: RunningProduct) -> dict[str, Any]:
    """What ``demo.json`` holds."""
    found: dict[str, Any] = json.loads((product.data / "demo.json").read_text())
    return found


@pytest.fixture(autouse=True)
def _pages_are_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """A page that nobody looks at any more goes on living, and costs as much as one that somebody looks at."""
    browser: Browser | None = request.getfixturevalue("chromium") if "chromium" in request.fixturenames else None
    before = list(browser.contexts) if browser else []
    yield
    for context in browser.contexts if browser else []:
        if context not in before:
            context.close()


@contextlib.contextmanager
def empty_product() -> Iterator[RunningProduct]:
    """A product without anybody, with an SMTP listener at ``settings["email_smtp_listen"]``."""
    found = RunningProduct(settings={"email_smtp_listen": f"127.0.0.1:{free_port()}"})
    found.start()
    yield found
    found.stop()
    shutil.rmtree(found.data, ignore_errors=True)


@pytest.fixture
def product() -> Iterator[RunningProduct]:
    """An empty product of a test's own, for what no other may see."""
    with empty_product() as found:
        yield found


def with_ground(product: RunningProduct, work: Callable[[Ground], Any]) -> Any:
    """Do something on a running product's ground, beside its processes."""

    async def run() -> Any:
        async with standing(Settings(data=product.data), product.database_url) as ground:
            return await work(ground)

    with ThreadPoolExecutor(1) as beside:  # the browser's driver has the loop of this thread
        return beside.submit(asyncio.run, run()).result()


async def an_admin(ground: Ground) -> None:
    """Somebody who may do everything: admin@harbor.example."""
    async with ground.database.transaction() as tx:
        await people.add_agent(tx, None, email="admin@harbor.example", name="admin", role="admin", password=PASSWORD)


async def a_colleague(tx: Tx, name: str, *queue_ids: int, role: str = "agent") -> None:
    """Somebody who sees every queue and takes what waits in these: dana@harbor.example for Dana."""
    agent_id = await people.add_agent(
        tx,
        None,
        email=f"{name.lower()}@harbor.example",
        name=f"{name} Sample",
        password=PASSWORD,
        role=role,
        all_queues=True,
    )
    for queue_id in queue_ids:
        await tx.execute(insert(Membership).values(queue_id=queue_id, agent_id=agent_id))


def add_line(product: RunningProduct, channel: str, address: str, name: str, **settings: str) -> None:
    """A line that is open."""

    async def add(ground: Ground) -> None:
        async with ground.database.transaction() as tx:
            await lines.add(tx, ground.vault, None, channel_name=channel, address=address, name=name, settings=settings)

    with_ground(product, add)


def sign_in(browser: Browser, address: str, email: str, password: str, **context: Any) -> Page:
    """A browser of its own, signed in; what its console says wrong fails the test at once."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, **context).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"a script stumbled: {error}"))
    page.goto(f"{address}/sign-in")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_selector(".state-switch")
    return page


def faults(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and Section 508, and whether the page is wider than its window."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    # colours on their way from one scheme to the other are seen for a tenth of a second
    page.evaluate("document.getAnimations().forEach(one => { if (one instanceof CSSTransition) one.finish() })")
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    wrong = [f"{one['id']}: {node['target']}" for one in found["violations"] for node in one["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        wrong.append("it can be moved sideways")
    return wrong


def faults_in_looks(page: Page, shot: str = "") -> list[str]:
    """What is wrong with the page as it stands, in each of its looks. ``shot``: path of a picture of each, with room for a name."""
    wrong = []
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # -- light or dark
        wrong += [f"{width}, {scheme}: {fault}" for fault in faults(page)]
        if shot:
            page.screenshot(path=shot.format(f"{width}-{scheme}"))
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    return wrong


def look(page: Page, address: str, paths: Sequence[str], *, gone: str | None = None) -> list[str]:
    """What is wrong with these pages in any look, with all that folds open. ``gone`` is the one that is to be a 404."""
    wrong = []
    for path in paths:
        answer = page.goto(address + path)
        if answer is None or answer.status != (404 if path == gone else 200):
            wrong.append(f"{path}: {answer and answer.status}")
            continue
        page.evaluate("document.querySelectorAll('#main details').forEach(one => { one.open = true })")
        wrong += [f"{path}, {fault}" for fault in faults_in_looks(page)]
    return wrong


def go_available(page: Page) -> None:
    """An agent lets work come."""
    page.locator(".state-switch").click()
    page.get_by_role("menuitemradio", name="Available").first.click()


def accept_by_key(page: Page) -> None:
    """Wait for the offer, give its guard against typing time to end, and take it by key."""
    page.wait_for_selector("[data-offer]")
    expect(page.locator("[data-offer]")).to_be_visible()
    page.wait_for_timeout(1200)
    with page.expect_navigation(url=re.compile(r"/desk/cases/\d+")):
        page.keyboard.press("a")
