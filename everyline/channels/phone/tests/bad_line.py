"""A line between two networks of this machine that goes wrong: real packets, which a program in the middle loses, delays, doubles and
overtakes. Both networks are this process's own (Linux network namespaces), so nothing of it is seen outside, and nothing stays.

The kernel's own faults (``tc netem``) are a module that many machines are built without; a tunnel is not."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOUSE, BEYOND = "10.213.7.1", "10.213.7.2"
NOT_PERMITTED = (
    "This machine lets nobody make networks of their own, so calls over bad lines cannot be tried: run the suite as root; "
    "a container needs --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun."
)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_TAKE = 0x400454CA  # TUNSETIFF
_TUNNEL = 0x1001  # IFF_TUN | IFF_NO_PI
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Faults:
    """What goes wrong, each way. Shares from 0 to 1, times in seconds."""

    loss: float = 0.0
    again: int | None = None  # so often at most the same message is lost, however often it is sent again
    delay: float = 0.0
    jitter: float = 0.0  # up to so much later than ``delay``
    overtaken: float = 0.0  # of the packets wait for those behind them
    doubled: float = 0.0


class Line:
    """The middle of it. ``faults`` may be changed at any time."""

    def __init__(self, ends: tuple[int, int]) -> None:
        self.faults = Faults()
        self.carried = self.lost = self.doubled = 0
        self._ends = ends
        self._over = False
        self._chance = random.Random(7)
        self._gone: Counter[bytes] = Counter()  # messages that were lost
        self._thread = threading.Thread(target=self._carry, name="line")
        self._thread.start()

    def _carry(self) -> None:
        due: list[tuple[float, int, int, bytes]] = []
        poll = select.poll()
        for end in self._ends:
            poll.register(end, select.POLLIN)
        count = 0
        while not self._over:
            wait = 0.1 if not due else max(0.0, due[0][0] - time.monotonic())
            for end, _event in poll.poll(wait * 1000):
                packet = os.read(end, 4096)
                other = self._ends[1 - self._ends.index(end)]
                if packet[0] >> 4 != 4:
                    continue  # the kernel says hello in IPv6
                for at in self._fate(packet[28:]):  # behind the headers of IP and UDP
                    count += 1
                    heapq.heappush(due, (at, count, other, packet))
            while due and due[0][0] <= time.monotonic():
                os.write(due[0][2], due[0][3])
                heapq.heappop(due)

    def _fate(self, message: bytes) -> list[float]:
        """When a packet arrives: never, once, or more often."""
        faults, chance = self.faults, self._chance.random
        self.carried += 1
        if chance() < faults.loss and (faults.again is None or self._gone[message] < faults.again):
            self.lost += 1
            self._gone[message] += 1
            return []
        at = time.monotonic() + faults.delay + faults.jitter * chance()
        if chance() < faults.overtaken:
            at += 0.03
        if chance() < faults.doubled:
            self.doubled += 1
            return [at, at + 0.005]
        return [at]

    def end(self) -> None:
        """No more of it."""
        self._over = True
        self._thread.join(20)
        for end in self._ends:
            os.close(end)


def _network(address: str, peer: str) -> tuple[int, int]:
    """Put this thread into a network of its own; returns the network, and the end of a tunnel in it."""
    assert _libc.unshare(_NEW_NETWORK) == 0, NOT_PERMITTED
    try:
        end = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(end, _TAKE, struct.pack("16sH22x", b"line", _TUNNEL))
    except OSError as error:
        raise AssertionError(f"{NOT_PERMITTED} ({error.strerror})") from error
    for words in (f"addr add {address} peer {peer} dev line", "link set line up", "link set lo up"):
        done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {words}: {done.stderr}"
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY), end


@contextlib.contextmanager
def _within(network: int, back: int) -> Iterator[None]:
    """What this thread opens here belongs to another network."""
    assert _libc.setns(network, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        assert _libc.setns(back, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())


Beyond = Callable[[], contextlib.AbstractContextManager[None]]


def over_a_line(work: Callable[[Line, Beyond], Coroutine[Any, Any, None]]) -> None:
    """Do something in a network at one end of a line; what is opened within ``beyond()`` is at the other."""

    def run() -> None:
        with ThreadPoolExecutor(1) as other_thread:
            there, their_end = other_thread.submit(_network, BEYOND, HOUSE).result()
        here, our_end = _network(HOUSE, BEYOND)
        line = Line((our_end, their_end))
        try:
            asyncio.run(work(line, lambda: _within(there, here)))
        finally:
            line.end()
            os.close(there)
            os.close(here)

    assert Path("/dev/net/tun").exists(), NOT_PERMITTED
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
