"""People with telephones, beside a browser that is driven without a loop of its own: the network of a trunk in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from everyline.channels.phone.tests.doubles import CALLER, FAR, NUMBER, RealPhone
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk

T = TypeVar("T")


class Network:
    """The trunk's side: calls the house, and answers whom the house calls."""

    def __init__(self, port: int = 0) -> None:
        self.loop = asyncio.new_event_loop()
        self.phones: list[RealPhone] = []
        self.rung: dict[str, RealPhone] = {}
        self.exchange = SipExchange(Listening(FAR, port), (), self._on_call)
        self._tasks: list[asyncio.Task[None]] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the network's thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def reaches(self, port: int) -> None:
        """The house takes calls there."""
        await self.exchange.arrange([Trunk("house", "127.0.0.1", port, trusted=True)])

    def calls(self, caller: str = CALLER) -> RealPhone:
        """Somebody calls the house, and is answered."""
        return self.do(self._calls(caller))

    async def _calls(self, caller: str) -> RealPhone:
        phone = RealPhone()
        self.phones.append(phone)
        made = self.exchange.call(
            NUMBER, ("house",), caller=Caller(caller, "Ada"), rules=NumberRules(), offer=phone.description
        )
        self._tasks.append(asyncio.create_task(phone.attend(made)))
        async with asyncio.timeout(30):
            await phone.up.wait()
        return phone

    async def _on_call(self, call: IncomingCall) -> None:
        phone = RealPhone()
        self.phones.append(phone)
        self.rung[call.facts.dialled_number or call.facts.dialled] = phone
        phone.speaks_to(call.offer)
        call.answer(phone.description)
        await phone.attend(call)

    async def end(self) -> None:
        """Hang up on all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for phone in self.phones:
            phone.close()


@contextmanager
def network(port: int = 0) -> Iterator[Network]:
    """A network, until it is not needed any more. ``port``: where it takes calls of the house; 0: any."""
    found = Network(port)
    thread = threading.Thread(target=found.loop.run_forever, name="network")
    thread.start()
    found.do(found.exchange.__aenter__())
    try:
        yield found
    finally:
        found.do(found.end())
        found.do(found.exchange.__aexit__(None, None, None))
        found.loop.call_soon_threadsafe(found.loop.stop)
        thread.join(20)
        found.loop.close()
