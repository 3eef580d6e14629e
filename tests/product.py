"""A running product for tests that need its processes: started by the command, on free ports, ended by its pid."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from everyline.ground.postgres import EmbeddedPostgres
from tests.folders import fresh_folder


def free_port() -> int:
    """A port that is free on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _begun() -> Path:
    """A data folder as the first start leaves it, for others to begin with; made once in a process."""
    product = RunningProduct()
    atexit.register(shutil.rmtree, product.data, ignore_errors=True)
    product._run()
    product.stop()
    return product.data


@dataclass
class RunningProduct:
    """``everyline serve`` (or ``demo``) over a data folder of its own."""

    command: tuple[str, ...] = ("serve",)
    settings: dict[str, str] = field(default_factory=dict)
    data: Path = field(default_factory=lambda: fresh_folder("everyline-product-"))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        return EmbeddedPostgres(self.data / "postgres").url

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **{f"EVERYLINE_{name.upper()}": value for name, value in self.settings.items()}}

    def start(self) -> None:
        """Start it and wait until it is ready."""
        if self.command == ("serve",) and not any(self.data.iterdir()):
            shutil.copytree(_begun(), self.data, dirs_exist_ok=True)
        self._run()

    def _run(self) -> None:
        arguments = [
            sys.executable,
            "-m",
            "everyline.cli",
            *self.command,
            "--data",
            str(self.data),
            "--port",
            str(self.port),
        ]
        with (self.data / "product.log").open("ab") as log:
            self.process = subprocess.Popen(arguments, env=self.environment, stdout=log, stderr=log)
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, seconds: float = 60) -> None:
        """Until its pages answer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, (self.data / "product.log").read_text()[-3000:]
            with (
                contextlib.suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise TimeoutError((self.data / "product.log").read_text()[-3000:])

    def cli(self, *arguments: str, given: str = "") -> str:
        """Run another command on the same data folder; returns what it printed."""
        command = [sys.executable, "-m", "everyline.cli", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def children(self, kind: str) -> list[psutil.Process]:
        """Processes of a role, or with ``postgres`` the database server."""
        assert self.process is not None
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    line = " ".join(child.cmdline())
                    if f"everyline.roles {kind}" in line or (kind == "postgres" and "/bin/postgres" in line):
                        found.append(child)
        return found

    def kill(self, kind: str) -> None:
        """``kill -9`` a role, the database, or the supervisor itself."""
        assert self.process is not None
        if kind == "supervisor":
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            return
        for child in self.children(kind):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def stop(self) -> None:
        """End it softly."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
