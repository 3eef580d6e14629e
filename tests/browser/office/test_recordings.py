"""A recording in the browser: played and moved in by keyboard, at other speeds, with its gaps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from everyline.call_contract import Recorded
from everyline.calls import recordings
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from tests.browser.conftest import PASSWORD, faults_in_looks, sign_in, with_ground
from tests.calls.test_calls import CUSTOMER, House
from tests.desk.test_recordings import SECONDS, sealed
from tests.product import RunningProduct


@pytest.mark.req("V6", "P5")
@pytest.mark.timeout(300)
def test_a_recording_is_played(chromium: Browser, office: RunningProduct, tmp_path: Path) -> None:
    async def record(ground: Ground) -> int:
        house = House(ground)
        await house.begin()
        await house.tell(legs=(CUSTOMER,), answered_at=now())
        path = tmp_path / "call.sealed"
        await sealed(ground, house, path)
        await recordings.keep(ground, house.key, Recorded(path, SECONDS, now(), ((4.0, 6.5, "secret"),)))
        found: int = house.case_id
        return found

    case_id = with_ground(office, record)
    page = sign_in(chromium, office.address, "admin@harbor.example", PASSWORD)
    page.goto(f"{office.address}/desk/cases/{case_id}")
    page.get_by_role("link", name=re.compile("^Recording,")).click()
    place = page.get_by_role("slider", name="Place in the recording")
    expect(place).to_have_attribute("aria-valuetext", "0:00 of 0:12")
    place.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:05 of 0:12")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(place).to_have_attribute("aria-valuetext", re.compile("0:0[6-9] of 0:12"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_label("Speed").select_option("2")
    assert page.locator("[data-recording] audio").evaluate("one => one.playbackRate") == 2
    page.get_by_role("button", name="0:04–0:06").click()
    expect(place).to_have_attribute("aria-valuetext", "0:06 of 0:12")
    place.focus()
    page.keyboard.press("End")
    expect(place).to_have_attribute("aria-valuetext", "0:12 of 0:12")
    page.keyboard.press("Home")
    expect(place).to_have_attribute("aria-valuetext", "0:00 of 0:12")

    page.get_by_text("How long it is kept").click()
    page.get_by_label("Legal hold").check()
    page.get_by_label("Kept until").fill("2031-05-06")
    page.locator(".recording-keeping").get_by_role("button", name="Save").click()
    expect(page.get_by_text("legal hold", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name="Place in the recording")).to_be_visible()
    assert faults_in_looks(page) == []
    page.context.close()
