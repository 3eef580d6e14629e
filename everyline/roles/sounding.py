"""What the media role does once a line needs it: the engine, the doors of channels with sound, browsers, voices."""

from __future__ import annotations

import asyncio
import logging

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
from everyline.webrtc.browsers import Browsers

log = logging.getLogger(__name__)


async def sound(ground: Ground, ending: asyncio.Event, node: str) -> None:
    """Until ``ending`` is set."""
    chosen = ground.settings
    engine = Engine(
        chosen.media_host,
        ports=(chosen.media_first_port, chosen.media_last_port),
        advertised=chosen.media_shown_as,
        name=node,
    )
    hub = Hub(ground)
    moving: set[asyncio.Task[None]] = set()

    def moved(agent_id: int, ready: bool) -> None:  # noqa: FBT001 -- called so
        task = asyncio.create_task(_tell(ground, agent_id, node, ready=ready))
        moving.add(task)
        task.add_done_callback(moving.discard)

    browsers = Browsers(
        engine,
        (chosen.media_host,),
        advertised=(chosen.media_shown_as,) if chosen.media_shown_as else (),
        ports=(chosen.media_first_port, chosen.media_last_port),
        moved=moved,
    )
    voices = HouseVoices(ground)
    door = CallDoor(ground, hub, TalkSurveys(), node=node, engine=engine, voices=voices, browsers=browsers)
    async with Pulse(engine, urgent=True):
        await door.start()
        tasks = [
            asyncio.create_task(hub.run(), name="live hub"),
            asyncio.create_task(Receivers(ground, door, sounding=True).run(), name="receivers"),
        ]
        end = asyncio.create_task(ending.wait(), name="ending")
        try:
            done, _ = await asyncio.wait({*tasks, end}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {end}:
                log.error("%s ended, and so does this process", task.get_name(), exc_info=task.exception())
        finally:
            tasks.reverse()
            for task in (*tasks, end):
                task.cancel()
            await asyncio.gather(*tasks, end, return_exceptions=True)
            await browsers.end()
            await asyncio.gather(*moving, return_exceptions=True)
            await door.stop()
            await voices.end()
    engine.close()


async def _tell(ground: Ground, agent_id: int, node: str, *, ready: bool) -> None:
    try:
        async with ground.database.transaction() as tx:
            await abilities.hears(tx, agent_id, node, ready=ready)
    except (DatabaseError, OSError) as error:
        log.warning("where an agent hears calls was not kept: %s", type(error).__name__)
