"""``board``: 50 viewers, 100 queues, 5,000 agents, 2,000 entries that wait: how long after its event a figure has changed on the
viewers' streams, what a change costs the web process, and how long after an agent accepted an offer their own screen knows."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import text

from benchmarks.stage import cli, cpu, percentile, product, report
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import Settings
from everyline.people.passwords import token_hash
from everyline.queues import actions

VIEWERS = 50
QUEUES = 100
AGENTS = 5000
ENTRIES = 2000
RATE = 20  # changes of state a second, the background of a busy house
SECONDS = 20
ACCEPTS = 200

STAGE = f"""
insert into queue (name, hue, position) select 'Queue ' || n, n % 12, n from generate_series(1, {QUEUES}) n;
insert into agent (email, name, role) select 'a' || n || '@bench.example', 'Agent ' || n, 'agent' from generate_series(1, {AGENTS}) n;
insert into agent_state (agent_id, state, since, idle_since)
    select id, case when id % 5 = 0 then 'away' else 'available' end, now(), now() from agent where role = 'agent' on conflict do nothing;
insert into membership (queue_id, agent_id)
    select q.id, a.id from agent a join queue q on q.name like 'Queue %' and (q.position = a.id % {QUEUES} + 1 or q.position = (a.id * 7) % {QUEUES} + 1)
    where a.role = 'agent' on conflict do nothing;
insert into customer (name) values ('Bench customer');
insert into line (channel, address, name, queue_id) values ('email', 'bench@county.example', 'Bench', (select id from queue where name = 'Queue 1'));
"""

CASES = """
with made as (
    insert into "case" (number, customer_id, queue_id, line_id, subject, status)
    select 900000 + n, (select max(id) from customer), (select id from queue where name = 'Queue ' || (n %% %(queues)s + 1)), (select max(id) from line), 'Bench', 'new'
    from generate_series(1, %(entries)s) n returning id, queue_id
),
came as (
    insert into interaction (case_id, line_id, channel, media_class, direction, started_at)
    select id, (select max(id) from line), 'email', 'mail', 'in', now() from made returning id, case_id
)
insert into queue_entry (queue_id, interaction_id, case_id, channel, media_class, weight, offer_seconds, waiting_since)
select made.queue_id, came.id, made.id, 'email', 'mail', 20, 90, now() - interval '1 second' * (made.id %% 900)
from made join came on came.case_id = made.id
"""


@dataclass
class Screen:
    """A stream of a browser, and when it was told what."""

    cookie: str
    topics: str
    told: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    frames: list[tuple[float, dict[str, object]]] = field(default_factory=list)
    bytes_read: int = 0
    writer: asyncio.StreamWriter | None = None
    task: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Begin the stream and wait for its first words."""
        reader, self.writer = await asyncio.open_connection(host, port, limit=2**22)
        self.writer.write(
            f"GET /live?topics={self.topics} HTTP/1.1\r\nHost: {host}\r\nCookie: everyline={self.cookie}\r\n\r\n".encode()
        )
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(status.decode())
        self.task = asyncio.create_task(self._read(reader))
        async with asyncio.timeout(30):
            await self.told.wait()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            self.bytes_read += len(line)
            self.told.set()
            if line.startswith(b"data: {"):
                frame = json.loads(line[6:])
                if not self.accepted.is_set():  # the last frame of an agent's screen is the one that is timed
                    self.frames.append((time.time(), frame))
                if frame["kind"] == "interaction.accepted":
                    self.accepted.set()

    async def close(self) -> None:
        """Go away."""
        if self.task:
            self.task.cancel()
        if self.writer:
            self.writer.transport.abort()


def viewers(url: str) -> tuple[list[str], list[int]]:
    """Supervisors' cookies, and the agents."""
    with psycopg.connect(url) as connection:
        connection.execute(STAGE)
        connection.execute(CASES, {"queues": QUEUES, "entries": ENTRIES})
        found = []
        for number in range(VIEWERS):
            row = connection.execute(
                "insert into agent (email, name, role, all_queues) values (%s, %s, 'supervisor', true) returning id",
                (f"s{number}@bench.example", f"Supervisor {number}"),
            ).fetchone()
            assert row is not None
            found.append(f"viewer-{row[0]}")
            connection.execute(
                "insert into sign_in (token_hash, agent_id, expires_at) values (%s, %s, now() + interval '1 day')",
                (token_hash(found[-1]), row[0]),
            )
        agents = [
            row[0] for row in connection.execute("select id from agent where role = 'agent' order by id").fetchall()
        ]
        connection.execute("analyze")
    return found, agents


@asynccontextmanager
async def ground_of(data: object, url: str) -> AsyncIterator[Ground]:
    """The product's ground beside its processes, as the worker has it."""
    async with standing(Settings(data=data), url) as ground:
        yield ground


async def change(ground: Ground, agent_id: int, step: int) -> float:
    """Change an agent's state; returns the moment of the commit."""
    async with ground.database.transaction() as tx:
        await actions.change_state(
            tx, agent_id, agent_id, "away" if step % 2 else "available", "lunch" if step % 2 else ""
        )
    return time.time()


