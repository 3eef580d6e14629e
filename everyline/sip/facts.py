"""What is known of a call before it is answered. Pure.

Who calls is what the trunk asserts, when the trunk is trusted; else what the caller says. Where the caller withholds the
number it stays with ``asserted`` and is no ``number`` to be shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from everyline.sip.addresses import Named, Uri, many
from everyline.sip.messages import Request
from everyline.sip.numbers import e164


@dataclass(frozen=True)
class Diversion:
    """Somebody who was called before us and passed the call on (RFC 5806, RFC 7044)."""

    number: str | None
    uri: str
    reason: str = ""


@dataclass(frozen=True)
class CallFacts:
    """One call that came in. Numbers are E.164, None where there is none in one form. ``telephone`` is the address of one of ours that proved itself
    at the edge; empty: it comes from elsewhere."""

    call_id: str
    trunk: str
    source: tuple[str, int]
    number: str | None
    name: str
    withheld: bool
    asserted: str | None
    dialled: str
    dialled_number: str | None
    from_uri: str
    to_uri: str
    diversions: tuple[Diversion, ...]
    device: str
    telephone: str = ""


def facts(request: Request, *, trunk: str, trusted: bool, region: str, telephone: str = "") -> CallFacts:
    """What an INVITE tells."""
    said, to = Named.read(request.one("from")), Named.read(request.one("to"))
    asked = Uri.read(request.uri)
    sure = _asserted(request) if trusted else None
    shown = sure or said
    private = request.tokens("privacy") - {"none"}
    hidden = bool(private & {"id", "user", "header"}) or "privacy=full" in request.one(
        "remote-party-id"
    ).lower().replace(" ", "")
    anonymous = (
        said is None or said.uri.host.lower().endswith("anonymous.invalid") or said.uri.name.lower() == "anonymous"
    )
    withheld = hidden or anonymous
    dialled = asked.name if asked and asked.name else (to.uri.name if to else "")
    return CallFacts(
        call_id=request.call_id,
        trunk=trunk,
        source=request.source,
        number=e164(shown.uri.name, region) if shown and not withheld else None,
        name="" if withheld or shown is None else shown.shown or (said.shown if said else ""),
        withheld=withheld,
        asserted=e164(sure.uri.name, region) if sure else None,
        dialled=dialled,
        dialled_number=e164(dialled, region),
        from_uri=str(said.uri) if said else "",
        to_uri=str(to.uri) if to else "",
        diversions=_diversions(request, region),
        device=request.one("user-agent")[:200],
        telephone=telephone,
    )


def _asserted(request: Request) -> Named | None:
    for name in ("p-asserted-identity", "remote-party-id"):
        found = many(request.all(name))
        numbered = [one for one in found if one.uri.scheme == "tel" or one.uri.name.lstrip("+").isdecimal()]
        if found:
            return (numbered or list(found))[0]
    return None


def _diversions(request: Request, region: str) -> tuple[Diversion, ...]:
    found = many(request.all("diversion"))[:10]
    if found:
        return tuple(Diversion(e164(o.uri.name, region), str(o.uri), o.parameters.get("reason", "")) for o in found)
    history = many(request.all("history-info"))[:-1][:10]
    return tuple(
        Diversion(e164(one.uri.name, region), str(one.uri), one.uri.headers.get("reason", "")) for one in history
    )
