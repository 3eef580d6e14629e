"""``calls``: telephone calls through a running product, each offered to one of 20 agents, taken, heard on the agent's telephone and hung
up: how long after the queue an offer stands in the browser, and what the process that moves sound has left after many.

``EVERYLINE_BENCH_CALLS`` calls (10,000), ``EVERYLINE_BENCH_RATE`` a second (2). What is held is counted after a first tenth and after
all, each time when nothing goes on and the answers that the signalling keeps for repetition are gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from dataclasses import dataclass

import httpx  # noqa: TID253 -- agents' browsers, in a benchmark
import psutil
import psycopg

from benchmarks.stage import Product, cli, percentile, product, report
from benchmarks.streams import Stream, open_all
from everyline.media import negotiation, sdp
from everyline.media.negotiation import Place
from everyline.people.passwords import token_hash
from everyline.sip.events import Answered, Ended
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk

CALLS = int(os.environ.pop("EVERYLINE_BENCH_CALLS", "10000"))
RATE = float(os.environ.pop("EVERYLINE_BENCH_RATE", "2"))
WARM = min(max(CALLS // 10, 10), 500)
REST = 75.0 if CALLS >= 1000 else 20.0  # seconds; sippy keeps answers for repetition for up to 64
AGENTS = 20
TALK_SECONDS = 1.0
GIVE_UP_SECONDS = 40.0
FAR, NUMBER = "127.0.0.2", "+18005550199"


def free_udp() -> int:
    """A port of UDP that is free on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Browser(Stream):
    """An agent's browser: it takes whatever is offered. ``seen``: by entry, when its offer came."""

    def __init__(self, agent_id: int, web: httpx.AsyncClient) -> None:
        self.cookie = f"bench-{agent_id}"
        super().__init__(f"/live?topics=agent:{agent_id}", f"Cookie: everyline={self.cookie}")
        self.agent_id, self.web = agent_id, web
        self.seen: dict[int, float] = {}
        self.taken = self.read = 0

    async def post(self, path: str, **values: str) -> httpx.Response:
        return await self.web.post(path, data=values, headers={"cookie": f"everyline={self.cookie}"})

    async def work(self) -> None:
        """Take offers as they come."""
        while True:
            new, self.read = self.got[self.read :], len(self.got)
            for at, line in new:
                event = json.loads(line[6:])
                if event["kind"] == "offer.made":
                    self.seen[event["entry_id"]] = at
                    answer = await self.post(f"/desk/offers/{event['offer_id']}/accept")
                    self.taken += answer.status_code == 303 and "over=1" not in answer.headers["location"]
            await asyncio.sleep(0.005)


@dataclass
class Town:
    """The telephone network around the house: callers, and the agents' telephones."""

    far: SipExchange
    description: bytes
    answered: int = 0
    rung: int = 0
    failed: int = 0

    async def ring(self, call: IncomingCall) -> None:
        """An agent's telephone: it answers, and lives until it is hung up."""
        self.rung += 1
        call.answer(self.description)
        async for _event in call.events():
            pass

    async def call(self, number: int, taken: asyncio.Event) -> None:
        """One caller: waits until an agent was there for a while, and hangs up."""
        made = self.far.call(
            NUMBER,
            ("house",),
            caller=Caller(f"+1360555{number % 10_000:04d}", ""),
            rules=NumberRules(),
            offer=self.description,
        )
        up = asyncio.Event()

        async def attend() -> None:
            async for event in made.events():
                if isinstance(event, Answered):
                    self.answered += 1
                    up.set()
                if isinstance(event, Ended):
                    up.set()

        attending = asyncio.create_task(attend())
        await up.wait()
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                await taken.wait()
            await asyncio.sleep(TALK_SECONDS)
        except TimeoutError:
            self.failed += 1
        await made.hang_up()
        await attending


class Work:
    """The product with its agents at work."""

    def __init__(self, found: Product, town: Town, browsers: list[Browser]) -> None:
        self.found, self.town, self.browsers = found, town, browsers
        self.made = 0

    async def calls(self, count: int) -> None:
        """So many calls at the rate; then until all are over."""
        waiting: list[asyncio.Event] = []
        tasks: list[asyncio.Task[None]] = []
        goes = asyncio.create_task(self._hand_out(waiting))
        began = time.monotonic()
        for step in range(count):
            waiting.append(asyncio.Event())
            tasks.append(asyncio.create_task(self.town.call(self.made, waiting[-1])))
            self.made += 1
            await asyncio.sleep(max(began + (step + 1) / RATE - time.monotonic(), 0))
        await asyncio.gather(*tasks)
        goes.cancel()

    async def _hand_out(self, waiting: list[asyncio.Event]) -> None:
        """As many callers hang up as agents' telephones rang: the oldest first, as they are served."""
        before = self.town.rung
        while True:
            for one in waiting[: self.town.rung - before]:
                one.set()
            await asyncio.sleep(0.02)

    async def held(self) -> dict[str, float]:
        """What the process that moves sound has, when nothing goes on."""
        await asyncio.sleep(REST)
        process = self.found.role("media")
        async with await psycopg.AsyncConnection.connect(self.found.database_url) as connection:
            row = await (
                await connection.execute("select holds from sound_node order by beat_at desc limit 1")
            ).fetchone()
        assert row
        counts = {f"{name}_count": count for name, count in {**row[0], "files": process.num_fds()}.items()}
        return {**counts, "memory_mb": _memory(process) / 2**20}


