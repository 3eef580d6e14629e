"""``accept``: mails accepted durably by the web role over HTTP at 32 connections, and the processor time of one."""

from __future__ import annotations

import asyncio
import time

import psutil

from benchmarks.stage import cli, cpu, product, report

CONNECTIONS = 32
SECONDS = 8.0
BODY = b"x" * 1500


def mail(number: int) -> bytes:
    """A short mail with an id of its own."""
    return (
        b"From: Jane Doe <jane@example.org>\r\nTo: help@county.example\r\nSubject: Hello\r\nDate: Mon, 16 Mar 2026 08:00:00 +0000\r\n"
        b"Message-ID: <%d@example.org>\r\n\r\n" % number
    ) + BODY


async def connection(host: str, port: int, path: str, token: str, numbers: asyncio.Queue[int], end: float) -> int:
    """Hand in mails one after the other over one kept connection until the time is over; returns how many were kept."""
    reader, writer = await asyncio.open_connection(host, port)
    kept = 0
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: message/rfc822\r\n".encode()
    while time.monotonic() < end:
        body = mail(numbers.get_nowait())
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        status = await reader.readline()
        if b" 202 " not in status:
            raise RuntimeError(status.decode())
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        kept += 1
    writer.close()
    return kept


async def load(address: str, token: str, seconds: float) -> int:
    """The load of all connections."""
    host, port = address.removeprefix("http://").split(":")
    numbers: asyncio.Queue[int] = asyncio.Queue()
    start = time.time_ns()
    for step in range(400_000):
        numbers.put_nowait(start + step)
    end = time.monotonic() + seconds
    counts = await asyncio.gather(
        *(connection(host, int(port), "/api/v1/lines/1/inbound", token, numbers, end) for _ in range(CONNECTIONS))
    )
    return sum(counts)


def main() -> None:
    """Measure and report; the worker is paused, so that only what accepting costs is measured."""
    with product() as found:
        cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
        cli(found.data, "line", "add", "email", "help@county.example")
        token = cli(found.data, "token", "add", "bench", "--as", "admin@county.example")
        web = found.role("web")
        servers = [child for child in psutil.process_iter(["name"]) if child.info["name"] == "postgres"]
        found.role("worker").suspend()
        try:
            asyncio.run(load(found.address, token, 1.0))
            before, database_before, began = (
                cpu(web),
                sum(cpu(one) for one in servers if one.is_running()),
                time.monotonic(),
            )
            kept = asyncio.run(load(found.address, token, SECONDS))
            seconds = time.monotonic() - began
            used, database_used = (
                cpu(web) - before,
                sum(cpu(one) for one in servers if one.is_running()) - database_before,
            )
        finally:
            found.role("worker").resume()
        report(
            "accept",
            {
                "messages_per_second": kept / seconds,
                "application_cpu_per_message_us": used / kept * 1e6,
                "database_cpu_per_message_us": max(database_used, 0.0) / kept * 1e6,
            },
            {"application_cpu_per_message_us": 250},
        )


if __name__ == "__main__":
    main()
