"""``chat``: 2,000 open chats on one web and one worker process, 500 messages a second: how long a visitor's message takes to an
agent's stream; then 5,000 idle widgets: what each of their streams costs."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import secrets
import time

import psycopg

from benchmarks.stage import Product, cli, cpu, percentile, product, report
from benchmarks.streams import Stream, open_all
from everyline.people.passwords import token_hash

CHATS = int(os.environ.get("BENCH_CHATS", "2000"))
RATE = float(os.environ.get("BENCH_RATE", "500"))  # messages a second
SECONDS = 20
IDLE = int(os.environ.get("BENCH_IDLE", "5000"))
AGENTS = 500  # four chats each
CONNECTIONS = 64  # that posts go over
LINE = "help"


def of_visitor(token: str) -> Stream:
    """What the widget of a visitor reads."""
    return Stream(f"/in/webchat/{LINE}/stream", f"Authorization: Bearer {token}")


class Poster:
    """One kept connection that posts go over; opened again when the product has closed it, which it does after five quiet seconds."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, token: str, body: dict[str, object]) -> tuple[int, bytes]:
        """Post and read the answer."""
        content = json.dumps(body).encode()
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"POST /in/webchat/{LINE}/{path} HTTP/1.1\r\nHost: {self._host}\r\n{bearer}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        for _ in range(3):
            if self._reader is None or self._writer is None or self._reader.at_eof():
                self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
            try:
                self._writer.write(head.encode() + content)
                first = await self._reader.readline()
            except ConnectionError:
                first = b""
            if not first:
                self._reader = None
                continue
            length = 0
            while (line := await self._reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            return int(first.split()[1]), await self._reader.readexactly(length)
        raise RuntimeError("the product does not answer")


async def posters(host: str, port: int) -> asyncio.Queue[Poster]:
    """Connections for posts."""
    found: asyncio.Queue[Poster] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        found.put_nowait(Poster(host, port))
    return found


async def tokens(pool: asyncio.Queue[Poster], count: int) -> list[str]:
    """Visitors who said hello."""

    async def one() -> str:
        poster = await pool.get()
        try:
            status, body = await poster.post("hello", "", {})
        finally:
            pool.put_nowait(poster)
        if status != 200:
            raise RuntimeError(body.decode())
        return str(json.loads(body)["token"])

    return list(await asyncio.gather(*(one() for _ in range(count))))


def agents(url: str) -> list[tuple[int, str]]:
    """Agents who are signed in and take from the first queue."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "insert into agent (email, name, role, all_queues) select 'a' || n || '@bench.example', 'Agent ' || n, 'agent', true "
            "from generate_series(1, %s) n returning id",
            (AGENTS,),
        ).fetchall()
        found = [(row[0], f"bench-{row[0]}") for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into sign_in (token_hash, agent_id, expires_at) values (%s, %s, now() + interval '1 day')",
                [(token_hash(cookie), number) for number, cookie in found],
            )
            cursor.executemany(
                "insert into membership (queue_id, agent_id) values (1, %s)", [(number,) for number, _ in found]
            )
            cursor.executemany(
                "insert into agent_state (agent_id, state) values (%s, 'available') on conflict (agent_id) do update set state = 'available'",
                [(number,) for number, _ in found],
            )
    return found


def give(url: str) -> dict[int, list[int]]:
    """Every chat is in somebody's hands, four each; by agent, their cases."""
    with psycopg.connect(url) as connection:
        connection.execute("update offer set ended_at = now(), outcome = 'withdrawn' where ended_at is null")
        rows = connection.execute(
            "with numbered as (select e.id, e.case_id, row_number() over (order by e.id) - 1 as n from queue_entry e where e.state in ('waiting', 'offered')), "
            "a as (select id, row_number() over (order by id) - 1 as n from agent where email like 'a%%@bench.example'), "
            "pair as (select numbered.id, numbered.case_id, a.id as agent_id from numbered join a on a.n = numbered.n %% %s), "
            "taken as (update queue_entry e set state = 'taken', left_at = now(), outcome = 'picked' from pair where pair.id = e.id "
            "  returning e.id, e.interaction_id, e.case_id, e.queue_id, e.channel, e.media_class, e.weight, pair.agent_id), "
            "made as (insert into assignment (entry_id, interaction_id, case_id, queue_id, agent_id, channel, media_class, weight, accepted_at) "
            "  select id, interaction_id, case_id, queue_id, agent_id, channel, media_class, weight, now() from taken returning case_id, agent_id) "
            "update \"case\" c set owner_id = made.agent_id, status = 'open' from made where made.case_id = c.id returning c.id, made.agent_id",
            (AGENTS,),
        ).fetchall()
        held = connection.execute("select case_id, agent_id from assignment where ended_at is null").fetchall()
    found: dict[int, list[int]] = {}
    for case_id, agent_id in held:
        found.setdefault(agent_id, []).append(case_id)
    assert len(held) >= CHATS, (len(rows), len(held))
    return found


async def say_first(pool: asyncio.Queue[Poster], visitors: list[str], url: str) -> None:
    """Every visitor begins a talk."""

    async def one(token: str, n: int) -> None:
        poster = await pool.get()
        try:
            status, body = await poster.post(
                "messages", token, {"id": secrets.token_hex(8), "text": f"begin {n}", "language": "en"}
            )
        finally:
            pool.put_nowait(poster)
        if status != 202:
            raise RuntimeError(body.decode())

    for first in range(0, len(visitors), 200):
        await asyncio.gather(*(one(token, n) for n, token in enumerate(visitors[first : first + 200], first)))
    while True:
        with psycopg.connect(url) as connection:
            row = connection.execute("select count(*) from talk").fetchone()
        if row and row[0] >= len(visitors):
            return
        await asyncio.sleep(0.2)


async def talk(pool: asyncio.Queue[Poster], visitors: list[str], seconds: float) -> dict[str, float]:
    """Visitors say something at the rate; by client id, when they pressed Send. Posts wait for nobody: if the product falls
    behind, that shows."""
    said: dict[str, float] = {}
    running: set[asyncio.Task[None]] = set()

    async def one(token: str, client_id: str) -> None:
        poster = await pool.get()
        try:
            status, body = await poster.post(
                "messages", token, {"id": client_id, "text": f"This is what I say. {client_id}", "language": "en"}
            )
        finally:
            pool.put_nowait(poster)
        if status != 202:
            raise RuntimeError(body.decode())

    began = time.monotonic()
    for step in range(int(seconds * RATE)):
        client_id = secrets.token_hex(8)
        said[client_id] = time.time()
        task = asyncio.create_task(one(visitors[step * 7919 % len(visitors)], client_id))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(max(began + (step + 1) / RATE - time.monotonic(), 0))
    await asyncio.gather(*running)
    return said


def heard(url: str, said: dict[str, float], desk: dict[int, Stream]) -> list[float]:
    """For each message, the seconds from Send to the agent's stream."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select facts ->> 'client_id', id from message where direction = 'in' and facts ->> 'client_id' = any(%s)",
            (list(said),),
        ).fetchall()
    by_message = {number: said[client_id] for client_id, number in rows}
    late: list[float] = []
    for ear in desk.values():
        for at, line in ear.got:
            event = json.loads(line[6:])
            if event.get("message_id") in by_message:
                late.append(at - by_message.pop(event["message_id"]))
    return late


async def chats(found: Product, host: str, port: int) -> tuple[dict[str, float], dict[str, float]]:
    """2,000 chats and their agents."""
    staff = agents(found.database_url)
    pool = await posters(host, port)
    visitors = await tokens(pool, CHATS)
    ears = [of_visitor(token) for token in visitors]
    await open_all(ears, host, port)
    await say_first(pool, visitors, found.database_url)
    await asyncio.sleep(2)
    cases = give(found.database_url)
    desk: dict[int, Stream] = {}
    for number, cookie in staff:
        topics = ",".join([f"agent:{number}", *(f"case:{case_id}" for case_id in cases.get(number, ()))])
        desk[number] = Stream(f"/live?topics={topics}", f"Cookie: everyline={cookie}")
    await open_all(list(desk.values()), host, port)
    await talk(pool, visitors, 3)  # warm
    web, worker = found.role("web"), found.role("worker")
    used = cpu(web), cpu(worker)
    began = time.monotonic()
    said = await talk(pool, visitors, SECONDS)
    took = time.monotonic() - began
    spent = cpu(web) - used[0], cpu(worker) - used[1]
    await asyncio.sleep(2)
    late = heard(found.database_url, said, desk)
    echoes = sum(
        1 for ear in ears for _at, line in ear.got if b'"client_id":"' in line and b"This is what I say" in line
    )
    for ear in (*ears, *desk.values()):
        ear.close()
    return (
        {
            "chats_count": len(visitors),
            "rate_per_s": len(said) / took,
            "to_agent_p50_ms": percentile(late, 0.5) * 1e3,
            "to_agent_p99_ms": percentile(late, 0.99) * 1e3,
            "lost_count": len(said) - len(late),
            "echoed_count": echoes,
            "web_cpu_share": spent[0] / took,
            "worker_cpu_share": spent[1] / took,
        },
        {"to_agent_p99_ms": 100, "lost_count": 0},
    )


async def idle(found: Product, host: str, port: int) -> tuple[dict[str, float], dict[str, float]]:
    """5,000 widgets that say nothing."""
    pool = await posters(host, port)
    visitors: list[str] = []
    with psycopg.connect(found.database_url, autocommit=True):
        for first in range(0, IDLE, 500):
            visitors += await tokens(pool, min(500, IDLE - first))
    web = found.role("web")
    await asyncio.sleep(2)
    before = web.memory_info().rss
    ears = [of_visitor(token) for token in visitors]
    await open_all(ears, host, port)
    await asyncio.sleep(3)
    size = (web.memory_info().rss - before) / len(ears)
    used, began = cpu(web), time.monotonic()
    await asyncio.sleep(10)
    rest = (cpu(web) - used) / (time.monotonic() - began)
    for ear in ears:
        ear.close()
    return {"idle_count": len(ears), "memory_per_idle_kb": size / 1024, "idle_cpu_share": rest}, {
        "memory_per_idle_kb": 45
    }


async def main() -> None:
    """Each part on a product of its own, so that neither lives on what the other made."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    figures: dict[str, float] = {}
    limits: dict[str, float] = {}
    for part in (idle, chats):
        with product() as found:
            cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
            cli(found.data, "line", "add", "webchat", LINE, "--set", "most_a_minute=1000", "--set", "waits_alone=true")
            host, port_text = found.address.removeprefix("http://").split(":")
            measured, bounds = await part(found, host, int(port_text))
            figures |= measured
            limits |= bounds
    report("chat", figures, limits)


if __name__ == "__main__":
    asyncio.run(main())