def _memory(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss)


async def agents(found: Product, port: int, web: httpx.AsyncClient) -> list[Browser]:
    """Who is signed in, hears calls on a telephone, and is available."""
    async with await psycopg.AsyncConnection.connect(found.database_url, autocommit=True) as connection:
        await connection.execute("update queue set hours_id = null, wrap_up_seconds = 0, earlier_agent = 'off'")
        rows = await (
            await connection.execute(
                "insert into agent (email, name, role) select 'a' || n || '@bench.example', 'Agent ' || n, 'agent' from generate_series(1, %s) n returning id",
                (AGENTS,),
            )
        ).fetchall()
        browsers = [Browser(row[0], web) for row in rows]
        for one in browsers:
            await connection.execute(
                "insert into sign_in (token_hash, agent_id, expires_at) values (%s, %s, now() + interval '1 day')",
                (token_hash(one.cookie), one.agent_id),
            )
            await connection.execute("insert into membership (queue_id, agent_id) values (1, %s)", (one.agent_id,))
            await connection.execute(
                "insert into agent_state (agent_id) values (%s) on conflict do nothing", (one.agent_id,)
            )
            await connection.execute(
                "insert into reach (agent_id, number) values (%s, %s)",
                (one.agent_id, f"sip:agent{one.agent_id}@{FAR}:{port}"),
            )
    for one in browsers:
        answer = await one.post("/desk/state", choice="available")
        if answer.status_code >= 400:
            answer.raise_for_status()
    return browsers


async def entered(url: str) -> dict[int, float]:
    """When each entry of the queue was there."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await (
            await connection.execute(
                "select cast(data->>'entry_id' as bigint), extract(epoch from at)::float from event where kind = 'queue_entry.entered'"
            )
        ).fetchall()
    return {row[0]: row[1] for row in rows}


async def run(found: Product, port: int, far_port: int) -> None:
    """Call, count, report."""
    towns: list[Town] = []
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deaf.bind((FAR, 0))
    description = sdp.write(negotiation.offer(Place(FAR, deaf.getsockname()[1])))
    host, web_port = found.address.removeprefix("http://").split(":")
    async with (
        SipExchange(Listening(FAR, far_port), (), lambda call: towns[0].ring(call)) as far,
        httpx.AsyncClient(base_url=found.address, timeout=30) as web,
    ):
        towns.append(Town(far, description))
        await far.arrange([Trunk("house", "127.0.0.1", port, trusted=True)])
        browsers = await agents(found, far_port, web)
        await open_all(browsers, host, int(web_port))
        working = [asyncio.create_task(one.work()) for one in browsers]
        work = Work(found, towns[0], browsers)
        await work.calls(WARM)
        before = await work.held()
        await work.calls(CALLS - WARM)
        after = await work.held()
        for task in working:
            task.cancel()
        seen = {entry: at for one in browsers for entry, at in one.seen.items()}
        began = await entered(found.database_url)
        late = [at - began[entry] for entry, at in seen.items() if entry in began]
        for one in browsers:
            one.close()
    report(
        "calls",
        {
            "calls_count": work.made,
            "answered_count": towns[0].answered,
            "taken_count": sum(one.taken for one in browsers),
            "failed_count": towns[0].failed,
            "offer_p50_ms": percentile(late, 0.5) * 1e3,
            "offer_p99_ms": percentile(late, 0.99) * 1e3,
            **{f"before_{name}": value for name, value in before.items()},
            **{f"after_{name}": value for name, value in after.items()},
            "memory_growth_percent": 100 * (after["memory_mb"] / before["memory_mb"] - 1),
        },
        {
            "offer_p99_ms": 300,
            "failed_count": 0,
            "after_legs_count": before["legs_count"],
            "after_mixes_count": before["mixes_count"],
            "after_tasks_count": before["tasks_count"],
            "after_files_count": before["files_count"] + 8,  # connections to the database come and go
            "memory_growth_percent": 5,
        },
    )


def main() -> None:
    """A product with a line, and its town."""
    port, far_port = free_udp(), free_udp()
    with product(phone_host="127.0.0.1", phone_port=str(port)) as found:
        cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
        chosen = (f"host={FAR}", f"port={far_port}", "waits_alone=true", "calls_in_a_minute=100000", "most_calls=2000")
        asked = [part for one in chosen for part in ("--set", one)]
        cli(found.data, "line", "add", "phone", NUMBER, "--name", "Toll-free", *asked)
        time.sleep(5)  # the process that takes calls opens the line
        asyncio.run(run(found, port, far_port))


if __name__ == "__main__":
    main()
