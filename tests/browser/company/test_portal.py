"""The portal in Chromium: every page in both colour schemes, on a phone, by keyboard, without scripts, and without a connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import text

from everyline.ground.installation import Ground
from tests.browser.conftest import faults, with_ground
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("W1", "W3", "P5"), pytest.mark.timeout(280)]

PUBLIC = ("", "/contact", "/sign-in", "/offline", "/nothing-here")
OWN = ("", "/cases", "/cases/{open}", "/cases/{settled}", "/preferences", "/stored")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def rows(product: RunningProduct, statement: str, **values: Any) -> list[Any]:
    """Rows of the running product's database."""

    async def read(ground: Ground) -> list[Any]:
        async with ground.database.transaction() as tx:
            return await tx.rows(text(statement), values)

    found: list[Any] = with_ground(product, read)
    return found


def code_for(product: RunningProduct, address: str) -> str:
    """The code in the newest letter to an address."""

    async def read(ground: Ground) -> str:
        async with ground.database.transaction() as tx:
            locked = await tx.value(
                text("select text from delivery where kind = 'notice' and address = :address order by id desc limit 1"),
                {"address": address},
            )
        return ground.vault.open(locked.encode("ascii")) if locked else ""

    for _try in range(100):
        found = re.search(r"(\d{3}) (\d{3})", with_ground(product, read))
        if found:
            return found[1] + found[2]
    raise AssertionError("no code came")


@pytest.fixture(scope="module")
def customer(demo: RunningProduct) -> dict[str, Any]:
    """A customer of the sample company with an open case and a settled one."""
    (row,) = rows(
        demo,
        "select p.address, max(c.number) filter (where c.status = 'open') as open, "
        "max(c.number) filter (where c.status in ('resolved', 'closed')) as settled "
        "from contact_point p join \"case\" c on c.customer_id = p.customer_id where p.kind = 'mailbox' group by p.address "
        "having bool_or(c.status = 'open') and bool_or(c.status in ('resolved', 'closed')) order by p.address limit 1",
    )
    return {"address": row.address, "open": row.open, "settled": row.settled}


def sign_in(context: BrowserContext, product: RunningProduct, address: str) -> Page:
    """A page of a browser in which the customer is signed in, by keyboard alone."""
    page = context.new_page()
    page.goto(f"{product.address}/help/en/sign-in")
    expect(page.locator("input[name=address]")).to_be_focused()
    page.keyboard.type(address)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    expect(page.locator("input[name=code]")).to_be_focused()
    page.keyboard.type(code_for(product, address))
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases")
    return page


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, demo: RunningProduct, customer: dict[str, Any]) -> Iterator[Any]:
    """What a browser holds in which the customer is signed in."""
    context = chromium.new_context(locale="en-US")
    sign_in(context, demo, customer["address"])
    yield context.storage_state()
    context.close()


def found_wrong(page: Page, address: str) -> list[str]:
    """What is wrong with a page: by axe-core, by width, by its console."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"a script stumbled: {error}"))
    page.on("console", lambda line: said.append(line.text) if "Content Security" in line.text else None)
    page.goto(address)
    found = [f"{address}: {fault}" for fault in faults(page)]
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if wide > room:
        found.append(f"{address}: {wide} pixels wide in {room}")
    return found + said


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_every_page(
    chromium: Browser, demo: RunningProduct, customer: dict[str, Any], signed_in: Any, scheme: Any, size: str
) -> None:
    shape = PHONE if size == "phone" else {"viewport": {"width": 1280, "height": 900}}
    found = []
    for state, paths in ((None, PUBLIC), (signed_in, OWN)):
        context = chromium.new_context(color_scheme=scheme, storage_state=state, **shape)
        page = context.new_page()
        for path in paths:
            found += found_wrong(page, f"{demo.address}/help/en{path.format(**customer)}")
        context.close()
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_brand_on_its_own_domain(chromium: Browser, demo: RunningProduct, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, locale="es-MX")
    page = context.new_page()
    root = f"http://fernhill.localhost:{demo.port}"
    assert found_wrong(page, f"{root}/") == []
    assert page.url == f"{root}/es"
    assert "Fernhill Water" in page.title()
    expect(page.locator(".masthead .logo")).to_be_visible()
    hue = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--brand-hue').trim()")
    assert hue != "252", "the brand's colour is in force"
    page.get_by_role("link", name="Contáctenos").first.click()
    page.wait_for_url(f"{root}/es/contact")
    answer = page.goto(f"{root}/desk")
    assert answer is not None
    assert answer.status == 404
    context.close()


def test_a_reply_without_scripts(
    chromium: Browser, demo: RunningProduct, customer: dict[str, Any], signed_in: Any
) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=signed_in, **PHONE)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en")
    page.locator(".masthead nav").get_by_role("link", name="My cases").click()
    page.wait_for_url("**/cases")
    page.goto(f"{demo.address}/help/en/cases/{customer['open']}")
    page.locator("textarea[name=text]").fill("Written without a script.")
    page.locator("input[type=file]").set_input_files(
        {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"A plan."}
    )
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/cases/*done=*")
    expect(page.locator(".piece.mine").last).to_contain_text("Written without a script.")
    with page.expect_download() as download:
        page.get_by_role("link", name="plan.txt").last.click()
    assert download.value.path().read_bytes() == b"A plan."
    page.locator(".tool-menu").first.locator("summary").click()
    page.locator(".tool-menu").first.get_by_role("link", name="Deutsch").click()
    page.wait_for_url(f"{demo.address}/help/de/cases/{customer['open']}*")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    context.close()


def test_the_way_through_by_keyboard(
    chromium: Browser, demo: RunningProduct, customer: dict[str, Any], signed_in: Any
) -> None:
    context = chromium.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{demo.address}/help/en/cases/{customer['open']}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator(".tool-menu summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tool-menu ul").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".tool-menu ul").first).to_be_hidden()
    expect(page.locator(".tool-menu summary").first).to_be_focused()
    page.get_by_role("link", name="Write a message").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("textarea[name=text]")).to_be_focused()
    page.keyboard.type("By keyboard alone.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*done=*")
    expect(page.get_by_role("status")).to_be_visible()
    while "done=kept" in page.url and "By keyboard alone." not in page.locator("main").inner_text():
        page.wait_for_timeout(500)  # a busy machine takes in a moment later what it has kept, and has said so
        page.reload()
    expect(page.locator(".piece.mine").last).to_contain_text("By keyboard alone.")
    context.close()


def test_without_a_connection(chromium: Browser, demo: RunningProduct, signed_in: Any) -> None:
    context = chromium.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{demo.address}/help/en")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    kept = page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((store) => store.keys()))))"
        ".then((every) => every.flat().map((one) => new URL(one.url).pathname))"
    )
    assert kept
    assert all(
        path.startswith(("/static/", "/help/brand.css", "/help/logo")) or path.endswith("/offline") for path in kept
    )
    context.set_offline(True)
    page.goto(f"{demo.address}/help/en/cases")
    expect(page.get_by_role("heading", name="There is no connection")).to_be_visible()
    context.set_offline(False)
    page.goto(f"{demo.address}/help/en/cases")
    expect(page.get_by_role("heading", name="My cases")).to_be_visible()
    context.close()
