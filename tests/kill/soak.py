"""``kill -9`` of every process and of the database at random moments while mail arrives and an agent works."""

from __future__ import annotations

import contextlib
import email
import json
import random
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg
from aiosmtpd.controller import Controller

from tests.kill.counting import faults
from tests.kill.senders import LINES, MailHost, letters
from tests.product import RunningProduct, free_port

VICTIMS = ("worker", "web", "nursery", "postgres", "a server process of postgres", "supervisor")
CLAIMED_SECONDS = 150  # how long what a killed process had claimed may stay so, and what comes after it


@dataclass
class Sink:
    """The customers' mail host: what came, by its id."""

    arrived: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 -- the name that aiosmtpd calls
        self.arrived.append(str(email.message_from_bytes(envelope.content)["Message-ID"]).strip("<> "))
        return "250 Ok"


@contextlib.contextmanager
def sink() -> Iterator[tuple[Sink, int]]:
    """The mail host, and the port it listens on."""
    found = Sink()
    controller = Controller(found, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield found, controller.port
    finally:
        controller.stop()


@dataclass
class Worker:
    """An agent who takes what is offered and settles every second case, over the API."""

    address: str
    token: str
    settled: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self) -> None:
        """Go home."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(30)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.loads(answer.read() or b"null")

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                me = self._ask("GET", "/me")["id"]
                self._ask("PUT", f"/agents/{me}/state", {"state": "available"})
                offer = self._ask("GET", "/me/offer")
                if offer is not None:
                    case = self._ask("POST", f"/offers/{offer['id']}/accept", {})
                    self._ask("POST", f"/cases/{case['id']}/resolve", {})
                    self.settled += 1
            except (OSError, ValueError):  # an answer that says no is an OSError too
                self._ending.wait(0.2)
            self._ending.wait(0.1)


@dataclass
class Outcome:
    """What a soak came to."""

    mails: int
    kills: Counter[str]
    sent_again: int
    refused: list[str]
    settled_by_agent: int
    deliveries: dict[str, int]
    settled_seconds: float  # from the last mail taken to nothing under way
    faults: list[str]


def victims(chance: random.Random) -> Iterator[str]:
    """Who dies next: in any order, and nobody again before all others had their turn."""
    while True:
        yield from chance.sample(VICTIMS, len(VICTIMS))


def soak(mails: int, *, seed: int, seconds: float, hasten: bool, most: int | None = None) -> Outcome:
    """Kill until all mails are taken, then let it come to rest, and count. ``seconds``: over how long the mails are
    sent. ``hasten``: move the times ahead at which claims of killed processes end, instead of waiting for them. ``most``: so
    often at most something is killed."""
    chance, found = random.Random(seed), letters(mails)
    dying = victims(chance)
    kills: Counter[str] = Counter()
    listener = free_port()
    with sink() as (mailbox, sink_port):
        product = RunningProduct(settings={"email_smtp_listen": f"127.0.0.1:{listener}"})
        product.start()
        try:
            token, line_ids = _set_up(product, sink_port)
            host, worker = MailHost(listener, product.port, token, line_ids), Worker(product.address, token)
            host.start(found, threads=8, seconds=seconds)
            worker.start()
            try:
                while host.busy and (most is None or kills.total() < most):
                    host.join(chance.uniform(0.2, max(seconds / 12, 1.2)))
                    victim = next(dying)
                    kill(product, victim, chance)
                    kills[victim] += 1
                    if victim == "supervisor":
                        product.start()
            finally:
                host.join(300)
                worker.stop()
            product.wait_ready()
            began = time.monotonic()
            _wait_until_at_rest(product, hasten=hasten)
            with psycopg.connect(product.database_url) as connection:
                deliveries: dict[str, int] = dict(
                    connection.execute("select state, count(*) from delivery group by state").fetchall()
                )
            return Outcome(
                mails,
                kills,
                host.again,
                [f"{letter.subject}: {why}" for letter, why in host.refused],
                worker.settled,
                deliveries,
                time.monotonic() - began,
                faults(product.database_url, found, mailbox.arrived),
            )
        finally:
            product.stop()
            shutil.rmtree(product.data, ignore_errors=True)


def _set_up(product: RunningProduct, sink_port: int) -> tuple[str, dict[str, int]]:
    product.cli("admin", "add", "admin@county.example", given="correct horse battery\n")
    outgoing = ("smtp_host=127.0.0.1", f"smtp_port={sink_port}", "smtp_encryption=none")
    for address in LINES:
        product.cli("line", "add", "email", address, *(word for one in outgoing for word in ("--set", one)))
    token = product.cli("token", "add", "soak", "--as", "admin@county.example")
    with psycopg.connect(product.database_url) as connection:
        connection.execute("update line set per_minute = 100000")
        connection.execute("insert into membership (queue_id, agent_id) select queue.id, agent.id from queue, agent")
        line_ids: dict[str, int] = dict(connection.execute("select address, id from line").fetchall())
    return token, line_ids


def kill(product: RunningProduct, victim: str, chance: random.Random) -> None:
    """Kill a role, the database, one of its processes, or the supervisor."""
    if victim != "a server process of postgres":
        product.kill(victim)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        servers = [child for postgres in product.children("postgres") for child in postgres.children()]
        if servers:
            chance.choice(servers).kill()


def _wait_until_at_rest(product: RunningProduct, *, hasten: bool) -> None:
    """Until nothing is to be done any more, or time is up: then the counting says what hangs."""
    deadline = time.monotonic() + CLAIMED_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.Error), psycopg.connect(product.database_url, autocommit=True) as connection:
            row = connection.execute(
                """select (select count(*) from inbound where state = 'new')
                    + (select count(*) from delivery where state not in ('sent', 'unknown', 'bounced', 'failed'))
                    + (select count(*) from offer where ended_at is null and expires_at < now())
                    + (select count(*) from procrastinate_jobs where status = 'doing')"""
            ).fetchone()
            if row == (0,):
                return
            if hasten:
                connection.execute("update inbound set due_at = now() where state = 'new' and due_at > now()")
                connection.execute(
                    "update delivery set due_at = now() where state in ('claimed', 'on wire') and due_at < now() + interval '52 seconds'"
                )
                connection.execute("update delivery set due_at = now() where state = 'due' and due_at > now()")
                connection.execute(
                    "update procrastinate_workers set last_heartbeat = now() - interval '1 minute' where last_heartbeat < now() - interval '12 seconds'"
                )
        time.sleep(0.3)
