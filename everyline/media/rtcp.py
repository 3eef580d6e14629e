"""RTCP (RFC 3550 section 6): sender and receiver reports, a name, a goodbye."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from everyline.media.errors import BadPacket

SENDER, RECEIVER, NAMES, GOODBYE = 200, 201, 202, 203
_EPOCH = 2_208_988_800  # seconds from 1900 to 1970


@dataclass(frozen=True, slots=True)
class Block:
    """What one side says it hears of a source: lost in parts of 256 since the last report, jitter in the clock's units."""

    source: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    since_last: int  # 1/65536 s


@dataclass(frozen=True, slots=True)
class Report:
    """One compound packet; ``sent`` is the sender's NTP time (middle 32 bits) when it sends, else None."""

    source: int
    blocks: tuple[Block, ...] = ()
    sent: int | None = None
    goodbye: bool = False


def middle(seconds: float) -> int:
    """The middle 32 bits of an NTP time, which reports quote."""
    return int((seconds + _EPOCH) * 65536) & 0xFFFFFFFF


def write(
    source: int,
    name: str,
    seconds: float,
    *,
    timestamp: int,
    packets: int,
    octets: int,
    block: Block | None,
    sends: bool,
) -> bytes:
    """A compound packet: a sender's report when we send, else a receiver's, and our name. ``seconds`` since 1970."""
    body = struct.pack("!I", source)
    if sends:
        whole = seconds + _EPOCH
        fraction = int(whole % 1 * 2**32)
        body += struct.pack(
            "!IIIII", int(whole), fraction, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
        )
    if block:
        lost = max(-0x800000, min(block.lost, 0x7FFFFF)) & 0xFFFFFF
        body += struct.pack(
            "!IIIIII",
            block.source,
            block.fraction_lost << 24 | lost,
            block.highest & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_report,
            block.since_last & 0xFFFFFFFF,
        )
    report = _packet(SENDER if sends else RECEIVER, 1 if block else 0, body)
    text = name.encode()[:255]
    chunk = struct.pack("!IBB", source, 1, len(text)) + text
    return report + _packet(NAMES, 1, chunk + bytes(4 - len(chunk) % 4))


def goodbye(source: int) -> bytes:
    """The end of a source, after an empty report as the rules ask."""
    return _packet(RECEIVER, 0, struct.pack("!I", source)) + _packet(GOODBYE, 1, struct.pack("!I", source))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def parse(datagram: bytes) -> Report:
    """Read a compound packet; raises BadPacket."""
    at, source, sent, blocks, ends = 0, None, None, [], False
    while at + 4 <= len(datagram):
        first, kind, words = struct.unpack_from("!BBH", datagram, at)
        body = datagram[at + 4 : at + 4 + words * 4]
        if first >> 6 != 2 or len(body) < words * 4:
            raise BadPacket("this is no RTCP, or it is cut off")
        if kind in (SENDER, RECEIVER):
            begin = 24 if kind == SENDER else 4
            if len(body) < begin + (first & 0x1F) * 24:
                raise BadPacket("the report is cut off")
            source = struct.unpack_from("!I", body)[0]
            if kind == SENDER:
                sent = struct.unpack_from("!Q", body, 4)[0] >> 16 & 0xFFFFFFFF
            for number in range(first & 0x1F):
                values = struct.unpack_from("!IIIIII", body, begin + number * 24)
                lost = (values[1] & 0xFFFFFF) - (values[1] & 0x800000) * 2
                blocks.append(Block(values[0], values[1] >> 24, lost, *values[2:]))
        ends = ends or kind == GOODBYE
        at += 4 + words * 4
    if source is None:
        raise BadPacket("there is no report in it")
    return Report(source, tuple(blocks), sent, ends)
