"""Letters about appointments: to whom, once, with a file that calendars read; and a reminder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.selfservice.errands import appointing, invitations, reminding
from everyline.selfservice.errands.invitations import Invitation
from everyline.selfservice.identity import Level, Who
from tests.selfservice.errand_house import House
from tests.selfservice.test_errands_appointments import Office, day

pytestmark = pytest.mark.req("V3", "W3")
ANN = "ann@home.example"


@pytest.fixture
async def house(ground: Ground) -> Office:
    found = await Office.open(ground)
    assert isinstance(found, Office)
    await found.kind()
    return found


async def booked(house: House, who: Who, n: int = 2) -> str:
    return (await house.done("book_appointment", who, day=day(n), time="9:00")).slots["number"].value


async def calendar(house: House) -> dict[str, str]:
    """The lines of the newest file, unfolded."""
    [row] = await house.rows("select files from delivery order by id desc limit 1")
    [[digest, name, kind]] = row.files
    assert (name, kind) == ("appointment.ics", "text/calendar")
    content = (await house.ground.files.read(digest)).decode().replace("\r\n ", "")
    return dict(line.partition(":")[::2] for line in content.split("\r\n") if line)


async def soon(house: House, **ahead: float) -> None:
    """The appointment is so far away, as if the time until then had passed."""
    async with house.ground.database.transaction() as tx:
        await tx.execute(
            text("update appointment set changed_at = changed_at - interval '9 days', starts_at = :at, ends_at = :at + interval '30 minutes'"),
            {"at": datetime.now(UTC) + timedelta(**ahead)},
        )  # fmt: skip


async def test_what_is_booked_moved_and_cancelled_is_told_once_with_a_file_for_calendars(house: Office) -> None:
    ann = await house.customer()
    number = await booked(house, ann)
    assert (
        await house.value("select count(*) from procrastinate_jobs where task_name like '%write_about_appointments'")
        == 1
    )
    await asyncio.gather(*(reminding.write_due(house.ground) for _worker in range(3)))
    [letter] = await house.letters(ANN)
    assert letter.startswith("Your appointment: Passport, ")
    assert f"It has the number {number}." in letter
    first = await calendar(house)
    [row] = await house.booked()
    assert first["METHOD"] == "REQUEST"
    assert first["DTSTART"] == row.starts_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    assert (first["SEQUENCE"], first["STATUS"]) == ("0", "CONFIRMED")

    await house.done("move_appointment", ann, number=number, day=day(3), time="9:30")
    await reminding.write_due(house.ground)
    moved = await calendar(house)
    assert (moved["UID"], moved["SEQUENCE"], moved["METHOD"]) == (first["UID"], "1", "REQUEST")

    await house.done("cancel_appointment", ann, number=number)
    await reminding.write_due(house.ground)
    gone = await calendar(house)
    assert (gone["UID"], gone["SEQUENCE"], gone["METHOD"]) == (first["UID"], "2", "CANCEL")
    assert gone["STATUS"] == "CANCELLED"
    letters = await house.letters(ANN)
    assert [one.partition(":")[0] for one in letters] == [
        "Your appointment",
        "Your appointment was moved",
        "Your appointment was cancelled",
    ]


async def test_it_goes_where_they_booked_from_else_to_a_proved_mailbox_else_to_another_in_their_language(
    house: Office,
) -> None:
    spanish = await house.speaks(await house.customer("sol@home.example", "Sol Díaz"), "es")
    await house.point(spanish, "mailbox", "old@home.example")
    from_there = await house.customer("bob@home.example", "Bob Ray", Level.ADDRESS, verified=False)
    unknown = await house.customer("eve@home.example", "Eve Roe", verified=False)
    await booked(house, Who(spanish.customer_id, Level.PROVED, None, "es", "portal"))
    await booked(house, from_there, 3)
    async with house.ground.database.transaction() as tx:
        kind = await appointing.kind_named(tx, None)
        free = await appointing.free(tx, kind, datetime.now(UTC))
        assert unknown.customer_id is not None
        await appointing.book(tx, kind, unknown.customer_id, free[-1])
    assert await reminding.write_due(house.ground) == 3
    assert [len(await house.letters(f"{one}@home.example")) for one in ("sol", "old", "bob", "eve")] == [1, 0, 1, 1]
    assert await house.value("select language from delivery where address = 'sol@home.example'") == "es"
    assert "Su cita" in (await house.letters("sol@home.example"))[0]


async def test_a_reminder_goes_out_once_before_it(house: Office) -> None:
    await booked(house, await house.customer(), 3)
    await reminding.write_due(house.ground)
    await soon(house, days=2)
    assert await reminding.write_due(house.ground) == 0, "too early"
    await soon(house, hours=23)
    assert sum(await asyncio.gather(*(reminding.write_due(house.ground) for _worker in range(3)))) == 1
    assert await reminding.write_due(house.ground) == 0
    assert "this is a reminder" in (await house.letters(ANN))[-1]


@pytest.mark.parametrize("why", ["cancelled", "moved", "switched off", "past", "just booked", "unwanted"])
async def test_nobody_is_reminded_of_what_is_not_to_come(house: Office, why: str) -> None:
    ann = await house.customer()
    number = await booked(house, ann, 3)
    if why == "moved":
        await soon(house, hours=23)
        await house.done("move_appointment", ann, number=number, day=day(4), time="9:00")
    elif why == "cancelled":
        await house.done("cancel_appointment", ann, number=number)
        await soon(house, hours=23)
    elif why == "past":
        await soon(house, hours=-1)
    elif why == "just booked":
        await house.rows("update appointment_kind set remind_minutes = 43200 returning id")
    else:
        await soon(house, hours=23)
        if why == "switched off":
            await house.rows("update appointment_kind set remind_minutes = 0 returning id")
        else:
            await house.rows(
                "insert into consent (contact_point_id, purpose, granted) values (:id, 'service', false) returning purpose",
                id=ann.point_id,
            )
    await reminding.write_due(house.ground)
    await reminding.write_due(house.ground)
    assert not [one for one in await house.letters(ANN) if "this is a reminder" in one]


async def test_what_could_not_be_written_is_written_later(house: Office) -> None:
    await booked(house, await house.customer())
    await house.rows("update line set open = false returning id")
    assert await reminding.write_due(house.ground) == 0
    await house.rows("update line set open = true returning id")
    assert await reminding.write_due(house.ground) == 1


def test_a_file_for_calendars_holds_whatever_it_is_called() -> None:
    at = datetime(2026, 3, 1, 17, tzinfo=UTC)
    one = Invitation(
        uid="1@everyline", revision=3, starts=at, ends=at + timedelta(minutes=30), summary="Führerschein; Umtausch, " + "ü" * 60,
        description="a\\b\nEND:VEVENT\r\nX", host=('Amt "Nord"\r\nX:1', "amt@county.example"), guest=("Zoë", "zoe@mail.example"),
    )  # fmt: skip
    raw = invitations.written(one)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    lines = raw.decode().replace("\r\n ", "").split("\r\n")
    assert lines.count("END:VEVENT") == 1
    assert "X:1" not in lines
    assert "SUMMARY:Führerschein\\; Umtausch\\, " + "ü" * 60 in lines
    assert "DESCRIPTION:a\\\\b\\nEND:VEVENT\\nX" in lines
    assert lines[-1] == ""
