"""``distributor``: how long a decision takes with 10,000 entries and 5,000 agents, and how many assignments a second are
durable end to end on the embedded database."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psycopg
from sqlalchemy import text

from benchmarks.stage import percentile, report
from everyline.ground import schema
from everyline.ground.installation import standing
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings
from everyline.queues.distributor import Distributor
from everyline.queues.floor import Floor
from everyline.queues.rules import Candidate, Entry, QueueRule, Step, Strategy

ENTRIES, AGENTS, SKILLS, QUEUES = 10_000, 5_000, 50, 40
DECISIONS = 2_000
ASSIGNMENTS = 10_000
MEDIA = (("call", "phone", 100), ("chat", "webchat", 25), ("mail", "email", 20))

FILL = f"""
insert into queue (name, accepts) select 'Queue ' || n, true from generate_series(1, 20) n;
insert into agent (email, name, role) select 'a' || n || '@county.example', 'Agent ' || n, 'agent' from generate_series(1, 2500) n;
insert into agent_state (agent_id, state, since, idle_since) select id, 'available', now(), now() - id * interval '1 second' from agent
on conflict (agent_id) do update set state = 'available';
insert into membership (queue_id, agent_id) select q.id, a.id from queue q, agent a where q.accepts and (a.id + q.id) % 4 = 0;
insert into customer (name) select 'Customer ' || n from generate_series(1, {ASSIGNMENTS}) n;
insert into "case" (customer_id, subject, queue_id) select c.id, 'Matter', q.id from customer c join queue q on q.accepts and q.id = 2 + c.id % 20;
insert into interaction (case_id, channel, media_class, started_at) select id, 'email', 'mail', now() from "case";
insert into queue_entry (queue_id, interaction_id, case_id, channel, media_class, weight, offer_seconds)
select c.queue_id, i.id, c.id, 'email', 'mail', 20, 60 from interaction i join "case" c on c.id = i.case_id;
"""


def tree(chance: random.Random) -> dict[str, object]:
    """An expression as a queue may have it."""
    first, second, third = (
        {"skill": chance.randrange(SKILLS), "least": least} for least in (chance.randint(1, 3), 2, 1)
    )
    return {"all": [first, {"any": [second, third]}]}


def full_floor() -> tuple[Floor, float]:
    """The floor of the benchmark, and its time."""
    chance, now = random.Random(1), 1000.0
    queues = [
        QueueRule(
            number,
            number % 3,
            list(Strategy)[number % 4],
            tree(chance),
            (Step(after=60, wants={"skill": chance.randrange(SKILLS), "least": 1}), Step(after=300, language=False)),
        )
        for number in range(1, QUEUES + 1)
    ]
    floor = Floor(queues)
    for number in range(1, AGENTS + 1):
        skills = {skill: chance.randint(1, 5) for skill in chance.sample(range(SKILLS), 15)}
        members = frozenset(chance.sample(range(1, QUEUES + 1), 6))
        floor.put_agent(Candidate(number, chance.random() * now, members, skills, number % 5))
    for number in range(1, ENTRIES + 1):
        media_class, channel, weight = chance.choice(MEDIA)
        entry = Entry(
            number,
            chance.randint(1, QUEUES),
            now - chance.random() * 400,
            chance.randint(1, 5),
            media_class,
            channel,
            weight,
            language=chance.choice([None, None, 1, 2, 3]),
        )
        floor.put_entry(entry, now)
    return floor, now


def decisions() -> tuple[float, float]:
    """Milliseconds: the 99th percentile of one decision when an agent is free again, and a whole match of all."""
    floor, now = full_floor()
    floor.match(now)
    began = time.perf_counter()
    floor.match(now)
    whole = (time.perf_counter() - began) * 1e3
    for agent in list(floor.agents.values()):
        floor.put_agent(replace(agent, available=False))
    chance, took = random.Random(2), []
    for step in range(DECISIONS):
        agent = floor.agents[chance.randint(1, AGENTS)]
        began = time.perf_counter()
        floor.put_agent(replace(agent, available=True))
        made = floor.match(now + step * 0.05)
        took.append((time.perf_counter() - began) * 1e3)
        for proposal in made:
            floor.drop_entry(proposal.entry_id)
        floor.put_agent(replace(agent, available=False))
    return percentile(took, 0.99), whole


async def assignments(folder: Path) -> float:
    """Entries a second that are offered, accepted and assigned, each committed."""
    embedded = EmbeddedPostgres(folder / "postgres")
    embedded.start()
    try:
        schema.bring_up_to_date(embedded.url)
        with psycopg.connect(embedded.url, autocommit=True) as connection:
            connection.execute(FILL)
            connection.execute("vacuum analyze")
        async with standing(Settings(data=folder, secret_key="k" * 32), embedded.url) as ground:
            distributor = Distributor(ground)
            began, done = time.perf_counter(), 0
            while done < ASSIGNMENTS:
                made = await distributor.round()
                done += made
                async with ground.database.transaction() as tx:
                    await tx.execute(
                        text("update assignment set ended_at = now(), work_ended_at = now() where ended_at is null")
                    )
                    await tx.execute(
                        text(
                            "insert into event (at, kind, agent_id, data) select now(), 'interaction.wrapped_up', id, '{}' from agent"
                        )
                    )
            took = time.perf_counter() - began
        return ASSIGNMENTS / took
    finally:
        embedded.stop()


def main() -> None:
    """Measure and report."""
    decision, whole = decisions()
    with tempfile.TemporaryDirectory(prefix="everyline-bench-") as folder:
        rate = asyncio.run(assignments(Path(folder)))
    report(
        "distributor",
        {
            "decision_p99_ms": decision,
            "whole_match_ms": whole,
            "assignments_per_second": rate,
            "entries_count": ENTRIES,
            "agents_count": AGENTS,
        },
        {"decision_p99_ms": 10, "whole_match_ms": 1000, "assignments_per_second": 1000},
    )


if __name__ == "__main__":
    main()
