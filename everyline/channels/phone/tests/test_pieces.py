"""What calls leave is read, and nothing else is; lines, trunks and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from everyline.channel_contract import ChannelError, InboundKind, Outbound, Raw, Unreadable
from everyline.channels.phone import channel, piece, trunks
from everyline.channels.phone.piece import Piece
from everyline.channels.phone.settings import PhoneSettings
from everyline.channels.phone.tests.doubles import CALLER, NUMBER, a_line, document
from everyline.ground import addresses
from everyline.sip.facts import CallFacts, Diversion

SAMPLES = Path(__file__).parent.parent / "samples"
KEY = "0123456789abcdef01234567"


def read(name: str) -> Any:
    """A sample, read."""
    body = (SAMPLES / name).read_bytes()
    (found,) = channel.parse(a_line(), Raw(channel.identify(body), body))
    return found


@pytest.mark.req("V1")
def test_a_call_is_its_callers_and_of_its_own() -> None:
    found = read("begin__plain.json")
    assert (found.sender.kind, found.sender.address, found.sender.name) == ("number", CALLER, "Ada Lovelace")
    assert (found.sender.talk, found.subject, found.language) == (KEY, "Call from +1 360 555 0142", "en")
    assert found.fields == {"Dialled": NUMBER}
    assert (found.kind, found.text, found.files) == (InboundKind.MESSAGE, "", ())


@pytest.mark.req("V1")
def test_a_withheld_number_is_a_visitor_of_one_call() -> None:
    found = read("begin__withheld.json")
    assert (found.sender.kind, found.sender.address, found.sender.talk) == ("visitor", f"s-{KEY}", KEY)
    assert addresses.normal("visitor", found.sender.address) == found.sender.address
    assert found.subject == "Call from a withheld number"


@pytest.mark.req("V1")
def test_who_passed_a_call_on_is_shown() -> None:
    found = read("begin__diverted.json")
    assert found.fields == {"Dialled": NUMBER, "Passed on from": "+442079460000"}
    assert (found.language, found.dialled) == ("es", "+442079460000")


@pytest.mark.req("V3")
def test_answers_by_key_are_text_and_have_no_subject() -> None:
    found = read("keyed__digits.json")
    assert (found.text, found.subject, found.client_id) == ("4122", "", f"{KEY} 2")
    assert read("said__words.json").text == "my bill"


@pytest.mark.req("V4")
def test_a_message_is_a_file_with_its_length() -> None:
    found = read("voicemail__short.json")
    assert (found.text, found.files[0].content_type) == ("Voicemail, 2 seconds", "audio/wav")
    assert found.files[0].content.startswith(b"RIFF")


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("broken__*")))
def test_what_is_broken_is_said_to_be(name: str) -> None:
    with pytest.raises(Unreadable):
        read(name)


def test_a_probe_must_be_ours() -> None:
    line = a_line()
    body = Piece(event="probe", probe=piece.probe(line, b"x" * 16)).as_bytes()
    (found,) = channel.parse(line, Raw(channel.identify(body), body))
    assert found.kind is InboundKind.PROBE
    forged = Piece(event="probe", probe="signed000000000007." + "0" * 32).as_bytes()
    with pytest.raises(Unreadable):
        channel.parse(line, Raw(channel.identify(forged), forged))


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    assert 0 < len(channel.identify(body)) < 300
    with pytest.raises(Unreadable):
        channel.parse(a_line(), Raw("x", body))


@given(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(["begin", "keyed", "said", "voicemail", "probe"]),
            "key": st.sampled_from([KEY, "", "0" * 24]) | st.text(max_size=30),
            "count": st.integers(0, 1000),
            "number": st.sampled_from([CALLER, "", "+1"]) | st.text(max_size=30),
            "name": st.text(max_size=300),
            "dialled": st.text(max_size=60),
            "text": st.text(max_size=300),
            "language": st.text(max_size=5),
        }
    )
)
def test_pieces_of_any_content_are_read_or_refused(values: dict[str, Any]) -> None:
    body = Piece.model_validate(values).as_bytes()
    try:
        (found,) = channel.parse(a_line(), Raw(channel.identify(body), body))
    except Unreadable:
        return
    if found.sender is not None:
        assert addresses.normal(found.sender.kind, found.sender.address) == found.sender.address
        assert "\n" not in found.subject + found.sender.name + found.text
        assert "\0" not in found.text + "".join(found.fields.values())


def test_the_same_piece_is_the_same() -> None:
    one, other = (Piece(event="keyed", key=KEY, count=3, text="1") for _ in range(2))
    assert one.as_bytes() == other.as_bytes()
    assert piece.identify(one.as_bytes()) == f"{KEY} 3"
    assert Piece.model_validate(document(one)) == one


def facts(**more: Any) -> CallFacts:
    """What is known of a call."""
    values: dict[str, Any] = {
        "call_id": "1", "trunk": "@127.0.0.2:5060", "source": ("127.0.0.2", 5060), "number": None, "name": "", "withheld": False,
        "asserted": None, "dialled": "", "dialled_number": None, "from_uri": "", "to_uri": "", "diversions": (), "device": "",
    }  # fmt: skip
    return CallFacts(**{**values, **more})


@pytest.mark.req("V1")
def test_a_call_finds_its_line() -> None:
    free, local = a_line(), a_line("+12025550100", id=2, host="127.0.0.3", user="house")
    lines = [free, local]
    assert trunks.line_of(facts(dialled_number=NUMBER), lines) is free
    assert trunks.line_of(facts(dialled="x", to_uri=f"sip:{NUMBER}@x.example"), lines) is free
    assert trunks.line_of(facts(dialled_number="+12025550100"), lines) is local, "over another trunk than its own too"
    passed_on = (Diversion("+442079460000", ""), Diversion(NUMBER, ""))
    assert trunks.line_of(facts(dialled_number="+12025550177", diversions=passed_on), lines) is free
    assert trunks.line_of(facts(dialled="house", trunk="house@127.0.0.3:5060"), lines) is local, (
        "a trunk that registered"
    )
    assert trunks.line_of(facts(dialled="other", trunk="house@127.0.0.3:5060"), lines) is None
    assert trunks.line_of(facts(dialled_number="+12025550177"), lines) is None


@pytest.mark.req("V1")
def test_lines_of_one_host_and_user_share_a_trunk() -> None:
    lines = [
        a_line(user="house", password="very secret", networks="10.0.0.0/8", most_calls=5),
        a_line("+12025550100", id=2, user="house", networks="10.1.0.0/16", most_calls=9, trusted=False),
        a_line("+12025550101", id=3, host="127.0.0.9"),
        a_line("+12025550102", id=4, host=""),
    ]
    first, second = trunks.trunks_of(lines)
    assert (first.username, first.password, first.most_calls, first.trusted) == ("house", "very secret", 9, False)
    assert first.networks == ("10.0.0.0/8", "10.1.0.0/16")
    assert "very secret" not in repr(first)
    assert second.host == "127.0.0.9"
    assert trunks.route_of(lines[2], lines) == ("@127.0.0.9:5060", "house@127.0.0.2:5060")


@pytest.mark.parametrize(
    "asked",
    [
        {"host": "sip:provider"}, {"networks": "10.0.0.0/99"}, {"languages": "spanish, two"}, {"country": "USA"},
        {"languages": "es | 2 | uno\nfr | 2 | deux"}, {"countries": "CA Mexico"}, {"longest_message": 5},
    ],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PhoneSettings(**asked)


@pytest.mark.req("V1")
def test_calls_are_not_warned_and_are_gone_soon() -> None:
    rules = PhoneSettings(host="sip.example").talks
    assert (rules.warn_after, rules.gone_after, rules.rejoin) == (0, 45, 300)


async def test_nothing_can_be_written_to_a_telephone() -> None:
    async def on_wire() -> None:
        raise AssertionError

    with pytest.raises(ChannelError) as refused:
        await channel.deliver(a_line(), Outbound(1, "k", addresses_of(), "Maya", "", "hello"), on_wire)
    assert refused.value.permanent


def addresses_of() -> Any:
    """A caller."""
    return piece.sender_of(CALLER, "", KEY)
