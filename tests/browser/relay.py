"""A relay for browsers: Debian's coturn on loopback, ended by its own number."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.product import free_port

HOST, SECRET = "127.0.0.1", "known to the relay and to us"


@contextlib.contextmanager
def relay(folder: Path) -> Iterator[str]:
    """Its address as browsers have it."""
    found = shutil.which("turnserver")
    assert found, "coturn is missing: `make test` installs it"
    port = free_port()
    command = [
        found,
        "-n",
        "--listening-ip",
        HOST,
        "--relay-ip",
        HOST,
        "--listening-port",
        str(port),
        "--realm",
        "house.example",
    ]
    command += [
        "--use-auth-secret",
        "--static-auth-secret",
        SECRET,
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        "--allow-loopback-peers",
    ]
    command += ["--pidfile", str(folder / "turn.pid"), "--userdb", str(folder / "turn.db"), "--log-file", "stdout"]
    command += ["--min-port", "33000", "--max-port", "34000"]
    with (folder / "turn.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            assert process.poll() is None, (folder / "turn.log").read_text("utf-8", "replace")
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"turn:{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(10)
