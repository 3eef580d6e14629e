"""Calls that come in, from SIPp."""

from __future__ import annotations

import pytest

from everyline.sip.calls import CallEvent
from everyline.sip.events import Answered, CallState, EndReason, KeyPressed, Offered
from everyline.sip.incoming import IncomingCall
from everyline.sip.trunks import Trunk
from tests.sip.conftest import House, StartSipp, standing
from tests.sip.peers import PEER, body, until


@pytest.mark.req("V1")
async def test_a_call_is_answered_and_its_facts_are_known(sipp: StartSipp) -> None:
    house = House()
    more = "P-Asserted-Identity: <tel:+442079460123>\n      Diversion: <sip:+12025550111@x.example>;reason=no-answer"
    async with standing(house) as exchange:
        await (await sipp("call", exchange.port, dialled="8005550199", more=more)).done()
        await house.settled()
    call = house.calls[0]
    assert b"m=audio 40000" in call.offer
    known = call.facts
    assert (known.trunk, known.number, known.name, known.asserted) == ("north", "+442079460123", "Ada", "+442079460123")
    assert (known.dialled, known.withheld, known.source[0]) == ("8005550199", False, PEER)
    assert [(d.number, d.reason) for d in known.diversions] == [("+12025550111", "no-answer")]
    assert isinstance(house.events[0], Answered)
    assert [(e.reason, e.by_us) for e in house.ended] == [(EndReason.HUNG_UP, False)]


async def test_what_a_trunk_that_is_not_trusted_asserts_is_not_believed(sipp: StartSipp) -> None:
    house = House()
    async with standing(house, Trunk("south", PEER)) as exchange:
        await (await sipp("call", exchange.port, more="P-Asserted-Identity: <sip:+442079460123@x.example>")).done()
    assert (house.calls[0].facts.number, house.calls[0].facts.asserted) == ("+12025550123", None)


async def test_who_withholds_the_number_is_not_shown(sipp: StartSipp) -> None:
    house = House()
    more = "P-Asserted-Identity: <sip:+12025550177@x.example>\n      Privacy: id"
    async with standing(house) as exchange:
        await (await sipp("call", exchange.port, more=more)).done()
    known = house.calls[0].facts
    assert (known.withheld, known.number, known.name, known.asserted) == (True, None, "", "+12025550177")


async def test_a_caller_hangs_up_while_it_rings(sipp: StartSipp) -> None:
    class Patient(House):
        async def take(self, call: IncomingCall) -> None:
            async for event in call.events():
                self.events.append(event)

    house = Patient()
    async with standing(house) as exchange:
        await (await sipp("cancel", exchange.port)).done()
        await house.settled()
    assert house.ended[0].reason is EndReason.CANCELLED


async def test_a_call_is_held_resumed_and_refreshed(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        await (await sipp("hold", exchange.port)).done()
        await house.settled()
    offers = [event.body for event in house.events if isinstance(event, Offered)]
    assert [b"sendonly" in offer for offer in offers] == [True, False], "what is the same again is no offer"


async def test_a_change_that_is_refused_leaves_the_call(sipp: StartSipp) -> None:
    class Stubborn(House):
        async def heard(self, call: IncomingCall, event: CallEvent) -> None:
            if isinstance(event, Offered):
                call.refuse()
                assert call.state is CallState.CONNECTED

    house = Stubborn()
    async with standing(house) as exchange:
        await (await sipp("offer_refused", exchange.port)).done()
        await house.settled()
    assert house.ended[0].reason is EndReason.HUNG_UP


async def test_keys_come_by_info(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        await (await sipp("keys", exchange.port)).done()
        await house.settled()
        trace = exchange.trace(house.calls[0].id)
    assert [e for e in house.events if isinstance(e, KeyPressed)] == [KeyPressed("5", 160), KeyPressed("#")]
    assert "INFO sip:" in trace
    assert "Signal=5" not in trace, "a number of a card is not read out of a trace"


async def test_the_house_hangs_up(sipp: StartSipp) -> None:
    class Brief(House):
        async def heard(self, call: IncomingCall, event: CallEvent) -> None:
            if isinstance(event, Answered):
                await call.hang_up()

    house = Brief()
    async with standing(house) as exchange:
        await (await sipp("call_and_wait", exchange.port)).done()
        await house.settled()
    assert [(e.reason, e.by_us) for e in house.ended] == [(EndReason.HUNG_UP, True)]


async def test_who_hangs_up_before_acknowledging_is_gone(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        await (await sipp("bye_before_ack", exchange.port)).done()
        await house.settled()
    assert house.ended[0].reason is EndReason.HUNG_UP
    assert not [e for e in house.events if isinstance(e, Answered)]


async def test_who_never_acknowledges_is_hung_up_on(sipp: StartSipp) -> None:
    house = House()
    async with standing(house, acknowledged_within=1.2) as exchange:
        await (await sipp("no_ack", exchange.port)).done()
        await house.settled()
        sent = [line.summary for line in house.calls[0].trace() if line.ours]
    assert house.ended[0].reason is EndReason.SILENT
    assert sent.count("SIP/2.0 200 OK") >= 2, "the answer is sent again while nobody acknowledges it"


async def test_a_bad_line_loses_nothing(sipp: StartSipp) -> None:
    house = House()
    async with standing(house) as exchange:
        await (await sipp("call", exchange.port, calls=12, options=("-lost", "12", "-r", "40"))).done()
        await house.settled(12)
    assert len(house.calls) == 12, "a message that comes again begins no second call"
    assert {e.reason for e in house.ended} == {EndReason.HUNG_UP}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("Require: 100rel", "420"),
        ("Session-Expires: 20\n      Supported: timer", "422"),
        ("Replaces: nobody@x;to-tag=a;from-tag=b", "481"),
    ],
)
async def test_what_is_not_understood_is_said(sipp: StartSipp, more: str, code: str) -> None:
    house = House()
    async with standing(house) as exchange:
        await (await sipp("refused", exchange.port, more=more, code=code)).done()
        assert not exchange.calls
    assert not house.calls


async def test_a_handler_that_fails_turns_the_caller_away(sipp: StartSipp, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(House):
        async def take(self, call: IncomingCall) -> None:
            raise ZeroDivisionError

    house = Broken()
    async with standing(house) as exchange:
        await (await sipp("refused", exchange.port, code="500")).done()
        assert not exchange.calls
    assert "a call could not be taken" in caplog.text


async def test_only_so_many_calls_of_a_trunk(sipp: StartSipp) -> None:
    house = House()
    async with standing(house, Trunk("north", PEER, most_calls=1)) as exchange:
        first = await sipp("call_and_wait", exchange.port)
        await until(lambda: bool(house.calls and house.calls[0].state is CallState.CONNECTED))
        await (await sipp("refused", exchange.port, code="503")).done()
        await house.calls[0].hang_up()
        await first.done()
        await (await sipp("call", exchange.port)).done()
        assert exchange.trunks[0].refused_in == 1
        assert exchange.trunks[0].calls == 0


async def test_early_sound_and_rejection(sipp: StartSipp) -> None:
    class Closed(House):
        async def on_call(self, call: IncomingCall) -> None:
            self.calls.append(call)
            call.ring(body())
            call.reject(480)

    house = Closed()
    async with standing(house) as exchange:
        await (await sipp("refused", exchange.port, code="480")).done()
        sent = [line.text for line in house.calls[0].trace() if line.ours]
    assert any(text.startswith("SIP/2.0 183") and "m=audio 30000" in text for text in sent)
    assert any(text.startswith("SIP/2.0 480") for text in sent)
