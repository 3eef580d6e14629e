"""Errands and appointments as an admin sees them: contracts in words, switches, kinds, and what is booked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.queues import openings
from everyline.selfservice import errands
from everyline.selfservice.errands import Refused
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
KIND = {"name": "Passport", "minutes": "30", "places": "1", "lead_minutes": "0", "ahead_days": "30", "queue_id": "1"}


@pytest.fixture
async def house(ground: Ground) -> House:
    return await House.open(ground)


async def test_every_errand_stands_there_with_its_contract_and_numbers(admin: httpx.AsyncClient, house: House) -> None:
    ann = await house.customer()
    done = await house.done("change_address", ann, address="12 Harbor Street\nBellingham, WA 98225")
    await errands.undo(house.ground, done.done_id, ann)
    listed = (await admin.get("/setup/errands")).text
    for name, contract in errands.known().items():
        assert f'href="/setup/errands/{name}"' in listed
        assert contract.title in listed
    assert "1 undone" in listed
    page = (await admin.get("/setup/errands/change_address")).text
    assert "New address" in page
    assert "within 7 days" in page
    assert "A code to a proved address" in page
    assert (await admin.get("/setup/errands/nothing")).status_code == 404


async def test_an_errand_is_switched_off_and_its_cases_go_to_a_queue(admin: httpx.AsyncClient, house: House) -> None:
    ann = await house.customer()
    assert (await admin.post("/setup/errands/new_case", data={"offered": "1", "queue_id": "1"})).status_code == 303
    assert (await admin.post("/setup/errands/new_case", data={"offered": "1", "queue_id": "99"})).status_code == 404
    few = {"offered": "1", "queue_id": "1", "strangers_an_hour": "3"}
    assert (await admin.post("/setup/errands/new_case", data=few)).status_code == 303
    assert 'value="3"' in (await admin.get("/setup/errands/new_case")).text
    assert (await admin.post("/setup/errands/new_case", data={**few, "strangers_an_hour": "0"})).status_code == 422
    assert (await admin.post("/setup/errands/case_status", data={})).status_code == 303
    assert "switched off" in (await admin.get("/setup/errands")).text
    assert isinstance(await house.does("case_status", ann), Refused)
    assert await house.value("select queue_id from errand_setting where errand = 'new_case'") == 1
    assert await house.value("select count(*) from audit where act = 'errand.changed'") == 3


async def test_a_kind_of_appointments_is_made_changed_and_retired(admin: httpx.AsyncClient, house: House) -> None:
    assert "Add hours first" in (await admin.get("/setup/appointments")).text
    async with house.ground.database.transaction() as tx:
        hours_id = await openings.add_hours(tx, None, name="Office", zone="UTC", week=[[("00:00", "24:00")]] * 7)
    bad = await admin.post("/setup/appointments", data={**KIND, "minutes": "2", "name": "Visa"})
    assert bad.status_code == 422
    assert 'value="Visa"' in bad.text
    kind = {**KIND, "hours_id": str(hours_id)}
    assert (await admin.post("/setup/appointments", data=kind)).status_code == 303
    assert (await admin.post("/setup/appointments", data={**kind, "name": "passport"})).status_code == 422
    assert (
        await admin.post("/setup/appointments/1", data={**kind, "places": "4", "remind_minutes": "90"})
    ).status_code == 303
    assert 'value="90"' in (await admin.get("/setup/appointments/1")).text
    assert await house.value("select places from appointment_kind") == 4
    ann = await house.customer()
    day = (now() + timedelta(days=1)).astimezone(ZoneInfo("UTC")).date().isoformat()
    await house.done("book_appointment", ann, day=day, time="10:00", text="Two <b>children</b>")
    page = (await admin.get(f"/setup/appointments?day={day}")).text
    assert "Ann Lee" in page
    assert "Two &lt;b&gt;children" in page
    assert "Nothing is booked" in (await admin.get("/setup/appointments?day=2020-01-01")).text
    assert (await admin.get("/setup/appointments?day=nonsense")).status_code == 200
    assert (await admin.post("/setup/appointments/1/retire")).status_code == 303
    assert (await admin.get("/setup/appointments/1")).status_code == 404
    assert "Ann Lee" in (await admin.get(f"/setup/appointments?day={day}")).text


@pytest.mark.parametrize("path", ["/setup/errands", "/setup/errands/new_case", "/setup/appointments"])
async def test_others_may_not(client: httpx.AsyncClient, sign_in: Any, path: str) -> None:
    client.cookies.update((await sign_in("supervisor")).cookies)
    assert (await client.get(path)).status_code == 403
    assert (await client.post(path, data={"offered": "1"})).status_code in (403, 405)
