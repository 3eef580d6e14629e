"""The supervisor: starts the database if it is the embedded one, brings its schema up to date, and runs the roles, whose processes
come from the nursery, which loads meanwhile.

A role that ends is started again after a pause that grows while it keeps failing. The nursery and the database likewise. On
SIGTERM or SIGINT the roles finish what they have in hand, then the database ends. All children end when the supervisor is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from everyline.ground import kinship, schema
from everyline.ground.nursery import Nursery
from everyline.ground.postgres import EmbeddedPostgres, PostgresError
from everyline.ground.settings import Settings, SettingsError

log = logging.getLogger(__name__)

STEADY_SECONDS = 10.0  # a role that ran so long had started well
LONGEST_PAUSE = 15.0
FAREWELL_SECONDS = 15.0  # after what a role has to finish its work: the last words of calls
SAID = 2  # exit code: what is wrong was said already


@dataclass
class Starts:
    """When something that ends again and again may be started again."""

    at: float = 0.0
    failures: int = 0
    again_at: float = 0.0

    def ended(self, what: str, code: int) -> None:
        """It ended: say so, and choose the pause."""
        now = time.monotonic()
        self.failures = 0 if now - self.at > STEADY_SECONDS else self.failures + 1
        pause = min(0.2 * 2**self.failures, LONGEST_PAUSE) if self.failures else 0.0
        log.error("%s ended with %s; it starts again in %.1f s", what, code, pause)
        self.again_at = now + pause

    def due(self) -> bool:
        """May it be started now? Then it is."""
        now = time.monotonic()
        if now < self.again_at:
            return False
        self.at = now
        return True


@dataclass
class Child:
    """One process of a role: not there, asked for, or running."""

    role: str
    pid: int | None = None
    asked: bool = False
    starts: Starts = field(default_factory=Starts)
    gate: int | None = None  # where it is told the database's address, which it waits for

    def ended(self) -> int | None:
        """The exit code of a process that has ended, once."""
        if self.pid is None:
            return None
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if not pid:
            return None
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal."""
        if self.pid is not None:
            os.kill(self.pid, sign)


@dataclass
class Supervisor:
    """Runs roles until it is told to end."""

    settings: Settings
    roles: dict[str, int]  # role to number of processes
    embedded: EmbeddedPostgres | None = None
    check: Callable[[], None] | None = None  # called first, in a process of its own; what it raises stops the start
    # done before the roles begin, in a process of its own that may load meanwhile: it gets what waits for the database's address
    prepare: Callable[[Callable[[], str]], None] | None = None
    _nursery: Nursery = field(default_factory=Nursery)
    _nursery_starts: Starts = field(default_factory=Starts)
    _children: list[Child] = field(default_factory=list)
    _asked: deque[Child] = field(default_factory=deque)  # of the nursery, which answers in this order
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
                self._nursery.wait(0.1)
        finally:
            self._end()
        return 0

    def _prepare(self) -> None:
        if "web" in self.roles:
            self._listener = _listen(self.settings)
        if self.embedded is not None:
            self._lock = _lock(self.settings.data)
        kinship.adopt_orphans()
        self._children = [Child(role) for role, n in self.roles.items() for _ in range(n)]
        self._look_after_children()
        if self.check is not None:
            _in_child(self.check)
        prepared = _told_later(self.prepare) if self.prepare is not None else None
        if self.embedded is not None:
            self.embedded.start()
        url = self.embedded.url if self.embedded else self.settings.database_url
        _in_child(lambda: schema.bring_up_to_date(url))
        if prepared is not None:
            prepared(url)
        self._url = url

    def _look_after(self) -> None:
        if self.embedded is not None and not self.embedded.alive():
            log.error("the database ended; it is started again")
            try:
                self.embedded.start()
            except PostgresError:
                log.exception("the database did not start; it is tried again")
                time.sleep(1)
                return
        self._look_after_children()
        own = {self._nursery.pid, *(child.pid for child in self._children)}
        kinship.bury_adopted(own | {self.embedded.started if self.embedded else None})

    def _look_after_children(self) -> None:
        code = self._nursery.ended()
        if code is not None:
            self._nursery_starts.ended("the nursery", code)
            for child in self._asked:
                child.asked = False
            self._asked.clear()
        if self._nursery.pid is None and self._nursery_starts.due():
            self._nursery.start()
        for pid in self._nursery.born():
            child = self._asked.popleft()
            child.pid, child.asked = pid, False
        for child in self._children:
            code = child.ended()
            if code is not None:
                child.starts.ended(child.role, code)
            if child.pid is not None:
                self._open_gate(child)
            elif not child.asked and self._nursery.pid is not None and child.starts.due():
                self._ask_for(child)

    def _ask_for(self, child: Child) -> None:
        self._close_gate(child)
        reading, child.gate = os.pipe()
        descriptors = [reading]
        if child.role == "web" and self._listener is not None:
            descriptors.append(self._listener.fileno())
        self._nursery.ask(child.role, descriptors)
        os.close(reading)
        child.asked = True
        self._asked.append(child)

    def _open_gate(self, child: Child) -> None:
        if child.gate is not None and self._url:
            with contextlib.suppress(BrokenPipeError):
                os.write(child.gate, self._url.encode())
            self._close_gate(child)

    def _close_gate(self, child: Child) -> None:
        if child.gate is not None:
            os.close(child.gate)
            child.gate = None

    def _end_soon(self, *_: object) -> None:
        self._ending = True

    def _end(self) -> None:
        self._nursery.end()
        for child in self._children:
            child.ended()
            child.signal(signal.SIGTERM)
            self._close_gate(child)
        deadline = time.monotonic() + self.settings.drain_seconds + FAREWELL_SECONDS
        while any(child.ended() is None and child.pid is not None for child in self._children):
            if time.monotonic() > deadline:
                for child in self._children:
                    child.signal(signal.SIGKILL)
            time.sleep(0.02)
        if self.embedded is not None:
            self.embedded.stop()
        if self._listener is not None:
            self._listener.close()
        if self._lock is not None:
            os.close(self._lock)


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


def _in_child(work: Callable[[], object]) -> None:
    """Do it in a process of its own, so that what it loads does not stay with the supervisor for its whole life."""
    _finish(_begin(work))


def _told_later(work: Callable[[Callable[[], str]], None]) -> Callable[[str], None]:
    """The same for what is told something later, by what is returned, and waits for it."""
    reading, writing = os.pipe()

    def told() -> str:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        if not said:
            os._exit(SAID)  # whoever would have told it failed, and said why
        return said

    pid = _begin(lambda: work(told))
    os.close(reading)

    def tell(said: str) -> None:
        with os.fdopen(writing, "w") as pipe:
            pipe.write(said)
        _finish(pid)

    return tell


def _begin(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid:
        return pid
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


def _finish(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(SAID)
