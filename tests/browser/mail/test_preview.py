"""The preview of an answer: by key and by button, kept up while it is written, and the same as what arrives in the mailbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOOKS, PASSWORD, accept_by_key, faults, go_available, sign_in
from tests.browser.mail.conftest import body
from tests.product import RunningProduct
from tests.world.mail import MailWorld

WRITTEN = "You need **none**.\n\n1. Bring the *plan*.\n2. See the [fees](https://harbor.example/fees).\n\n> Or call us"
TOGGLE = "Control+Shift+E"


def plain(html: str) -> str:
    """HTML without what says how a link opens, which a mailbox decides for itself, and without its line ends."""
    return re.sub(r"\s+", " ", re.sub(r' (?:target|rel)="[^"]*"', "", html)).replace("> <", "><").strip()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


@pytest.mark.req("E1", "E4", "P5")
@pytest.mark.timeout(300)
def test_what_is_seen_is_what_arrives(
    chromium: Browser, permits: RunningProduct, mail_world: MailWorld, tmp_path: Path
) -> None:
    amy = mail_world.mailbox("amy@customer.example")
    page = sign_in(chromium, permits.address, "dana@harbor.example", PASSWORD)
    go_available(page)
    mail_world.send(
        amy.address,
        "permits@harbor.example",
        "From: Amy <amy@customer.example>\nTo: permits@harbor.example\nSubject: A shed\n\nDo we need a permit for a shed?\n",
    )
    accept_by_key(page)

    preview, answer = page.get_by_role("region", name="Your customer gets this"), page.locator("#reply-text")
    button = page.get_by_role("button", name="Preview (Ctrl Shift E)")
    page.keyboard.press("r")
    page.keyboard.press(TOGGLE)
    expect(preview).to_contain_text("Nothing is written yet.")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert focused(page) == "reply-text", "who writes goes on writing"
    page.keyboard.type("You need none.")
    expect(preview).to_contain_text("it goes out as plain text")
    page.keyboard.press(TOGGLE)
    expect(preview).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert answer.input_value() == "You need none."
    assert focused(page) == "reply-text"

    answer.fill(WRITTEN)
    answer.evaluate("area => area.setSelectionRange(4, 8)")
    button.click()
    expect(preview.locator("ol > li")).to_have_count(2)
    assert answer.evaluate("area => [area.selectionStart, area.selectionEnd]") == [4, 8], "what was marked stays marked"
    assert focused(page) == "reply-text"
    page.keyboard.press("Control+i")
    expect(preview.locator("em").first).to_have_text("need")
    page.keyboard.press("Control+i")
    expect(preview.locator("em")).to_have_count(1)
    seen = preview.locator(".formatted").inner_html()
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # -- light or dark
        assert faults(page) == []
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
        page.screenshot(path=tmp_path / f"preview-{width}-{scheme}.png")
    page.set_viewport_size({"width": 1280, "height": 800})

    page.locator("[data-format=bold]").focus()  # the toolbar is one stop, and its last button is the preview
    page.keyboard.press("End")
    expect(button).to_be_focused()
    page.keyboard.press("Space")
    expect(preview).to_be_hidden()
    expect(button).to_be_focused()
    answer.focus()
    page.keyboard.press("Control+Enter")
    mail = mail_world.wait_for(amy, lambda one: "the *plan*" in body(one), seconds=40)
    rich = mail.get_body(("html",))
    assert rich is not None
    assert plain(rich.get_content()) == plain(seen)
