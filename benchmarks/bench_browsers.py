"""What browsers cost the process that moves sound: pairs of them in talks, heard both ways, by aiortc's peers in a process beside."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

import uvloop

from benchmarks.stage import report
from everyline.media.engine import Engine
from everyline.media.pulse import Pulse
from everyline.webrtc.browsers import Browsers

BROWSERS = 10
SECONDS = 20


def _pages(pipe: Connection) -> None:
    import aioice.ice  # noqa: PLC0415 -- of the process beside alone

    from tests.webrtc.pages import Page  # noqa: PLC0415 -- the same

    aioice.ice.get_host_addresses = lambda **_: ["127.0.0.1"]

    async def run() -> None:
        pages = [Page(400 + 50 * n) for n in range(BROWSERS)]
        pipe.send([await page.offer() for page in pages])
        for page, answer in zip(pages, pipe.recv(), strict=True):
            await page.take(answer)
        await asyncio.to_thread(pipe.recv)
        for page in pages:
            await page.close()

    asyncio.run(run())


async def _measure(pipe: Connection) -> dict[str, float]:
    engine = Engine(ports=(30000, 39999), most=BROWSERS)
    ready: asyncio.Queue[int] = asyncio.Queue()
    browsers = Browsers(engine, moved=lambda agent_id, _ready: ready.put_nowait(agent_id))
    async with Pulse(engine) as pulse:
        offers = await asyncio.to_thread(pipe.recv)
        pipe.send([await browsers.answer(n, offer) for n, offer in enumerate(offers)])
        for _ in range(BROWSERS):
            await ready.get()
        idle = await _spent()
        for number in range(0, BROWSERS, 2):
            mix = engine.mix()
            for agent_id in (number, number + 1):
                found = browsers.get(agent_id)
                assert found
                mix.add(found.leg)
        talking = await _spent()
        lost = sum(leg.quality().lost for leg in engine.legs)
        late = pulse.punctuality.late
        await browsers.end()
        none = await _spent()
    engine.close()
    pipe.send("over")
    each = 100 / BROWSERS
    return {
        "browsers": BROWSERS,
        "percent_of_a_core_each_in_a_talk": round((talking - none) * each, 3),
        "percent_of_a_core_each_idle": round((idle - none) * each, 3),
        "percent_of_a_core_engine_alone": round(none * 100, 3),
        "lost_packets": lost,
        "late_ticks": late,
    }


async def _spent() -> float:
    """Processor time a second of this process."""
    before, began = time.process_time(), time.monotonic()
    await asyncio.sleep(SECONDS)
    return (time.process_time() - before) / (time.monotonic() - began)


def main() -> None:
    """Print one line of JSON."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    beside = multiprocessing.get_context("spawn").Process(target=_pages, args=(theirs,))
    beside.start()
    figures = uvloop.run(_measure(ours))
    beside.join(10)
    report("browsers", figures, {"percent_of_a_core_each_in_a_talk": 4})


if __name__ == "__main__":
    main()
