"""Calls that are passed on: asked for by the other side, or by us, with and without a second call."""

from __future__ import annotations

import asyncio

import pytest

from everyline.sip.calls import CallEvent, Refused
from everyline.sip.events import Answered, EndReason
from everyline.sip.incoming import IncomingCall
from everyline.sip.transfers import Replaces, TransferAsked
from tests.sip.conftest import House, StartSipp, standing
from tests.sip.peers import PEER, stranger, until


class Obliging(House):
    """Accepts transfers and says that they went through."""

    async def heard(self, call: IncomingCall, event: CallEvent) -> None:
        if isinstance(event, TransferAsked):
            event.accept()
            await event.tell(180)
            await event.tell(200)


async def connected(house: House, count: int) -> None:
    """Wait until so many calls stand and were acknowledged."""
    await until(lambda: not (len([event for event in house.events if isinstance(event, Answered)]) < count))


@pytest.mark.req("V5")
async def test_the_caller_is_passed_on_as_it_asks(sipp: StartSipp) -> None:
    house = Obliging()
    async with standing(house) as exchange:
        await (await sipp("refer", exchange.port)).done()
        await house.settled()
    asked = next(event for event in house.events if isinstance(event, TransferAsked))
    assert (asked.target.name, asked.replaces) == ("+12025550123", None)
    assert asked.by.startswith("<sip:ada@")
    assert house.ended[0].reason is EndReason.TRANSFERRED


async def test_a_transfer_may_be_declined(sipp: StartSipp) -> None:
    class Reluctant(House):
        async def heard(self, call: IncomingCall, event: CallEvent) -> None:
            if isinstance(event, TransferAsked):
                event.decline()

    house = Reluctant()
    async with standing(house) as exchange:
        await (await sipp("refer_declined", exchange.port)).done()
        await house.settled()
    assert house.ended[0].reason is EndReason.HUNG_UP


async def test_we_pass_a_caller_on(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        peer = await sipp("referred", exchange.port, refer_to="sip:desk7@127.0.0.7")
        await connected(house, 1)
        await house.calls[0].transfer("sip:desk7@127.0.0.7", seconds=5)
        await peer.done()
        await house.settled()
    assert house.ended[0].reason is EndReason.TRANSFERRED


async def test_two_callers_are_joined(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        waiting = await sipp("call_and_wait", exchange.port)
        await connected(house, 1)
        first = house.calls[0]
        named = f"to-tag%3D{first.dialog.theirs.tag}%3Bfrom-tag%3D{first.dialog.ours.tag}"
        passed = await sipp("referred", exchange.port, refer_to=f"{PEER}:{waiting.port}.Replaces=.*{named}")
        await connected(house, 2)
        await house.calls[1].transfer_to(first, seconds=5)
        await passed.done()
        assert house.calls[1].outcome is not None
        assert house.calls[1].outcome.reason is EndReason.TRANSFERRED
        await first.hang_up()  # whoever was joined would do so; this peer only waits
        await waiting.done()


async def test_a_transfer_that_is_refused_leaves_the_call(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange, stranger(exchange.port, PEER) as peer:
        peer.send(peer.request("INVITE"))
        await until(lambda: not (not house.calls or house.calls[0].state != "connected"))
        asking = asyncio.create_task(house.calls[0].transfer("sip:desk7@127.0.0.7"))
        await until(lambda: any(one.startswith(b"REFER ") for one in peer.rogue.answers))
        refer = next(one for one in peer.rogue.answers if one.startswith(b"REFER ")).decode()
        kept = [line for line in refer.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        peer.send("\r\n".join(["SIP/2.0 603 Decline", *kept, "Content-Length: 0", "", ""]))
        with pytest.raises(Refused) as refusal:
            await asking
        assert refusal.value.code == 603
        assert house.calls[0].state == "connected"


async def test_a_call_takes_the_place_of_another(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        old = await sipp("call_and_wait", exchange.port)
        await connected(house, 1)
        first = house.calls[0]
        replaces = f"Replaces: {first.id};to-tag={first.dialog.ours.tag};from-tag={first.dialog.theirs.tag}"
        await (await sipp("call", exchange.port, more=f"{replaces}\n      Require: replaces")).done()
        await old.done()
        await house.settled(2)
        assert house.calls[1].takes_place_of is first
    assert first.outcome is not None
    assert first.outcome.reason is EndReason.REPLACED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@b;to-tag=1;from-tag=2", Replaces("a@b", "1", "2")),
        ("a@b;from-tag=2;to-tag=1;early-only", Replaces("a@b", "1", "2", early_only=True)),
        ("a@b;to-tag=1", None),
        ("", None),
    ],
)
def test_reads_what_is_to_be_replaced(text: str, found: Replaces | None) -> None:
    assert Replaces.read(text) == found
