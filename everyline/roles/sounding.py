"""What the media role does once a line needs it: the engine, the doors of channels with sound, browsers, voices."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from dataclasses import dataclass

from everyline.calls import actions as calls
from everyline.calls.voices import HouseVoices
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.intake.call_door import CallDoor
from everyline.measure.surveying import TalkSurveys
from everyline.media.engine import Engine
from everyline.media.pulse import Pulse
from everyline.queues import abilities
from everyline.roles.receivers import Receivers
from everyline.speech.answers import Answers
from everyline.webrtc.browsers import Browsers
from everyline.webrtc.janus import Janus

log = logging.getLogger(__name__)


async def sound(ground: Ground, ending: asyncio.Event) -> None:
    """Until ``ending`` is set."""
    node = Node(socket.gethostname(), os.getpid(), secrets.token_hex(3))
    await _bury(ground, node)
    chosen = ground.settings
    engine = Engine(
        chosen.media_host,
        ports=(chosen.media_first_port, chosen.media_last_port),
        advertised=chosen.media_shown_as,
        name=str(node),
    )
    hub = Hub(ground)
    moving: set[asyncio.Task[None]] = set()

    def moved(agent_id: int, ready: bool) -> None:  # noqa: FBT001 -- called so
        task = asyncio.create_task(_tell(ground, agent_id, str(node), ready=ready))
        moving.add(task)
        task.add_done_callback(moving.discard)

    browsers = Browsers(
        engine,
        (chosen.media_host,),
        advertised=(chosen.media_shown_as,) if chosen.media_shown_as else (),
        ports=(chosen.media_first_port, chosen.media_last_port),
        moved=moved,
        janus=Janus(chosen.janus_url, chosen.janus_secret, chosen.media_host) if chosen.janus_url else None,
    )
    voices, answers = HouseVoices(ground), Answers.installed(chosen)
    door = CallDoor(
        ground, hub, TalkSurveys(), node=str(node), engine=engine, voices=voices, browsers=browsers, answers=answers
    )
    async with Pulse(engine, urgent=True):
        await door.start()
        receivers = Receivers(ground, door, sounding=True)
        tasks = [
            asyncio.create_task(hub.run(), name="live hub"),
            asyncio.create_task(receivers.run(), name="receivers"),
        ]
        end = asyncio.create_task(ending.wait(), name="ending")
        try:
            done, _ = await asyncio.wait({*tasks, end}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {end}:
                log.error("%s ended, and so does this process", task.get_name(), exc_info=task.exception())
            if done == {end}:
                await receivers.drain(chosen.drain_seconds)
        finally:
            tasks.reverse()
            for task in (*tasks, end):
                task.cancel()
            await asyncio.gather(*tasks, end, return_exceptions=True)
            await browsers.end()
            await asyncio.gather(*moving, return_exceptions=True)
            await door.stop()
            await voices.end()
            if answers is not None:
                await answers.end()
    engine.close()


@dataclass(frozen=True, slots=True)
class Node:
    """What the house calls a process that moves sound: its machine, its number there, and which of all that had this number."""

    host: str
    pid: int
    which: str

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.which}"

    def is_gone(self, other: str) -> bool:
        """Did another process of this machine end? It need not be waited for until it is silent for long enough."""
        host, _slash, rest = other.partition("/")
        pid = rest.partition("/")[0]
        if host != self.host or not pid.isdecimal() or other == str(self):
            return False
        if int(pid) == self.pid:
            return True
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


async def _bury(ground: Ground, node: Node) -> None:
    """The calls of processes of this machine that are gone are over now: who calls again at once keeps their place."""
    async with ground.database.transaction() as tx:
        for other in await calls.nodes(tx):
            if node.is_gone(other):
                await calls.leave(tx, other)
        await calls.sweep(tx)


async def _tell(ground: Ground, agent_id: int, node: str, *, ready: bool) -> None:
    try:
        async with ground.database.transaction() as tx:
            await abilities.hears(tx, agent_id, node, ready=ready)
    except (DatabaseError, OSError) as error:
        log.warning("where an agent hears calls was not kept: %s", type(error).__name__)
