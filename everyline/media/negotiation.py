"""Offer and answer (RFC 3264) for the sound of one leg.

``offer`` makes our offer, ``accept`` reads the answer to it; ``answer`` reads theirs and makes ours. What both came to is an
Agreement, which a leg is given. Streams that are no sound are refused by port 0 and kept in ``Agreement.theirs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from everyline.media.codecs import Codec, available
from everyline.media.errors import NothingInCommon
from everyline.media.sdp import Description, Format, Stream

EVENTS = "telephone-event"  # RFC 4733
EVENTS_PAYLOAD_TYPE = 101
_TURNED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True)
class Place:
    """Where a leg can be reached: what is written into descriptions."""

    address: str
    port: int


@dataclass(frozen=True)
class Agreement:
    """What both sides speak. ``sends`` and ``receives`` are our directions; ``events`` the payload type of keys, or None."""

    codec: Codec
    payload_type: int  # in what we send
    receives_as: int  # in what they send
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    theirs: Description
    ours: Description
    events: int | None = None
    events_as: int | None = None
    sends: bool = True
    receives: bool = True
    held: bool = False
    rtcp_together: bool = False
    events_clock: int = 8000


def _formats(codecs: Sequence[Codec]) -> tuple[Format, ...]:
    found = [Format(c.payload_type, c.name, c.clock, c.channels, c.parameters) for c in codecs]
    return (*found, Format(EVENTS_PAYLOAD_TYPE, EVENTS, 8000, 1, "0-16"))


def _sound(place: Place, formats: tuple[Format, ...], direction: str, *, together: bool, protocol: str) -> Stream:
    tokens = tuple(str(one.payload_type) for one in formats)
    return Stream(
        "audio", place.port, protocol, tokens, place.address, formats, direction, ptime=20, rtcp_together=together
    )


def offer(
    place: Place,
    *,
    codecs: Sequence[Codec] = (),
    direction: str = "sendrecv",
    before: Description | None = None,
    number: int = 1,
) -> Description:
    """Our offer: these codecs (all there are), best first. ``before`` is our last description, when this is a change of it."""
    stream = _sound(place, _formats(codecs or available()), direction, together=True, protocol="RTP/AVP")
    if before is None:
        return Description(place.address, (stream,), number)
    refused = tuple(replace(one, port=0) for one in before.streams[1:])  # a stream once there keeps its place
    return Description(place.address, (stream, *refused), before.number, before.version + 1)


def _chosen(stream: Stream, codecs: Sequence[Codec]) -> tuple[Format, Codec]:
    for one in stream.formats:
        for codec in codecs:
            if (one.name.lower(), one.clock) == (codec.name.lower(), codec.clock):
                return one, codec
    names = ", ".join(one.name for one in stream.formats)
    raise NothingInCommon(f"no codec in common; they speak {names[:100] or 'none'}")


def _events(stream: Stream, clock: int) -> Format | None:
    found = [one for one in stream.formats if one.name.lower() == EVENTS]
    return next((one for one in found if one.clock == clock), found[0] if found else None)


def _first_sound(theirs: Description) -> Stream:
    stream = theirs.first("audio")
    if stream is None or not stream.protocol.upper().startswith("RTP/AVP"):
        raise NothingInCommon("the description has no sound over plain RTP")
    return stream


def answer(
    theirs: Description,
    place: Place,
    *,
    codecs: Sequence[Codec] = (),
    direction: str = "sendrecv",
    before: Description | None = None,
    number: int = 1,
) -> Agreement:
    """What we make of their offer; raises NothingInCommon. ``direction`` is the most that we want."""
    stream = _first_sound(theirs)
    one, codec = _chosen(stream, codecs or available())
    keys = _events(stream, one.clock)
    formats = (replace(one, parameters=codec.parameters), *([replace(keys, parameters="0-16")] if keys else []))
    mine = _direction(_TURNED[stream.direction], direction)
    sound = _sound(place, formats, mine, together=stream.rtcp_together, protocol=stream.protocol)
    streams = tuple(sound if other is stream else _refused(other) for other in theirs.streams)
    version = before.version + 1 if before else 1
    ours = Description(place.address, streams, before.number if before else number, version)
    return _agreed(stream, codec, one.payload_type, theirs, ours, keys, keys, mine)


def accept(ours: Description, theirs: Description) -> Agreement:
    """What their answer to our offer comes to; raises NothingInCommon."""
    stream = _first_sound(theirs)
    offered = ours.streams[0]
    one, codec = _chosen(stream, available())
    own = next((f for f in offered.formats if (f.name.lower(), f.clock) == (one.name.lower(), one.clock)), None)
    if own is None:
        raise NothingInCommon(f"they answered with {one.name}, which was not offered")
    mine = _direction(_TURNED[stream.direction], offered.direction)
    keys = _events(stream, one.clock)
    together = replace(stream, rtcp_together=stream.rtcp_together and offered.rtcp_together)
    return _agreed(
        together, codec, own.payload_type, theirs, ours, keys, _events(offered, 8000) if keys else None, mine
    )


def _refused(stream: Stream) -> Stream:
    return Stream(stream.kind, 0, stream.protocol, stream.tokens, stream.address)


def _direction(one: str, other: str) -> str:
    sends = all(d in ("sendrecv", "sendonly") for d in (one, other))
    receives = all(d in ("sendrecv", "recvonly") for d in (one, other))
    return "sendrecv" if sends and receives else "sendonly" if sends else "recvonly" if receives else "inactive"


def _agreed(
    stream: Stream,
    codec: Codec,
    receives_as: int,
    theirs: Description,
    ours: Description,
    keys: Format | None,
    keys_as: Format | None,
    direction: str,
) -> Agreement:
    sent_as, _codec = _chosen(stream, (codec,))
    silent = stream.address in ("0.0.0.0", "::")  # noqa: S104 -- a mark of hold, nothing is bound
    return Agreement(
        codec,
        sent_as.payload_type,
        receives_as,
        (stream.address, stream.port),
        stream.rtcp_address,
        theirs,
        ours,
        events=keys.payload_type if keys else None,
        events_as=keys_as.payload_type if keys_as else None,
        sends=direction in ("sendrecv", "sendonly") and not silent,
        receives=direction in ("sendrecv", "recvonly"),
        held=stream.on_hold,
        rtcp_together=stream.rtcp_together,
        events_clock=keys.clock if keys else 8000,
    )
