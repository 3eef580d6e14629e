"""Errands of appointments and callbacks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from everyline.ground.clock import now
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.queues import openings
from everyline.selfservice import errands
from everyline.selfservice.errands import Done, Refused, appointing
from everyline.selfservice.identity import Level, Who
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
PLACE = "America/Los_Angeles"


class Office(House):
    """A house with one kind of appointments: every day from nine to ten, two times, one place each."""

    async def kind(self, name: str = "Passport", **facts: Any) -> int:
        async with self.ground.database.transaction() as tx:
            hours_id = await openings.add_hours(
                tx, None, name=f"{name} hours", zone=PLACE, week=[[("09:00", "10:00")]] * 7
            )
            wanted = {"name": name, "hours_id": hours_id, "minutes": 30, **facts}
            return await appointing.keep_kind(tx, None, None, **wanted)

    async def booked(self) -> list[Any]:
        return await self.rows("select * from appointment where state = 'booked' order by id")


@pytest.fixture
async def house(ground: Ground) -> Office:
    found = await Office.open(ground)
    assert isinstance(found, Office)
    await found.kind()
    return found


def day(n: int = 2) -> str:
    return (now().astimezone(ZoneInfo(PLACE)).date() + timedelta(days=n)).isoformat()


def local(moment: datetime) -> tuple[str, str]:
    there = moment.astimezone(ZoneInfo(PLACE))
    return there.date().isoformat(), f"{there:%H:%M}"


async def test_what_is_free_can_be_booked_and_then_is_not_free(house: Office) -> None:
    ann, bob = await house.customer(level=Level.ADDRESS), await house.customer("bob@home.example", "Bob Ray")
    free = await house.done("free_times", Who(), day=day())
    assert free.told == "On that day there is still: 9:00 AM, 9:30 AM."
    done = await house.done("book_appointment", ann, day=day(), time="9:30", text="For two children")
    [row] = await house.booked()
    assert (row.customer_id, local(row.starts_at), row.remarks) == (
        ann.customer_id,
        (day(), "09:30"),
        "For two children",
    )
    assert row.ends_at - row.starts_at == timedelta(minutes=30)
    assert done.slots["number"].value == str(row.id)
    assert (await house.done("free_times", ann, day=day())).told == "On that day there is still: 9:00 AM."
    taken = await house.does("book_appointment", bob, day=day(), time="9:30 am")
    assert isinstance(taken, Refused)
    assert "9:00 AM" in taken.told
    for wrong in ({"time": "9:10"}, {"time": "soon"}, {"day": day(-1)}, {"day": day(400)}, {"appointment": "Wedding"}):
        assert isinstance(await house.does("book_appointment", bob, **{"day": day(), "time": "9:00", **wrong}), Refused)
    assert len(await house.booked()) == 1


async def test_the_next_free_times_are_told_by_day(house: Office) -> None:
    await house.rows("update appointment_kind set minutes = 15 returning id")
    free = await house.done("free_times", Who())
    head, *days = free.told.splitlines()
    assert (head, len(days)) == ("There is still:", 5)
    assert all(one.partition(": ")[2] == "9:00 AM, 9:15 AM, 9:30 AM and 1 more" for one in days[1:]), days
    first = (free.slots["day"].value, free.slots["time"].value)
    ann = await house.customer()
    await house.done("book_appointment", ann, day=first[0], time=first[1])
    [row] = await house.booked()
    assert local(row.starts_at) == first


async def test_two_never_get_the_last_place(house: Office) -> None:
    people = [await house.customer(f"c{n}@home.example", f"Carl {n}") for n in range(6)]
    found = await asyncio.gather(*(house.does("book_appointment", one, day=day(), time="9:00") for one in people))
    assert sorted(type(one).__name__ for one in found) == ["Done"] + ["Refused"] * 5
    await house.rows("update appointment_kind set places = 3 returning id")
    found = await asyncio.gather(*(house.does("book_appointment", one, day=day(3), time="9:00") for one in people))
    assert sum(isinstance(one, Done) for one in found) == 3
    assert len(await house.booked()) == 4


async def test_nobody_is_at_two_places_at_once(house: Office) -> None:
    await house.kind("Licence")
    ann = await house.customer()
    booked = await asyncio.gather(
        *(
            house.does("book_appointment", ann, appointment=one, day=day(), time="9:00")
            for one in ("Passport", "Licence")
        )
    )
    assert sorted(type(one).__name__ for one in booked) == ["Done", "Refused"]
    unclear = await house.does("book_appointment", ann, day=day(), time="9:30")
    assert isinstance(unclear, Refused)
    assert "Licence, Passport" in unclear.told


async def test_an_appointment_is_moved_cancelled_and_brought_back(house: Office) -> None:
    ann = await house.customer()
    number = (await house.done("book_appointment", ann, day=day(), time="9:00")).slots["number"].value
    moved = await house.done("move_appointment", ann, number=number, day=day(), time="9:30")
    [row] = await house.booked()
    assert local(row.starts_at) == (day(), "09:30")
    assert isinstance(await errands.undo(house.ground, moved.done_id, ann), Done)
    [row] = await house.booked()
    assert local(row.starts_at) == (day(), "09:00")
    gone = await house.done("cancel_appointment", ann, number=number)
    assert not await house.booked()
    assert isinstance(await house.does("move_appointment", ann, number=number, day=day(), time="9:30"), Refused)
    assert isinstance(await errands.undo(house.ground, gone.done_id, ann), Done)
    assert len(await house.booked()) == 1


async def test_what_another_took_meanwhile_is_not_brought_back(house: Office) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    number = (await house.done("book_appointment", ann, day=day(), time="9:00")).slots["number"].value
    gone = await house.done("cancel_appointment", ann, number=number)
    await house.done("book_appointment", bob, day=day(), time="9:00")
    refused = await errands.undo(house.ground, gone.done_id, ann)
    assert isinstance(refused, Refused)
    assert await house.value("select undone_at from errand_done where id = :id", id=gone.done_id) is None
    [row] = await house.booked()
    assert row.customer_id == bob.customer_id


async def test_a_booking_is_undone_by_an_agent(house: Office, sign_in: Any) -> None:
    ann, agent = await house.customer(), await sign_in("agent")
    done = await house.done("book_appointment", ann, day=day(), time="9:00")
    assert isinstance(await errands.undo(house.ground, done.done_id, agent.id), Done)
    assert not await house.booked()


async def test_another_customers_appointment_is_one_that_there_is_not(house: Office) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    theirs = (await house.done("book_appointment", bob, day=day(), time="9:00")).slots["number"].value
    for name, more in (("cancel_appointment", {}), ("move_appointment", {"day": day(), "time": "9:30"})):
        other = await house.does(name, ann, number=theirs, **more)
        none = await house.does(name, ann, number="424242", **more)
        assert isinstance(other, Refused)
        assert isinstance(none, Refused)
        assert other.told.replace(theirs, "#") == none.told.replace("424242", "#")
        poor = await house.does(name, replace(bob, level=Level.ADDRESS), number=theirs, **more)
        assert isinstance(poor, Refused)
        assert poor.wants is Level.PROVED
    assert (await house.done("my_appointments", ann)).slots["appointments"].value == "0"
    assert theirs in (await house.done("my_appointments", bob)).told
    hidden = await house.does("my_appointments", replace(bob, level=Level.ADDRESS))
    assert isinstance(hidden, Refused)
    assert len(await house.booked()) == 1
    nobody = await house.does("book_appointment", Who(), day=day(), time="9:30")
    assert isinstance(nobody, Refused)
    assert nobody.wants is Level.ADDRESS


async def test_appointments_go_with_a_merged_customer(house: Office) -> None:
    ann, old = await house.customer(), await house.customer("ann@work.example", "Ann Lee")
    number = (await house.done("book_appointment", old, day=day(), time="9:00")).slots["number"].value
    await house.merge(ann, old)
    assert number in (await house.done("my_appointments", ann)).told
    await house.done("cancel_appointment", old, number=number)


async def test_what_is_booked_stays_when_the_kind_goes(house: Office) -> None:
    ann = await house.customer()
    number = (await house.done("book_appointment", ann, day=day(), time="9:00")).slots["number"].value
    async with house.ground.database.transaction() as tx:
        [row] = await appointing.kinds(tx)
        await appointing.retire_kind(tx, None, row.id)
    assert isinstance(await house.does("book_appointment", ann, day=day(), time="9:30"), Refused)
    assert isinstance(await house.does("move_appointment", ann, number=number, day=day(), time="9:30"), Refused)
    assert number in (await house.done("my_appointments", ann)).told
    await house.done("cancel_appointment", ann, number=number)


async def test_hours_of_appointments_are_not_removed(house: Office) -> None:
    async with house.ground.database.transaction() as tx:
        [row] = await appointing.kinds(tx)
    with pytest.raises(Conflict):
        async with house.ground.database.transaction() as tx:
            await openings.remove_hours(tx, None, row.hours_id)


# --- callbacks


async def waiting(house: Office) -> Any:
    [row] = await house.rows(
        'select e.*, c.customer_id, c.tags, c.number as case_number from queue_entry e join "case" c on c.id = e.case_id '
        "where e.state = 'waiting'"
    )
    return row


async def test_a_callback_waits_in_the_queue_until_its_time(house: Office) -> None:
    ann = await house.customer(level=Level.ADDRESS)
    tomorrow = (now() + timedelta(days=1)).date()
    done = await house.done("ask_callback", ann, number="(360) 555-0142", day=tomorrow.isoformat(), time="10:00")
    row = await waiting(house)
    assert row.tags == ["call back"]
    assert row.callback_after.date() == tomorrow
    assert (row.customer_id, done.slots["number"].value) == (ann.customer_id, str(row.case_number))
    assert isinstance(await house.does("ask_callback", ann, number="+13605550142"), Refused)
    assert not await house.points(ann, "number")


async def test_a_moved_callback_keeps_its_place_and_a_cancelled_one_is_settled(house: Office) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    await house.done("ask_callback", ann, number="+13605550142")
    before = await waiting(house)
    assert before.callback_after is None
    later = (now() + timedelta(days=2)).date()
    moved = await house.done("move_callback", ann, day=later.isoformat(), time="14:00")
    row = await waiting(house)
    assert (row.id, row.waiting_since) == (before.id, before.waiting_since)
    assert row.callback_after.date() == later
    for name, more in (("move_callback", {"day": later.isoformat()}), ("cancel_callback", {})):
        assert isinstance(await house.does(name, bob, **more), Refused)
    assert isinstance(await errands.undo(house.ground, moved.done_id, ann), Done)
    assert (await waiting(house)).callback_after is None
    await house.done("cancel_callback", ann)
    assert await house.value("select count(*) from queue_entry where state = 'waiting'") == 0
    assert await house.value('select status from "case"') == "resolved"


async def test_a_strangers_callback_leads_nowhere_near_whose_number_it_is(house: Office, sign_in: Any) -> None:
    ann, agent = await house.customer(), await sign_in("agent")
    await house.point(ann, "number", "+13605550142")
    done = await house.done("ask_callback", Who(), number="+13605550142", subject="My bill")
    assert (await waiting(house)).customer_id != ann.customer_id
    assert isinstance(await house.does("cancel_callback", ann), Refused)
    assert isinstance(await errands.undo(house.ground, done.done_id, Who()), Refused)
    assert isinstance(await errands.undo(house.ground, done.done_id, agent.id), Done)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "call me"},
        {"number": "+13605550142", "day": "2020-01-01"},
        {"number": "+13605550142", "time": "late"},
    ],
)
async def test_what_cannot_be_called_is_refused(house: Office, wrong: dict[str, str]) -> None:
    ann = await house.customer()
    assert isinstance(await house.does("ask_callback", ann, **wrong), Refused)
    far = (date.today() + timedelta(days=60)).isoformat()  # noqa: DTZ011 -- any day far away
    assert isinstance(await house.does("ask_callback", ann, number="+13605550142", day=far), Refused)
