"""Calls that we make, to SIPp."""

from __future__ import annotations

import asyncio

import pytest

from everyline.sip.calls import CallEvent, Refused
from everyline.sip.events import Answered, CallState, Ended, EndReason, Ringing
from everyline.sip.exchange import SipExchange
from everyline.sip.numbers import Kind, NotAllowed, NumberRules
from everyline.sip.placed import Caller, PlacedCall
from everyline.sip.trunks import Trunk
from tests.sip.conftest import House, StartSipp, standing
from tests.sip.peers import PEER, body, free_udp_port

HOUSE_NUMBER = Caller("+12025550100", "Harbor Light")
HOME = NumberRules(region="US")


def place(
    exchange: SipExchange, *route: str, to: str = "(202) 555-0155", rules: NumberRules = HOME, ring_seconds: float = 20
) -> PlacedCall:
    """Call somebody."""
    return exchange.call(
        to, route or ("north",), caller=HOUSE_NUMBER, rules=rules, offer=body(), ring_seconds=ring_seconds
    )


async def until(call: PlacedCall, kind: type[CallEvent]) -> list[CallEvent]:
    """What happens in a call up to the first event of a kind."""
    found: list[CallEvent] = []
    async with asyncio.timeout(40):
        async for event in call.events():
            found.append(event)
            if isinstance(event, kind):
                return found
    raise AssertionError(found)


async def ended(call: PlacedCall) -> Ended:
    """How it ends."""
    last = (await until(call, Ended))[-1]
    assert isinstance(last, Ended)
    return last


@pytest.mark.req("V1")
async def test_a_number_is_called_with_the_caller_shown(sipp: StartSipp) -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port, trusted=True)) as exchange:
        peer = await sipp("answer", exchange.port, port=port, expect="P-Asserted-Identity: .sip:.12025550100@127.0.0.2")
        call = place(exchange)
        events = await until(call, Answered)
        assert [type(event) for event in events] == [Ringing, Answered]
        assert isinstance(events[1], Answered)
        assert b"m=audio 40000" in events[1].body
        assert call.trace()[0].text.startswith("INVITE sip:+12025550155@127.0.0.2:")
        assert exchange.trunks[0].calls == 1
        await call.hang_up()
        await peer.done()
        assert call.outcome == Ended(EndReason.HUNG_UP, by_us=True)
        assert exchange.trunks[0].calls == 0


async def test_sound_before_the_answer_is_passed_on(sipp: StartSipp) -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange:
        peer = await sipp("early", exchange.port, port=port)
        call = place(exchange)
        events = await until(call, Answered)
        assert isinstance(events[0], Ringing)
        assert (events[0].code, b"m=audio" in events[0].body) == (183, True)
        await call.hang_up()
        await peer.done()


async def test_busy_is_busy_and_no_other_trunk_is_asked(sipp: StartSipp) -> None:
    ports = free_udp_port(), free_udp_port("127.0.0.3")
    trunks = Trunk("north", PEER, ports[0]), Trunk("south", "127.0.0.3", ports[1])
    async with standing(House(), *trunks) as exchange:
        peer = await sipp("busy", exchange.port, port=ports[0])
        over = await ended(place(exchange, "north", "south"))
        await peer.done()
    assert (over.reason, over.code, [a.trunk for a in over.attempts]) == (EndReason.BUSY, 486, ["north"])


async def test_the_next_trunk_takes_a_call_that_one_cannot(sipp: StartSipp) -> None:
    ports = free_udp_port(), free_udp_port("127.0.0.3"), free_udp_port("127.0.0.4")
    trunks = (
        Trunk("north", PEER, ports[0]),
        Trunk("south", "127.0.0.3", ports[1], patience=0.3),
        Trunk("west", "127.0.0.4", ports[2]),
    )
    async with standing(House(), *trunks) as exchange:
        first = await sipp("unavailable", exchange.port, port=ports[0])
        third = await sipp("answer", exchange.port, port=ports[2], host="127.0.0.4", expect="INVITE")
        call = place(exchange, "north", "south", "west")
        await until(call, Answered)
        assert [(a.trunk, a.code) for a in call.attempts] == [("north", 503), ("south", 408), ("west", 200)]
        assert (call.trunk, [one.calls for one in exchange.trunks]) == ("west", [0, 0, 1])
        await call.hang_up()
        await first.done()
        await third.done()


async def test_nobody_answers_in_time(sipp: StartSipp) -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange:
        peer = await sipp("ring_only", exchange.port, port=port)
        over = await ended(place(exchange, ring_seconds=0.4))
        await peer.done()
    assert (over.reason, over.by_us) == (EndReason.NO_ANSWER, True)


