"""Appointments of the sample company: booked and moved through its own flow."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, text

from everyline.channel_contract import Address
from everyline.customers import actions as customers
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.queues.models import Hours
from everyline.sample import appointments, flows, generator
from everyline.sample.house import House
from everyline.selfservice import actions
from everyline.selfservice.errands import appointing
from everyline.selfservice.errands.times import on_the_clock
from everyline.selfservice.flows import written
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.running.turns import Turns
from everyline.selfservice.walking import Said

pytestmark = pytest.mark.req("P1", "V3")


def _clock(moment: datetime, place: str) -> tuple[str, str]:
    day, at = on_the_clock(moment, place)
    return day.isoformat(), f"{at:%H:%M}"


async def test_a_customer_books_an_appointment_and_moves_it(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(insert(Hours).values(name="Office hours", zone=generator.ZONE, week=generator.WEEK))
        addresses = [Address("mailbox", f"c{n}@home.example", f"Carl {n}") for n in range(5)]
        found = await customers.find_or_create(tx, addresses)
        queues = dict.fromkeys(("Permits", "Licenses and pets", "Water"), 1)
        await appointments.add(tx, House(queues, [], {}, [], [], {}))
        assert await tx.value(text("select count(*) from appointment where tell = ''")) > 0
        await actions.add(tx, None, written(flows.APPOINTMENT))
        await actions.publish(tx, None, flows.APPOINTMENT.name)
        kind = await appointing.kind_named(tx, "building")
        free = await appointing.free(tx, kind, now() + timedelta(days=4))
    one = found["mailbox", "c4@home.example"]
    async with ground.database.transaction() as tx:
        await tx.execute(text("delete from appointment where customer_id = :id"), {"id": one.customer_id})
        await tx.execute(text("update contact_point set verified_at = now()"))
    who = Who(one.customer_id, Level.SIGNED_IN, one.point_id, "en", "portal")
    turns = Turns(ground)

    async def going(*said: str) -> str:
        stands = await turns.begin("book-appointment", who)
        for words in said:
            stands = await turns.answer(stands.run.id, Said(words), stands.run.turns, who)
        return " ".join(text for told in stands.turn.told for text in told.words.values())

    first, second = (_clock(starts, kind.place) for starts in (free[0], free[-1]))
    told = await going("Book an appointment", "Building permit", first[0], first[1], "yes")
    assert "Your appointment for Building permit is on" in told
    async with ground.database.transaction() as tx:
        [row] = await appointing.of_customer(tx, one.customer_id)
    assert row.starts_at == free[0]
    assert "now. It has the number" in await going("Move an appointment", str(row.id), *second)
    async with ground.database.transaction() as tx:
        [row] = await appointing.of_customer(tx, one.customer_id)
    assert row.starts_at == free[-1]
