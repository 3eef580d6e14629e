"""The supervisor: starts the database if it is the embedded one, brings its schema up to date, and runs the roles, which load
what they need meanwhile.

A role that ends is started again after a pause that grows while it keeps failing. The database likewise. On SIGTERM or
SIGINT the roles finish what they have in hand, then the database ends. All children end when the supervisor is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from everyline.ground import schema
from everyline.ground.postgres import EmbeddedPostgres, PostgresError
from everyline.ground.settings import Settings, SettingsError

log = logging.getLogger(__name__)

STEADY_SECONDS = 10.0  # a role that ran so long had started well
LONGEST_PAUSE = 15.0
FAREWELL_SECONDS = 15.0  # after what a role has to finish its work: the last words of calls
SAID = 2  # exit code: what is wrong was said already


@dataclass
class Child:
    """One process of a role."""

    role: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    again_at: float = 0.0
    gate: int | None = None  # where it is told the database's address, which it waits for


@dataclass
class Supervisor:
    """Runs roles until it is told to end."""

    settings: Settings
    roles: dict[str, int]  # role to number of processes
    embedded: EmbeddedPostgres | None = None
    check: Callable[[], None] | None = None  # called first, in a process of its own; what it raises stops the start
    when_ready: Callable[[str], None] | None = (
        None  # called in a process of its own with the database's address, before the roles begin
    )
    _children: list[Child] = field(default_factory=list)
    _ending: bool = False
    _listener: socket.socket | None = None
    _lock: int | None = None
    _url: str = ""  # of the database, once it is ready

    def run(self) -> int:
        """Run until a signal; returns the exit code."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._end_soon)
        try:
            self._prepare()
            while not self._ending:
                self._look_after()
                time.sleep(0.1)
        finally:
            self._end()
        return 0

    def _prepare(self) -> None:
        if "web" in self.roles:
            self._listener = _listen(self.settings)
        if self.embedded is not None:
            self._lock = _lock(self.settings.data)
        self._children = [Child(role) for role, n in self.roles.items() for _ in range(n)]
        for child in self._children[:1]:  # it loads longest; the others follow, so that two processors are enough
            self._look_after_child(child)
        if self.check is not None:
            _in_child(self.check)
        if self.embedded is not None:
            self.embedded.start()
        url = self.embedded.url if self.embedded else self.settings.database_url
        _in_child(lambda: _bring_up_to_date(url))
        if self.when_ready is not None:
            prepare = self.when_ready
            _in_child(lambda: prepare(url))
        self._url = url
        for child in self._children[:1]:
            self._open_gate(child)

    def _look_after(self) -> None:
        if self.embedded is not None and not self.embedded.alive():
            log.error("the database ended; it is started again")
            try:
                self.embedded.start()
            except PostgresError:
                log.exception("the database did not start; it is tried again")
                time.sleep(1)
                return
        for child in self._children:
            self._look_after_child(child)

    def _look_after_child(self, child: Child) -> None:
        at = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.failures = 0 if at - child.started > STEADY_SECONDS else child.failures + 1
            pause = min(0.2 * 2**child.failures, LONGEST_PAUSE) if child.failures else 0.0
            log.error("%s ended with %s; it starts again in %.1f s", child.role, code, pause)
            child.again_at, child.process = at + pause, None
        if at >= child.again_at:
            self._start(child)
            child.started = at

    def _start(self, child: Child) -> None:
        reading, child.gate = os.pipe()
        descriptors = [reading]
        if child.role == "web" and self._listener is not None:
            descriptors.append(self._listener.fileno())
        parent = os.getpid()
        child.process = subprocess.Popen(
            [sys.executable, "-m", "everyline.roles", child.role, *map(str, descriptors)],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=descriptors,
            preexec_fn=lambda: die_with_parent(parent),
        )
        os.close(reading)
        if self._url:
            self._open_gate(child)

    def _open_gate(self, child: Child) -> None:
        if child.gate is not None:
            with contextlib.suppress(BrokenPipeError), os.fdopen(child.gate, "w") as pipe:
                pipe.write(self._url)
            child.gate = None

    def _end_soon(self, *_: object) -> None:
        self._ending = True

    def _end(self) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + self.settings.drain_seconds + FAREWELL_SECONDS
        for child in self._children:
            if child.process is not None:
                try:
                    child.process.wait(max(deadline - time.monotonic(), 0.1))
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()
        if self.embedded is not None:
            self.embedded.stop()
        if self._listener is not None:
            self._listener.close()
        if self._lock is not None:
            os.close(self._lock)


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process softly when its parent is gone (prctl(2), PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _listen(settings: Settings) -> socket.socket:
    """The listening socket of all web processes, open before they are, so that nobody is turned away by a restart."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(
            f"EVERYLINE_PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror}). Choose another with --port."
        ) from error
    listener.listen(4096)
    listener.set_inheritable(True)
    return listener


def _lock(data: Path) -> int:
    """Hold the data folder for this process alone."""
    descriptor = os.open(data / "everyline.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SettingsError(f"EVERYLINE_DATA: another `everyline serve` runs on {data} already") from None
    return descriptor


def _bring_up_to_date(url: str) -> None:
    schema.bring_up_to_date(url)


def _in_child(work: Callable[[], None]) -> None:
    """Do it in a process of its own, so that what it loads does not stay with the supervisor for its whole life."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except (schema.SchemaError, SettingsError) as error:
            sys.stderr.write(f"{error}\n")
            os._exit(SAID)
        except BaseException:
            log.exception("the start failed")
            os._exit(SAID)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(SAID)