async def test_a_call_is_taken_back(sipp: StartSipp) -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange:
        peer = await sipp("ring_only", exchange.port, port=port)
        call = place(exchange)
        await until(call, Ringing)
        await call.hang_up()
        over = await ended(call)
        await peer.done()
    assert (over.reason, over.by_us) == (EndReason.CANCELLED, True)


async def test_a_call_is_held_and_resumed_by_us(sipp: StartSipp) -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange:
        peer = await sipp("answer_and_hold", exchange.port, port=port)
        call = place(exchange)
        await until(call, Answered)
        assert b"recvonly" in await call.change(body("sendonly", 2))
        assert b"sendrecv" in await call.change(body("sendrecv", 3)), "both offered at once: it is tried again"
        await call.hang_up()
        await peer.done()
        with pytest.raises(Refused):
            await call.change(body())


async def test_we_prove_who_we_are(sipp: StartSipp) -> None:
    port = free_udp_port()
    trunk = Trunk("north", PEER, port, username="house", password="harbor-light", realm="trunk.example")
    async with standing(House(), trunk) as exchange:
        peer = await sipp("challenge_out", exchange.port, port=port)
        call = place(exchange)
        await until(call, Answered)
        trace = exchange.trace(call.id)
        assert "Authorization: Digest (left out)" in trace
        assert "response=" not in trace
        await call.hang_up()
        await peer.done()


async def test_a_proxy_is_proved_to_as_well(sipp: StartSipp) -> None:
    port = free_udp_port()
    trunk = Trunk("north", PEER, port, username="house", password="harbor-light")
    async with standing(House(), trunk) as exchange:
        peer = await sipp("challenge_by_proxy", exchange.port, port=port)
        assert (await ended(place(exchange))).reason is EndReason.BUSY
        await peer.done()


async def test_another_realm_gets_no_proof(sipp: StartSipp) -> None:
    port = free_udp_port()
    trunk = Trunk("north", PEER, port, username="house", password="harbor-light", realm="elsewhere.example")
    async with standing(House(), trunk) as exchange:
        await sipp("challenge_out", exchange.port, port=port)
        over = await ended(place(exchange))
    assert (over.reason, over.code) == (EndReason.FORBIDDEN, 401)


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        ("911", Kind.EMERGENCY), ("+1 900 555 0123", Kind.NONE), ("+1 900 234 5678", Kind.PREMIUM), ("+44 20 7946 0123", Kind.FOREIGN),
        ("011 44 20 7946 0123", Kind.FOREIGN), ("+1 876 555 0123", Kind.FOREIGN), ("+881 612 345 678", Kind.SATELLITE),
        ("sip:mallory@203.0.113.9", Kind.NONE), ("55", Kind.SHORT), ("hello", Kind.NONE),
    ],
)  # fmt: skip
async def test_what_the_line_does_not_allow_is_not_called(to: str, kind: Kind) -> None:
    async with standing(House(), Trunk("north", PEER)) as exchange:
        with pytest.raises(NotAllowed) as refusal:
            place(exchange, to=to)
        assert not exchange.calls
    assert refusal.value.words.endswith(".")
    assert refusal.value.kind is kind or kind is Kind.NONE


async def test_only_so_many_calls_go_out_in_a_minute() -> None:
    async with standing(
        House(), Trunk("north", PEER, free_udp_port(), calls_out_per_minute=1, patience=0.2)
    ) as exchange:
        assert (await ended(place(exchange))).reason is EndReason.UNREACHABLE
        over = await ended(place(exchange))
    assert over.attempts[0].words == "too many calls in a minute"
    assert over.reason is EndReason.CONGESTED


async def test_a_telephone_at_an_address_of_ours_is_called(sipp: StartSipp) -> None:
    port = free_udp_port("127.0.0.5")
    async with standing(House(), Trunk("desks", "127.0.0.5", port, networks=("127.0.0.5/32",))) as exchange:
        peer = await sipp("answer", exchange.port, port=port, host="127.0.0.5", expect="INVITE sip:ada@127.0.0.5")
        call = place(exchange, "desks", to=f"sip:ada@127.0.0.5:{port}")
        await until(call, Answered)
        assert call.state is CallState.CONNECTED
        await call.hang_up()
        await peer.done()
        with pytest.raises(NotAllowed):
            place(exchange, "desks", to="sip:+19002345678@127.0.0.5")
