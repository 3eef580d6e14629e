"""The phone in the browser, with a real Chromium that has a microphone of its own making, on a product that moves sound."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from sqlalchemy import insert, update

from everyline.channels.phone.tests.doubles import RealPhone, until
from everyline.ground.installation import Ground
from everyline.people import actions as people
from everyline.queues.models import Membership, Queue
from tests.browser.callers import network
from tests.browser.conftest import (
    PASSWORD,
    accept_by_key,
    add_line,
    an_admin,
    faults_in_looks,
    go_available,
    look,
    sign_in,
    with_ground,
)
from tests.browser.relay import SECRET, relay
from tests.product import RunningProduct, free_port

pytestmark = [pytest.mark.req("V5"), pytest.mark.timeout(240)]
NUMBER, TRUNK = "+18005550199", "127.0.0.2"
READY = "Calls are heard in this browser."
LOUD = 0.2  # of a meter; silence is 0


@pytest.fixture(scope="module")
def speaking_chromium() -> Iterator[Browser]:
    """A browser whose microphone beeps, which lets pages use it, and which finds its way over loopback."""
    found = shutil.which("chromium")
    assert found, "chromium is missing: `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-sync",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                "--allow-loopback-in-peer-connection",
            ],
        )
        yield browser
        browser.close()


@dataclass
class House:
    """A product that moves sound, and an agent's browser."""

    product: RunningProduct
    page: Page
    sip_port: int


async def arrange_people(ground: Ground) -> None:
    """An agent of the first queue, who has time to wrap up."""
    async with ground.database.transaction() as tx:
        agent_id = await people.add_agent(
            tx, None, email="maya@house.example", name="Maya", password=PASSWORD, role="agent", all_queues=True
        )
        await tx.execute(update(Queue).values(wrap_up_seconds=120))
        await tx.execute(insert(Membership).values(queue_id=1, agent_id=agent_id))


@pytest.fixture(scope="module")
def house(speaking_chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with relay(tmp_path_factory.mktemp("relay")) as url:
        yield from _house(speaking_chromium, {"turn_urls": url, "turn_secret": SECRET})


def _house(speaking_chromium: Browser, relays: dict[str, str]) -> Iterator[House]:
    sip_port = free_port()
    ports = {
        "phone_host": "127.0.0.1",
        "phone_port": str(sip_port),
        "media_first_port": "20000",
        "media_last_port": "32000",
        **relays,
    }
    product = RunningProduct(settings=ports)
    product.start()
    try:
        with_ground(product, an_admin)
        add_line(product, "phone", NUMBER, "Toll-free", host=TRUNK)
        with_ground(product, arrange_people)
        page = sign_in(speaking_chromium, product.address, "maya@house.example", PASSWORD, permissions=["microphone"])
        yield House(product, page, sip_port)
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def turn_on(house: House) -> Page:
    """The page of the phone, with the phone on and connected."""
    page = house.page
    page.goto(f"{house.product.address}/desk/phone")
    switch = page.get_by_role("switch", name="Answer calls in this browser")
    expect(switch).to_be_enabled()
    if not switch.is_checked():
        switch.check()
    expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)
    return page


def is_loud(page: Page, name: str) -> None:
    """Wait until a meter shows something."""
    page.evaluate(
        """([name, loud]) => new Promise((done) => { const clock = setInterval(() => {
        if (document.getElementById(name).value > loud) done(clearInterval(clock)); }, 50); })""",
        [name, LOUD],
    )


def is_quiet(page: Page, name: str) -> None:
    """Wait until a meter has shown nothing for two seconds: the beeps of the microphone come once a second."""
    page.evaluate(
        """([name, loud]) => new Promise((done) => { let since = performance.now(); const clock = setInterval(() => {
        if (document.getElementById(name).value > loud) since = performance.now();
        if (performance.now() - since > 2000) done(clearInterval(clock)); }, 50); })""",
        [name, LOUD],
    )


def test_one_hears_oneself_by_the_way_that_calls_take(house: House) -> None:
    page = turn_on(house)
    is_loud(page, "phone-level")
    is_quiet(page, "phone-back")
    page.get_by_role("button", name="Hear yourself").click()
    stop = page.get_by_role("button", name="Stop hearing yourself")
    expect(stop).to_have_attribute("aria-pressed", "true")
    is_loud(page, "phone-back")
    stop.click()
    expect(page.get_by_role("button", name="Hear yourself")).to_be_visible()
    is_quiet(page, "phone-back")
    expect(page.locator("#phone-microphone option")).not_to_have_count(1)


def test_the_phone_comes_back_by_itself_and_one_tab_has_it(house: House) -> None:
    page = turn_on(house)
    page.reload()
    expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)
    second = page.context.new_page()
    second.goto(f"{house.product.address}/desk/phone")
    expect(second.locator("[data-phone] .phone-words")).to_have_text("Calls are heard in another tab of this browser.")
    page.goto(f"{house.product.address}/profile")
    expect(second.locator("[data-phone] .phone-words")).to_have_text(READY)
    second.close()
    page.goto(f"{house.product.address}/desk/phone")
    expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)


