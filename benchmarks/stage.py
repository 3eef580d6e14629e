"""What benchmarks stand on: a product of their own on free ports, and the line they print."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from everyline.ground.postgres import EmbeddedPostgres


def free_port() -> int:
    """A port that is free on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(bench: str, figures: Mapping[str, float], limits: Mapping[str, float]) -> None:
    """Print the one line; figures carry their unit in their name, limits those of the same names."""
    print(
        json.dumps(
            {
                "bench": bench,
                "figures": {name: round(value, 3) for name, value in figures.items()},
                "limits": {name: round(value, 3) for name, value in limits.items()},
                "machine": {
                    "cores": os.cpu_count(),
                    "load": round(os.getloadavg()[0], 2),
                    "step_ns": round(step_ns(), 1),
                },
            }
        ),
        flush=True,
    )


def step_ns() -> float:
    """Nanoseconds that one step of an empty loop takes now, the least of some tries: figures of one shared machine differ by more than
    twice within a day, and this says how fast it was."""
    steps = 300_000

    def once() -> float:
        began = time.perf_counter()
        for _ in range(steps):
            pass
        return (time.perf_counter() - began) / steps * 1e9

    return min(once() for _ in range(5))


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass
class Product:
    """A running product."""

    data: Path
    address: str
    process: subprocess.Popen[bytes]

    def role(self, name: str) -> psutil.Process:
        """The first process of a role."""
        for child in psutil.Process(self.process.pid).children():
            if f"everyline.roles {name}" in " ".join(child.cmdline()):
                return child
        raise LookupError(name)

    @property
    def database_url(self) -> str:
        """Its embedded database."""
        return EmbeddedPostgres(self.data / "postgres").url


@contextlib.contextmanager
def product(data: Path | None = None, *, command: tuple[str, ...] = ("serve",), **settings: str) -> Iterator[Product]:
    """Run the product until the end of the block, on a fresh data folder when none is given."""
    folder = data or Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    port = free_port()
    environment = {
        **os.environ,
        **{f"EVERYLINE_{name.upper()}": value for name, value in settings.items()},
        "EVERYLINE_LOG_LEVEL": "warning",
    }
    arguments = [sys.executable, "-m", "everyline.cli", *command, "--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    found = Product(folder, f"http://127.0.0.1:{port}", process)
    try:
        wait_ready(found)
        yield found
    finally:
        process.terminate()
        process.wait(60)
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def wait_ready(found: Product, path: str = "/readyz") -> float:
    """Wait until a page answers; returns the seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        if found.process.poll() is not None:
            raise RuntimeError("the product ended")
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(found.address + path, timeout=5) as answer,
        ):
            if answer.status == 200:
                return time.monotonic() - began
        time.sleep(0.02)
    raise TimeoutError("the product did not get ready")


def cli(data: Path, *arguments: str, given: str = "") -> str:
    """Run a command on a data folder; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "everyline.cli", *arguments, "--data", str(data)],
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def cpu(process: psutil.Process) -> float:
    """Seconds of processor that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)
