"""What is pure: addresses, numbers, facts, keys, rates, traces."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.sip import keys
from everyline.sip.addresses import Named, Uri, many
from everyline.sip.facts import facts
from everyline.sip.guard import MOST_STRANGERS, Guard, Rate, network
from everyline.sip.messages import Request
from everyline.sip.numbers import Kind, NotAllowed, NumberRules, e164, permitted, read
from everyline.sip.reading import Unreadable
from everyline.sip.reading import read as read_datagram
from everyline.sip.trace import FIRST, LAST, Traces, without_secrets


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sip:alice@atlanta.com;transport=tcp", Uri("sip", "alice", "atlanta.com", None, {"transport": "tcp"})),
        ("sip:+1-212-555-1212:1234@gateway.com:5080;user=phone", Uri("sip", "+1-212-555-1212", "gateway.com", 5080, {"user": "phone"})),
        ("tel:+358-555-1234567;postd=pp22", Uri("tel", "+358-555-1234567", parameters={"postd": "pp22"})),
        ("sip:[2001:db8::10]:5070", Uri("sip", "", "[2001:db8::10]", 5070)),
        ("sip:a%20b@x", Uri("sip", "a b", "x")),
        ("sip:x@h?Replaces=a%40b%3Bto-tag%3D1", Uri("sip", "x", "h", None, {}, {"replaces": "a@b;to-tag=1"})),
        ("http://x", None), ("sip:", None), ("sip:a@b:99999", None), ("", None), ("nonsense", None),
    ],
)  # fmt: skip
def test_reads_a_uri(text: str, found: Uri | None) -> None:
    assert Uri.read(text) == found
    if found:
        assert Uri.read(str(found)) == found


def test_reads_fields_that_hold_addresses() -> None:
    assert Named.read('"A, \\"B\\"" <sip:a@x;lr>;tag=1') == Named(
        Uri("sip", "a", "x", None, {"lr": ""}), 'A, "B"', {"tag": "1"}
    )
    assert Named.read("sip:a@x;tag=7") == Named(Uri("sip", "a", "x"), "", {"tag": "7"})
    assert [one.uri.name for one in many(('"x, y" <sip:a@h>, <sip:b@h>;q=1,nonsense', "<tel:+1>"))] == ["a", "b", "+1"]
    assert str(Named(Uri("sip", "a", "x"), 'evil"\r\nX: 1')) == '"evil\\"  X: 1" <sip:a@x>'


@given(st.text(max_size=80))
def test_no_text_breaks_the_readers(text: str) -> None:
    one = Named.read(text)
    assert len(many((text, text))) % 2 == 0, "the same twice is read alike"
    assert one is None or one == Named.read(text)
    assert (uri := Uri.read(f"sip:{text}")) is None or uri.scheme == "sip"
    assert re.fullmatch(r"(\+[1-9][0-9]{1,14})?", read(text, "US").e164)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for whole in (data, b"INVITE sip:a@b SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n" + data):
        with contextlib.suppress(Unreadable):
            found = read_datagram(whole)
            assert found.call_id
            assert found.body in whole


@pytest.mark.req("V2")
@pytest.mark.parametrize(
    ("text", "region", "found"),
    [
        ("2025550123", "US", "+12025550123"), ("+44 20 7946 0123", "US", "+442079460123"), ("020 7946 0123", "GB", "+442079460123"),
        ("anonymous", "US", None), ("", "US", None), ("1001", "US", None), ("+1", "US", None), ("911", "US", None),
    ],
)  # fmt: skip
def test_puts_a_callers_number_in_one_form(text: str, region: str, found: str | None) -> None:
    assert e164(text, region) == found


@pytest.mark.parametrize(
    ("to", "rules", "kind"),
    [
        ("112", NumberRules("DE"), Kind.EMERGENCY), ("999", NumberRules("GB"), Kind.EMERGENCY), ("9112025550", NumberRules("US"), Kind.EMERGENCY),
        ("+49 900 1 234567", NumberRules("DE"), Kind.PREMIUM), ("+44 909 879 0000", NumberRules("US", frozenset({"GB"})), Kind.PREMIUM),
        ("+1 900 234 5678", NumberRules("DE", frozenset({"US"}), premium=False), Kind.PREMIUM),
        ("+44 900 000 0000", NumberRules("US", premium=True), Kind.PREMIUM), ("+44 909 879 0000", NumberRules("US", premium=True), Kind.PREMIUM),
        ("00442079460123", NumberRules("DE"), Kind.FOREIGN), ("+882 16 5555 5555", NumberRules("US"), Kind.SATELLITE),
        ("*21#", NumberRules("US"), Kind.NONE), ("202 555 0123,,9", NumberRules("US"), Kind.NONE), ("+12025550123@evil", NumberRules("US"), Kind.NONE),
        ("+1 202 555 0123", NumberRules("US", never=("+1202",)), Kind.ORDINARY),
    ],
)  # fmt: skip
def test_refuses_with_words(to: str, rules: NumberRules, kind: Kind) -> None:
    with pytest.raises(NotAllowed) as refusal:
        permitted(to, rules)
    assert refusal.value.words.endswith(".")
    assert refusal.value.kind is kind


@pytest.mark.parametrize(
    ("to", "rules", "dialled"),
    [
        ("(202) 555-0123", NumberRules("US"), "+12025550123"), ("911", NumberRules("US", emergency=True), "911"),
        ("+44 20 7946 0123", NumberRules("US", frozenset({"GB"})), "+442079460123"), ("+1 800 234 5678", NumberRules("US"), "+18002345678"),
        ("+1 900 234 5678", NumberRules("US", premium=True), "+19002345678"), ("55", NumberRules("US", short=frozenset({"55"})), "55"),
    ],
)  # fmt: skip
def test_allows_what_the_line_allows(to: str, rules: NumberRules, dialled: str) -> None:
    assert permitted(to, rules).dialled == dialled


def test_a_call_passed_on_tells_by_whom() -> None:
    history = "<sip:+12025550111@h?Reason=SIP%3Bcause%3D302>;index=1, <sip:+12025550100@h>;index=1.1"
    invite = Request(
        (("from", "<sip:+12025550123@h>;tag=1"), ("to", "<sip:x@h>"), ("history-info", history)),
        method="INVITE",
        uri="tel:+12025550100",
    )
    known = facts(invite, trunk="north", trusted=False, region="US")
    assert [(one.number, one.reason) for one in known.diversions] == [("+12025550111", "SIP;cause=302")]
    assert (known.dialled_number, known.number) == ("+12025550100", "+12025550123")


def test_who_is_anonymous_is_withheld() -> None:
    fields = (
        ("from", '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'),
        ("remote-party-id", "<sip:2025550123@h>;privacy=full"),
    )
    known = facts(Request(fields, method="INVITE", uri="sip:x@h"), trunk="north", trusted=True, region="US")
    assert (known.withheld, known.number, known.name, known.asserted) == (True, None, "", "+12025550123")


def test_keys_in_all_forms() -> None:
    assert keys.read(b"Signal= 11\r\nDuration= 250\r\n", "application/dtmf-relay; charset=x") == ("#", 250)
    assert keys.read(keys.write("D", 100), keys.RELAY) == ("D", 100)
    assert keys.read(b"7", "application/dtmf") == ("7", 0)
    assert keys.read(b"Signal=77", keys.RELAY) is None
    with pytest.raises(ValueError, match="E"):
        keys.write("E", 100)


def test_a_rate_gives_back_with_time() -> None:
    rate = Rate(60)
    assert sum(rate.take(0.0) for _ in range(100)) == 60
    assert not rate.take(0.5)
    assert rate.take(1.6)
    assert sum(rate.take(1000.0) for _ in range(100)) == 60


def test_the_guard_remembers_only_so_many_strangers() -> None:
    guard = Guard(strangers_per_minute=1)
    guard.know([network("10.0.0.0/8"), network("2001:db8::/32")])
    assert guard.admits("10.1.2.3", 0.0)
    assert guard.admits("2001:db8::1", 0.0)
    assert not guard.knows("no address")
    for number in range(MOST_STRANGERS + 500):
        guard.admits(f"192.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(guard._rates) == MOST_STRANGERS
    assert len(guard._known) <= MOST_STRANGERS
    assert not guard.admits("192.0.17.0", 1.0), "one a minute"


def test_a_trace_keeps_little_and_no_secrets() -> None:
    traces = Traces(most_calls=3)
    for number in range(5):
        traces.add(f"call{number}", "OPTIONS sip:x SIP/2.0\r\n\r\n", ("10.0.0.1", 5060), ours=True)
    assert (len(traces), traces.of("call0")) == (3, ())
    for number in range(FIRST + LAST + 10):
        traces.add("", f"INFO {number} SIP/2.0\r\ni: call4\r\n\r\nSignal=1", ("10.0.0.1", 5060), ours=False)
    assert len(traces.of("call4")) == FIRST + LAST
    assert "(11 messages are left out)" in traces.readable("call4")
    assert "Signal" not in traces.readable("call4")
    text = "REGISTER sip:x SIP/2.0\r\nproxy-authorization: Digest username=a, response=b\r\nX: y\r\n\r\na=crypto:1 AES inline:key\r\n"
    clean = without_secrets(text)
    assert "response" not in clean
    assert "inline" not in clean
    assert "X: y" in clean
    folded = "INVITE sip:x SIP/2.0\r\nAuthorization:\r\n Digest username=a,\r\n\tresponse=b\r\nX: y\r\nAuthorization: tokenofsome kind\r\n\r\n"
    clean = without_secrets(folded)
    assert not {"username", "response", "tokenofsome"} & set(re.findall(r"\w+", clean))
    assert "X: y" in clean
