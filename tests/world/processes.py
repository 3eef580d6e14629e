"""Starting and ending programs of other people."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class WorldError(Exception):
    """A counterpart is missing or did not come up; the message says which and holds the end of its log."""


def free_ports(count: int) -> list[int]:
    """So many TCP ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def listening(port: int) -> bool:
    """Does anybody answer on this port?"""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(true: Callable[[], bool], what: str, *, seconds: float, log: Path | None = None) -> None:
    """Until it is true. Raises WorldError with the end of the log."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            tail = log.read_text("utf-8", "replace")[-3000:] if log and log.exists() else ""
            raise WorldError(f"{what} did not come up within {seconds:.0f} s\n{tail}")
        time.sleep(0.02)


class Program:
    """One program in the foreground, ended by its pid."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as out:
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                )
            except FileNotFoundError as error:
                raise WorldError(f"{command[0]} is not installed") from error

    @property
    def running(self) -> bool:
        """Has it not ended?"""
        return self.process.poll() is None

    def stop(self, *, seconds: float = 5) -> None:
        """Ask it to end, then make it."""
        if not self.running:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
