"""``pages``: the list of a view, a case page and the search, with 100,000 cases and 500,000 messages."""

from __future__ import annotations

import http.client
import itertools
import random
import time
from collections.abc import Iterator

import psycopg
from psutil import Process

from benchmarks.stage import Product, cli, cpu, percentile, product, report
from everyline.people.passwords import token_hash

CASES = 100_000
MESSAGES = 500_000
REQUESTS = 500
ROUNDS = 5
WARM = 200  # as a process is that has been in use for some minutes: statements prepared, templates and texts at hand
WORDS = (  # noqa: SIM905 -- read as words
    "permit fence water bill meter license dog marriage ballot election pothole street light tax "
    "exemption statement appeal form letter address move renew office hours appointment inspection plan panel "
    "neighbor yard garden roof tree school bus ferry harbor pier county "
).split()

FILL = """
insert into queue (name) select 'Queue ' || n from generate_series(2, 8) n;
insert into customer (name) select 'Customer ' || n from generate_series(1, 30000) n;
insert into contact_point (customer_id, kind, address) select id, 'mailbox', 'c' || id || '@example.org' from customer;
insert into line (channel, address, name, queue_id) values ('email', 'help@county.example', 'County help', 1);
insert into "case" (customer_id, subject, status, queue_id, owner_id, line_id, language, opened_at, moved_at, last_words, last_channel, revision)
select 1 + n %% 30000, w.words[1 + n %% 36] || ' ' || w.words[1 + (n * 7) %% 36], case when n %% 20 = 0 then 'open' when n %% 33 = 0 then 'new' else 'closed' end,
    1 + n %% 8, case when n %% 40 = 0 then 1 end, 1, 'en', now() - n * interval '1 minute', now() - n * interval '1 minute', 'last words', 'email', 5
from generate_series(1, %(cases)s) n, (select %(words)s::text[] as words) w;
insert into interaction (case_id, line_id, contact_point_id, channel, media_class, started_at)
select id, 1, customer_id, 'email', 'mail', opened_at from "case" order by id;
insert into message (case_id, interaction_id, direction, agent_id, contact_point_id, subject, text, at)
select 1 + n %% %(cases)s, 1 + n %% %(cases)s, case when n %% 2 = 0 then 'in' else 'out' end, case when n %% 2 = 1 then 1 end, 1 + n %% 30000, 'Hello',
    (select string_agg('word' || floor(power(random(), 3) * 5000), ' ') from generate_series(1, 30) k where k + n > 0),
    now() - n * interval '20 seconds'
from generate_series(1, %(messages)s) n;
insert into event (at, kind, case_id, queue_id, data) select opened_at, 'case.opened', id, queue_id, '{}' from "case";
"""


def said(chance: random.Random) -> str:
    """A word as messages hold it: few words are common, most are rare, as in any language."""
    return f"word{int(chance.random() ** 3 * 5000)}"


def fill(found: Product) -> str:
    """Fill the database; returns the cookie of somebody who sees everything."""
    with psycopg.connect(found.database_url, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        for statement in FILL.strip().split(";\n"):
            if statement.strip(" ;\n"):
                with psycopg.ClientCursor(connection) as cursor:
                    cursor.execute(statement, {"cases": CASES, "messages": MESSAGES, "words": WORDS})
        connection.execute(
            "insert into sign_in (token_hash, agent_id, expires_at) values (%s, 1, now() + interval '1 day')",
            (token_hash("bench"),),
        )
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return "everyline=bench"


def ask(found: Product, web: Process, cookie: str, paths: Iterator[str]) -> tuple[float, float]:
    """Milliseconds: processor time of the web role for one page, the least of some rounds, as whatever else the machine does
    only adds to it; and the 95th percentile of all answers."""
    connection = http.client.HTTPConnection(found.address.removeprefix("http://"), timeout=30)

    def one() -> float:
        began = time.perf_counter()
        connection.request("GET", next(paths), headers={"Cookie": cookie})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {content[:200]!r}")
        return (time.perf_counter() - began) * 1e3

    for _ in range(WARM):
        one()
    times: list[float] = []
    spent: list[float] = []
    for _ in range(ROUNDS):
        before = cpu(web)
        times += [one() for _ in range(REQUESTS // ROUNDS)]
        spent.append((cpu(web) - before) / (REQUESTS // ROUNDS) * 1e3)
    return min(spent), percentile(times, 0.95)


def settle(found: Product) -> None:
    """Wait until what the filling set off (a hundred thousand events are followed) is over."""
    roles = [found.role("web"), found.role("worker")]
    while True:
        before = sum(cpu(role) for role in roles)
        time.sleep(3)
        if sum(cpu(role) for role in roles) - before < 0.2:
            return


def main() -> None:
    """Measure and report."""
    chance = random.Random(1)
    with product() as found:
        cli(found.data, "admin", "add", "admin@county.example", given="correct horse battery\n")
        cookie, web = fill(found), found.role("web")
        settle(found)
        lists = itertools.cycle(["/desk/views/all", "/desk/views/unassigned", "/desk/queues/3", "/desk/views/mine"])
        cases = (f"/desk/cases/{chance.randrange(1, CASES)}" for _ in itertools.count())
        searches = (f"/desk/search?q={said(chance)}+{said(chance)}" for _ in itertools.count())
        list_cpu, list_p95 = ask(found, web, cookie, lists)
        case_cpu, case_p95 = ask(found, web, cookie, cases)
        _search_cpu, search_p95 = ask(found, web, cookie, searches)
    report(
        "pages",
        {
            "list_cpu_ms": list_cpu,
            "list_p95_ms": list_p95,
            "case_cpu_ms": case_cpu,
            "case_p95_ms": case_p95,
            "search_p95_ms": search_p95,
            "cases_count": CASES,
            "messages_count": MESSAGES,
        },
        {"list_cpu_ms": 10, "list_p95_ms": 60, "case_cpu_ms": 10, "case_p95_ms": 60, "search_p95_ms": 150},
    )


if __name__ == "__main__":
    main()
