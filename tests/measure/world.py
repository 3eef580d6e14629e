"""A generated day: what happens to entries, works, cases and agents, as the events that the verbs write."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import text

from everyline.ground import events
from everyline.ground.database import Database
from everyline.ground.events import Event

START = datetime(2026, 3, 16, 6, 0, tzinfo=UTC)


@dataclass
class Day:
    """Events in the order in which they happen."""

    seed: int = 1
    queues: tuple[int, ...] = (1,)
    agents: int = 4
    start: datetime = START
    hours: float = 10
    events: list[Event] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def add(self, kind: str, at: datetime, **facts: Any) -> None:
        """One event; what is no column of its row is data."""
        columns = {
            name: facts.pop(name)
            for name in ("actor_id", "agent_id", "customer_id", "case_id", "interaction_id", "queue_id", "line_id")
            if name in facts
        }
        self.events.append(Event(kind, at, **columns, data=facts))

    def stay(
        self,
        at: datetime,
        *,
        queue_id: int = 1,
        wait: float | None = 10,
        outcome: str = "answered",
        channel: str = "email",
        media_class: str = "mail",
        language: str = "en",
        agent_id: int = 1,
        team_id: int = 0,
        talk: float = 60,
        wrap_up: float = 10,
        holds: tuple[tuple[float, float], ...] = (),
        case_id: int | None = None,
        customer_id: int | None = None,
        weight: int = 25,
        after: str = "resolved",
        since: datetime | None = None,
        moved: bool = False,
        code_id: int | None = None,
        expected: tuple[int, int, int] | None = None,
    ) -> int:
        """One entry from its arrival to the end of its work; returns its id. Lengths in seconds; holds as (from, for);
        expected as announced: the wait, its least, its most."""
        number = int(next(self._ids))
        shared = {"queue_id": queue_id, "case_id": case_id or number, "interaction_id": number}
        kinds = {"channel": channel, "media_class": media_class, "language": language}
        if case_id is None:
            self.add("case.opened", at, **shared, customer_id=customer_id or number)
        self.add(
            "queue_entry.entered",
            at,
            **shared,
            entry_id=number,
            **kinds,
            priority=3,
            weight=weight,
            waiting_since=(since or at).isoformat(),
            team_id=None,
            moved=moved,
            **dict(zip(("expected_seconds", "expected_low", "expected_high"), expected or (), strict=False)),
        )
        if team_id:
            self.add("queue_entry.allotted", at, **shared, entry_id=number, team_id=team_id + 1)
        if wait is None:
            return number
        end = at + timedelta(seconds=wait)
        if outcome != "answered":
            self.add("queue_entry.left", end, **shared, entry_id=number, outcome=outcome, waited_seconds=wait, **kinds)
            return number
        work = {"assignment_id": number, **kinds, "weight": weight, "team_id": team_id or None}
        self.add("interaction.accepted", end, **shared, agent_id=agent_id, entry_id=number, waited_seconds=wait, **work)
        for begins, length in holds:
            held = end + timedelta(seconds=begins)
            self.add("interaction.held", held, **shared, agent_id=agent_id, assignment_id=number)
            self.add(
                "interaction.resumed",
                held + timedelta(seconds=length),
                **shared,
                agent_id=agent_id,
                assignment_id=number,
            )
        work_ends = end + timedelta(seconds=talk)
        ends = work_ends + timedelta(seconds=wrap_up)
        if wrap_up:
            self.add("interaction.wraps_up", work_ends, **shared, agent_id=agent_id, assignment_id=number)
        if after == "resolved":
            self.add("case.resolved", work_ends, **shared, customer_id=customer_id or number)
        self.add(
            "interaction.wrapped_up",
            ends,
            **shared,
            agent_id=agent_id,
            **work,
            outcome=after,
            work_seconds=talk,
            held_seconds=sum(length for _, length in holds),
            wrap_up_seconds=wrap_up,
            wrap_up_code_id=code_id,
            accepted_at=end.isoformat(),
        )
        return number

    def state(self, agent_id: int, at: datetime, state: str, reason: str = "") -> None:
        """A change of an agent's state."""
        self.add("agent.state_changed", at, agent_id=agent_id, state=state, reason=reason)

    def generate(self, n: int) -> Day:
        """So many entries over the day, of every kind and with every end."""
        dice, taking = random.Random(self.seed), random.Random(self.seed)
        for agent_id in range(1, self.agents + 1):
            at = self.start + timedelta(seconds=dice.uniform(-3000, 3000))
            self.state(agent_id, at, "available")
            for _ in range(dice.randrange(4)):
                at += timedelta(seconds=dice.uniform(600, 9000))
                self.state(agent_id, at, *dice.choice([("away", "break"), ("away", "training"), ("offline", "")]))
                at += timedelta(seconds=dice.uniform(60, 3000))
                self.state(agent_id, at, "available")
            self.state(agent_id, self.start + timedelta(hours=self.hours + 14), "offline")
        for _ in range(n):
            at = self.start + timedelta(seconds=dice.uniform(0, self.hours * 3600))
            channel, media_class = dice.choice([("phone", "call"), ("webchat", "chat"), ("email", "mail")])
            talk = dice.uniform(5, 2500)
            holds = ((dice.uniform(1, talk / 3), dice.uniform(1, talk / 3)),) if dice.random() < 0.3 else ()
            outcome = dice.choices(
                ["answered", "abandoned", "transferred", "overflowed", "called back", "merged"], [80, 9, 4, 3, 2, 2]
            )[0]
            number = self.stay(
                at,
                queue_id=dice.choice(self.queues),
                wait=None if dice.random() < 0.02 else dice.choice([2, 9, 15, 20, 21, 90, 4000]) * dice.uniform(0.5, 1),
                outcome=outcome,
                channel=channel,
                media_class=media_class,
                language=dice.choice(["en", "es", "de"]),
                agent_id=dice.randint(1, self.agents),
                team_id=dice.choice([0, 7]),
                talk=talk,
                wrap_up=dice.choice([0, 0, dice.uniform(1, 90)]),
                holds=holds,
                customer_id=dice.randint(1, 40),
                weight=dice.choice([100, 25, 20]),
                after=dice.choice(["resolved", "resolved", "transferred"]),
            )
            if kind := taking.choice(["", "", "offer.timed_out", "offer.declined"]):
                facts = {
                    "agent_id": taking.randint(1, self.agents),
                    "queue_id": taking.choice(self.queues),
                    "case_id": number,
                }
                self.add(kind, at + timedelta(seconds=taking.uniform(0, 90)), **facts, entry_id=number, offer_id=number)
        for case in dice.sample(self.events, k=min(len(self.events), n // 10)):
            if case.case_id is not None:
                later = case.at + timedelta(hours=dice.uniform(3, 9))
                kind = dice.choice(["case.reopened", "case.transferred", "case.merged_away", "queue_entry.moved"])
                self.add(
                    kind, later, case_id=case.case_id, queue_id=dice.choice(self.queues), customer_id=case.customer_id
                )
        self.events.sort(key=lambda event: event.at)
        return self


async def write(database: Database, happened: list[Event]) -> None:
    """Put events into the table, in months that may lie anywhere."""
    async with database.transaction() as tx:
        await events.record_all(tx, happened)


async def queue(database: Database, name: str, *, seconds: int = 20, short: int = 5, formula: str = "SL-off-s") -> int:
    """A queue with a promise."""
    async with database.transaction() as tx:
        found: int = await tx.value(
            text(
                "insert into queue (name, answer_seconds, short_seconds, formula) values (:name, :seconds, :short, :formula) "
                "on conflict (name) do update set answer_seconds = :seconds, short_seconds = :short, formula = :formula returning id"
            ),
            {"name": name, "seconds": seconds, "short": short, "formula": formula},
        )
    return found


LEDGERS = ("cohort_ledger", "event_ledger", "cohort_total", "event_total", "time_ledger", "agent_ledger")
FACTS = ("stay", "work", "offer_mark", "state_span", "case_span", "matter")


async def kept(database: Database) -> dict[str, set[Any]]:
    """All rows of all facts and ledgers."""
    async with database.transaction() as tx:
        return {
            name: {tuple(row) for row in await tx.rows(text(f"select * from {name}"))} for name in (*LEDGERS, *FACTS)
        }