def test_the_process_of_the_sound_may_end(house: House) -> None:
    page = turn_on(house)
    house.product.kill("media")
    expect(page.locator("[data-phone] .phone-words")).not_to_have_text(READY)
    expect(page.locator("[data-phone] .phone-words")).to_have_text(READY, timeout=60_000)


def test_a_browser_that_no_other_way_leads_from_is_heard_by_a_relay(house: House, speaking_chromium: Browser) -> None:
    page = sign_in(speaking_chromium, house.product.address, "maya@house.example", PASSWORD, permissions=["microphone"])
    page.add_init_script("""
        const Plain = RTCPeerConnection;
        RTCPeerConnection = class extends Plain {
          constructor(how) { super({ ...how, iceTransportPolicy: "relay" }); window.made = this; }
        };""")
    turn_on(House(house.product, page, 0))
    ways = page.evaluate("""async () => [...(await made.getStats()).values()].filter((one) => one.type === "local-candidate")
        .map((one) => one.candidateType)""")
    assert set(ways) == {"relay"}
    page.get_by_role("button", name="Hear yourself").click()
    is_loud(page, "phone-back")
    page.get_by_role("button", name="Stop hearing yourself").click()
    page.context.close()


def test_another_browser_takes_the_phone_and_it_is_taken_back(house: House, speaking_chromium: Browser) -> None:
    page = turn_on(house)
    other = sign_in(
        speaking_chromium, house.product.address, "maya@house.example", PASSWORD, permissions=["microphone"]
    )
    there = turn_on(House(house.product, other, 0))
    expect(page.locator("[data-phone] .phone-words")).to_have_text(re.compile("another browser"))
    page.get_by_role("button", name="Answer calls here").click()
    expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)
    expect(there.locator("[data-phone] .phone-words")).to_have_text(re.compile("another browser"))
    other.context.close()


def test_it_is_turned_off(house: House) -> None:
    page = turn_on(house)
    page.get_by_role("switch", name="Answer calls in this browser").uncheck()
    expect(page.locator("[data-phone] .phone-words")).to_have_text("The phone in this browser is off.")
    page.reload()
    expect(page.locator("[data-phone] .phone-words")).to_have_text("The phone in this browser is off.")


def test_the_page_can_be_used_by_everybody(house: House) -> None:
    assert look(house.page, house.product.address, ["/desk/phone"]) == []


def answer(page: Page) -> None:
    """Take the call that is offered."""
    accept_by_key(page)
    expect(page.locator(".call")).to_be_visible()


def test_a_call_is_answered_and_worked_on_by_keys_in_every_page(house: House) -> None:
    page, product = turn_on(house), house.product
    go_available(page)
    with network() as far:
        far.do(far.reaches(house.sip_port))
        caller = far.calls()
        answer(page)
        bar = page.locator(".call")
        expect(bar).to_contain_text("Talking")
        expect(bar).to_contain_text("+13605550142")
        expect(bar).to_contain_text("Toll-free")
        expect(page.locator("#said")).to_have_text(re.compile("Talking"))
        caller.talk(1000)
        far.do(until(lambda: loud(caller), "the beeps of the browser are heard"))

        # the page is left and loaded anew; the call stays, and so does its bar
        page.goto(f"{product.address}/desk/views/all")
        expect(bar).to_contain_text("Talking")
        page.reload()
        expect(bar).to_contain_text("Talking")
        packets = len(caller.packets)
        far.do(until(lambda: len(caller.packets) > packets + 100 and loud(caller), "they are heard again"))

        page.locator("body").press("Shift+H")
        expect(bar).to_contain_text("On hold")
        expect(page.locator("[id$=-hold]")).to_have_attribute("aria-pressed", "true")
        page.locator("body").press("Shift+H")
        expect(bar).to_contain_text("Talking")
        page.locator("body").press("Shift+M")
        expect(bar).to_contain_text("you are muted")
        far.do(until(lambda: not loud(caller), "the muted browser is not heard"))
        page.locator("body").press("Shift+M")
        expect(bar).not_to_contain_text("you are muted")

        page.locator("body").press("Shift+K")
        page.locator("dialog .keypad").wait_for()
        held: list[Route] = []
        page.route("**/press", lambda route: held.append(route), times=1)
        with page.expect_request("**/press"):
            page.keyboard.press("5")
        page.keyboard.press("#")
        page.wait_for_timeout(300)  # in which it would overtake
        held[0].continue_()
        expect(page.locator("[data-dialled]")).to_have_text("5#")

        def keys() -> set[int]:
            return {packet.payload[0] for packet in caller.packets if packet.payload_type == 101}

        far.do(until(lambda: keys() == {5, 11}, "both keys are heard"))
        page.keyboard.press("Escape")

        assert faults_in_looks(page) == []

        page.locator("body").press("Shift+E")
        far.do(until(caller.ended.is_set, "the caller is hung up on"))
        expect(bar).to_have_count(0)
        expect(page.locator(".wrap-up")).to_be_visible()
        page.locator(".wrap-up a").click()
        expect(page.locator(".timeline .of-call")).to_contain_text("Call from +13605550142")
        expect(page.locator(".timeline .of-call")).to_contain_text("Maya")


def loud(phone: RealPhone) -> bool:
    """Does it hear the beeps of a browser's microphone, or heard some within two seconds?"""
    return float(np.abs(phone.newest(2.0)).max()) > 500
