"""A telephone that others made: baresip, told by its control port what to do, with a tone for a voice and files for ears."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from everyline.media.g711 import Samples
from tests.sip.peers import HOUSE, until

MODULES = "/usr/lib/baresip/modules"
FLOW = 60_000  # bits a second
HEAD = 44  # bytes of a WAV file before its samples


def free_ports(host: str) -> tuple[int, int]:
    """A port for signalling, of which the next is free too (baresip takes it for TLS), and one for being told what to do."""
    while True:
        with contextlib.ExitStack() as open_ones, contextlib.suppress(OSError):
            found = []
            for where in (host, HOUSE):
                probe = open_ones.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                probe.bind((where, 0))
                found.append(probe.getsockname()[1])
            for kind, port in ((socket.SOCK_DGRAM, found[0]), (socket.SOCK_STREAM, found[0] + 1)):
                open_ones.enter_context(socket.socket(socket.AF_INET, kind)).bind((host, port))
            return found[0], found[1]


class Baresip:
    """One telephone. ``says`` is the tone that it says when it talks."""

    def __init__(self, folder: Path, host: str, port: int, says: float) -> None:
        self.folder, self.host, self.port, self.says = folder, host, port, says
        self.events: list[dict[str, Any]] = []
        self.process: asyncio.subprocess.Process
        self._asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None]

    async def begin(self, control: int) -> None:
        """Wait until it can be told what to do."""
        log = (self.folder / "log").open("wb")
        command = ("baresip", "-4", "-s", "-f", str(self.folder))
        nothing = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=log, stderr=log)
        log.close()
        async with asyncio.timeout(40):
            while True:
                assert self.process.returncode is None, self.log
                with contextlib.suppress(OSError):
                    reader, self._writer = await asyncio.open_connection(HOUSE, control)
                    self._reading = asyncio.create_task(self._read(reader))
                    return
                await asyncio.sleep(0.02)

    @property
    def log(self) -> str:
        """What it said and heard on the wire."""
        return (self.folder / "log").read_text("utf-8", "replace")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                said = json.loads((await reader.readexactly(size + 1))[:-1])
                if said.get("event"):
                    self.events.append(said)
                else:
                    self._asked.put_nowait(said)

    async def told(self, command: str, words: str = "") -> str:
        """Tell it to do something; what it answers."""
        content = json.dumps({"command": command, "params": words}).encode()
        self._writer.write(b"%d:%s," % (len(content), content))
        await self._writer.drain()
        async with asyncio.timeout(40):
            found = await self._asked.get()
        assert found["ok"], found
        return str(found["data"])

    async def happens(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait until something has happened for the nth time."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.events if one["type"] == kind]

        try:
            await until(lambda: len(found()) >= count, 40)
        except TimeoutError as error:
            raise AssertionError(f"never: {kind}; {self.events}\n{self.log[-6000:]}") from error
        return found()[count - 1]

    async def signs_in(self) -> None:
        """Wait until its account is known where it signs in; that can be before it tells us of events."""
        await until(lambda: "[1 binding]" in self.log, 40)

    def heard(self, seconds: float = 0.4) -> Samples:
        """What it heard last, at 8 kHz."""
        files = sorted(self.folder.glob("dump-*dec.wav"), key=lambda path: path.stat().st_mtime_ns)
        if not files:
            return np.zeros(160, np.int16)
        content = files[-1].read_bytes()
        samples = np.frombuffer(content[HEAD : HEAD + (len(content) - HEAD) // 2 * 2], np.int16)
        return samples[-round(seconds * 8000) :]

    async def flows(self) -> None:
        """Wait until it sends and gets as much as G.711 comes to, by its own count."""

        def so() -> bool:
            found = re.findall(r"audio=(\d+)/(\d+)", self.log)[-1:]
            return any(min(int(one), int(other)) > FLOW for one, other in found)

        await until(so, 40)

    async def end(self) -> None:
        """End it."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()
        if self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self.process.wait()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


def _written(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n", "utf-8")


@contextlib.asynccontextmanager
async def baresip(
    folder: Path, user: str, *, host: str = HOUSE, says: float = 1000, account: str = "", settings: str = ""
) -> AsyncIterator[Baresip]:
    """A telephone with one account: nobody's, so that it calls and is called by address, or as ``account`` says.
    Its sound leaves by whatever address leads there, so it is at home where the house is."""
    port, control = free_ports(host)
    modules = ("g711", "ausine", "aubridge", "sndfile")
    lines = [
        f"sip_listen {host}:{port}",
        f"net_interface {host}",
        f"module_path {MODULES}",
        *(f"module {name}.so" for name in modules),
        "module_tmp account.so",
        "module_app menu.so",
        "module_app ctrl_tcp.so",
        f"ctrl_tcp_listen {HOUSE}:{control}",
        f"audio_source ausine,{says:.0f}",
        "ausrc_srate 48000",  # its tones come so and not otherwise
        "ausrc_channels 2",
        "audio_player aubridge,ears",
        "audio_alert aubridge,bell",
        f"snd_path {folder}",
        settings,
    ]
    _written(
        folder,
        config="\n".join(lines),
        accounts=account or f"<sip:{user}@{host}:{port}>;regint=0",
        contacts="",
    )
    made = Baresip(folder, host, port, says)
    try:
        await made.begin(control)
        yield made
    finally:
        if hasattr(made, "_reading"):
            await made.end()
        elif hasattr(made, "process") and made.process.returncode is None:
            made.process.kill()
            await made.process.wait()