async def figures(ground: Ground, screens: list[Screen], agents: list[int]) -> tuple[list[float], int]:
    """Background changes at the rate, and once a second a move that is looked for on every screen."""
    background = asyncio.create_task(busy(ground, agents[1000:]))
    late: list[float] = []
    missed = 0
    async with ground.database.transaction() as tx:
        entries = await tx.rows(
            text("select id, queue_id from queue_entry where state = 'waiting' order by id desc limit 100")
        )
        queues = await tx.column(text("select id from queue where name like 'Queue %' order by position"))
    for step in range(SECONDS):
        entry = entries[step]
        target = queues[(queues.index(entry.queue_id) + 1) % len(queues)]
        places = [len(screen.frames) for screen in screens]
        async with ground.database.transaction() as tx:
            await actions.move_entry(tx, None, entry.id, target)
        at = time.time()
        await asyncio.sleep(1.6)
        cell = f"queue-{target}.waiting"
        for screen, place in zip(screens, places, strict=True):
            came = next((when for when, frame in screen.frames[place:] if cell in frame.get("cells", {})), None)  # type: ignore[operator]  # -- a dict
            if came is None:
                missed += 1
            else:
                late.append(max(came - at, 0.0))
    background.cancel()
    await asyncio.gather(background, return_exceptions=True)
    return late, missed


async def busy(ground: Ground, agents: list[int]) -> None:
    """Agents who come and go."""
    step, began = 0, time.monotonic()
    while True:
        await change(ground, agents[step * 7919 % len(agents)], step)
        step += 1
        await asyncio.sleep(max(began + step / RATE - time.monotonic(), 0))


async def accepting(ground: Ground, host: str, port: int, agents: list[int]) -> list[float]:
    """Offers accepted one after the other, each with its agent's stream open: from the acceptance's beginning to the screen."""
    late: list[float] = []
    async with ground.database.transaction() as tx:
        entries = await tx.column(
            text("select id from queue_entry where state = 'waiting' order by id limit :n"), {"n": ACCEPTS}
        )
    for entry_id, agent_id in zip(entries, agents, strict=False):
        async with ground.database.transaction() as tx:
            offer_id = await tx.value(
                text(
                    "with o as (update queue_entry set state = 'offered' where id = :entry and state = 'waiting' returning id) "
                    "insert into offer (entry_id, agent_id, offered_at, expires_at) select id, :agent, now(), now() + interval '90 seconds' from o returning id"
                ),
                {"entry": entry_id, "agent": agent_id},
            )
            await tx.execute(
                text(
                    "insert into sign_in (token_hash, agent_id, expires_at) values (:hash, :agent, now() + interval '1 day') on conflict do nothing"
                ),
                {"hash": token_hash(f"agent-{agent_id}"), "agent": agent_id},
            )
        if offer_id is None:
            continue
        screen = Screen(f"agent-{agent_id}", f"agent:{agent_id}")
        await screen.open(host, port)
        began = time.time()
        async with ground.database.transaction() as tx:
            await actions.accept(tx, agent_id, offer_id)
        async with asyncio.timeout(10):
            await screen.accepted.wait()
        late.append(screen.frames[-1][0] - began)
        await screen.close()
    return late


async def main() -> None:
    """Fill, look, act, count."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with product() as found:
        cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
        found.role("worker").suspend()  # the distributor would offer these entries; it has a benchmark of its own
        cookies, agents = viewers(found.database_url)
        host, port_text = found.address.removeprefix("http://").split(":")
        port, web = int(port_text), found.role("web")
        cuts = ("queue", "queue", "queue", "channel", "team")
        screens = [Screen(cookie, f"board:{cuts[n % 5]}") for n, cookie in enumerate(cookies)]
        try:
            began = time.monotonic()
            for screen in screens:
                await screen.open(host, port)
            opened = time.monotonic() - began
            await asyncio.sleep(1)
            async with ground_of(found.data, found.database_url) as ground:
                before, frames, volume = (
                    cpu(web),
                    sum(len(one.frames) for one in screens),
                    sum(one.bytes_read for one in screens),
                )
                start = time.monotonic()
                late, missed = await figures(ground, [one for one in screens if one.topics == "board:queue"], agents)
                seconds = time.monotonic() - start
                used = cpu(web) - before
                volume = sum(one.bytes_read for one in screens) - volume
                frames = sum(len(one.frames) for one in screens) - frames
                accepted = await accepting(ground, host, port, agents[:1000])
        finally:
            for screen in screens:
                await screen.close()
            found.role("worker").resume()
    report(
        "board",
        {
            "viewers_count": len(screens),
            "figure_p50_ms": percentile(late, 0.5) * 1e3,
            "figure_p99_ms": percentile(late, 0.99) * 1e3,
            "missed_count": missed,
            "frames_per_viewer_per_second": frames / len(screens) / seconds,
            "kilobytes_per_viewer_per_second": volume / len(screens) / seconds / 1024,
            "web_cpu_percent": used / seconds * 100,
            "opening_all_s": opened,
            "accept_p50_ms": percentile(accepted, 0.5) * 1e3,
            "accept_p99_ms": percentile(accepted, 0.99) * 1e3,
            "accepts_count": len(accepted),
        },
        {"figure_p99_ms": 1000, "missed_count": 0, "accept_p99_ms": 150},
    )


if __name__ == "__main__":
    asyncio.run(main())
