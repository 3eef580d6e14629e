"""An edge before the house: Debian's Kamailio with the configuration that we make."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from everyline.sip.edge import Edge, files
from tests.sip.peers import HOUSE

DOMAIN = "phones.example"


@dataclass
class Running:
    """An edge that runs."""

    port: int
    secure_port: int

    @property
    def at(self) -> str:
        """Its address and port."""
        return f"{HOUSE}:{self.port}"

    async def secretly(self, request: str) -> str:
        """What it answers to a request by TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is its own authority
        reader, writer = await asyncio.open_connection(HOUSE, self.secure_port, ssl=context)
        writer.write(request.encode())
        await writer.drain()
        async with asyncio.timeout(40):
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer.decode()


def certificate(folder: Path, name: str, authority: Path | None = None) -> tuple[Path, Path]:
    """A certificate for a name and its key: its own authority, or made by the one whose certificate stands at ``authority``."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    by = () if authority is None else ("-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")))
    told = (
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        str(key),
        "-out",
        str(made),
    )
    subprocess.run(("openssl", "req", "-x509", *by, *told), check=True, capture_output=True)
    return made, key


def _written(folder: Path, made: Edge) -> None:
    for name, content in files(made).items():
        (folder / name).write_text(content, "utf-8")


@contextlib.asynccontextmanager
async def kamailio(
    folder: Path,
    *nodes: str,
    phones: Mapping[str, str] | None = None,
    secure: Sequence[str] = (),
    authority: Path | None = None,
) -> AsyncIterator[Running]:
    """An edge before these nodes. ``secure``: its trunks by TLS, proved by ``authority``."""
    folder.mkdir(parents=True)  # noqa: ASYNC240 -- a moment
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(2)]
        for probe in probes:
            probe.bind((HOUSE, 0))
        port, secure_port = (int(probe.getsockname()[1]) for probe in probes)
    own, key = await asyncio.to_thread(certificate, folder, DOMAIN)
    made = Edge(
        DOMAIN,
        nodes,
        HOUSE,
        port,
        secure_port,
        str(own),
        str(key),
        phones or {},
        secure,
        str(authority or own),
        str(folder),
    )
    await asyncio.to_thread(_written, folder, made)
    async with running(folder, port, secure_port) as edge:
        yield edge


@contextlib.asynccontextmanager
async def running(folder: Path, port: int, secure_port: int = 0) -> AsyncIterator[Running]:
    """An edge by the configuration that stands in a folder; it is ended by its own number."""
    log = (folder / "log").open("wb")
    command = ("kamailio", "-f", str(folder / "kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder))
    process = await asyncio.create_subprocess_exec(*command, "-P", str(folder / "pid"), stdout=log, stderr=log)
    log.close()
    found = Running(port, secure_port)
    try:
        async with asyncio.timeout(20):
            while True:
                said = (folder / "log").read_text("utf-8", "replace")
                assert process.returncode is None, said
                with contextlib.suppress(OSError):
                    _reader, writer = await asyncio.open_connection(HOUSE, secure_port or port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield found
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
