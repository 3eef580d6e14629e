"""``kill -9`` of every process and of the database while mail arrives: nothing acknowledged is lost, nothing is sent twice."""

from __future__ import annotations

import collections
import email
import random
import smtplib
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from aiosmtpd.controller import Controller

from tests.mail import mail
from tests.product import RunningProduct, free_port

MAILS = 240
SENDERS = 4


class Sink:
    """The customers' mail host: counts what came, by the number of the case in its id."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802 -- the name that aiosmtpd calls
        message = email.message_from_bytes(envelope.content)  # type: ignore[attr-defined]  # -- aiosmtpd's envelope
        self.got.append(str(message["Message-ID"]))
        return "250 Ok"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    found = Sink()
    controller = Controller(found, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield found, controller.port
    controller.stop()


def send_all(port: int, numbers: list[int], kept: list[int]) -> None:
    """Send each mail until it is taken: what a mail host does."""
    for number in numbers:
        raw = mail(
            f"Matter {number}",
            subject=f"Matter {number}",
            sender=f"c{number}@example.org",
            message_id=f"<m{number}@example.org>",
        )
        for _attempt in range(600):
            try:
                with smtplib.SMTP("127.0.0.1", port, timeout=15) as smtp:
                    smtp.sendmail(f"c{number}@example.org", ["help@county.example"], raw)
                kept.append(number)
                break
            except (OSError, smtplib.SMTPException):
                time.sleep(0.1)


def states(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("select state, count(*) from inbound group by state").fetchall())


@pytest.mark.req("P2", "P1", "E1")
@pytest.mark.timeout(180)
def test_killing_every_process_loses_nothing_and_doubles_nothing(sink: tuple[Sink, int]) -> None:
    mailbox, sink_port = sink
    listener = free_port()
    product = RunningProduct(settings={"email_smtp_listen": f"127.0.0.1:{listener}"})
    product.start()
    threads: list[threading.Thread] = []
    try:
        product.cli("admin", "add", "admin@county.example", given="correct horse battery\n")
        product.cli(
            "line",
            "add",
            "email",
            "help@county.example",
            "--set",
            "smtp_host=127.0.0.1",
            "--set",
            f"smtp_port={sink_port}",
            "--set",
            "smtp_encryption=none",
        )
        with psycopg.connect(product.database_url) as connection:
            connection.execute("update line set per_minute = 100000")
        kept: list[int] = []
        threads = [
            threading.Thread(target=send_all, args=(listener, list(range(n, MAILS, SENDERS)), kept))
            for n in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        chance = random.Random(7)
        for victim in ("worker", "postgres", "web", "worker", "supervisor", "postgres", "worker"):
            time.sleep(chance.uniform(0.6, 1.6))
            product.kill(victim)
            if victim == "supervisor":
                product.start()
        for thread in threads:
            thread.join(90)
        assert sorted(kept) == list(range(MAILS))
        product.wait_ready()
        _wait_until_settled(product)
        with psycopg.connect(product.database_url) as connection:
            cases = [row[0] for row in connection.execute('select subject from "case"').fetchall()]
            deliveries: dict[str, int] = dict(
                connection.execute("select state, count(*) from delivery group by state").fetchall()
            )
        assert sorted(cases) == sorted(f"Matter {number}" for number in range(MAILS))
        assert sum(deliveries.values()) == MAILS
        assert set(deliveries) <= {"sent", "unknown"}, deliveries
        doubled = [found for found, n in collections.Counter(mailbox.got).items() if n > 1]
        assert doubled == []
        assert deliveries["sent"] <= len(mailbox.got) <= MAILS
    finally:
        product.stop()


def _wait_until_settled(product: RunningProduct) -> None:
    """All that came in is processed, and no delivery is under way any more. What a killed process had claimed is free
    again within a minute; the test moves that minute ahead."""
    deadline = time.monotonic() + 90
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "select (select count(*) from inbound where state = 'new') + (select count(*) from delivery where state not in ('sent', 'unknown'))"
            ).fetchone()
            if row == (0,):
                return
            connection.execute(
                "update delivery set due_at = now() where state in ('claimed', 'on wire') and due_at < now() + interval '52 seconds'"
            )
            connection.execute("update delivery set due_at = now() where state = 'due' and due_at > now()")
            time.sleep(0.3)
    raise AssertionError(f"not settled: {states(product.database_url)}")
