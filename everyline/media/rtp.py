"""RTP packets (RFC 3550 section 5): one at a time with everything that may stand in them, or the headers of many at once."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from everyline.media.errors import BadPacket

HEADER_BYTES = 12
PLAIN = 0x80  # version 2 without padding, extension and contributors: what nearly every packet begins with
LARGEST = 1500  # bytes; more than any audio packet, and what fits an Ethernet frame

HEADER = np.dtype(
    [("first", "u1"), ("second", "u1"), ("sequence", ">u2"), ("timestamp", ">u4"), ("source", ">u4")]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. ``timestamp`` counts the codec's clock, ``source`` is the SSRC."""

    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False


def parse(datagram: bytes | memoryview) -> Packet:
    """Read a packet, leaving out contributors, extension and padding; raises BadPacket."""
    if len(datagram) < HEADER_BYTES:
        raise BadPacket(f"{len(datagram)} bytes are too few for RTP")
    first, second, sequence, timestamp, source = struct.unpack_from("!BBHII", datagram)
    if first >> 6 != 2:
        raise BadPacket(f"version {first >> 6} is not RTP's")
    begin, end = HEADER_BYTES + (first & 0x0F) * 4, len(datagram)
    if first & 0x10:
        if begin + 4 > end:
            raise BadPacket("the header extension is cut off")
        begin += 4 + struct.unpack_from("!H", datagram, begin + 2)[0] * 4
    if first & 0x20 and begin < end:
        end -= datagram[-1] or end
    if begin > end:
        raise BadPacket("more header or padding is announced than there is")
    return Packet(second & 0x7F, sequence, timestamp, source, bytes(datagram[begin:end]), bool(second & 0x80))


def write(packet: Packet) -> bytes:
    """The datagram of a packet."""
    head = struct.pack(
        "!BBHII",
        PLAIN,
        packet.payload_type | packet.marker << 7,
        packet.sequence & 0xFFFF,
        packet.timestamp & 0xFFFFFFFF,
        packet.source,
    )
    return head + packet.payload


def headers(datagrams: NDArray[np.uint8]) -> NDArray[Any]:
    """The first twelve bytes of many datagrams, one a row, as records of HEADER; what they say is not checked."""
    return np.ascontiguousarray(datagrams[:, :HEADER_BYTES]).view(HEADER)[:, 0]
