"""Calls in a real browser whose way a Janus keeps, in the whole product: heard both ways, on hold, recorded, ended by either side, and going on
when the Janus dies in the middle of them."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import insert

from everyline.channels.phone.tests.doubles import until
from everyline.ground.installation import Ground
from everyline.queues.models import WrapUpCode
from tests.browser.callers import Network, network
from tests.browser.conftest import PASSWORD, accept_by_key, add_line, an_admin, go_available, sign_in, with_ground
from tests.browser.sounding import EARS, speaking
from tests.browser.test_phone import NUMBER, READY, TRUNK, arrange_people
from tests.browser.test_phone_together import ADA, MAYA, bar, case_of, hear_each_other, soon, sound_in, wrap_up
from tests.product import RunningProduct, free_port
from tests.webrtc.janus import SECRET, Running, janus

pytestmark = [pytest.mark.req("V5"), pytest.mark.timeout(300)]


@dataclass
class Office:
    """A product beside a Janus, the trunk's network, and an agent's browser with its phone on."""

    product: RunningProduct
    far: Network
    maya: Page
    folder: Path
    port: int
    begun: list[tuple[AbstractAsyncContextManager[Running], Running]] = field(default_factory=list)

    def begin(self) -> None:
        """A Janus is there, where the one before it was."""
        made = janus(self.folder / f"janus-{len(self.begun)}", self.port)
        self.begun.append((made, self.far.do(made.__aenter__())))

    def die(self) -> None:
        """As kill -9 does it."""
        self.far.do(self.begun[-1][1].die())

    def end(self) -> None:
        """End all that were begun."""
        for made, _running in self.begun:
            self.far.do(made.__aexit__(None, None, None))


async def _outcomes(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(insert(WrapUpCode).values(name="Fee waived"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    sip_port, far_port, port = free_port(), free_port(), free_port()
    settings = {
        "phone_host": "127.0.0.1",
        "phone_port": str(sip_port),
        "media_first_port": "20000",
        "media_last_port": "32000",
        "janus_url": f"ws://127.0.0.1:{port}",
        "janus_secret": SECRET,
    }
    folder = tmp_path_factory.mktemp("beside")
    product = RunningProduct(settings=settings)
    with (
        contextlib.ExitStack() as stack,
        network(far_port) as far,
        sync_playwright() as playwright,
        speaking(playwright, folder, MAYA) as (browser,),
    ):
        stack.callback(shutil.rmtree, product.data, ignore_errors=True)
        stack.callback(product.stop)
        product.start()
        with_ground(product, an_admin)
        add_line(
            product, "phone", NUMBER, "Toll-free", host=TRUNK, port=str(far_port), records="always",
            announces_recording="false",
        )  # fmt: skip
        with_ground(product, arrange_people)
        with_ground(product, _outcomes)
        far.do(far.reaches(sip_port))
        page = sign_in(browser, product.address, "maya@house.example", PASSWORD, permissions=["microphone"])
        found = Office(product, far, page, folder, port)
        try:
            found.begin()
            page.context.add_init_script(EARS)
            page.goto(f"{product.address}/desk/phone")
            page.get_by_role("switch", name="Answer calls in this browser").check()
            expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)
            yield found
        finally:
            found.end()


def test_a_call_is_heard_both_ways_held_recorded_and_ended(office: Office) -> None:
    far, maya = office.far, office.maya
    go_available(maya)
    caller = far.calls("+13605550151")
    caller.talk(ADA)
    accept_by_key(maya)
    case_id = case_of(maya)
    expect(bar(maya)).to_contain_text("Talking")
    expect(bar(maya)).to_contain_text("Recording")
    hear_each_other(office, {ADA: caller, MAYA: maya})

    maya.locator("body").press("Shift+H")
    expect(bar(maya)).to_contain_text("On hold")
    hear_each_other(office, {ADA: caller}, (MAYA,))
    hear_each_other(office, {MAYA: maya}, (ADA,))
    assert far.do(sound_in(caller)) > 50, "music is heard on hold"
    maya.locator("body").press("Shift+H")
    expect(bar(maya)).to_contain_text("Talking")
    hear_each_other(office, {ADA: caller, MAYA: maya})

    maya.locator("body").press("Shift+E")
    far.do(until(caller.ended.is_set, "the caller is hung up on"))
    wrap_up(maya, "Fee waived")
    maya.goto(f"{office.product.address}/desk/cases/{case_id}")
    expect(maya.get_by_role("link", name=re.compile("^Recording,"))).to_be_visible()


def test_a_call_goes_on_when_its_janus_dies_and_another_is_there(office: Office) -> None:
    far, maya = office.far, office.maya
    go_available(maya)
    caller = far.calls("+13605550152")
    caller.talk(ADA)
    accept_by_key(maya)
    expect(bar(maya)).to_contain_text("Talking")
    hear_each_other(office, {ADA: caller, MAYA: maya})

    office.die()
    expect(bar(maya)).to_contain_text("browser is not there")
    soon(lambda: far.do(sound_in(caller)) > 50, "the caller hears music meanwhile")
    hear_each_other(office, {ADA: caller}, (MAYA,))
    state = maya.locator("[data-phone-state]").first
    expect(state).to_have_attribute("title", re.compile("not connected|no way to your browser"))
    assert not caller.ended.is_set(), "the call goes on"

    office.begin()
    hear_each_other(office, {ADA: caller, MAYA: maya})
    expect(bar(maya)).to_contain_text("Talking")
    expect(bar(maya)).not_to_contain_text("browser is not there")
    far.do(caller.hang_up())
    wrap_up(maya, "Without an outcome")
