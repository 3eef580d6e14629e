"""Trunks that are registered with, asked, proved to; callers that prove themselves."""

from __future__ import annotations

import pytest

from everyline.ground import clock
from everyline.sip.events import CallState
from everyline.sip.trunks import Trunk, TrunkState
from tests.sip.conftest import House, StartSipp, standing
from tests.sip.peers import PEER, free_udp_port, stranger, until


@pytest.mark.req("V1")
async def test_a_registration_is_kept_and_taken_back(sipp: StartSipp) -> None:
    port = free_udp_port()
    trunk = Trunk("north", PEER, port, username="house", password="harbor-light", register=True)
    peer = await sipp("registrar", 5060, port=port)
    async with standing(House(), trunk) as exchange:
        north = exchange.trunks[0]
        await until(lambda: north.registered_until is not None and (north.registered_until - clock.now()).seconds > 30)
        assert (north.state, north.last_error) == (TrunkState.UP, "")
    await peer.done()
    assert north.registered_until is None


@pytest.mark.req("V1")
async def test_trunks_come_and_go_and_calls_that_stand_go_on(sipp: StartSipp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.sip.exchange.FORMER_SECONDS", 0.5)
    port = free_udp_port()
    north = Trunk("north", PEER, port, username="house", password="harbor-light", register=True)
    peer = await sipp("registrar", 5060, port=port)
    house = House()
    async with standing(house, north) as exchange:
        first = exchange.trunks[0]
        await until(lambda: first.registered_until is not None and (first.registered_until - clock.now()).seconds > 30)
        await exchange.arrange([Trunk("south", PEER, trusted=True)])
        await peer.done()
        assert [one.trunk.name for one in exchange.trunks] == ["south"]
        assert first.registered_until is None, "it was taken back"
        waiting = await sipp("call_and_wait", exchange.port)
        await until(lambda: bool(house.calls) and house.calls[0].state is CallState.CONNECTED)
        assert house.calls[0].facts.trunk == "south"
        await exchange.arrange(())
        assert exchange.trunks == ()
        assert house.calls[0].state is CallState.CONNECTED
        await house.calls[0].hang_up()
        await waiting.done()
        await house.settled()
        await until(lambda: exchange._former == {})
        async with stranger(exchange.port, PEER) as gone:
            gone.send(gone.request("OPTIONS"))
            await until(lambda: exchange.figures().guard.strangers > 0)
            assert gone.codes == []


async def test_a_provider_that_refuses_is_tried_again_later_and_gets_no_calls(sipp: StartSipp) -> None:
    port = free_udp_port()
    peer = await sipp("registrar_refuses", 5060, port=port)
    trunk = Trunk("north", PEER, port, username="house", register=True, back_off=(30, 900))
    async with standing(House(), trunk) as exchange:
        north = exchange.trunks[0]
        await until(lambda: north.state is TrunkState.REFUSED)
        await peer.done()
        assert north.last_error == "403 Forbidden"
        assert north.next_try is not None
        assert 20 < (north.next_try - clock.now()).total_seconds() < 40
        assert north.why_not_out() == "the trunk is refused: 403 Forbidden"


async def test_a_peer_is_asked_whether_it_is_there(sipp: StartSipp) -> None:
    port = free_udp_port()
    peer = await sipp("pinged", 5060, port=port)
    async with standing(House(), Trunk("north", PEER, port, ping_seconds=0.3)) as exchange:
        await peer.done()
        assert exchange.trunks[0].state is TrunkState.UP


async def test_a_caller_from_anywhere_proves_who_it_is_once(sipp: StartSipp) -> None:
    house = House()
    trunk = Trunk("roaming", "192.0.2.1", username="ada", password="harbor-light", challenge=True)
    async with standing(house, trunk, strangers_per_minute=60, digests=("MD5",)) as exchange:
        await (await sipp("digest", exchange.port, who="ada", word="harbor-light")).done()
        await house.settled()
        assert house.calls[0].facts.trunk == "roaming"
        for who, word in (("ada", "wrong"), ("nobody", "harbor-light")):
            await (await sipp("digest_wrong", exchange.port, who=who, word=word)).done()
        assert len(house.calls) == 1
        assert exchange.figures().refused == {"not proved": 5}


async def test_a_proof_is_good_for_one_call() -> None:
    house = House()
    trunk = Trunk("roaming", "192.0.2.1", username="ada", password="harbor-light", challenge=True)
    async with standing(house, trunk, strangers_per_minute=60) as exchange, stranger(exchange.port) as peer:
        peer.send(peer.request("INVITE"))
        await peer.hears()
        challenge = next(line for line in peer.rogue.answers[0].decode().split("\r\n") if "algorithm=SHA-256" in line)
        from sippy.SipWWWAuthenticate import SipWWWAuthenticate

        asked = SipWWWAuthenticate(challenge.partition(":")[2].strip())
        asked.parse()
        proof = f"Authorization: {asked.genAuthHF('ada', 'harbor-light', 'INVITE', 'sip:+12025550100@127.0.0.1', '', 'auth')}\r\n"
        peer.send(peer.request("INVITE", number=2, more=proof))
        await peer.hears(3)
        await until(lambda: len(house.calls) == 1)
        peer.send(peer.request("INVITE", call="two", more=proof))
        await until(lambda: peer.codes.count(401) == 2)
    assert len(house.calls) == 1


async def test_who_is_known_by_address_and_port_comes_before_a_network() -> None:
    house = House()
    port = free_udp_port("127.0.0.9")
    wide, exact = Trunk("wide", "192.0.2.1", networks=("127.0.0.0/8",)), Trunk("exact", "127.0.0.9", port)
    async with standing(house, wide, exact) as exchange, stranger(exchange.port) as peer:
        peer.send(peer.request("INVITE"))
        await until(lambda: len(house.calls) == 1)
        assert exchange.trunks[1].fits(("127.0.0.9", port)) == 2
        assert exchange.trunks[0].fits(("10.0.0.1", port)) == 0
    assert house.calls[0].facts.trunk == "wide"
