"""Visitors who talk while processes are killed: each says one thing after the other, again and again until it is taken."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import shutil
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.kill.soak import kill, victims
from tests.product import RunningProduct

LINE = "help"
AT_REST_SECONDS = 120


@dataclass
class Visitor:
    """A browser that keeps what it has to say until it is taken, as the widget does."""

    port: int
    name: str
    says: list[str]
    chance: random.Random
    pause: float  # seconds between two words, about
    token: str = ""
    again: int = 0  # what was sent more than once
    refused: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Say everything."""
        self.token = self._until_taken("hello", {"language": "en"})["token"]
        for text in self.says:
            time.sleep(self.chance.uniform(0, 2 * self.pause))
            self._until_taken("messages", {"id": secrets.token_hex(8), "text": text, "language": "en"})

    def hears(self) -> list[str]:
        """What the widget shows when it begins anew."""
        return [
            one["text"] for one in self._until_taken("hello", {"token": self.token})["messages"] if one["from"] == "me"
        ]

    def _until_taken(self, path: str, body: dict[str, Any]) -> Any:
        for attempt in range(3000):
            self.again += attempt > 0
            try:
                return self._post(path, body)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.1)
        raise TimeoutError(path)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Content-Type": "application/json"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request("POST", f"/in/webchat/{LINE}/{path}", json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise OSError(answer.status)
        if answer.status >= 400:
            self.refused.append(f"{path}: {answer.status} {content[:200]!r}")
        return json.loads(content)


@dataclass
class Outcome:
    """What it came to."""

    kills: Counter[str]
    again: int
    refused: list[str]
    faults: list[str]


def talk_and_kill(visitors: int, words: int, *, seed: int, seconds: float, most: int | None = None) -> Outcome:
    """So many visitors say so many words each within about ``seconds``, while something is killed every second or so,
    ``most`` times at most."""
    chance = random.Random(seed)
    dying = victims(chance)
    kills: Counter[str] = Counter()
    product = RunningProduct()
    product.start()
    try:
        product.cli("line", "add", "webchat", LINE, "--set", "waits_alone=true", "--set", "most_a_minute=1000")
        people = [
            Visitor(
                product.port,
                f"v{n}",
                [f"v{n} says {k}" for k in range(words)],
                random.Random(seed + n),
                seconds / words,
            )
            for n in range(visitors)
        ]
        threads = [threading.Thread(target=one.run) for one in people]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and (most is None or kills.total() < most):
            time.sleep(chance.uniform(0.8, 2.0))
            victim = next(dying)
            kill(product, victim, chance)
            kills[victim] += 1
            if victim == "supervisor":
                product.start()
        for thread in threads:
            thread.join(AT_REST_SECONDS)
        product.wait_ready()
        found = _wait_and_count(product.database_url, people)
        return Outcome(kills, sum(one.again for one in people), [line for one in people for line in one.refused], found)
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def _wait_and_count(url: str, people: list[Visitor]) -> list[str]:
    deadline = time.monotonic() + AT_REST_SECONDS
    while time.monotonic() < deadline:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute("select count(*) from inbound where state = 'new'").fetchone()
            if row == (0,):
                break
            connection.execute("update inbound set due_at = now() where state = 'new' and due_at > now()")
        time.sleep(0.3)
    return faults(url, people)


def faults(url: str, people: list[Visitor]) -> list[str]:
    """What is not as it must be, in words: every word once and in the order it was said, one talk for each visitor, which
    waits once."""
    found: list[str] = []
    with psycopg.connect(url) as connection:
        made: dict[str, list[str]] = {}
        for (text,) in connection.execute("select text from message where direction = 'in' order by id").fetchall():
            made.setdefault(text.partition(" ")[0], []).append(text)
        counted = {
            name: connection.execute(query.encode()).fetchone()
            for name, query in {
                "cases": 'select count(*) from "case"',
                "talks": "select count(*) from talk",
                "entries": "select count(*) from queue_entry where state in ('waiting', 'offered')",
                "openings told": "select count(*) from event where kind = 'case.opened'",
                "messages told": "select count(distinct data ->> 'message_id') from event where kind = 'message.received'",
                "pieces without a message": "select count(*) from inbound where state <> 'done'",
            }.items()
        }
    for one in people:
        if made.get(one.name) != one.says:
            found.append(f"{one.name} said {one.says}, and there is {made.get(one.name)}")
        if one.hears() != one.says:
            found.append(f"{one.name} is shown {one.hears()}")
    wanted = {
        **dict.fromkeys(("cases", "talks", "entries", "openings told"), (len(people),)),
        "messages told": (sum(len(one.says) for one in people),),
        "pieces without a message": (0,),
    }
    return found + [f"{name}: {n} instead of {wanted[name]}" for name, n in counted.items() if n != wanted[name]]
