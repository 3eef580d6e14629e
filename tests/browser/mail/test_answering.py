"""Writing an answer in the browser, on real mail hosts: who gets it, in what form, and who may write back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, accept_by_key, faults, go_available, sign_in
from tests.browser.mail.conftest import body
from tests.product import RunningProduct
from tests.world.mail import MailWorld


def marked(page: Page, words: str) -> None:
    """Select these words of the answer, as somebody does with the mouse."""
    page.locator("#reply-text").evaluate(
        "(area, words) => { area.focus(); const at = area.value.indexOf(words); area.setSelectionRange(at, at + words.length); }",
        words,
    )


def writing(page: Page) -> str:
    return page.locator("#reply-text").input_value()


@pytest.mark.req("E1", "E4", "P5")
@pytest.mark.timeout(300)
def test_an_answer_with_copies_and_format(
    chromium: Browser, permits: RunningProduct, mail_world: MailWorld, tmp_path: Path
) -> None:
    ann, bob, dan = (mail_world.mailbox(f"{name}@customer.example") for name in ("ann", "bob", "dan"))
    office = mail_world.mailbox("office@customer.example")
    page = sign_in(chromium, permits.address, "dana@harbor.example", PASSWORD)
    go_available(page)
    mail_world.send(
        ann.address,
        "permits@harbor.example",
        "From: Ann Customer <ann@customer.example>\nReply-To: office@customer.example\n"
        "To: permits@harbor.example, Bob <bob@customer.example>\nCc: carol@customer.example\n"
        "Subject: A fence\nMessage-ID: <fence2@customer.example>\n\nHello, do we need a permit for a fence?\n",
    )
    accept_by_key(page)
    case_url = page.url
    expect(page.locator(".timeline")).to_contain_text("Copy to Bob, carol@customer.example")
    expect(page.locator(".timeline")).to_contain_text("Answers to office@customer.example")

    page.keyboard.press("r")
    composer = page.locator("#composer")
    expect(composer.get_by_text("Ann Customer asks for answers at office@customer.example.")).to_be_visible()
    chips = composer.locator(".chip")
    expect(chips).to_have_text(["Bob", "carol@customer.example"])
    composer.get_by_role("checkbox", name="carol@customer.example").focus()
    page.keyboard.press("Delete")
    expect(chips).to_have_text(["Bob"])
    page.keyboard.press("ArrowRight")
    page.keyboard.type("dan@customer.example")
    page.keyboard.press("Enter")
    page.keyboard.type("carol@customer.example,")
    expect(chips).to_have_text(["Bob", "dan@customer.example", "carol@customer.example"])
    page.keyboard.press("Backspace")
    page.keyboard.press("Space")
    expect(chips).to_have_text(["Bob", "dan@customer.example"])

    page.locator("#reply-text").fill("You need none.\nBring the plan and the form.\nSee the fees page.")
    marked(page, "none")
    page.keyboard.press("Control+b")
    marked(page, "the plan")
    page.keyboard.press("Control+i")
    marked(page, "the form")
    page.keyboard.press("Control+i")
    page.keyboard.press("Control+i")
    marked(page, "fees page")
    page.keyboard.press("Control+k")
    page.keyboard.type("https://harbor.example/fees")
    marked(page, "See the")
    page.get_by_role("button", name="Quote").click()
    written = "You need **none**.\nBring *the plan* and the form.\n> See the [fees page](https://harbor.example/fees)."
    assert writing(page) == written
    page.keyboard.press("Control+z")
    assert "> See" not in writing(page), "what a button did can be undone"
    page.keyboard.press("Control+Shift+z")
    assert writing(page) == written
    assert faults(page) == []
    expect(composer.locator("[data-kept]")).to_contain_text("Draft kept")
    page.reload()
    expect(chips).to_have_text(["Bob", "dan@customer.example"])
    page.locator("#reply-text").focus()
    page.screenshot(path=tmp_path / "composer.png")
    page.keyboard.press("Control+k")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#reply-text").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline .formatted strong")).to_have_text("none")
    expect(page.locator(".timeline .ours .beside").last).to_contain_text("Copy to Bob, dan@customer.example")
    assert faults(page) == []
    page.screenshot(path=tmp_path / "sent.png")

    mails = [mail_world.wait_for(box, lambda one: "the plan" in body(one), seconds=40) for box in (office, bob, dan)]
    for mail in mails:
        assert str(mail["To"]) == "office@customer.example"
        assert str(mail["Cc"]) == "Bob <bob@customer.example>, dan@customer.example"
        assert body(mail).replace("\r\n", "\n").strip() == written
        rich = mail.get_body(("html",))
        assert rich is not None
        assert "<strong>none</strong>" in rich.get_content()
        assert '<a href="https://harbor.example/fees"' in rich.get_content()
    assert [one for one in mail_world.mails(ann) if "the plan" in body(one)] == []

    mail_world.send(
        bob.address,
        str(mails[1]["Reply-To"]).partition("<")[2].rstrip(">"),
        f"From: Bob <bob@customer.example>\nSubject: Re: A fence\nIn-Reply-To: {mails[1]['Message-ID']}\n\nThen we build it.\n",
    )
    expect(page.locator(".timeline")).to_contain_text("Then we build it.")
    assert page.url == case_url
