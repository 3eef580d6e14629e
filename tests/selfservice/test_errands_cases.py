"""Errands that open cases: a new case and an outage, of customers and of strangers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from everyline.cases.rules import Status
from everyline.dispatch import actions as dispatch
from everyline.ground.installation import Ground
from everyline.selfservice.errands import Done, Down, Refused
from everyline.selfservice.errands.outages import place_key
from everyline.selfservice.errands.settings import set_errand
from everyline.selfservice.identity import Level, Who
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
ASKED = {"subject": "A fallen tree", "text": "It lies on the path behind the school."}
DARK = {"place": "12 Harbor Street, Bellingham", "trouble": "power"}
STRANGER = Who(language="en", channel="webchat")


@pytest.fixture
async def house(ground: Ground) -> House:
    return await House.open(ground)


async def opened(house: House) -> Any:
    [row] = await house.rows(
        'select c.*, i.media_class, m.text, m.facts, e.state as waits, e.queue_id as waits_in, p.kind, p.address from "case" c '
        "join interaction i on i.case_id = c.id join message m on m.case_id = c.id join queue_entry e on e.case_id = c.id "
        "join contact_point p on p.id = i.contact_point_id order by c.id desc limit 1"
    )
    return row


async def test_a_customers_case_waits_in_the_queue_and_can_be_answered(house: House, sign_in: Any) -> None:
    ann = await house.customer(level=Level.ADDRESS)
    agent = await sign_in("agent", queues=(1,))
    done = await house.done("new_case", ann, **ASKED)
    row = await opened(house)
    assert done.slots["number"].value == str(row.number)
    assert (row.customer_id, row.subject, row.text) == (ann.customer_id, ASKED["subject"], ASKED["text"])
    assert (row.waits, row.waits_in, row.media_class, row.status) == ("waiting", 1, "mail", Status.NEW)
    assert row.due_at is not None
    async with house.ground.database.transaction() as tx:
        await dispatch.answer(tx, house.ground.signer, agent.id, row.id, "We send somebody.")
    assert await house.value("select address from delivery where case_id = :id", id=row.id) == "ann@home.example"
    kinds = [one.kind for one in await house.rows("select kind from event where case_id = :id order by id", id=row.id)]
    assert kinds[:3] == ["case.opened", "message.received", "queue_entry.entered"]


async def test_a_stranger_needs_an_address_and_becomes_a_customer(house: House) -> None:
    nowhere = await house.does("new_case", STRANGER, **ASKED)
    assert isinstance(nowhere, Refused)
    assert nowhere.wants is None
    await house.done("new_case", STRANGER, email="Tom@Home.example", name="Tom Poe", **ASKED)
    row = await opened(house)
    assert (row.kind, row.address) == ("mailbox", "tom@home.example")
    assert await house.value("select name from customer where id = :id", id=row.customer_id) == "Tom Poe"
    assert await house.value("select verified_at from contact_point where address = 'tom@home.example'") is None


@pytest.mark.parametrize("level", [Level.UNKNOWN, Level.SIGNED_IN])
async def test_who_only_says_that_they_are_a_customer_gets_nothing_of_theirs(
    house: House, sign_in: Any, level: Level
) -> None:
    ann = await house.customer()
    agent = await sign_in("agent", queues=(1,))
    bob = await house.customer("bob@home.example", "Bob Ray")
    liar = Who(ann.customer_id, level, None if level is Level.UNKNOWN else bob.point_id, "en", "webchat")
    for _n in range(2):
        await house.done("new_case", liar, email="ann@home.example", name="Ann Lee", **ASKED)
        row = await opened(house)
        assert row.customer_id not in (ann.customer_id, bob.customer_id)
        assert row.kind == "handle"
    assert await house.value('select count(*) from "case" where customer_id = :id', id=ann.customer_id) == 0
    assert (await house.done("case_status", ann)).slots["cases"].value == "0"
    row = await opened(house)
    async with house.ground.database.transaction() as tx:
        await dispatch.answer(tx, house.ground.signer, agent.id, row.id, "Hello.", answer_to="ann@home.example")
    assert await house.value("select address from delivery where case_id = :id", id=row.id) == "ann@home.example"


async def test_another_address_of_a_customer_is_only_where_they_ask_for_answers(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    await house.done("new_case", ann, email="bob@home.example", **ASKED)
    row = await opened(house)
    assert (row.customer_id, row.address) == (ann.customer_id, "ann@home.example")
    assert row.facts["reply_to"][1] == "bob@home.example"
    assert len(await house.points(bob, "mailbox")) == 1


async def test_a_queue_is_chosen_by_its_name_or_by_the_house(house: House) -> None:
    from everyline.queues import set_up as queues

    ann = await house.customer()
    async with house.ground.database.transaction() as tx:
        parks = await queues.create_queue(tx, None, name="Parks")
        roads = await queues.create_queue(tx, None, name="Roads")
        await set_errand(tx, None, "new_case", offered=True, queue_id=roads)
    await house.done("new_case", ann, **ASKED)
    assert (await opened(house)).queue_id == roads
    await house.done("new_case", ann, queue="parks", **ASKED)
    assert (await opened(house)).queue_id == parks
    assert isinstance(await house.does("new_case", ann, queue="Nowhere", **ASKED), Refused)
    async with house.ground.database.transaction() as tx:
        await tx.execute(text("update queue set retired_at = now() where id = :id"), {"id": roads})
    await house.done("new_case", ann, **ASKED)
    assert (await opened(house)).queue_id == 1


async def test_without_an_open_line_it_is_down(house: House) -> None:
    ann = await house.customer()
    await house.rows("update line set open = false returning id")
    assert isinstance(await house.does("new_case", ann, **ASKED), Down)
    assert await house.value('select count(*) from "case"') == 0


async def test_three_at_once_with_one_key_open_one_case(house: House) -> None:
    found = await asyncio.gather(
        *(house.does("new_case", STRANGER, "run:9:1", email="tom@home.example", **ASKED) for _ in range(3))
    )
    assert len({one.told for one in found if isinstance(one, Done)}) == 1
    assert await house.value('select count(*) from "case"') == 1


def test_a_place_is_the_same_however_it_is_written() -> None:
    assert place_key("12 Harbor Street\nBellingham") == place_key("12, HARBOR ST. bellingham")
    assert place_key("Gänsestraße 4") == place_key("gansestrasse 4")
    assert place_key("12 Harbor Street") != place_key("21 Harbor Street")


async def test_one_place_within_an_hour_is_one_outage(house: House) -> None:
    ann = await house.customer()
    new = await house.done("report_outage", ann, **DARK, since="since noon")
    assert new.slots["known"].value == "no"
    row = await opened(house)
    assert row.tags == ["outage"]
    assert row.facts["fields"]["Since"] == "since noon"
    known = await house.done("report_outage", STRANGER, place="12 HARBOR ST bellingham", trouble="Power", name="Tom")
    assert (known.slots["known"].value, known.slots["reports"].value) == ("yes", "2")
    assert "number" not in known.slots
    assert await house.value('select count(*) from "case"') == 1
    assert "Tom" in await house.value("select text from note where case_id = :id", id=row.id)
    for other in ({**DARK, "trouble": "water"}, {**DARK, "place": "14 Harbor Street, Bellingham"}):
        assert (await house.done("report_outage", STRANGER, **other)).slots["known"].value == "no"


async def test_after_an_hour_or_when_it_is_settled_it_is_another(house: House) -> None:
    await house.done("report_outage", STRANGER, **DARK)
    await house.rows("update outage set reported_at = now() - interval '61 minutes' returning id")
    assert (await house.done("report_outage", STRANGER, **DARK)).slots["known"].value == "no"
    await house.rows("update \"case\" set status = 'resolved' returning id")
    assert (await house.done("report_outage", STRANGER, **DARK)).slots["known"].value == "no"


async def test_ten_reports_at_once_are_one_outage(house: House) -> None:
    found = await asyncio.gather(*(house.does("report_outage", STRANGER, **DARK) for _ in range(10)))
    assert all(isinstance(one, Done) for one in found)
    assert await house.value("select max(reports) from outage") == 10
    assert await house.value('select count(*) from "case"') == 1


async def test_what_is_no_place_or_no_trouble_is_refused(house: House) -> None:
    ann = replace(await house.customer(), language="de")
    for wrong in ({**DARK, "trouble": "ghosts"}, {**DARK, "place": "12"}, {"trouble": "power"}):
        assert isinstance(await house.does("report_outage", ann, **wrong), Refused)
    german = await house.done("report_outage", ann, **{**DARK, "trouble": "Strom"}, since="heute früh")
    assert german.slots["known"].value == "no"
    fields = (await opened(house)).facts["fields"]  # agents read them in the language of the house
    assert (fields["What does not work"], fields["Since"]) == ("Power", "heute früh")


# --- strangers


async def takes(house: House, errand: str, *come_from: str, email: str = "") -> bool:
    values = {"new_case": {"subject": "Lamp", "text": "Dark"}, "ask_callback": {"number": "+14155550100"}}[errand]
    more = {"email": email} if email else {}
    return isinstance(await house.does(errand, Who(origins=come_from), **values, **more), Done)


async def test_strangers_open_a_few_cases_an_hour_from_one_place(house: House) -> None:
    for n in range(5):
        assert await takes(house, "new_case", "browser:a", "network:x", email=f"n{n}@home.example")
    refused = await house.does(
        "new_case", Who(origins=("browser:a",)), subject="Lamp", text="Dark", email="n9@home.example"
    )
    assert isinstance(refused, Refused)
    assert "too often from here" in refused.told
    assert await takes(house, "new_case", "browser:b", "network:x", email="n9@home.example"), "who shares the network"
    assert await takes(house, "ask_callback", "browser:a", "network:x"), "another way in"
    ann = replace(await house.customer(), origins=("browser:a",))
    assert isinstance(await house.does("new_case", ann, subject="Lamp", text="Dark"), Done), (
        "who is known is no stranger"
    )
    await house.value("update errand_done set at = at - interval '1 hour' returning 1")
    assert await takes(house, "new_case", "browser:a", email="n9@home.example")


async def test_one_address_is_not_flooded_from_many_browsers_nor_one_network_emptied(house: House) -> None:
    found = [await takes(house, "new_case", f"browser:{n}", email="ann@home.example") for n in range(7)]
    assert found == [True] * 5 + [False] * 2
    async with house.ground.database.transaction() as tx:
        await set_errand(tx, None, "new_case", offered=True, queue_id=None, strangers_an_hour=1)
    found = [
        await takes(house, "new_case", f"browser:c{n}", "network:y", email=f"c{n}@home.example") for n in range(12)
    ]
    assert found == [True] * 10 + [False] * 2


async def test_many_at_once_get_no_more(house: House) -> None:
    found = await asyncio.gather(*(takes(house, "new_case", "browser:a", email=f"n{n}@home.example") for n in range(8)))
    assert sum(found) == 5
