"""Session descriptions: what RFCs and phones write, what nobody should, and what both sides come to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.media import negotiation, sdp
from everyline.media.codecs import G722, OPUS, PCMA, PCMU
from everyline.media.errors import BadDescription, NothingInCommon
from everyline.media.negotiation import Place

HERE = Place("192.0.2.1", 20000)
PHONE = b"""v=0\r
o=- 20518 7 IN IP4 203.0.113.1\r
s= \r
c=IN IP4 203.0.113.1\r
t=0 0\r
m=audio 54400 RTP/AVP 9 8 0 101 126\r
a=rtpmap:9 G722/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
a=rtpmap:126 telephone-event/48000\r
a=ptime:30\r
a=maxptime:40\r
a=rtcp:54500\r
a=sendrecv\r
m=video 54402 RTP/AVP 99\r
a=rtpmap:99 H264/90000\r
m=text 54404 RTP/AVP 98 100\r
a=rtpmap:98 t140/1000\r
a=rtpmap:100 red/1000\r
a=fmtp:100 98/98/98\r
m=image 54406 udptl t38\r
a=T38FaxVersion:0\r
a=T38FaxUdpEC:t38UDPRedundancy\r
"""


def changed(*pairs: tuple[bytes, bytes]) -> sdp.Description:
    body = PHONE
    for old, new in pairs:
        assert old in body
        body = body.replace(old, new)
    return sdp.parse(body)


@pytest.mark.req("V1")
def test_reads_what_a_phone_offers() -> None:
    found = sdp.parse(PHONE)
    assert (found.number, found.version) == (20518, 7)
    sound, video, text, fax = found.streams
    assert [(f.payload_type, f.name, f.clock) for f in sound.formats] == [
        (9, "G722", 8000), (8, "PCMA", 8000), (0, "PCMU", 8000), (101, "telephone-event", 8000), (126, "telephone-event", 48000),
    ]  # fmt: skip
    assert (sound.ptime, sound.longest_ptime, sound.rtcp_address) == (30, 40, ("203.0.113.1", 54500))
    assert (video.kind, text.formats[1].parameters) == ("video", "98/98/98")
    assert (fax.kind, fax.tokens) == ("image", ("t38",))
    assert "T38FaxUdpEC:t38UDPRedundancy" in fax.others, "what T.38 says is kept"
    assert sdp.parse(PHONE.replace(b"\r\n", b"\n") + b"\n\n") == found
    assert sdp.parse(sdp.write(found)).streams == found.streams, "and written so that it is read the same"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "v=0"),
        (b"INVITE sip:x SIP/2.0", "v=0"),
        (b"v=0\r\nnonsense\r\n", "line"),
        (PHONE + b"a=x:" + b"y" * 20000, "bytes"),
        (PHONE + b"a=x\r\n" * 500, "lines"),
        (PHONE + b"a=" + b"x" * 2000, "lines"),
        (PHONE + b"m=audio 1 RTP/AVP 0\r\n" * 14, "streams"),
        (b"v=0\nc=IN IP4 h.example\nm=audio 1 RTP/AVP " + b"0 " * 70, "formats"),
        (b"v=0\nm=audio 5000 RTP/AVP 0\n", "no address"),
        (b"v=0\nc=IN IP4 h.example\nm=audio 99999 RTP/AVP 0\n", "port"),
        (b"v=0\nc=IN IP4 h.example\nm=audio -1 RTP/AVP 0\n", "port"),
        (b"v=0\nc=IN IP4 h.example\nm=audio 5000 RTP/AVP 300\n", "payload type"),
        (b"v=0\nc=IN IP4 h.example\nm=audio\n", "stream"),
        (b"v=0\nc=IN ATM x\n", "address"),
        (b"v=0\nc=IN IP4 $(reboot)\n", "address"),
    ],
)
def test_says_what_is_wrong_with_a_body(body: bytes, reason: str) -> None:
    with pytest.raises(BadDescription, match=reason):
        sdp.parse(body)


@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PHONE.split(b"\r\n")), max_size=30).map(b"\n".join)))
def test_nothing_else_can_come_of_a_body(body: bytes) -> None:
    for tried in (body, b"v=0\n" + body):
        with contextlib.suppress(BadDescription):
            assert len(sdp.parse(tried).streams) <= 16


@pytest.mark.req("V1")
def test_answers_with_one_codec_and_refuses_what_is_no_sound() -> None:
    found = negotiation.answer(sdp.parse(PHONE), HERE)
    assert (found.codec, found.payload_type, found.events) == (G722, 9, 101)
    assert found.remote == ("203.0.113.1", 54400)
    body = sdp.write(found.ours)
    assert b"m=audio 20000 RTP/AVP 9 101\r\n" in body
    assert b"m=video 0 RTP/AVP 99\r\n" in body
    assert b"m=text 0 RTP/AVP 98 100\r\n" in body
    assert b"m=image 0 udptl t38\r\n" in body
    assert b"a=rtcp-mux" not in body, "they did not ask for it"
    narrow = negotiation.answer(sdp.parse(PHONE), HERE, codecs=(PCMU, PCMA))
    assert narrow.codec == PCMA, "theirs is the order"


def test_refuses_what_has_nothing_in_common() -> None:
    for theirs in (
        changed((b"RTP/AVP 9 8 0 101", b"RTP/AVP 18 101")),
        changed((b"audio 54400", b"audio 0")),
        changed((b"54400 RTP/AVP", b"54400 RTP/SAVP")),
        sdp.parse(b"v=0\n"),
    ):
        with pytest.raises(NothingInCommon):
            negotiation.answer(theirs, HERE)


@pytest.mark.parametrize(
    ("pairs", "sends", "receives", "word"),
    [
        ([], True, True, "sendrecv"),
        ([(b"a=sendrecv", b"a=sendonly")], False, True, "recvonly"),
        ([(b"a=sendrecv", b"a=recvonly")], True, False, "sendonly"),
        ([(b"a=sendrecv", b"a=inactive")], False, False, "inactive"),
        ([(b"c=IN IP4 203.0.113.1", b"c=IN IP4 0.0.0.0")], False, True, "sendrecv"),
    ],
)  # fmt: skip
@pytest.mark.req("V5")
def test_hold_by_direction_and_by_address(
    pairs: list[tuple[bytes, bytes]], sends: bool, receives: bool, word: str
) -> None:
    found = negotiation.answer(changed(*pairs), HERE)
    assert (found.sends, found.receives) == (sends, receives)
    assert found.held == (not sends)
    assert found.ours.streams[0].direction == word


@pytest.mark.req("V1")
def test_offer_and_answer_agree_from_both_sides() -> None:
    offered = negotiation.offer(HERE)
    there = negotiation.answer(sdp.parse(sdp.write(offered)), Place("198.51.100.7", 4000), codecs=(OPUS,))
    here = negotiation.accept(offered, sdp.parse(sdp.write(there.ours)))
    assert here.codec == there.codec == OPUS
    assert (here.remote, there.remote) == (("198.51.100.7", 4000), ("192.0.2.1", 20000))
    assert here.rtcp_together, "offered and answered"
    assert there.rtcp_together
    assert (here.events, there.events) == (101, 101)
    again = negotiation.offer(HERE, before=offered, direction="sendonly")
    assert (again.number, again.version) == (offered.number, offered.version + 1)
    held = negotiation.answer(again, Place("198.51.100.7", 4000))
    assert held.held
    assert not negotiation.accept(again, held.ours).receives
    with pytest.raises(NothingInCommon, match="not offered"):
        negotiation.accept(negotiation.offer(HERE, codecs=(PCMU,)), there.ours)


def test_payload_types_may_differ_by_direction() -> None:
    offered = negotiation.offer(HERE)
    theirs = sdp.parse(
        b"v=0\nc=IN IP4 198.51.100.7\nm=audio 4000 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 telephone-event/8000\n"
    )
    found = negotiation.accept(offered, theirs)
    assert (found.payload_type, found.receives_as) == (96, 111)
    assert (found.events, found.events_as) == (97, 101)
