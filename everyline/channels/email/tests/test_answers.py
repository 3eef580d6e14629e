"""Where a mail asks answers to go, and that HTML of ours goes out harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from everyline.channel_contract import Address, File
from everyline.channels.email import compose
from everyline.channels.email.tests.doubles import a_line, an_answer, read

OFFICE = Address("mailbox", "office@firm.example", "The Office")


@pytest.mark.req("E1")
@pytest.mark.parametrize(
    ("sender", "head", "found"),
    [
        ("ann@customer.example", "Reply-To: The Office <OFFICE@firm.example>", OFFICE),
        ("ann@customer.example", "Reply-To: The Office <office@firm.example>, second@firm.example", OFFICE),
        ("ann@customer.example", "Reply-To: Ann <ANN@customer.example>", None),
        ("ann@customer.example", "Reply-To: permits@harbor.example", None),
        ("ann@customer.example", "Reply-To: permits+5zabc@harbor.example", None),
        ("ann@customer.example", "Reply-To: nonsense", None),
        ("ann@customer.example", "X-Other: x", None),
        (
            "ann@customer.example",
            "Reply-To: all@list.example\nList-Post: <mailto:ALL@list.example>",
            None,
        ),
    ],
)
def test_where_answers_are_asked_to_go(sender: str, head: str, found: Address | None) -> None:
    piece = read(f"From: {sender}\n{head}\nSubject: Hello\n\nMay I?\n".encode())
    assert piece.reply_to == found
    assert piece.sender is not None
    assert piece.sender.address == sender, "who writes is who stands in From"


@pytest.mark.req("E1")
def test_a_form_that_writes_for_somebody_names_its_sender_in_reply_to() -> None:
    piece = read(b"From: no-reply@forms.example\nReply-To: The Office <office@firm.example>\n\nMay I?\n")
    assert piece.sender == OFFICE
    assert piece.reply_to is None


@pytest.mark.req("E1", "E4")
def test_what_goes_out_formatted_is_harmless() -> None:
    html = '<p onclick="x()">You <b>may</b><script>alert(1)</script> <a href="javascript:x()">go</a></p>'
    raw = compose.message(a_line(), an_answer(html=html), datetime(2026, 3, 16, tzinfo=UTC))
    part = message_from_bytes(raw, policy=policy.default).get_body(("html",))
    assert part is not None
    rich = part.get_content()
    assert "<b>may</b>" in rich
    assert not any(word in rich for word in ("script", "onclick"))


@pytest.mark.req("E4")
def test_a_calendar_says_in_its_type_what_is_to_be_done_with_it() -> None:
    content = b"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n"
    files = (File("appointment.ics", "text/calendar", content),)
    raw = compose.message(a_line(), an_answer(files=files), datetime(2026, 3, 16, tzinfo=UTC))
    [part] = message_from_bytes(raw, policy=policy.default).iter_attachments()
    assert part.get_content_type() == "text/calendar"
    assert part["content-type"].params["method"] == "CANCEL"
    assert part.get_payload(decode=True) == content
