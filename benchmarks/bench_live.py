"""``live``: 5,000 open streams on one web process and 200 targeted events a second: how late they are, what a stream
costs, and whether any is lost when all browsers come back at once."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from dataclasses import dataclass, field

import psycopg

from benchmarks.stage import cli, percentile, product, report
from everyline.people.passwords import token_hash

STREAMS = 5000
RATE = 200  # events a second
SECONDS = 10
AT_ONCE = 100  # connections being made at a time


@dataclass
class Browser:
    """One stream, and what it got."""

    agent_id: int
    cookie: str
    last_id: str = ""
    got: dict[int, float] = field(default_factory=dict)  # number of the event to when it came
    writer: asyncio.StreamWriter | None = None
    task: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Begin the stream, from where the last one ended."""
        reader, writer = await asyncio.open_connection(host, port, limit=2**14)
        after = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        request = f"GET /live?topics=agent:{self.agent_id} HTTP/1.1\r\nHost: {host}\r\nCookie: everyline={self.cookie}\r\n{after}\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode())
        self.writer, self.task = writer, asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"id: "):
                self.last_id = line[4:].decode().strip()
            elif line.startswith(b'data: {"kind":"bench.said"'):
                self.got[json.loads(line[6:])["number"]] = time.time()
            elif line.startswith(b'data: {"kind":"live.reset"'):
                raise RuntimeError("a stream was told to read everything again")

    async def close(self) -> None:
        """Go away without a word, as a browser does."""
        if self.task:
            self.task.cancel()
        if self.writer:
            self.writer.transport.abort()


async def open_all(browsers: list[Browser], host: str, port: int) -> float:
    """Open all streams; returns the seconds it took."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(browser: Browser) -> None:
        async with gate:
            await browser.open(host, port)

    began = time.monotonic()
    await asyncio.gather(*(one(browser) for browser in browsers))
    return time.monotonic() - began


async def say(url: str, browsers: list[Browser], seconds: float, first: int) -> dict[int, tuple[int, float]]:
    """Write events at the rate; returns for each number whom it was for and when it was committed."""
    said: dict[int, tuple[int, float]] = {}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        began = time.monotonic()
        for step in range(int(seconds * RATE)):
            browser = browsers[(first + step) * 7919 % len(browsers)]
            data = json.dumps({"number": first + step})
            await connection.execute(
                "insert into event (at, kind, agent_id, data) values (now(), 'bench.said', %s, %s)",
                (browser.agent_id, data),
            )
            said[first + step] = (browser.agent_id, time.time())
            await connection.execute("notify everyline")
            await asyncio.sleep(max(began + (step + 1) / RATE - time.monotonic(), 0))
    return said


def people(url: str) -> list[Browser]:
    """Agents who are signed in, one a stream."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "insert into agent (email, name, role) select 'a' || n || '@bench.example', 'Agent ' || n, 'agent' from generate_series(1, %s) n returning id",
            (STREAMS,),
        ).fetchall()
        found = [Browser(row[0], f"bench-{row[0]}") for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into sign_in (token_hash, agent_id, expires_at) values (%s, %s, now() + interval '1 day')",
                [(token_hash(browser.cookie), browser.agent_id) for browser in found],
            )
    return found


async def main() -> None:
    """Open, say, break, say while away, come back, count."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with product() as found:
        cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
        browsers = people(found.database_url)
        host, port_text = found.address.removeprefix("http://").split(":")
        port, web = int(port_text), found.role("web")
        await asyncio.sleep(1)
        before = web.memory_info().rss
        opened = await open_all(browsers, host, port)
        await asyncio.sleep(2)
        size = (web.memory_info().rss - before) / len(browsers)
        said = await say(found.database_url, browsers, SECONDS, 0)
        await asyncio.sleep(1)
        by_agent = {browser.agent_id: browser for browser in browsers}
        late = [
            by_agent[agent_id].got[number] - at
            for number, (agent_id, at) in said.items()
            if number in by_agent[agent_id].got
        ]
        lost = len(said) - len(late)
        for browser in browsers:
            await browser.close()
        away = await say(found.database_url, browsers, 3, len(said))
        back = await open_all(browsers, host, port)
        await asyncio.sleep(2)
        lost_over = sum(1 for number, (agent_id, _at) in away.items() if number not in by_agent[agent_id].got)
        for browser in browsers:
            await browser.close()
        report(
            "live",
            {
                "streams_count": len(browsers),
                "delay_p50_ms": percentile(late, 0.5) * 1e3,
                "delay_p99_ms": percentile(late, 0.99) * 1e3,
                "memory_per_stream_kb": size / 1024,
                "lost_count": lost,
                "lost_over_reconnect_count": lost_over,
                "opening_all_s": opened,
                "coming_back_all_s": back,
            },
            {"delay_p99_ms": 50, "memory_per_stream_kb": 45, "lost_count": 0, "lost_over_reconnect_count": 0},
        )


if __name__ == "__main__":
    asyncio.run(main())
