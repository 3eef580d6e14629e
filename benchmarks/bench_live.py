"""``live``: 5,000 open streams on one web process and 200 targeted events a second: how late they are, what a stream
costs, and whether any is lost when all browsers come back at once."""

from __future__ import annotations

import asyncio
import json
import resource
import time

import psycopg

from benchmarks.stage import cli, percentile, product, report
from benchmarks.streams import Stream, open_all
from everyline.people.passwords import token_hash

STREAMS = 5000
RATE = 200  # events a second
SECONDS = 10


class Browser(Stream):
    """The stream of one agent."""

    def __init__(self, agent_id: int) -> None:
        cookie = f"bench-{agent_id}"
        super().__init__(f"/live?topics=agent:{agent_id}", f"Cookie: everyline={cookie}")
        self.agent_id, self.cookie = agent_id, cookie

    def heard(self) -> dict[int, float]:
        """By the number of each event, when it came."""
        events = ((at, json.loads(line[6:])) for at, line in self.got)
        return {event["number"]: at for at, event in events if event["kind"] == "bench.said"}


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
        found = [Browser(row[0]) for row in rows]
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
        heard = {agent_id: browser.heard() for agent_id, browser in by_agent.items()}
        late = [heard[agent_id][number] - at for number, (agent_id, at) in said.items() if number in heard[agent_id]]
        lost = len(said) - len(late)
        for browser in browsers:
            browser.close()
        away = await say(found.database_url, browsers, 3, len(said))
        back = await open_all(browsers, host, port)
        await asyncio.sleep(2)
        heard = {agent_id: browser.heard() for agent_id, browser in by_agent.items()}
        lost_over = sum(1 for number, (agent_id, _at) in away.items() if number not in heard[agent_id])
        for browser in browsers:
            browser.close()
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
