"""What happens at the same moment, or too late."""

from __future__ import annotations

import asyncio

import pytest

from everyline.sip.calls import Refused
from everyline.sip.events import EndReason
from everyline.sip.exchange import SipExchange
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller, PlacedCall
from everyline.sip.trunks import Trunk
from tests.sip.conftest import House, standing
from tests.sip.peers import PEER, Stranger, body, free_udp_port, stranger, until


def place(exchange: SipExchange) -> PlacedCall:
    """Call somebody by the only trunk."""
    return exchange.call("2025550155", ("north",), caller=Caller("+12025550100"), rules=NumberRules(), offer=body())


async def connected(house: House, peer: Stranger) -> str:
    """A call of the peer's that stands; our tag."""
    peer.send(peer.request("INVITE"))
    await until(lambda: 200 in peer.codes)
    tag = house.calls[0].dialog.ours.tag
    peer.send(peer.request("ACK", to_tag=tag))
    await until(lambda: bool(house.events))
    return tag


async def test_one_call_by_two_ways_is_one_call() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        tag = await connected(house, peer)
        peer.send(peer.request("INVITE").replace(b"branch=z9hG4bK", b"branch=z9hG4bKother"))
        await until(lambda: 482 in peer.codes)
        assert len(house.calls) == 1
        peer.send(peer.request("BYE", number=2, to_tag=tag))
        await house.settled()


async def test_both_sides_change_at_once() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        tag = await connected(house, peer)
        changing = asyncio.create_task(house.calls[0].change(body("sendonly", 2)))
        await until(lambda: bool(peer.asked("INVITE")))
        peer.send(peer.request("INVITE", number=2, to_tag=tag, data=body("inactive", 9)))
        await until(lambda: 491 in peer.codes)
        peer.reply(peer.asked("INVITE")[0], "488 Not Acceptable Here")
        with pytest.raises(Refused, match="488"):
            await changing
        assert house.calls[0].state == "connected"
        peer.send(peer.request("BYE", number=3, to_tag=tag))
        await house.settled()


async def test_who_is_hung_up_on_before_acknowledging_gets_its_bye_after() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        peer.send(peer.request("INVITE"))
        await until(lambda: 200 in peer.codes)
        leaving = asyncio.create_task(house.calls[0].hang_up())
        peer.send(peer.request("OPTIONS", call="meanwhile"))
        await until(lambda: peer.codes.count(200) >= 2)
        assert not peer.asked("BYE")
        peer.send(peer.request("ACK", to_tag=house.calls[0].dialog.ours.tag))
        await until(lambda: bool(peer.asked("BYE")))
        peer.reply(peer.asked("BYE")[0], "200 OK")
        await leaving
        await house.settled()


async def test_an_exchange_that_closes_says_its_farewells_to_who_has_not_acknowledged_yet() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        peer.send(peer.request("INVITE"))
        await until(lambda: 200 in peer.codes)
        closing = asyncio.create_task(exchange.close())
        await until(lambda: house.calls[0].state == "ended")
        peer.send(peer.request("ACK", to_tag=house.calls[0].dialog.ours.tag))
        await until(lambda: bool(peer.asked("BYE")))
        assert not closing.done(), "an exchange that closes waits for its farewells"
        peer.reply(peer.asked("BYE")[0], "200 OK")
        await closing
        assert not exchange.calls
    assert len(peer.asked("BYE")) == 1


async def test_an_answer_that_crosses_a_cancel_is_acknowledged_and_ended() -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange, stranger(exchange.port, PEER, port) as peer:
        call = place(exchange)
        await until(lambda: bool(peer.asked("INVITE")))
        invite = peer.asked("INVITE")[0]
        peer.reply(invite, "180 Ringing", f"Contact: <sip:p@{PEER}:{port}>", tag="late")
        await until(lambda: call.state == "ringing")
        await call.hang_up()
        await until(lambda: bool(peer.asked("CANCEL")))
        peer.reply(peer.asked("CANCEL")[0], "200 OK")
        peer.reply(invite, "200 OK", f"Contact: <sip:p@{PEER}:{port}>", tag="late")
        await until(lambda: bool(peer.asked("ACK")) and bool(peer.asked("BYE")))
        peer.reply(peer.asked("BYE")[0], "200 OK")
        await until(lambda: not exchange.calls)
    assert call.outcome
    assert call.outcome.reason is EndReason.CANCELLED


async def test_a_refusal_is_acknowledged_where_the_call_went() -> None:
    port = free_udp_port()
    async with standing(House(), Trunk("north", PEER, port)) as exchange, stranger(exchange.port, PEER, port) as peer:
        call = place(exchange)
        await until(lambda: bool(peer.asked("INVITE")))
        peer.reply(
            peer.asked("INVITE")[0], "302 Moved Temporarily", "Contact: <sip:elsewhere@127.0.0.99:9>", tag="moved"
        )
        await until(lambda: bool(peer.asked("ACK")))
        await until(lambda: not exchange.calls)
    assert call.outcome
    assert (call.outcome.reason, call.outcome.code) == (EndReason.REDIRECTED, 302)


async def test_closing_ends_what_stands() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        await connected(house, peer)
        closing = asyncio.create_task(exchange.close())
        await until(lambda: bool(peer.asked("BYE")))
        peer.reply(peer.asked("BYE")[0], "200 OK")
        await closing
    assert house.calls[0].outcome
    assert house.calls[0].outcome.by_us
