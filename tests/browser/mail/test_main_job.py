"""The main job, on real mail hosts: a customer's mail over Postfix becomes an offer, the answer arrives threaded in the
customer's Dovecot mailbox, and two agents see everything live."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from everyline.ground.installation import Ground
from tests.browser.conftest import PASSWORD, accept_by_key, go_available, sign_in, with_ground
from tests.browser.mail.conftest import body
from tests.product import RunningProduct
from tests.world.mail import MailWorld


@pytest.mark.req("A2", "E1", "E3", "Q1", "A5", "A8", "P5")
@pytest.mark.timeout(300)
def test_from_a_mail_to_an_answer(chromium: Browser, permits: RunningProduct, mail_world: MailWorld) -> None:
    ada = mail_world.mailbox("ada@customer.example")

    dana = sign_in(chromium, permits.address, "dana@harbor.example", PASSWORD)
    tom = sign_in(chromium, permits.address, "tom@harbor.example", PASSWORD)
    go_available(dana)
    mail_world.send(
        ada.address,
        "permits@harbor.example",
        "From: Ada Customer <ada@customer.example>\nSubject: A fence\nMessage-ID: <fence@customer.example>\n\n"
        "Hello, do I need a permit for a fence of six feet?\n",
    )
    accept_by_key(dana)
    case_url = dana.url.split("?")[0]
    expect(dana.locator("#subject")).to_contain_text("A fence")
    expect(dana.locator(".timeline")).to_contain_text("do I need a permit for a fence of six feet?")
    acknowledgement = mail_world.wait_for(ada, lambda mail: "We have your message" in str(mail["Subject"]))
    assert acknowledgement["Auto-Submitted"] == "auto-replied"

    tom.goto(case_url)
    dana.keyboard.press("r")
    dana.locator("#reply-text").fill("You need none outside the shoreline zone. Where is it?")
    dana.get_by_role("button", name="Send and…").click()
    dana.get_by_role("menuitem", name="Send and wait for the answer").click()
    expect(tom.locator(".timeline")).to_contain_text("outside the shoreline zone")  # without a reload
    answer = mail_world.wait_for(ada, lambda mail: "outside the shoreline zone" in body(mail), seconds=40)
    assert "<fence@customer.example>" in str(answer["References"])
    assert str(answer["Subject"]) == "Re: A fence"

    mail_world.send(
        ada.address,
        str(answer["Reply-To"]).partition("<")[2].rstrip(">") or str(answer["Reply-To"]),
        f"From: Ada Customer <ada@customer.example>\nSubject: Re: A fence\nIn-Reply-To: {answer['Message-ID']}\n\nIt is at 12 Pier Street.\n",
    )
    expect(tom.locator(".timeline")).to_contain_text("It is at 12 Pier Street.")
    accept_by_key(dana)  # the answer comes back to who asked
    assert dana.url.split("?")[0] == case_url

    dana.keyboard.press("t")
    dana.get_by_label("Queue", exact=True).select_option(label="Tax")
    dana.get_by_label("Note for those who take it").fill("She asks about a fence, please answer.")
    dana.get_by_role("button", name="Transfer", exact=True).last.click()
    go_available(tom)
    accept_by_key(tom)
    expect(tom.locator(".timeline")).to_contain_text("She asks about a fence, please answer.")
    tom.keyboard.press("e")
    tom.get_by_label("Answered").check()
    tom.get_by_role("button", name="Resolve").last.click()
    expect(tom.locator(".case-head")).to_contain_text("Resolved")

    async def ended(ground: Ground) -> tuple[str, str]:
        async with ground.database.transaction() as tx:
            row = await tx.first(
                text(
                    'select c.status, w.name from "case" c join wrap_up_code w on w.id = c.wrap_up_code_id where c.id = :id'
                ),
                {"id": int(case_url.rpartition("/")[2])},
            )
            assert row is not None
            return row.status, row.name

    assert with_ground(permits, ended) == ("resolved", "Answered")
