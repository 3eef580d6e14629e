"""Loads the sample company into an empty installation, in one transaction."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy import func, insert, select, text

from everyline.customers.models import ContactPoint, Customer
from everyline.ground import jobs
from everyline.ground.addresses import MAILBOX, NUMBER
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.people.models import Agent
from everyline.sample import (
    accounts,
    appointments,
    articles,
    brands,
    figures,
    flows,
    generator,
    histories,
    house,
    talks,
    taught,
    telephone,
)
from everyline.sample.generator import Person
from everyline.sample.histories import ids as next_ids
from everyline.sample.house import Loaded

# four fifths of writing the histories would go to looking up what each row refers to; who may not leave that out does not
_TRUST = text(
    "select set_config('session_replication_role', :role, true) where has_parameter_privilege('session_replication_role', 'set')"
)


async def is_empty(ground: Ground) -> bool:
    """Is there nobody and nothing yet?"""
    async with ground.database.transaction() as tx:
        return int(await tx.value(select(func.count()).select_from(Agent))) == 0


async def load(ground: Ground, *, smtp_host: str, smtp_port: int, trunk: int = 0) -> Loaded:
    """Load everything; a worker counts its figures at once. ``smtp_host`` and ``smtp_port`` lead to the sample customers' mail host,
    ``trunk`` (a port of this machine) to their telephones; 0: they have none."""
    chance = random.Random(generator.SEED)
    customers = generator.people(chance)
    async with ground.database.transaction() as tx:
        await tx.execute(text("select ensure_event_partitions(current_date - 62)"))
        founded, loaded = await house.build(tx, ground, smtp_host, smtp_port)
        await brands.add(tx, ground, founded)
        await talks.add(tx, ground, founded)
        await articles.load(tx, founded.agents[0])
        await taught.load(tx, founded.agents[0])
        points = await _customers(tx, customers)
        await accounts.add(tx, ground, customers)
        await appointments.add(tx, founded)
        await flows.add(tx)
        if trunk:
            await telephone.add(tx, ground, founded, trunk)
        cases = list(generator.cases(chance, customers, now()))
        await tx.execute(_TRUST, {"role": "replica"})
        await histories.write(tx, ground, founded, customers, points, cases)
        await house.count_shares(tx)
        await tx.execute(_TRUST, {"role": "origin"})
        await figures.bring(tx, founded, now())
        await tx.execute(
            text('analyze "case", interaction, message, delivery, queue_entry, assignment, customer, contact_point')
        )
        await jobs.ask_for(tx, "everyline.measure.tasks.follow_events")
    return loaded


async def _customers(tx: Tx, found: list[Person]) -> list[int]:
    """Customers with their contact points; returns the mailboxes' ids in the same order."""
    since = now() - timedelta(days=generator.DAYS + 1)
    ids = await next_ids(tx, Customer, len(found))
    await tx.many(
        insert(Customer),
        [
            {"id": one, "name": person.name, "kind": person.kind, "language": person.language, "created_at": since}
            for one, person in zip(ids, found, strict=True)
        ],
    )
    points = await next_ids(tx, ContactPoint, len(found))
    await tx.many(
        insert(ContactPoint),
        [
            {"id": point, "customer_id": one, "kind": MAILBOX, "address": person.mailbox, "preferred": True}
            for one, point, person in zip(ids, points, found, strict=True)
        ],
    )
    numbers = {person.number: one for one, person in zip(ids, found, strict=True)}
    await tx.many(
        insert(ContactPoint),
        [
            {"customer_id": one, "kind": NUMBER, "address": number, "label": "mobile"}
            for number, one in numbers.items()
            if one % 3
        ],
    )
    return points
