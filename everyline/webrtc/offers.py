"""What a browser offers and what it is answered (RFC 8829): session descriptions with what WebRTC adds to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everyline.media import negotiation, sdp
from everyline.media.codecs import NARROW
from everyline.media.errors import BadDescription, NothingInCommon
from everyline.media.negotiation import Agreement, Place
from everyline.media.sdp import Description, Stream

PROTOCOL = "UDP/TLS/RTP/SAVPF"


@dataclass(frozen=True)
class Offer:
    """A browser's offer of sound, as it came and as it is read, and what its way is secured by."""

    body: str
    description: Description
    sound: Stream
    mid: str
    fragment: str  # ICE: half of the name in checks of the way
    password: str
    fingerprints: tuple[tuple[str, str], ...]  # algorithm and digest of the certificate that it will show


@dataclass(frozen=True)
class Secured:
    """Our side of the same."""

    fragment: str
    password: str
    fingerprint: tuple[str, str]
    candidates: Sequence[str]
    place: Place  # the first of the candidates


def read(body: str) -> Offer:
    """Read an offer; raises BadDescription or NothingInCommon."""
    found = sdp.parse(body.encode())
    sound = found.first("audio")
    if sound is None or sound.protocol.upper() != PROTOCOL:
        raise NothingInCommon("the offer has no secured sound")
    if not sound.rtcp_together:
        raise NothingInCommon("reports are to come on the way of the sound")
    facts = [one.partition(":")[::2] for one in (*found.others, *sound.others)]  # a stream's own come last, and count

    def last(name: str, form: str) -> str:
        values = [value for key, value in facts if key == name]
        if not values or not re.fullmatch(form, values[-1]):
            raise BadDescription(f"{name} is {values[-1][:40]!r}" if values else f"{name} is missing")
        return values[-1]

    last("setup", "actpass|passive")
    fingerprints = tuple(
        (words[0].lower(), words[1])
        for key, value in facts
        if key == "fingerprint" and len(words := value.split()) == 2 and re.fullmatch(r"[0-9A-Fa-f:]+", words[1])
    )
    if not fingerprints:
        raise BadDescription("fingerprint is missing")
    return Offer(
        body,
        found,
        sound,
        last("mid", r"[\w.+-]{1,64}"),
        last("ice-ufrag", r"[A-Za-z0-9+/]{4,256}"),
        last("ice-pwd", r"[A-Za-z0-9+/]{22,256}"),
        fingerprints,
    )


def agree(offer: Offer, ours: Place, bridge: tuple[str, int]) -> Agreement:
    """What a leg at ``ours`` speaks with the browser, whose sound comes from ``bridge`` and goes there in the clear: G.711, which
    browsers must know (RFC 7874), so that what they send passes as it is. Raises NothingInCommon."""
    plain = replace(offer.sound, protocol="RTP/AVP", address=bridge[0], port=bridge[1], direction="sendrecv")
    streams = tuple(plain if one is offer.sound else replace(one, port=0) for one in offer.description.streams)
    return negotiation.answer(replace(offer.description, streams=streams), ours, codecs=NARROW)


def write(offer: Offer, agreed: Agreement, ours: Secured, source: int, name: str) -> str:
    """Our answer. ``source`` is the SSRC of what we send, ``name`` what it is called in reports (RFC 3550 section 6.5.1)."""
    host, port = ours.place.address, ours.place.port
    more = (
        f"mid:{offer.mid}",
        f"ice-ufrag:{ours.fragment}",
        f"ice-pwd:{ours.password}",
        f"fingerprint:{ours.fingerprint[0]} {ours.fingerprint[1]}",
        "setup:active",
        *(f"candidate:{one}" for one in ours.candidates),
        "end-of-candidates",
        f"msid:{name} sound",
        f"ssrc:{source} cname:{name}",
    )
    streams = tuple(
        replace(one, protocol=PROTOCOL, address=host, port=port, others=more) if one.port else one
        for one in agreed.ours.streams
    )
    whole = replace(agreed.ours, address=host, streams=streams, others=(f"group:BUNDLE {offer.mid}",))
    return sdp.write(whole).decode()
