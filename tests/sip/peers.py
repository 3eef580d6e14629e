"""The other side of calls: SIPp with scenarios of ours, and a socket that says what no proper telephone would."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

SCENARIOS = Path(__file__).parent / "scenarios"
PEER = "127.0.0.2"
HOUSE = "127.0.0.1"
OFFER = b"v=0\r\no=house 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\na=sendrecv\r\n"


def body(way: str = "sendrecv", version: int = 1) -> bytes:
    """A body of ours; ``way`` as RFC 3264 says it."""
    return OFFER.replace(b"house 1 1", b"house 1 %d" % version).replace(b"sendrecv", way.encode())


async def until(true: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until it is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 -- what is waited for happens in other threads and programs too
            await asyncio.sleep(0.005)


def bound(host: str, port: int) -> bool:
    """Does anybody listen there for UDP?"""
    return f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}" in Path("/proc/net/udp").read_text("ascii")


def free_udp_port(host: str = PEER) -> int:
    """A port for UDP that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Sipp:
    """One run of SIPp. ``done`` waits for it and fails with what it says went wrong."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, port: int) -> None:
        self.process = process
        self.folder = folder
        self.port = port

    async def done(self, *, code: int = 0) -> None:
        """Wait until it ends, with this code."""
        out, _ = await self.process.communicate()
        if self.process.returncode != code:
            faults = "\n".join(path.read_text(errors="replace") for path in self.folder.glob("*.err"))
            raise AssertionError(
                f"SIPp ended with {self.process.returncode}: {faults}\n{out.decode(errors='replace')[-2000:]}"
            )

    async def end(self) -> None:
        """End it when it still runs."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def start_sipp(
    folder: Path,
    name: str,
    house_port: int,
    *,
    calls: int = 1,
    host: str = PEER,
    port: int = 0,
    dialled: str = "+12025550100",
    caller: str = "+12025550123",
    options: tuple[str, ...] = (),
    **words: str,
) -> Sipp:
    """Begin a scenario. One that is called is listening when this returns."""
    own = folder / f"{name}-{free_udp_port()}"
    own.mkdir()
    text = (SCENARIOS / f"{name}.xml").read_text("utf-8")
    for word in ("more", *words):
        text = text.replace(f"      {{{{{word}}}}}\n", f"      {words[word]}\n" if words.get(word) else "").replace(
            f"{{{{{word}}}}}", words.get(word, "")
        )
    (own / "scenario.xml").write_text(text, "utf-8")
    port = port or free_udp_port(host)
    command = [
        "sipp",
        "-sf",
        "scenario.xml",
        "-m",
        str(calls),
        "-i",
        host,
        "-p",
        str(port),
        "-s",
        dialled,
        "-key",
        "caller",
        caller,
    ]
    command += [
        "-nostdin",
        "-timeout",
        "9s",
        "-timeout_error",
        "-trace_err",
        "-error_file",
        "sipp.err",
        "-recv_timeout",
        "8000",
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        *options,
        f"{HOUSE}:{house_port}",
        cwd=own,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    await until(lambda: process.returncode is not None or bound(host, port))
    return Sipp(process, own, port)


class Rogue(asyncio.DatagramProtocol):
    """A socket that sends anything and keeps what it gets."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self.answers: list[bytes] = []
        self._heard = heard
        self.wire: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self.wire = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Something came."""
        self.answers.append(data)
        self._heard()


class Stranger:
    """A rogue with what a test asks of it."""

    def __init__(self, house_port: int) -> None:
        self.house = (HOUSE, house_port)
        self._news = asyncio.Event()
        self.rogue = Rogue(self._news.set)

    @property
    def codes(self) -> list[int]:
        """The codes of the answers."""
        return [int(one.split(b" ", 2)[1]) for one in self.rogue.answers if one.startswith(b"SIP/2.0 ")]

    @property
    def port(self) -> int:
        """Its own port."""
        assert self.rogue.wire
        return int(self.rogue.wire.get_extra_info("sockname")[1])

    def send(self, data: bytes | str) -> None:
        """Send one datagram."""
        assert self.rogue.wire
        self.rogue.wire.sendto(data.encode() if isinstance(data, str) else data, self.house)

    async def hears(self, count: int = 1, seconds: float = 4) -> list[int]:
        """Wait for so many answers in all."""
        async with asyncio.timeout(seconds):
            while len(self.rogue.answers) < count:
                self._news.clear()
                await self._news.wait()
        return self.codes

    def request(
        self, method: str, *, call: str = "one", number: int = 1, to_tag: str = "", more: str = "", data: bytes = b""
    ) -> bytes:
        """A proper request."""
        tag = f";tag={to_tag}" if to_tag else ""
        text = (
            f"{method} sip:+12025550100@{HOUSE} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{call}{number}{method};rport\r\n"
            f"From: <sip:+12025550123@{self.host}>;tag=ft{call}\r\nTo: <sip:+12025550100@{HOUSE}>{tag}\r\nCall-ID: {call}@rogue\r\n"
            f"CSeq: {number} {method}\r\nContact: <sip:rogue@{self.host}:{self.port}>\r\nMax-Forwards: 70\r\n{more}"
            f"Content-Type: application/sdp\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return text.encode() + data

    def asked(self, method: str) -> list[str]:
        """The requests of a method that came."""
        return [one.decode() for one in self.rogue.answers if one.startswith(f"{method} ".encode())]

    def reply(self, request: str, line: str, *fields: str, tag: str = "") -> None:
        """Answer a request."""
        kept = [one for one in request.split("\r\n") if one.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        kept = [f"{one};tag={tag}" if tag and one.startswith("To:") else one for one in kept]
        self.send("\r\n".join([f"SIP/2.0 {line}", *kept, *fields, "Content-Length: 0", "", ""]))

    @property
    def host(self) -> str:
        """Its own address."""
        assert self.rogue.wire
        return str(self.rogue.wire.get_extra_info("sockname")[0])


@contextlib.asynccontextmanager
async def stranger(house_port: int, host: str = "127.0.0.9", port: int = 0) -> AsyncIterator[Stranger]:
    """A socket at an address that nobody arranged anything with."""
    found = Stranger(house_port)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: found.rogue, local_addr=(host, port))
    try:
        yield found
    finally:
        assert found.rogue.wire
        found.rogue.wire.close()
        await asyncio.sleep(0)
