"""``phone``: 200 calls of a caller and an agent at once, sound both ways, each call recorded as a whole and by leg: what a call costs, how late
ticks are, how long sound stays inside; then 1,000 callers who hear music. The phones are another process."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import os
import resource
import select
import shutil
import socket
import tempfile
import time
from pathlib import Path

import numpy as np  # noqa: TID253 -- tones are made of arrays
import uvloop

from benchmarks.stage import percentile, report
from everyline.media import g711, negotiation, sdp
from everyline.media.codecs import NARROW
from everyline.media.engine import Engine
from everyline.media.legs import Leg
from everyline.media.negotiation import Place
from everyline.media.pulse import Pulse
from everyline.media.sounds import Music, Sound

CALLS, WAITING = 200, 1000
SECONDS = 20
SETTLE = 3.0
PROBES = 20  # phones whose clicks are timed


def phones(count: int, seconds: float, pipe: multiprocessing.connection.Connection, ears: dict[int, int]) -> None:
    """Be so many phones, each sending a tone, with a click now and then in those that ``ears`` names, by whom each is heard;
    tells how many packets came and how long the clicks took."""
    sockets = []
    for _ in range(count):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        one.bind(("127.0.0.1", 0))
        one.settimeout(0)
        sockets.append(one)
    pipe.send([one.getsockname()[1] for one in sockets])
    to = [("127.0.0.1", port) for port in pipe.recv()]
    with contextlib.suppress(OSError):  # real telephones keep time
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    poll, by_number = select.epoll(), {one.fileno(): n for n, one in enumerate(sockets)}
    for ear in ears.values():
        poll.register(sockets[ear], select.EPOLLIN)
    quiet = g711.encode((800 * np.sin(2 * np.pi * 500 * np.arange(160) / 8000)).astype(np.int16)).tobytes()
    click = g711.encode((16000 * np.sin(2 * np.pi * 500 * np.arange(160) / 8000)).astype(np.int16)).tobytes()
    loudest = np.abs(g711.DECODED[:256]).astype(int)
    clicked: dict[int, float] = {}
    took: list[float] = []
    began, number = time.monotonic(), 0
    while number < seconds * 50:
        head = b"\x80\x00" + (number & 0xFFFF).to_bytes(2, "big") + (number * 160).to_bytes(4, "big")
        for n, one in enumerate(sockets):
            # spread over the 20 ms, as real phones are
            if n % 50 == 0:
                due = began + number * 0.02 + n / count * 0.02
                while (left := due - time.monotonic()) > 0:
                    for descriptor, _mask in poll.poll(left):
                        listen(by_number[descriptor], sockets[by_number[descriptor]], clicked, took, loudest)
            loud = n in ears and number % 50 == 25 and ears[n] not in clicked
            if loud:
                clicked[ears[n]] = time.monotonic()
            one.sendto(head + n.to_bytes(4, "big") + (click if loud else quiet), to[n])
        number += 1
    got = 0
    for n, one in enumerate(sockets):
        if n not in ears.values():
            try:
                while one.recv(2048):
                    got += 1
            except BlockingIOError:
                pass
    pipe.send((took, got))


def listen(n: int, one: socket.socket, clicked: dict[int, float], took: list[float], loudest: np.ndarray) -> None:
    """Take what came and note when the click is in it."""
    try:
        while True:
            heard = one.recv(2048)
            if n in clicked and loudest[np.frombuffer(heard[12:], np.uint8)].max() > 8000:
                took.append(time.monotonic() - clicked.pop(n))
    except BlockingIOError:
        pass


def used() -> float:
    """Seconds of processor of this process, its kernel's share included."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime


async def measure(engine: Engine, seconds: float) -> dict[str, float]:
    """Let it live, and measure after it has settled."""
    async with Pulse(engine, urgent=True) as pulse:
        await asyncio.sleep(SETTLE)
        kept = pulse.punctuality
        kept.ticks = kept.late = kept.skipped = 0
        kept.took.clear()
        kept.worked.clear()
        kept.worst, before, began = 0.0, used(), time.monotonic()
        await asyncio.sleep(seconds)
        cpu = (used() - before) / (time.monotonic() - began)
        return {
            "cpu_percent": cpu * 100,
            "late_percent": 100 * (kept.late + kept.skipped) / (kept.ticks + kept.skipped),
            "tick_p50_ms": percentile(kept.took, 0.5) * 1e3,
            "tick_p99_ms": percentile(kept.took, 0.99) * 1e3,
            "worst": kept.worst * 1e3,
            "work": percentile(kept.worked, 0.99) * 1e3,
            "urgent": kept.urgent,
        }


