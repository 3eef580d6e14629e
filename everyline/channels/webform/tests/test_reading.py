"""Whatever bytes come in, they are read as one piece or refused with a reason; questions and settings likewise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.channel_contract import Address, ChannelError, Inbound, InboundKind, Line, Outbound, Raw, Unreadable
from everyline.channels.webform import channel
from everyline.channels.webform.questions import fault_of, read_questions
from everyline.channels.webform.settings import WebformSettings
from everyline.channels.webform.throttle import writer
from everyline.ground.addresses import network
from everyline.ground.keys import CaseSigner

SAMPLES = Path(__file__).parent.parent / "samples"
SIGNER = CaseSigner(b"k" * 32)
LINE = Line(1, "webform", "permits", "Permits", "en", WebformSettings(), SIGNER)

# What must be so, by sample: of the piece, or of the reason why there is none.
EXPECTED: dict[str, dict[str, Any]] = {
    "message__plain": {"sender": ("mailbox", "ann@customer.example", "Ann Example"), "subject": "May I build a fence?"},
    "message__answers": {
        "subject": "Fence or wall",
        "fields": {"Address of the site": "12 Oak Street", "Kind of work": "Fence or wall", "Phone": "+13605550142"},
    },
    "message__files": {"files": [("plan.pdf", "application/pdf", b"%PDF-1.4\n"), ("läge.txt", "text/plain", b"\0")]},
    "message__same_label_twice": {"fields": {"Phone": "of the site", "Phone (2)": "+13605550142"}},
    "message__header_injection": {"sender": ("mailbox", "ann@customer.example", "Ann Bcc: all@customer.example")},
    "message__number_only": {"sender": ("number", "+13605550142", "Ann")},
    "message__nobody": {"sender": None, "answerable": False, "remarks": 1},
    "message__spanish": {"language": "es"},
    "broken__cut_off": {"unreadable": "This is not what a web form sends"},
    "broken__half_a_character": {"unreadable": "This is not what a web form sends"},
    "broken__other_version": {"unreadable": "version"},
    "probe__forged": {"unreadable": "our own test message"},
}


def read(body: bytes) -> Inbound:
    (found,) = channel.parse(LINE, Raw(channel.identify(body), body))
    return found


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in SAMPLES.iterdir()} == set(EXPECTED)


@pytest.mark.req("E2")
@pytest.mark.parametrize("name", EXPECTED)
def test_reads_as_it_should(name: str) -> None:
    body, expected = (SAMPLES / f"{name}.json").read_bytes(), dict(EXPECTED[name])
    if reason := expected.pop("unreadable", ""):
        with pytest.raises(Unreadable, match=reason):
            read(body)
        return
    found = read(body)
    assert found.kind is InboundKind.MESSAGE
    if "sender" in expected:
        sender = expected.pop("sender")
        assert (found.sender and (found.sender.kind, found.sender.address, found.sender.name)) == sender
    if "fields" in expected:
        assert {k: v for k, v in found.fields.items() if k != "Reference of the form"} == expected.pop("fields")
    if "files" in expected:
        assert [(file.name, file.content_type, file.content) for file in found.files] == expected.pop("files")
    if "remarks" in expected:
        assert len(found.remarks) == expected.pop("remarks")
    for attribute, value in expected.items():
        assert getattr(found, attribute) == value


SOME = st.text(max_size=40)
NEARLY = st.fixed_dictionaries(
    {"submission": SOME},
    optional={
        **dict.fromkeys(("name", "mailbox", "number", "subject", "text", "language", "probe"), SOME),
        "version": st.sampled_from([1, 2, "1"]),
        "answers": st.lists(st.fixed_dictionaries({"label": SOME, "answer": SOME}), max_size=3),
        "files": st.lists(st.fixed_dictionaries({"name": SOME, "content": SOME}), max_size=2),
    },
).map(lambda found: json.dumps(found).encode())


@pytest.mark.req("P2")
@given(st.one_of(st.binary(max_size=200), NEARLY, st.text().map(lambda text: json.dumps(text).encode())))
def test_any_bytes_end_as_a_piece_or_with_a_reason(body: bytes) -> None:
    assert channel.identify(body) == channel.identify(body)
    try:
        found = read(body)
    except Unreadable as error:
        assert str(error)  # noqa: PT017 -- either end is right
        return
    said = [found.subject, found.text, *found.fields, *found.fields.values(), *(file.name for file in found.files)]
    assert not any("\0" in text for text in said)
    assert "\n" not in found.subject
    "".join(said).encode()


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(Unreadable):
        read(b'{"answers":' * depth)


def test_our_own_test_message_is_known() -> None:
    probe = f"{SIGNER.sign(0)}.{'0' * 32}"
    body = json.dumps({"submission": "", "probe": probe}).encode()
    assert channel.identify(body) == f"probe {probe}"
    assert read(body).kind is InboundKind.PROBE


async def test_a_form_delivers_nothing() -> None:
    async def on_wire() -> None:
        raise AssertionError("nothing goes on the wire")

    with pytest.raises(ChannelError) as refusal:
        await channel.deliver(LINE, Outbound(1, "k", Address("mailbox", "ann@customer.example"), "", "", ""), on_wire)
    assert refusal.value.permanent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A | text\n| choice | | x", "line 2: the label"),
        ("A | colour", "line 1: colour is no kind"),
        ("A | text | perhaps", "the third part"),
        ("A | choice | required", "a choice needs choices"),
        ("A | text | required | x", "nothing else has any"),
        ("A | choice | | x | y", "more than four"),
        ("A\n\nA", "line 3: this question is asked twice"),
        ("\n".join(f"Q{n}" for n in range(61)), "more than 60"),
    ],
)
def test_questions_that_cannot_be_read_are_named_by_their_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_questions(text)
    with pytest.raises(ValueError, match=reason):
        WebformSettings(questions=text)


@pytest.mark.parametrize(
    ("question", "answer", "good"),
    [
        ("Q", "", True),
        ("Q | text | required", "", False),
        ("Q", "x" * 1001, False),
        ("Q | date", "2026-02-28", True),
        ("Q | date", "20260228", False),
        ("Q | number", "-12,5", True),
        ("Q | number", "1.2.3", False),
        ("Q | number", "٣", False),
        ("Q | number", "-", False),
        ("Q | choice | | a; b", "b", True),
        ("Q | choice | | a; b", "c", False),
        ("Q | yes/no", "yes", True),
        ("Q | yes/no", "maybe", False),
    ],
)
def test_knows_an_answer(question: str, answer: str, good: bool) -> None:
    (asked,) = read_questions(question)
    assert (fault_of(asked, answer) == "") is good


@pytest.mark.parametrize(
    "sites",
    ["www.harbor.example", "https://harbor.example/path", "https://a.example; script-src *", "*", "javascript://x"],
)
def test_a_site_is_an_origin_and_nothing_more(sites: str) -> None:
    with pytest.raises(ValueError, match="is no site"):
        WebformSettings(sites=sites)


def test_the_subject_is_a_question_that_is_asked() -> None:
    with pytest.raises(ValueError, match="there is no question"):
        WebformSettings(questions="Kind of work", subject_question="Kind")


@pytest.mark.parametrize("address", ["", "-permits", "per mits", "permits/x", "p" * 64, "pérmits", "permits-"])
def test_an_address_that_cannot_stand_in_one_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        channel.normal(address)
    assert channel.normal(" Permits-2 ") == "permits-2"


def test_a_household_is_one_writer_whose_address_cannot_be_read() -> None:
    assert writer(LINE, "2001:db8::1") == writer(LINE, "2001:db8::ffff:2"), "the same household"
    assert writer(LINE, "2001:db8:0:1::1") != writer(LINE, "2001:db8::1"), "another one"
    assert "192.0.2.7" not in writer(LINE, "192.0.2.7")
    assert network("::ffff:192.0.2.7") == "::ffff:c000:207"
    assert network("not an address") == "not an address"
