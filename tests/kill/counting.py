"""Counting afterwards: every letter exactly once in everything that was made of it, and nothing half done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from tests.kill.senders import Letter

# what must have no row when nothing is under way any more, each with what it would mean
LIMBO = {
    "a piece came in and nothing was made of it": "select id, state, cause from inbound where state <> 'done'",
    "a message without its interaction or case": """select m.id from message m left join interaction i on i.id = m.interaction_id
        left join "case" c on c.id = m.case_id where i.id is null or c.id is null or i.case_id <> m.case_id""",
    "a case without a message": """select c.id from "case" c where not exists (select from message m where m.case_id = c.id and m.direction = 'in')""",
    "a case with more than one interaction": "select case_id, count(*) from interaction group by case_id having count(*) > 1",
    "a case that neither waits nor is in hand nor is settled": """select c.id, c.status from "case" c where c.status in ('new', 'open')
        and not exists (select from queue_entry e where e.case_id = c.id and e.state in ('waiting', 'offered'))
        and not exists (select from assignment a where a.case_id = c.id and a.ended_at is null)""",
    "a case that entered a queue other than once": """select c.id, count(e.id) from "case" c left join queue_entry e on e.case_id = c.id
        where not exists (select from delivery d where d.case_id = c.id and d.state = 'unknown')
        group by c.id having count(e.id) <> 1""",  # what may not have arrived brings its case back
    "an entry that is offered without an offer": """select e.id from queue_entry e where e.state = 'offered'
        and not exists (select from offer o where o.entry_id = e.id and o.ended_at is null)""",
    "an offer that stands for an entry that is not offered": """select o.id, e.state from offer o join queue_entry e on e.id = o.entry_id
        where o.ended_at is null and e.state <> 'offered'""",
    "an entry that was taken other than once": """select e.id, count(a.id) from queue_entry e left join assignment a on a.entry_id = e.id
        where e.state = 'taken' group by e.id having count(a.id) <> 1""",
    "an acceptance without its work": """select o.id from offer o where o.outcome = 'accepted'
        and not exists (select from assignment a where a.entry_id = o.entry_id and a.agent_id = o.agent_id)""",
    "a case whose opening was told other than once": """select c.id, count(e.id) from "case" c
        left join event e on e.case_id = c.id and e.kind = 'case.opened' group by c.id having count(e.id) <> 1""",
    "a message whose coming was told other than once": """select m.id, count(e.id) from message m
        left join event e on e.kind = 'message.received' and (e.data ->> 'message_id')::bigint = m.id
        where m.direction = 'in' group by m.id having count(e.id) <> 1""",
    "a delivery under way": "select id, state from delivery where state not in ('sent', 'unknown')",
    "a delivery that was sent without its attempt": """select d.id from delivery d where d.state = 'sent'
        and not exists (select from delivery_attempt a where a.delivery_id = d.id and a.outcome = 'sent')""",
    "a case that is acknowledged other than once": """select c.id, count(d.id) from "case" c
        left join delivery d on d.case_id = c.id and d.kind = 'acknowledgement' group by c.id having count(d.id) <> 1""",
    "a job that nobody does any more": "select id, task_name from procrastinate_jobs where status = 'doing'",
}

MADE = """
select m.subject, l.address, p.address from message m
join interaction i on i.id = m.interaction_id join line l on l.id = i.line_id
join "case" c on c.id = m.case_id join contact_point p on p.id = m.contact_point_id and p.customer_id = c.customer_id
where m.direction = 'in'
"""


def faults(url: str, sent: Sequence[Letter], arrived: Sequence[str]) -> list[str]:
    """What is not as it must be, in words. ``arrived``: the ids on the wire of what the customers' mail host got."""
    found: list[str] = []
    with psycopg.connect(url) as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode()).fetchall()

        for meaning, query in LIMBO.items():
            wrong = rows(query)
            if wrong:
                found.append(f"{meaning}: {len(wrong)}, such as {wrong[:3]}")
        made = Counter(rows(MADE))
        wanted = Counter((letter.subject, line, letter.sender) for letter in sent for line in letter.to)
        if made != wanted:
            lost, twice = wanted - made, made - wanted
            found.append(
                f"{lost.total()} lost, such as {list(lost)[:3]}; {twice.total()} too many, such as {list(twice)[:3]}"
            )
        customers = rows("select count(*) from customer")[0][0]
        if customers != len({letter.sender for letter in sent}):
            found.append(f"{customers} customers of {len({letter.sender for letter in sent})} senders")
        deliveries = dict(rows("select external_id, state from delivery"))
    doubled = [one for one, n in Counter(arrived).items() if n > 1]
    if doubled:
        found.append(f"{len(doubled)} acknowledgements arrived more than once, such as {doubled[:3]}")
    missing = [one for one, state in deliveries.items() if state == "sent" and one not in set(arrived)]
    if missing:
        found.append(f"{len(missing)} deliveries are called sent and never arrived")
    strange = set(arrived) - set(deliveries)
    if strange:
        found.append(f"{len(strange)} arrived that nobody sent")
    return found
