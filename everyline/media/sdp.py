"""Session descriptions (RFC 8866, before it RFC 4566): read tolerantly, within limits, and written strictly.

Whatever a line means that we do not use is kept as an attribute or left out; a body that is no description, or beyond the
limits, is refused with a reason. Streams of other kinds (``image`` for T.38, ``text`` for real-time text) are kept whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from everyline.media.errors import BadDescription

LARGEST = 16_384  # bytes of a body
MOST_LINES, LONGEST_LINE = 400, 1024
MOST_STREAMS, MOST_FORMATS = 16, 64
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

# RFC 3551, for formats that need no rtpmap
STATIC = {0: ("PCMU", 8000), 3: ("GSM", 8000), 4: ("G723", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000),
          13: ("CN", 8000), 18: ("G729", 8000)}  # fmt: skip
_MAP = re.compile(r"(\d{1,3})\s+([^/\s]+)/(\d{1,7})(?:/(\d{1,2}))?\s*")


@dataclass(frozen=True)
class Format:
    """A payload type and what it stands for (``rtpmap`` and ``fmtp``)."""

    payload_type: int
    name: str
    clock: int
    channels: int = 1
    parameters: str = ""


@dataclass(frozen=True)
class Stream:
    """One ``m=`` line and what belongs to it. ``port`` 0 means refused; ``tokens`` are its formats as they were written."""

    kind: str
    port: int
    protocol: str
    tokens: tuple[str, ...]
    address: str
    formats: tuple[Format, ...] = ()
    direction: str = "sendrecv"
    ptime: int | None = None
    longest_ptime: int | None = None
    rtcp_port: int | None = None
    rtcp_together: bool = False  # rtcp-mux, RFC 5761
    others: tuple[str, ...] = ()  # attributes that are not read here, as ``name`` or ``name:value``

    @property
    def on_hold(self) -> bool:
        """Whether they want nothing from us: by direction, or the old way by address (RFC 3264 section 8.4)."""
        return self.direction in ("sendonly", "inactive") or self.address in ("0.0.0.0", "::")  # noqa: S104 -- a mark of hold, nothing is bound

    @property
    def rtcp_address(self) -> tuple[str, int]:
        """Where reports go (RFC 3605)."""
        return self.address, self.port if self.rtcp_together else self.rtcp_port or self.port + 1


@dataclass(frozen=True)
class Description:
    """A whole body. ``version`` goes up with each change of ours."""

    address: str
    streams: tuple[Stream, ...]
    number: int = 1
    version: int = 1
    others: tuple[str, ...] = field(default=())

    def first(self, kind: str) -> Stream | None:
        """The first stream of a kind that is not refused."""
        return next((stream for stream in self.streams if stream.kind == kind and stream.port), None)


class _Section:
    """The lines of the whole or of one stream while they are read."""

    def __init__(self, media: str = "") -> None:
        self.media, self.address = media, ""
        self.attributes: list[tuple[str, str]] = []


def _number(text: str, most: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > most:
        raise BadDescription(f"{what} is {text[:20]!r}")
    return int(text)


def _address(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN" or parts[1] not in ("IP4", "IP6"):
        raise BadDescription(f"the address is {value[:60]!r}")
    found = parts[2].split("/")[0]
    if not re.fullmatch(r"[0-9A-Za-z.:_-]{1,255}", found):
        raise BadDescription(f"the address is {found[:60]!r}")
    return found


def parse(body: bytes) -> Description:
    """Read a body; raises BadDescription with what is wrong."""
    if len(body) > LARGEST:
        raise BadDescription(f"the description has {len(body)} bytes, more than {LARGEST}")
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE:
        raise BadDescription("the description has too many lines or too long ones")
    lines = [line for line in lines if line.strip()]
    if not lines or lines[0].strip() != "v=0":
        raise BadDescription("the description does not begin with v=0")
    sections, origin = [_Section()], ["", "1", "1"]
    for line in lines[1:]:
        kind, equals, value = line.partition("=")
        if not equals or len(kind.strip()) != 1:
            raise BadDescription(f"a line is {line[:40]!r}")
        value = value.strip()
        match kind.strip():
            case "m":
                sections.append(_Section(value))
            case "c":
                sections[-1].address = _address(value)
            case "o":
                origin = value.split()[:3] if len(value.split()) >= 3 else origin
            case "a":
                name, _colon, rest = value.partition(":")
                sections[-1].attributes.append((name.strip(), rest.strip()))
    if len(sections) - 1 > MOST_STREAMS:
        raise BadDescription(f"the description has {len(sections) - 1} streams, more than {MOST_STREAMS}")
    whole = sections[0]
    number, version = (int(text) if re.fullmatch(r"[0-9]{1,20}", text) else 1 for text in origin[1:3])
    others = tuple(_joined(pair) for pair in whole.attributes if pair[0] not in DIRECTIONS)
    streams = tuple(_stream(section, whole) for section in sections[1:])
    return Description(whole.address, streams, number, version, others)


def _joined(pair: tuple[str, str]) -> str:
    return f"{pair[0]}:{pair[1]}" if pair[1] else pair[0]


def _stream(section: _Section, whole: _Section) -> Stream:
    words = section.media.split()
    if len(words) < 4:
        raise BadDescription(f"a stream is {section.media[:60]!r}")
    kind, port_text, protocol, *tokens = words
    if len(tokens) > MOST_FORMATS:
        raise BadDescription(f"a stream has {len(tokens)} formats, more than {MOST_FORMATS}")
    port = _number(port_text.split("/")[0], 65535, "a port")
    address = section.address or whole.address
    if port and not address:
        raise BadDescription("a stream has no address")
    direction = next((name for name, _ in [*section.attributes, *whole.attributes] if name in DIRECTIONS), "sendrecv")
    maps: dict[int, tuple[str, int, int]] = {number: (*known, 1) for number, known in STATIC.items()}
    parameters: dict[int, str] = {}
    times: dict[str, int] = {}
    rtcp_port, together, others = None, False, []
    for name, value in section.attributes:
        match name.lower():
            case "rtpmap":
                if found := _MAP.match(value):
                    maps[int(found[1])] = (found[2], int(found[3]), int(found[4] or 1))
            case "fmtp":
                number, _space, rest = value.partition(" ")
                if number.isascii() and number.isdigit():
                    parameters[int(number[:3])] = rest.strip()
            case "ptime" | "maxptime":
                digits = value.split(".")[0]
                if digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) <= 200:
                    times[name] = int(digits)
            case "rtcp":
                rtcp_port = _number(value.split()[0] if value else "", 65535, "the port of reports")
            case "rtcp-mux":
                together = True
            case _ if name not in DIRECTIONS:
                others.append(_joined((name, value)))
    formats: list[Format] = []
    if "RTP/" in protocol.upper():
        numbers = [_number(token, 127, "a payload type") for token in tokens]
        formats = [Format(n, *maps[n], parameters.get(n, "")) for n in numbers if n in maps and maps[n][1]]
    else:
        others += [_joined(("fmtp", f"{n} {text}")) for n, text in parameters.items()]
    return Stream(
        kind.lower(),
        port,
        protocol,
        tuple(tokens),
        address,
        tuple(formats),
        direction,
        times.get("ptime"),
        times.get("maxptime"),
        rtcp_port,
        together,
        tuple(others),
    )


def _connection(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"


def write(description: Description) -> bytes:
    """The body of a description."""
    lines = [
        "v=0",
        f"o=- {description.number} {description.version} {_connection(description.address)}",
        "s=-",
        f"c={_connection(description.address)}",
        "t=0 0",
        *(f"a={one}" for one in description.others),
    ]
    for stream in description.streams:
        lines.append(f"m={stream.kind} {stream.port} {stream.protocol} {' '.join(stream.tokens)}")
        if stream.port and stream.address != description.address:
            lines.append(f"c={_connection(stream.address)}")
        for one in stream.formats if stream.port else ():
            channels = f"/{one.channels}" if one.channels > 1 else ""
            lines.append(f"a=rtpmap:{one.payload_type} {one.name}/{one.clock}{channels}")
            lines += [f"a=fmtp:{one.payload_type} {one.parameters}"] if one.parameters else []
        if stream.port:
            lines += [f"a=ptime:{stream.ptime}"] if stream.ptime else []
            lines += [f"a=maxptime:{stream.longest_ptime}"] if stream.longest_ptime else []
            lines += [f"a=rtcp:{stream.rtcp_port}"] if stream.rtcp_port else []
            lines += ["a=rtcp-mux"] if stream.rtcp_together else []
            lines += [f"a={one}" for one in stream.others]
            lines += [f"a={stream.direction}"] if stream.formats else []
    return "".join(f"{line}\r\n" for line in lines).encode()
