"""Fixtures for calls: a house that answers, and SIPp, which is ended with the test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from everyline.sip.calls import CallEvent
from everyline.sip.events import Ended, Offered
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.trunks import Trunk
from tests.sip.peers import PEER, Sipp, body, start_sipp, until

StartSipp = Callable[..., Awaitable[Sipp]]


class House:
    """Answers calls: rings, answers, accepts what is offered; keeps what happened."""

    def __init__(self) -> None:
        self.calls: list[IncomingCall] = []
        self.events: list[CallEvent] = []
        self.exchange: SipExchange

    async def on_call(self, call: IncomingCall) -> None:
        """What happens to each call."""
        self.calls.append(call)
        call.ring()
        await self.take(call)

    async def take(self, call: IncomingCall) -> None:
        """Answer, and go along with everything."""
        call.answer(body())
        async for event in call.events():
            self.events.append(event)
            await self.heard(call, event)

    async def heard(self, call: IncomingCall, event: CallEvent) -> None:
        """Something happened in a call that stands."""
        if isinstance(event, Offered):
            call.accept(body("recvonly" if b"sendonly" in event.body else "sendrecv"))

    async def settled(self, calls: int = 1) -> None:
        """Wait until so many calls have begun and all are over."""
        with contextlib.suppress(TimeoutError):
            await until(
                lambda: not (len(self.calls) < calls or len(self.ended) < len(self.calls) or self.exchange.calls)
            )
        open_ones = "\n".join(self.exchange.trace(call.id) for call in self.exchange.calls)
        assert (len(self.calls), len(self.ended), open_ones) == (calls, calls, "")

    @property
    def ended(self) -> list[Ended]:
        """How calls ended."""
        return [event for event in self.events if isinstance(event, Ended)]


@contextlib.asynccontextmanager
async def standing(house: House, *trunks: Trunk, **listening: Any) -> AsyncIterator[SipExchange]:
    """The house, connected; with no trunk named, to whoever calls from the peer's address."""
    arranged = trunks or (Trunk("north", PEER, trusted=True),)
    async with SipExchange(Listening(**listening), arranged, house.on_call) as exchange:
        house.exchange = exchange
        yield exchange


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[StartSipp]:
    """``await sipp("call", port)``: SIPp with a scenario of ours."""
    begun: list[Sipp] = []

    async def start(name: str, house_port: int, **how: Any) -> Sipp:
        begun.append(await start_sipp(tmp_path, name, house_port, **how))
        return begun[-1]

    yield start
    for one in begun:
        await one.end()
