"""The nursery: a process that loads once what the roles need, and forks their processes from itself (fork(2), copy on write).

So a start costs what one role costs, a role that died is there again at once, and what is loaded stands in memory once. A process
is forked twice and thereby adopted by the supervisor, which is there for orphans (prctl(2), PR_SET_CHILD_SUBREAPER): when the
nursery dies, nobody else does. Nothing that is loaded there may start a thread or open a connection.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import setproctitle

from everyline.ground.kinship import die_with_parent

MODULE = "everyline.roles"
_LONGEST = 64  # bytes of a request and of an answer
_MOST_DESCRIPTORS = 8
_ADOPTED_WITHIN = 10.0  # seconds


class Nursery:
    """The supervisor's side."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.pid if self._process else None

    def ended(self) -> int | None:
        """The exit code of a nursery that has ended, once; None while it runs, or before it was started."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._forget()
        return code

    def start(self) -> None:
        """Start it, when it does not run."""
        if self._process is not None:
            return
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(there.fileno()), str(parent)],
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                pass_fds=[there.fileno()],
                preexec_fn=lambda: die_with_parent(parent),
            )
        here.settimeout(0)
        self._wire = here

    def ask(self, role: str, descriptors: list[int]) -> None:
        """Ask for a process of a role, which gets these descriptors. What has ended meanwhile is seen by ``ended``."""
        if self._wire is not None:
            with contextlib.suppress(OSError):
                socket.send_fds(self._wire, [role.encode()], descriptors)

    def wait(self, seconds: float) -> None:
        """Wait for an answer, at most so long."""
        if self._wire is None:
            time.sleep(seconds)
        else:
            select.select([self._wire], [], [], seconds)

    def born(self) -> Iterator[int]:
        """The processes that were forked since, in the order in which they were asked for."""
        while self._wire is not None:
            try:
                said = self._wire.recv(_LONGEST)
            except OSError:
                return
            if not said:
                return
            yield int(said)

    def end(self) -> None:
        """End it; those whom it bore stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._wire is not None:
            self._wire.close()
            self._wire = None


@dataclass(frozen=True)
class Born:
    """What a new process is to be."""

    role: str
    descriptors: list[int]


def tend(wire: socket.socket, supervisor: int, load: Callable[[str], None]) -> Born | None:
    """The nursery's side: fork what is asked for, after ``load`` of its role, until the supervisor is gone. Returns in each new
    process, with what it is to be; in the nursery itself None, at its end."""
    _be_called("nursery")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's
    while True:
        said, descriptors, _flags, _address = socket.recv_fds(wire, _LONGEST, _MOST_DESCRIPTORS)
        if not said:
            return None
        role = said.decode()
        load(role)
        gc.freeze()
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            pid = os.fork()
            if pid:
                os.write(writing, str(pid).encode())
                os._exit(0)
            for one in (reading, writing):
                os.close(one)
            wire.close()
            _belong_to(supervisor)
            _be_called(role)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return Born(role, descriptors)
        os.waitpid(between, 0)
        for one in (writing, *descriptors):
            os.close(one)
        with os.fdopen(reading, "rb") as pipe:
            born = pipe.read()
        if not born:
            raise OSError("no process could be forked")
        wire.send(born)


def _be_called(name: str) -> None:
    """In lists of processes."""
    setproctitle.setproctitle(f"{sys.executable} -m {MODULE} {name}")


def _belong_to(supervisor: int) -> None:
    """Wait until the process between is gone and the supervisor is the parent, and end with it."""
    deadline = time.monotonic() + _ADOPTED_WITHIN
    while os.getppid() != supervisor:
        if time.monotonic() > deadline:
            os._exit(1)
        time.sleep(0.001)
    die_with_parent(supervisor)
