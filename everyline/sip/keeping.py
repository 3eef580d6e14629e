"""What keeps trunks up: registering and refreshing (RFC 3261, 10), asking whether they are there, finding their addresses."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from everyline.ground import clock
from everyline.sip.addresses import PORT, Named, Uri, many
from everyline.sip.dialog import Dialog
from everyline.sip.messages import Answer, Request
from everyline.sip.trunks import TrunkStanding, TrunkState

AGAIN_SECONDS = 60.0  # after which a name is looked up again where nothing else is to be done


class Asker(Protocol):
    """Sends requests that belong to no call."""

    async def ask(
        self,
        request: Request,
        dialog: Dialog,
        trunk: str,
        *,
        target: tuple[str, int] | None = None,
        provisional: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """The final answer; 408 when none came."""
        ...

    def reachable_at(self, name: str) -> Named:
        """The address at which we are called back."""
        ...

    def learned(self) -> None:
        """Addresses of a trunk have changed."""
        ...


@dataclass
class Keeper:
    """Keeps one trunk. ``run`` goes on until it is cancelled."""

    standing: TrunkStanding
    asker: Asker
    _failures: int = 0
    _registration: Dialog | None = field(default=None)

    async def run(self) -> None:
        """Find it, register or ask, wait, again."""
        trunk = self.standing.trunk
        while True:
            wait = AGAIN_SECONDS
            if await self._find():
                if trunk.register:
                    wait = await self._register(trunk.register_seconds)
                elif trunk.ping_seconds:
                    wait = await self._ping()
            elif trunk.register or trunk.ping_seconds:
                wait = self._failed(TrunkState.UNREACHABLE, f"{trunk.host} has no address")
            self.standing.next_try = clock.now() + timedelta(seconds=wait)
            await asyncio.sleep(wait)

    async def leave(self) -> None:
        """Take the registration back."""
        if self.standing.registered_until and self._registration:
            await self._ask("REGISTER", 0)
            self.standing.registered_until = None

    async def _find(self) -> bool:
        trunk = self.standing.trunk
        try:
            found = await asyncio.get_running_loop().getaddrinfo(trunk.host, trunk.port, type=socket.SOCK_DGRAM)
        except OSError:
            return bool(self.standing.hosts)
        hosts = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        if hosts != self.standing.hosts:
            self.standing.hosts = hosts
            self.asker.learned()
        return True

    async def _register(self, seconds: int) -> float:
        answer = await self._ask("REGISTER", seconds)
        if answer.code == 423 and (asked := answer.one("min-expires")).isdecimal() and int(asked) < 86_400:
            answer = await self._ask("REGISTER", seconds := int(asked))
        if 200 <= answer.code < 300:
            granted = self._granted(answer) or seconds
            self._failures = 0
            self.standing.became(TrunkState.UP)
            self.standing.registered_until = clock.now() + timedelta(seconds=granted)
            return max(granted * random.uniform(0.5, 0.8), 1.0)
        self.standing.registered_until = None
        refused = answer.code in (401, 403, 404, 407) or answer.code >= 600
        return self._failed(TrunkState.REFUSED if refused else TrunkState.UNREACHABLE, f"{answer.code} {answer.words}")

    async def _ping(self) -> float:
        answer = await self._ask("OPTIONS", 0)
        if answer.code in (408, 500, 502, 503, 504):  # any other answer shows that somebody is there
            return min(
                self._failed(TrunkState.UNREACHABLE, f"{answer.code} {answer.words}"), self.standing.trunk.ping_seconds
            )
        self._failures = 0
        self.standing.became(TrunkState.UP)
        return self.standing.trunk.ping_seconds

    def _failed(self, state: TrunkState, error: str) -> float:
        self.standing.became(state, error)
        least, most = self.standing.trunk.back_off
        wait = min(least * float(2**self._failures), most) * random.uniform(0.8, 1.2)
        self._failures = min(self._failures + 1, 20)
        return wait

    async def _ask(self, method: str, seconds: int) -> Answer:
        trunk = self.standing.trunk
        own = Uri("sip", trunk.username or "everyline", trunk.realm_host)
        if self._registration is None:
            port = None if self.standing.edge is None or trunk.domain or trunk.port == PORT else trunk.port
            self._registration = Dialog.beginning(
                Named(own), Named(own), self._reachable(), Uri("sip", "", trunk.realm_host, port), self.standing.target
            )
            self._registration.call_id = secrets.token_hex(16)
        fields = (("expires", str(seconds)),) if method == "REGISTER" else (("accept", "application/sdp"),)
        request = self._registration.request(method, fields)
        return await self.asker.ask(request, self._registration, trunk.name, target=self.standing.target)

    def _reachable(self) -> Named:
        """Where the trunk calls us: at the edge, where there is one."""
        name, edge = self.standing.trunk.username or "everyline", self.standing.edge
        return Named(Uri("sip", name, *edge)) if edge else self.asker.reachable_at(name)

    def _granted(self, answer: Answer) -> int:
        ours = self._reachable().uri
        for one in many(answer.all("contact")):
            if (one.uri.host, one.uri.port) == (ours.host, ours.port) and one.parameters.get("expires", "").isdecimal():
                return int(one.parameters["expires"])
        said = answer.one("expires")
        return int(said) if said.isdecimal() else 0
