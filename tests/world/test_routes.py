"""What one test arranges in the mail world holds for that test."""

from __future__ import annotations

import pytest

from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("E1")


@pytest.mark.parametrize("again", [False, True])
def test_mail_goes_to_the_mailboxes_again_after_a_test_that_led_it_elsewhere(
    mail_world: MailWorld, again: bool
) -> None:
    box = mail_world.mailbox(f"ann{int(again)}@led.example")
    mail_world.send("bob@customer.example", box.address)
    assert mail_world.wait_for(box)["subject"] == "Hello"
    mail_world.route("led.example", "127.0.0.1", mail_world.ports["dead"])
