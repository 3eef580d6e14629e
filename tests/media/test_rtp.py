"""RTP packets, whole and in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.media import rtp
from everyline.media.errors import BadPacket

WHOLE = rtp.Packet(0, 65535, 2**32 - 160, 0xDEADBEEF, b"\x01\x02\x03", marker=True)


def test_a_packet_comes_back_as_it_was() -> None:
    assert rtp.write(WHOLE).hex() == "8080ffffffffff60deadbeef010203"
    assert rtp.parse(rtp.write(WHOLE)) == WHOLE


def test_contributors_extension_and_padding_are_left_out() -> None:
    plain = rtp.write(WHOLE)
    dressed = bytes([0x80 | 0x30 | 2]) + plain[1:12] + b"CCCCDDDD" + b"\xbe\xde\x00\x01EXT!" + plain[12:] + b"\0\0\x03"
    assert rtp.parse(dressed) == WHOLE


@pytest.mark.parametrize(
    "datagram",
    [
        b"", b"\x80" * 11, b"\x40" + bytes(20), b"\x8f" + bytes(20), b"\x90" + bytes(13),
        b"\x90" + bytes(13) + b"\xff\xff", b"\xa0" + bytes(11) + b"\x05", b"\xa0" + bytes(12),
    ],
)  # fmt: skip
def test_what_is_no_packet_is_refused(datagram: bytes) -> None:
    with pytest.raises(BadPacket):
        rtp.parse(datagram)


@given(st.binary(max_size=80))
def test_nothing_else_can_come_of_a_datagram(datagram: bytes) -> None:
    try:
        found = rtp.parse(datagram)
    except BadPacket:
        return
    assert len(found.payload) <= len(datagram) - 12


def test_many_headers_at_once_say_the_same() -> None:
    slab = np.frombuffer(rtp.write(WHOLE) * 3, np.uint8).reshape(3, -1)
    for found in rtp.headers(slab):
        assert (found["first"], found["second"]) == (0x80, 0x80)
        assert (found["sequence"], found["timestamp"], found["source"]) == (65535, 2**32 - 160, 0xDEADBEEF)
