"""All browsers of this process: who offers is answered, who is gone is told, what is left over is given back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from everyline.ground.errors import Conflict
from everyline.ground.words import _
from everyline.media.engine import Engine
from everyline.media.negotiation import Agreement
from everyline.webrtc import offers
from everyline.webrtc.browser import Browser
from everyline.webrtc.janus import Janus
from everyline.webrtc.own import OwnWay
from everyline.webrtc.ways import Opens, Way

log = logging.getLogger(__name__)

KEPT = 60.0  # seconds that a leg waits for its page, in a call as long as the call lasts
WATCH = 0.5


class Browsers:
    """The browsers of agents, each a leg of ``engine``.

    ``addresses`` are those of this machine at which sockets are opened, ``advertised`` those by which browsers reach them, where that
    is another (behind address translation, ports kept). ``ports``: from and to; 0 for any. ``moved`` is called whenever a browser comes to
    be ready or is not any more. ``janus`` keeps the ways in place of this process, where many browsers are to be heard.
    """

    def __init__(
        self,
        engine: Engine,
        addresses: Sequence[str] = ("127.0.0.1",),
        *,
        advertised: Sequence[str] = (),
        ports: tuple[int, int] = (0, 0),
        moved: Callable[[int, bool], None] | None = None,
        janus: Janus | None = None,
    ) -> None:
        self._engine, self._moved, self._janus = engine, moved, janus
        self._open: Opens = janus.open if janus else partial(OwnWay, addresses, advertised, ports)
        self._browsers: dict[int, Browser] = {}
        self._told: set[int] = set()  # agents who are ready, as was told
        self._newest: dict[int, Way] = {}  # the last answer that each was given
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._browsers)

    async def answer(self, agent_id: int, offer_sdp: str) -> str:
        """Answer an offer. What the agent's page was heard by until now goes on until the new way is there. Raises BadDescription and
        NothingInCommon for what is no offer of sound, NoPorts when the machine is full."""
        offer = offers.read(offer_sdp)
        browser = self._browsers.get(agent_id)
        if browser is None:
            browser = self._browsers[agent_id] = Browser(self._engine, agent_id, self._tell)
        agreed = browser.agree(offer)
        way = self._open(offer, browser.hear)
        self._newest[agent_id] = way
        self._watch()
        try:
            answer = await way.answer(agreed, browser.source, self._engine.name)
        except BaseException:
            if self._newest.get(agent_id) is way:
                del self._newest[agent_id]
            await way.close()
            raise
        task = asyncio.create_task(self._live(browser, way, agreed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer

    async def _live(self, browser: Browser, way: Way, agreed: Agreement) -> None:
        """A way from its beginning to its end."""
        agent_id = browser.agent_id
        try:
            if not await way.connect():
                log.info("no way to the browser of agent %d came to be", agent_id)
                return
            if self._newest.get(agent_id) is not way or self._browsers.get(agent_id) is not browser:
                return
            before = browser.take_over(way, agreed)
            if before is not None:
                await before.close()
            await way.lost()
        finally:
            if self._newest.get(agent_id) is way:
                del self._newest[agent_id]
            browser.leave(way)
            await way.close()

    def get(self, agent_id: int) -> Browser | None:
        """An agent's browser, when its page is there or was a moment ago."""
        return self._browsers.get(agent_id)

    def echo(self, agent_id: int, *, on: bool) -> None:
        """Let an agent hear themselves, to try microphone and speaker; a call ends it. Raises Conflict when that cannot be now."""
        browser = self._browsers.get(agent_id)
        if browser is not None:
            browser.echo(on=on)
        elif on:
            raise Conflict(_("Your browser is not connected. Turn the phone on first."))

    async def close(self, agent_id: int) -> None:
        """An agent's browser is not to be heard any more: they signed out, or turned the phone off."""
        self._newest.pop(agent_id, None)
        browser = self._browsers.pop(agent_id, None)
        if browser is None:
            return
        way = browser.close()
        if way is not None:
            await way.close()  # which ends its task
        if agent_id in self._told:
            self._told.discard(agent_id)
            self._say(agent_id, ready=False)

    async def end(self) -> None:
        """Close all."""
        for agent_id in list(self._browsers):
            await self.close(agent_id)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._watching:
            self._watching.cancel()
            self._watching = None
        if self._janus:
            await self._janus.close()

    def _watch(self) -> None:
        """Look whether anything became of anybody; goes on while there are browsers."""
        if self._watching is not None:
            self._watching.cancel()
        at = time.monotonic()
        for browser in list(self._browsers.values()):
            self._tell(browser)
            waits = browser.agent_id in self._newest or browser.in_call or browser.ready
            if not waits and at - browser.left_at > KEPT:
                del self._browsers[browser.agent_id]
                browser.close()
        again = asyncio.get_running_loop().call_later(WATCH, self._watch) if self._browsers else None
        self._watching = again

    def _tell(self, browser: Browser) -> None:
        agent_id, ready = browser.agent_id, browser.ready
        if self._browsers.get(agent_id) is not browser or ready == (agent_id in self._told):
            return
        (self._told.add if ready else self._told.discard)(agent_id)
        self._say(agent_id, ready=ready)

    def _say(self, agent_id: int, *, ready: bool) -> None:
        if self._moved:
            with contextlib.suppress(Exception):
                self._moved(agent_id, ready)
