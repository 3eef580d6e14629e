"""The telephone network of the demonstration: the provider of the sample company's trunk, with one telephone in each browser that
shows the page "try it". A real exchange (SIP and RTP on loopback) beside the product, which knows nothing of it but the trunk.

Pages ask it through a socket in the data folder: one JSON object a line, one back.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from everyline.media.engine import Engine
from everyline.media.errors import MediaError
from everyline.media.legs import Leg
from everyline.media.mixing import Mix
from everyline.media.negotiation import accept, answer, offer
from everyline.media.pulse import Pulse
from everyline.media.sdp import parse, write
from everyline.sample.asking import LONGEST, SOCKET
from everyline.sip.calls import Call
from everyline.sip.events import Answered, Ended, Ringing
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk
from everyline.webrtc.browsers import Browsers

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORTS = (31000, 31999)
KEPT_SECONDS = 15.0  # a telephone of which no page asked for so long is gone


class Telephone:
    """One telephone: a browser's sound, and the call it has."""

    def __init__(self, name: int, number: str) -> None:
        self.name, self.number = name, number
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.mix: Mix | None = None
        self.state = "ready"  # ready, rings (they call us), calling, talking
        self.reason = ""
        self.seen_at = time.monotonic()


class Network:
    """All of it. ``house``: where the company's telephone listens (port on loopback)."""

    def __init__(self, port: int, house: int) -> None:
        self._port, self._house = port, house
        self._engine = Engine(HOST, ports=PORTS, name="network")
        self._browsers = Browsers(self._engine, (HOST,), ports=PORTS)
        self._telephones: dict[int, Telephone] = {}
        self._names = itertools.count(1)
        self._exchange: SipExchange
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, folder: Path) -> None:
        """Until cancelled."""
        path = folder / SOCKET
        path.unlink(missing_ok=True)
        trunk = Trunk("house", HOST, self._house, trusted=True)
        async with Pulse(self._engine), SipExchange(Listening(HOST, self._port), (trunk,), self._rung) as exchange:
            self._exchange = exchange
            server = await asyncio.start_unix_server(self._asked, path, limit=LONGEST)
            path.chmod(0o600)
            sweeping = asyncio.create_task(self._sweep())
            try:
                async with server:
                    await server.serve_forever()
            finally:
                sweeping.cancel()
                for telephone in list(self._telephones.values()):
                    await self._away(telephone)
                await self._browsers.end()
                path.unlink(missing_ok=True)

    # --- what pages ask

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            asked = json.loads(await reader.readline())
            writer.write(json.dumps(await self._answer(asked)).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        verbs: dict[str, Callable[[Telephone, dict[str, Any]], Awaitable[None]]] = {
            "call": self._call,
            "take": self._take,
            "press": self._press,
            "end": self._end,
            "look": self._look,
        }
        if asked.get("do") == "plug in":
            return await self._plug_in(asked)
        telephone = self._telephones.get(int(asked.get("name", 0)))
        verb = verbs.get(str(asked.get("do")))
        if telephone is None or verb is None:
            return {"state": "gone"}
        telephone.seen_at = time.monotonic()
        await verb(telephone, asked)
        return {"state": telephone.state, "reason": telephone.reason, "number": telephone.number}

    async def _plug_in(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = str(asked["number"])
        for other in [one for one in self._telephones.values() if one.number == number]:
            await self._away(other)
        telephone = Telephone(next(self._names), number)
        try:
            said = await self._browsers.answer(telephone.name, str(asked["offer"]))
        except MediaError as error:
            return {"state": "gone", "reason": str(error)}
        self._telephones[telephone.name] = telephone
        return {"state": "ready", "name": telephone.name, "answer": said}

    async def _look(self, _telephone: Telephone, _asked: dict[str, Any]) -> None:
        """How it stands is all that is asked."""

    async def _call(self, telephone: Telephone, asked: dict[str, Any]) -> None:
        if telephone.call is not None:
            return
        leg = telephone.leg = self._engine.open(f"to the house from {telephone.number}")
        ours = offer(leg.place)
        telephone.state, telephone.reason = "calling", ""
        caller = Caller(telephone.number, str(asked.get("who", "")))
        try:
            made = self._exchange.call(
                str(asked["to"]), ("house",), caller=caller, rules=NumberRules(), offer=write(ours)
            )
        except (MediaError, ValueError) as error:
            telephone.reason = str(error)
            self._over(telephone)
            return
        telephone.call = made

        async def attend() -> None:
            async for event in made.events():
                if isinstance(event, Answered | Ringing) and event.body:
                    leg.agree(accept(ours, parse(event.body)))
                    self._join(telephone)
                if isinstance(event, Answered):
                    telephone.state = "talking"
                elif isinstance(event, Ended):
                    telephone.reason = "" if event.code in (0, 200) else f"{event.code} {event.words}"
            self._over(telephone)

        self._start(attend())

    async def _take(self, telephone: Telephone, _asked: dict[str, Any]) -> None:
        call = telephone.call
        if telephone.state != "rings" or not isinstance(call, IncomingCall):
            return
        leg = telephone.leg = self._engine.open(f"from the house to {telephone.number}")
        agreed = answer(parse(call.offer), leg.place)
        leg.agree(agreed)
        call.answer(write(agreed.ours))
        telephone.state = "talking"
        self._join(telephone)

    async def _press(self, telephone: Telephone, asked: dict[str, Any]) -> None:
        if telephone.leg is not None:
            telephone.leg.press(str(asked["key"])[:1])

    async def _end(self, telephone: Telephone, _asked: dict[str, Any]) -> None:
        if telephone.call is not None:
            await telephone.call.hang_up()

    # --- what happens

    async def _rung(self, call: IncomingCall) -> None:
        """The house calls somebody."""
        number = call.facts.dialled_number or call.facts.dialled
        telephone = next((one for one in self._telephones.values() if one.number == number), None)
        if telephone is None:
            call.reject(404)
            return
        if telephone.call is not None:
            call.reject(486)
            return
        telephone.call, telephone.state, telephone.reason = call, "rings", ""
        call.ring()
        async for _event in call.events():
            pass
        self._over(telephone)

    def _join(self, telephone: Telephone) -> None:
        """Let browser and house hear each other."""
        browser = self._browsers.get(telephone.name)
        if telephone.mix is None and browser is not None and telephone.leg is not None:
            telephone.mix = self._engine.mix()
            telephone.mix.add(browser.leg)
            telephone.mix.add(telephone.leg)

    def _over(self, telephone: Telephone) -> None:
        if telephone.mix is not None:
            telephone.mix.end()
        if telephone.leg is not None and not telephone.leg.closed:
            telephone.leg.close()
        telephone.mix = telephone.leg = telephone.call = None
        telephone.state = "ready"

    async def _away(self, telephone: Telephone) -> None:
        self._telephones.pop(telephone.name, None)
        if telephone.call is not None:
            await telephone.call.hang_up()
        await self._browsers.close(telephone.name)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(KEPT_SECONDS / 3)
            since = time.monotonic() - KEPT_SECONDS
            for telephone in [one for one in self._telephones.values() if one.seen_at < since]:
                await self._away(telephone)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
