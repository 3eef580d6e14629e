"""Routes of a line in the browser: made, moved, tried, taken away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from everyline.ground.installation import Ground
from everyline.lines import queries
from everyline.people.models import Audit
from tests.mail import MailLine

pytestmark = pytest.mark.req("V2", "A8")

WHOLE = {
    "name": "Spanish speakers at night",
    "days": ["0", "6"],
    "begins": "22:00",
    "ends": "06:00",
    "holiday": "no",
    "closure": "",
    "known": "",
    "open_case": "",
    "prefixes": "360, +52 55",
    "countries": "mx",
    "dialled": "+448001234567",
    "spoken": ["es"],
    "kind": "person",
    "flow": "people",
    "priority": "1",
    "last_agent": "1",
}


async def test_a_route_from_its_beginning_to_its_end(admin: httpx.AsyncClient, ground: Ground) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    path = f"/setup/lines/{line.id}/routes"
    assert "No route yet" in (await admin.get(path)).text
    made = await admin.post(f"{path}/0", data={**WHOLE, "queue_id": str(other.queue_id)})
    assert made.status_code == 303
    async with ground.database.transaction() as tx:
        (route,) = await queries.routes(tx, line.id)
    assert (route.when.days, route.when.prefixes, route.when.countries) == ((0, 6), ("+1360", "+5255"), ("MX",))
    assert (route.queue_id, route.flow, route.priority, route.last_agent) == (other.queue_id, "", 1, True)
    page = (await admin.get(path)).text
    for words in (
        "Monday, Sunday",
        "from 22:00 to 06:00",
        "on no holiday",
        "+1360, +5255",
        "queue Tax",
        "people at once",
        "priority: Urgent",
    ):
        assert words in page, words
    form = (await admin.get(f"{path}/{route.id}")).text
    assert 'value="Spanish speakers at night"' in form
    changed = await admin.post(f"{path}/{route.id}", data={"name": "All", "queue_id": str(other.queue_id)})
    assert changed.status_code == 303
    await admin.post(f"{path}/0", data={"name": "After", "queue_id": str(line.queue_id)})
    assert (await admin.get(path)).text.count("Never taken") == 1
    async with ground.database.transaction() as tx:
        first, second = await queries.routes(tx, line.id)
    await admin.post(f"{path}/{second.id}/earlier")
    async with ground.database.transaction() as tx:
        assert [one.id for one in await queries.routes(tx, line.id)] == [second.id, first.id]
    await admin.post(f"{path}/{first.id}/remove")
    assert (await admin.get(f"{path}/{first.id}")).status_code == 404
    async with ground.database.transaction() as tx:
        acts = await tx.column(select(Audit.act).where(Audit.act == "line.routes_changed"))
    assert len(acts) == 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"prefixes": "abc"}, "prefixes"),
        ({"countries": "Mexico"}, "countries"),
        ({"begins": "22:00", "ends": ""}, "ends"),
        ({"begins": "later", "ends": "06:00"}, "begins"),
        ({"priority": "9"}, "priority"),
        ({"queue_id": ""}, "queue_id"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, ground: Ground, wrong: dict[str, Any], field: str
) -> None:
    line = await MailLine.add(ground)
    typed = {"name": "Mine", "queue_id": "1", "days": ["2"], "spoken": ["de"], **wrong}
    answer = await admin.post(f"/setup/lines/{line.id}/routes/0", data=typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    if field != "name":
        assert 'value="Mine"' in answer.text
    assert 'name="days" value="2" checked' in answer.text
    assert 'name="spoken" value="de" checked' in answer.text
    async with ground.database.transaction() as tx:
        assert await queries.routes(tx, line.id) == ()


async def test_who_would_go_where_is_told_before_anybody_comes(admin: httpx.AsyncClient, ground: Ground) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    path = f"/setup/lines/{line.id}/routes"
    await admin.post(f"{path}/0", data={"name": "Local", "prefixes": "360", "queue_id": str(other.queue_id)})
    asked = {"number": "(360) 555-0142", "at": "2026-11-23T12:00", "language": "en"}
    assert "Local:" in (await admin.post(f"{path}/try", data=asked)).text
    far = await admin.post(f"{path}/try", data={**asked, "number": "+1 503 555 0142"})
    assert "No route holds" in far.text
    assert "+1 503 555 0142" in far.text
    none = await admin.post(f"{path}/try", data={**asked, "number": "nobody"})
    assert none.status_code == 422
    assert 'id="number-error"' in none.text


async def test_supervisors_see_routes_and_change_none(client: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    client.cookies.update((await sign_in("supervisor", queues=(line.queue_id,))).cookies)
    path = f"/setup/lines/{line.id}/routes"
    assert (await client.get(path)).status_code == 200
    assert (await client.get(f"{path}/new")).status_code == 403
    assert (await client.post(f"{path}/0", data={"name": "Mine", "queue_id": "1"})).status_code == 403
