"""A telephone that others made: liblinphone's own for a terminal, told by its prompt what to do, with files for mouth and ears."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from everyline.media.g711 import Samples
from everyline.media.resampling import at_rate
from tests.media.tones import tone
from tests.sip.baresip import free_ports
from tests.sip.peers import HOUSE, free_udp_port, until

RATES = {"opus": 48_000, "PCMU": 8000, "PCMA": 8000, "G722": 16_000}  # of its files
SECONDS = 120  # of its tone
HEAD = 44  # bytes of a WAV file before its samples
SETTINGS = """[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
bind_address={host}
guess_hostname=0
contact=<sip:{user}@{host}:{port}>
use_ipv6=0
register_only_when_network_is_up=0
[rtp]
audio_rtp_port={sound}
[sound]
echocancellation=0
[misc]
"""


class Linphone:
    """One telephone. Its sound leaves by whatever address leads elsewhere, so that the house must take it from where it comes."""

    def __init__(self, folder: Path, host: str, port: int, codec: str) -> None:
        self.folder, self.host, self.port, self.codec = folder, host, port, codec
        self.process: asyncio.subprocess.Process

    async def begin(self) -> None:
        """Wait until it can be told what to do."""
        command = ("linphonec", "-c", str(self.folder / "settings"), "-S")
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self.folder), "TERM": "dumb"},
            )
        await self.says("linphonec>")
        await self.told("ipv6 disable")
        await self.told("codec disable all")
        await self.says(rf"(\d+): {self.codec} ")
        await self.told(f"codec enable {next(iter(re.findall(rf'([0-9]+): {self.codec} ', self.log)))}")
        await self.told("soundcard use files")
        await self.says("files instead of soundcard")
        await self.told(f"play {self.folder / 'mouth.wav'}")
        await self.told(f"record {self.folder / 'ears.wav'}")

    @property
    def log(self) -> str:
        """What it said at its prompt."""
        return (self.folder / "log").read_text("utf-8", "replace")

    async def told(self, command: str) -> None:
        """Tell it to do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        await self.process.stdin.drain()

    async def says(self, pattern: str, count: int = 1) -> None:
        """Wait until it has said so for the nth time."""
        try:
            await until(lambda: len(re.findall(pattern, self.log)) >= count, 40)
        except TimeoutError as error:
            raise AssertionError(f"never: {pattern}\n{self.log[-6000:]}") from error

    async def signs_in(self, address: str, at: str, password: str) -> None:
        """Give it an account, and wait until it is known there."""
        await self.told(f"register {address} sip:{at} {password}")
        async with asyncio.timeout(40):
            while "registered, identity" not in self.log:
                await self.told("status register")
                await asyncio.sleep(0.2)

    def heard(self, seconds: float = 0.4, rate: int = 8000) -> Samples:
        """What it heard last."""
        path = self.folder / "ears.wav"
        content = path.read_bytes() if path.exists() else b""
        samples = np.frombuffer(content[HEAD : HEAD + max(len(content) - HEAD, 0) // 2 * 2], np.int16)
        written = RATES[self.codec]
        return at_rate(samples[-round(seconds * written) :], written, rate)

    async def end(self) -> None:
        """End it."""
        if self.process.returncode is None:
            with contextlib.suppress(OSError):
                await self.told("quit")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self.process.wait()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@contextlib.asynccontextmanager
async def linphone(
    folder: Path, user: str, *, host: str = HOUSE, says: float = 1000, codec: str = "opus"
) -> AsyncIterator[Linphone]:
    """A telephone without an account: it calls and is called by address."""
    port, _control = free_ports(host)
    for part in (".config/linphone", ".local/share/linphone"):
        (folder / part).mkdir(parents=True)
    (folder / "settings").write_text(
        SETTINGS.format(host=host, port=port, user=user, sound=free_udp_port(host)), encoding="utf-8"
    )
    with wave.open(str(folder / "mouth.wav"), "wb") as mouth:
        mouth.setnchannels(1)
        mouth.setsampwidth(2)
        mouth.setframerate(16_000)
        mouth.writeframes(tone(says, SECONDS, rate=16_000).tobytes())
    made = Linphone(folder, host, port, codec)
    try:
        await made.begin()
        yield made
    finally:
        if hasattr(made, "process"):
            await made.end()