def connect(
    engine: Engine, count: int, ears: dict[int, int]
) -> tuple[list[Leg], multiprocessing.connection.Connection, multiprocessing.process.BaseProcess]:
    """Legs and their phones in another process, which wait for the word."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=phones, args=(count, SECONDS + SETTLE + 2, theirs, ears)
    )
    process.start()
    legs = []
    for port in ours.recv():
        leg = engine.open()
        offered = negotiation.offer(Place("127.0.0.1", port))
        leg.agree(negotiation.answer(sdp.parse(sdp.write(offered).replace(b"9 111 ", b"")), leg.place, codecs=NARROW))
        legs.append(leg)
    return legs, ours, process


async def calls(folder: Path) -> dict[str, float]:
    """Caller and agent, two-way, recorded."""
    ears = {n * 2: n * 2 + 1 for n in range(PROBES)}
    engine = Engine(ports=(20000, 24999), most=CALLS * 2 + 10)
    legs, pipe, process = connect(engine, CALLS * 2, ears)
    for number in range(CALLS):
        mix = engine.mix()
        for leg in legs[number * 2 : number * 2 + 2]:
            mix.add(leg)
            engine.record(leg, folder / f"{leg.row}.wav")
        engine.record(mix, folder / f"mix{number}.wav")
    pipe.send([leg.place.port for leg in legs])
    found = await measure(engine, SECONDS)
    lost = sum(leg.quality().lost + leg.quality().late for leg in legs)
    received = sum(leg.quality().received for leg in legs)
    failed = CALLS * 3 - len(engine.recordings)
    took, _got = await asyncio.to_thread(pipe.recv)
    process.join()
    engine.close()
    return {
        "calls_count": CALLS,
        "recordings_count": CALLS * 3,
        "recordings_failed_count": failed,
        "call_cpu_percent": found["cpu_percent"] / CALLS,
        "late_ticks_percent": found["late_percent"],
        "tick_p50_ms": found["tick_p50_ms"],
        "tick_p99_ms": found["tick_p99_ms"],
        "urgent_granted_count": found["urgent"],
        "tick_work_p99_ms": found["work"],
        "tick_worst_ms": found["worst"],
        "mouth_to_ear_p50_ms": percentile(took, 0.5) * 1e3,
        "mouth_to_ear_p99_ms": percentile(took, 0.99) * 1e3,
        "clicks_count": len(took),
        "lost_or_late_percent": 100 * lost / max(received + lost, 1),
    }


async def waiting() -> dict[str, float]:
    """Callers who hear music, and send sound that nobody hears."""
    engine = Engine(ports=(25000, 29999), most=WAITING + 10)
    legs, pipe, process = connect(engine, WAITING, {})
    tune = (3000 * np.sin(2 * np.pi * 300 * np.arange(80000) / 8000)).astype(np.int16)
    music = Music(Sound.of(tune))
    for leg in legs:
        leg.music = music
    pipe.send([leg.place.port for leg in legs])
    found = await measure(engine, SECONDS)
    unsent, received = engine.unsent, sum(leg.quality().received for leg in legs)
    await asyncio.to_thread(pipe.recv)
    process.join()
    engine.close()
    return {
        "waiting_count": WAITING,
        "waiting_cpu_percent": found["cpu_percent"],
        "waiting_late_ticks_percent": found["late_percent"],
        "waiting_tick_p50_ms": found["tick_p50_ms"],
        "waiting_tick_work_p99_ms": found["work"],
        "waiting_tick_worst_ms": found["worst"],
        "waiting_tick_p99_ms": found["tick_p99_ms"],
        "waiting_unsent_count": unsent,
        "waiting_received_count": received,
    }


def main() -> None:
    """Measure and report."""
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    try:
        figures = {**uvloop.run(calls(folder)), **uvloop.run(waiting())}
    finally:
        shutil.rmtree(folder)
    report(
        "phone",
        figures,
        {
            "call_cpu_percent": 0.25,
            "late_ticks_percent": 0.1,
            "mouth_to_ear_p99_ms": 60,
            "recordings_failed_count": 0,
            "waiting_cpu_percent": 100,
            "waiting_late_ticks_percent": 0.1,
        },
    )


if __name__ == "__main__":
    main()
