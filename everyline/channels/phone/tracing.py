"""What was said on the wires of a call, for whoever sets up telephones: of calls that go on, and of the latest that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everyline.call_contract import Traced, TracedMessage, TracedWire
from everyline.channels.phone.house import House, Wired
from everyline.ground.words import _
from everyline.sip.trace import FIRST

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.sip.exchange import SipExchange


class Forgotten(Exception):
    """Nothing of a call is kept any more; the text is for who asked."""


def wires_of(call: OneCall) -> tuple[Wired, ...]:
    """The telephones that take part in a call, or did."""
    return tuple(
        Wired(party.name, party.shown or party.number, party.wire.trunk, party.wire.ids)
        for party in (call.customer, *call.others.values())
        if party.wire is not None
    )


def traced(house: House, key: str) -> Traced:
    """What is kept of a call's messages. Raises Forgotten."""
    call = house.calls.get(key)
    wires = house.ended.get(key) if call is None else wires_of(call)
    if wires is None:
        raise Forgotten(_("What this call said on the wire is not kept any more."))
    found = [TracedWire(name=w.name, shown=w.shown, trunk=w.trunk, messages=_said(house.exchange, w)) for w in wires]
    if found and not any(one.messages for one in found):
        raise Forgotten(_("What this call said on the wire is not kept any more."))
    return Traced(wires=tuple(found))


def _said(exchange: SipExchange, wire: Wired) -> tuple[TracedMessage, ...]:
    found: list[TracedMessage] = []
    for call_id in wire.ids:
        missing = exchange.left_out_of(call_id)
        for number, line in enumerate(exchange.trace_of(call_id)):
            left_out = missing if number == FIRST else 0
            found.append(TracedMessage(at=line.at, ours=line.ours, peer=line.peer, text=line.text, left_out=left_out))
    return tuple(found)
