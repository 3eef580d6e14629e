"""What the sample company's ledger knows can be looked up, and shows who somebody is."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import insert

from everyline.customers.models import ContactPoint, Customer
from everyline.ground.installation import Ground
from everyline.sample import accounts, generator
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.sources import Found, knowledge, look_up


@pytest.mark.req("V3", "W4")
async def test_every_sample_customer_has_an_account(ground: Ground) -> None:
    people = generator.people(random.Random(generator.SEED))
    async with ground.database.transaction() as tx:
        await accounts.add(tx, ground, people)
        one = await tx.value(insert(Customer).values(name=people[7].name).returning(Customer.id))
        point = insert(ContactPoint).values(customer_id=one, kind="mailbox", address=people[7].mailbox)
        who = Who(one, Level.ADDRESS, await tx.value(point.returning(ContactPoint.id)))
    given = {"account": Value(Kind.ACCOUNT, accounts.number(7))}
    found = await look_up(ground, "accounts", given, 5, who)
    assert isinstance(found, Found)
    assert found.slots["name"].value == people[7].name
    assert found.slots["balance"].unit == "USD"
    assert found.slots["status"].value in accounts.STATES
    assert ("due" in found.slots) == (found.slots["status"].value != "paid")
    other = {"account": Value(Kind.ACCOUNT, accounts.number(8))}
    mailbox = people[7].mailbox
    assert (await knowledge.check(ground, "mailbox", mailbox, given)).verdict is knowledge.Verdict.RIGHT
    assert (await knowledge.check(ground, "mailbox", mailbox, other)).verdict is knowledge.Verdict.WRONG
