"""What no proper telephone sends: torture messages, strangers, floods, bodies without end. Nothing dies of it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from everyline.sip.exchange import SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.reading import LARGEST_BODY, Unreadable, read
from everyline.sip.trunks import Trunk
from tests.sip.conftest import House, StartSipp, standing
from tests.sip.peers import PEER, Stranger, stranger, until
from tests.sip.torture import MESSAGES


class Busy(House):
    """Is busy."""

    async def on_call(self, call: IncomingCall) -> None:
        self.calls.append(call)
        call.reject(486)


async def lives(exchange: SipExchange, peer: Stranger, call: str) -> None:
    """The house still answers, and everything before was looked at."""
    before = peer.codes.count(200)
    peer.send(peer.request("OPTIONS", call=f"alive{call}"))
    await until(lambda: peer.codes.count(200) != before)


@pytest.mark.req("V1")
@pytest.mark.parametrize("name", sorted(MESSAGES))
async def test_a_torture_message_is_answered_or_dropped(name: str, caplog: pytest.LogCaptureFixture) -> None:
    text, allowed = MESSAGES[name]
    house = Busy()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        for key, value in (("name", name), ("host", PEER), ("port", str(peer.port)), ("house", "127.0.0.1")):
            text = text.replace("{" + key + "}", value)
        peer.send(text.encode("latin-1"))
        await lives(exchange, peer, name)

        def finals() -> set[int]:
            told = zip(peer.codes, peer.rogue.answers, strict=True)
            return {code for code, one in told if code >= 200 and b"alive" not in one}

        if allowed and name not in ("wsinv", "intmeth"):  # it is answered or counted, perhaps after what came later
            await until(lambda: bool(finals()) or exchange.figures().guard.unreadable > 0)
        assert finals() <= allowed, finals()
        assert await exchange.wire.standing() < 4
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_strangers_get_nothing_and_are_counted() -> None:
    house = House()
    async with (
        standing(house, Trunk("north", PEER)) as exchange,
        stranger(exchange.port) as mallory,
        stranger(exchange.port, PEER) as peer,
    ):
        for number in range(2000):
            mallory.send(mallory.request("INVITE", call=f"flood{number}"))
            if number % 100 == 0:
                await asyncio.sleep(0)
        await lives(exchange, peer, "after")
        assert not mallory.rogue.answers
        counts = exchange.figures().guard
        assert counts.strangers > 1000
        assert (counts.answered_strangers, await exchange.wire.standing(), house.calls) == (0, 0, [])


async def test_strangers_that_are_answered_learn_nothing() -> None:
    house = House()
    async with (
        standing(house, Trunk("north", PEER), strangers_per_minute=8) as exchange,
        stranger(exchange.port) as mallory,
    ):
        for number, method in enumerate(("OPTIONS", "REGISTER", "INVITE", "SUBSCRIBE", "BYE", "MESSAGE")):
            mallory.send(mallory.request(method, call=f"scan{number}"))
        assert await mallory.hears(6) == [403] * 6
        for number in range(50):
            mallory.send(mallory.request("OPTIONS", call=f"more{number}"))
        await until(lambda: not (exchange.figures().guard.strangers < 56))
        await asyncio.sleep(0)
        assert exchange.figures().guard.answered_strangers <= 9
        await until(lambda: exchange.figures().refused == {"stranger": len(mallory.codes)})
        assert exchange.trace("scan2@rogue") == ""


async def test_a_flood_of_a_trunk_is_held_back(sipp: StartSipp) -> None:
    house = Busy()
    async with (
        standing(house, Trunk("north", PEER, calls_in_per_minute=20)) as exchange,
        stranger(exchange.port, PEER) as peer,
    ):
        for number in range(60):
            peer.send(peer.request("INVITE", call=f"many{number}"))
        await until(
            lambda: (
                not (
                    len(
                        {
                            one.split(b"Call-ID: ")[1].split(b"\r\n")[0]
                            for one in peer.rogue.answers
                            if one.split()[1] in (b"486", b"503")
                        }
                    )
                    < 60
                )
            )
        )
        assert len(house.calls) in (20, 21)
        assert exchange.trunks[0].refused_in == 60 - len(house.calls)


async def test_huge_bodies_are_refused_and_large_ones_arrive_as_they_are() -> None:
    house = Busy()
    whole = bytes(range(256)) * 100
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        peer.send(peer.request("INVITE", call="large", data=whole))
        peer.send(peer.request("INVITE", call="huge", data=b"x" * (LARGEST_BODY + 1)))
        await until(lambda: {413, 486} <= set(peer.codes))
        assert [call.offer for call in house.calls] == [whole]
        assert exchange.figures().guard.unreadable == 1


async def test_a_name_beyond_ascii_hides_no_field() -> None:
    house = Busy()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        text = peer.request("INVITE").decode().replace("From: <", 'From: "Åsa \x85X-Hidden: 1\x0bX-Too: 1" <')
        peer.send(text)
        await until(lambda: bool(house.calls))
    assert house.calls[0].facts.name == "Åsa ?X-Hidden: 1?X-Too: 1"


async def test_a_request_for_a_call_that_is_none_is_told_so() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        for number, method in enumerate(("BYE", "INFO", "INVITE", "UPDATE", "NOTIFY"), 1):
            peer.send(peer.request(method, number=number, to_tag="gone"))
        codes = await peer.hears(5)
    assert set(codes) == {481}


async def test_an_old_request_in_a_call_changes_nothing() -> None:
    house = House()
    async with standing(house, Trunk("north", PEER)) as exchange, stranger(exchange.port, PEER) as peer:
        peer.send(peer.request("INVITE", number=5))
        await until(lambda: not (200 not in peer.codes))
        tag = house.calls[0].dialog.ours.tag
        peer.send(peer.request("ACK", number=5, to_tag=tag))
        peer.send(peer.request("BYE", number=3, to_tag=tag))
        await until(lambda: not (500 not in peer.codes))
        assert house.calls[0].state == "connected"
        peer.send(peer.request("BYE", number=6, to_tag=tag))
        await house.settled()


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n\r\n", b"\x00" * 500, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"INVITE sip:a SIP/2.0\r\n", b"INVITE sip:a SIP/2.0\r\n: x\r\n\r\n",
     b"INVITE sip:a SIP/2.0\r\nA: b\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"INVITE sip:a SIP/2.0\r\nX: " + b"y" * 20_000 + b"\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_message_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)
